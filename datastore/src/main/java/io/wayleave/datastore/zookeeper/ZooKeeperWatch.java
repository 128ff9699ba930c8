package io.wayleave.datastore.zookeeper;

import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Watch;
import io.wayleave.datastore.WatchEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Reads the {@link ChangeLog} from a position on, and from the store what the changed keys hold
 * now. When the connection has been lost, or the log does not reach back, it tells to resync.
 *
 * <p>It has no thread; one thread at a time reads it.
 */
final class ZooKeeperWatch implements Watch {
  private static final Duration PAUSE = Duration.ofMillis(50);

  private final ZooKeeperDatastore datastore;
  private final Nodes nodes;
  private final ChangeLog changes;
  private final String prefix;

  // Owned by the reader.
  private ChangeLog.Position position;
  private Map<String, Long> seen = Map.of();
  private boolean disconnectionTold;

  private volatile boolean ended;

  ZooKeeperWatch(
      ZooKeeperDatastore datastore,
      Nodes nodes,
      ChangeLog changes,
      String prefix,
      ChangeLog.Position position) {
    this.datastore = datastore;
    this.nodes = nodes;
    this.changes = changes;
    this.prefix = prefix;
    this.position = position;
  }

  @Override
  public List<WatchEvent> take(Deadline deadline) throws InterruptedException {
    while (!ended) {
      ChangeLog.State now = changes.state();
      List<WatchEvent> events =
          now.connected() && changes.covers(prefix, position) ? next(now, deadline) : lost(now);
      if (!events.isEmpty() || deadline.hasPassed()) {
        return ended && !isResync(events) ? List.of() : events;
      }
      changes.awaitOther(
          now, () -> ended, events.isEmpty() && !caughtUp(now) ? deadline.within(PAUSE) : deadline);
    }
    return List.of();
  }

  private static boolean isResync(List<WatchEvent> events) {
    return !events.isEmpty() && events.getLast() instanceof WatchEvent.Resync;
  }

  private boolean caughtUp(ChangeLog.State now) {
    return !now.connected() || position.equals(now.end());
  }

  private List<WatchEvent> lost(ChangeLog.State now) {
    if (!now.connected()) {
      if (disconnectionTold) {
        return List.of();
      }
      disconnectionTold = true;
      return List.of(new WatchEvent.Disconnected(now.reason()));
    }
    close();
    // The connection is back, but what the reader knows is old until it has compared.
    return List.of(
        new WatchEvent.Resync("ZooKeeper does not tell what changed before this connection"));
  }

  private List<WatchEvent> next(ChangeLog.State now, Deadline deadline)
      throws InterruptedException {
    Optional<Set<String>> told = changes.changes(prefix, position, now.end().index(), seen);
    if (told.isEmpty() || told.get().isEmpty()) {
      // Where the log does not reach back any more, the next round tells so.
      position = told.isEmpty() ? position : now.end();
      return List.of();
    }
    try {
      // A connection that breaks meanwhile is told soon, however long the reader would wait.
      Deadline soon = deadline.within(datastore.requestTimeout());
      // Behind the answer to any request stand all notifications of the transactions before it, so
      // that none is cut in two.
      ChangeLog.Position end = nodes.barrier(soon);
      if (end.epoch() != position.epoch()) {
        return List.of();
      }
      Optional<Set<String>> changed = changes.changes(prefix, position, end.index(), seen);
      if (changed.isEmpty()) {
        return List.of();
      }
      Map<String, Long> read = new HashMap<>();
      List<WatchEvent> events = new ArrayList<>();
      for (Nodes.Seen value : nodes.values(changed.get(), soon)) {
        Optional<Entry> entry = value.entry();
        events.add(
            entry.isPresent()
                ? new WatchEvent.Put(entry.get())
                : new WatchEvent.Delete(value.key()));
        if (value.position().epoch() == end.epoch() && value.position().index() > end.index()) {
          read.put(value.key(), value.position().index());
        }
      }
      seen = read;
      position = end;
      return events;
    } catch (DatastoreUnavailableException e) {
      if (Thread.interrupted()) {
        InterruptedException interruption = new InterruptedException("while reading changes");
        interruption.initCause(e);
        throw interruption;
      }
      return List.of();
    }
  }

  @Override
  public boolean isEnded() {
    return ended;
  }

  @Override
  public void close() {
    ended = true;
    changes.wake();
    datastore.forget(this);
  }
}
