package io.wayleave.datastore.zookeeper;

import io.wayleave.datastore.Revision;
import io.wayleave.model.InvalidInputException;
import java.util.Optional;
import java.util.UUID;

/** A client's revisions, which are places in its {@link ChangeLog}. Thread safe. */
final class Revisions {
  private final String clientId = UUID.randomUUID().toString().substring(0, 8);

  Revision revision(ChangeLog.Position position) {
    return new Revision(clientId + "-" + position.epoch() + "-" + position.index());
  }

  /**
   * The place; empty when another client gave the revision out.
   *
   * @throws InvalidInputException when it is none of a ZooKeeper store's
   */
  Optional<ChangeLog.Position> position(Revision revision) {
    String[] parts = revision.token().split("-", -1);
    if (parts.length != 3 || !parts[1].matches("[0-9]{1,18}") || !parts[2].matches("[0-9]{1,18}")) {
      throw new InvalidInputException(
          "revision", revision.token(), "a revision that a ZooKeeper store gave out");
    }
    return parts[0].equals(clientId)
        ? Optional.of(new ChangeLog.Position(Long.parseLong(parts[1]), Long.parseLong(parts[2])))
        : Optional.empty();
  }
}
