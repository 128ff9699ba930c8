package io.wayleave.ctl;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.status.Presence;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;

/** Which agents live, by node: what they keep in the datastore while their session lasts. */
final class Presences {
  private Presences() {}

  static Map<String, Presence> of(Datastore datastore) {
    Map<String, Presence> presences = new TreeMap<>();
    for (Entry entry : datastore.listAll(Keys.PRESENCE, datastore.deadline()).entries()) {
      presences.put(Keys.lastSegment(entry.key()), read(entry));
    }
    return presences;
  }

  /** An agent that says what we do not understand is present all the same. */
  private static Presence read(Entry entry) {
    try {
      return ResourceCodec.read(
          ResourceCodec.jsonMapper(),
          ResourceCodec.jsonMapper().readTree(entry.value()),
          Presence.class);
    } catch (InvalidInputException | IOException e) {
      return new Presence("unknown", "unknown");
    }
  }
}
