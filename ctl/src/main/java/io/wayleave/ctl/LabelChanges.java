package io.wayleave.ctl;

import io.wayleave.model.Metadata;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Changes of labels as they are typed: {@code KEY=VALUE} to set, {@code KEY-} to remove. */
final class LabelChanges {
  /** How commands call them. */
  static final String LABEL = "KEY=VALUE|KEY-";

  static final String DESCRIPTION = "a label to set, or with a minus to remove";

  private final List<String> changes;

  private LabelChanges(List<String> changes) {
    this.changes = changes;
  }

  /**
   * Reads them; bad keys and values are found before the datastore is asked.
   *
   * @throws UsageException naming the one that is not allowed
   */
  static LabelChanges parse(List<String> changes) {
    for (String change : changes) {
      if (change.indexOf('=') < 1 && (change.length() < 2 || !change.endsWith("-"))) {
        throw new UsageException(
            "label \"" + change + "\" is not allowed; allowed: KEY=VALUE to set, KEY- to remove");
      }
    }
    LabelChanges read = new LabelChanges(List.copyOf(changes));
    Flags.read(Map.of(), () -> read.of(Metadata.of("labels")));
    return read;
  }

  /** The metadata with the labels changed. */
  Metadata of(Metadata metadata) {
    Map<String, String> changed = new TreeMap<>(metadata.labels());
    for (String change : changes) {
      int equals = change.indexOf('=');
      if (equals < 0) {
        changed.remove(change.substring(0, change.length() - 1));
      } else {
        changed.put(change.substring(0, equals), change.substring(equals + 1));
      }
    }
    return metadata.withLabels(changed);
  }
}
