package io.wayleave.datastore.zookeeper;

import io.wayleave.datastore.Deadline;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * Which keys have changed, in order, for as long as one connection lasts: ZooKeeper keeps no
 * history, so each client keeps the notifications that it got. A lost connection begins a new
 * epoch, because recursive watches do not tell what happened meanwhile.
 *
 * <p>Written by ZooKeeper's event thread, which delivers notifications and answers in the order in
 * which the server sent them: the position at an answer stands behind every change that the answer
 * can show. Thread safe.
 */
final class ChangeLog {
  /** Changes that are kept; a watch that is further behind must resync. */
  private static final int MAX_KEPT = 100_000;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // Guarded by the lock.
  private final List<String> keys = new ArrayList<>();
  private final Map<String, Long> watchedSince = new HashMap<>();
  private long firstIndex;
  private long epoch;
  private Object handle = new Object();
  private boolean connected;
  private String reason = "not connected yet";

  /** A place in the log of an epoch; changes from it on have this index or a greater one. */
  record Position(long epoch, long index) {}

  /** What there is now. */
  record State(Position end, boolean connected, String reason) {}

  State state() {
    lock.lock();
    try {
      return new State(end(), connected, reason);
    } finally {
      lock.unlock();
    }
  }

  private Position end() {
    return new Position(epoch, firstIndex + keys.size());
  }

  /** From now on only this client's events count. */
  void opened(Object newHandle) {
    lock.lock();
    try {
      handle = newHandle;
      connected = false;
      newEpoch();
    } finally {
      lock.unlock();
    }
  }

  void connected(Object by) {
    lock.lock();
    try {
      if (by.equals(handle)) {
        connected = true;
        newEpoch();
      }
    } finally {
      lock.unlock();
    }
  }

  void disconnected(Object by, String why) {
    lock.lock();
    try {
      if (by.equals(handle)) {
        connected = false;
        reason = why;
        newEpoch();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Drops everything, as the loss of a connection does. */
  void forget() {
    lock.lock();
    try {
      newEpoch();
    } finally {
      lock.unlock();
    }
  }

  private void newEpoch() {
    epoch++;
    firstIndex = 0;
    keys.clear();
    watchedSince.clear();
    changed.signalAll();
  }

  void append(Object by, String key) {
    lock.lock();
    try {
      if (!by.equals(handle)) {
        return;
      }
      keys.add(key);
      if (keys.size() > 2 * MAX_KEPT) {
        keys.subList(0, MAX_KEPT).clear();
        firstIndex += MAX_KEPT;
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Changes under the prefix are in the log from this position on. */
  void watched(String prefix, Position since) {
    lock.lock();
    try {
      if (since.epoch() == epoch) {
        watchedSince.putIfAbsent(prefix, since.index());
      }
    } finally {
      lock.unlock();
    }
  }

  /** Whether the log has every change under the prefix from the position on. */
  boolean covers(String prefix, Position from) {
    lock.lock();
    try {
      return from.epoch() == epoch
          && from.index() >= firstIndex
          && watchedSince.entrySet().stream()
              .anyMatch(
                  watched ->
                      prefix.startsWith(watched.getKey()) && watched.getValue() <= from.index());
    } finally {
      lock.unlock();
    }
  }

  /**
   * The keys under the prefix that changed from one position to an index of the same epoch, each
   * once; empty when the log no longer reaches back to that position.
   *
   * @param seen for some keys the index up to which changes are known already
   */
  Optional<Set<String>> changes(String prefix, Position from, long to, Map<String, Long> seen) {
    lock.lock();
    try {
      if (from.epoch() != epoch || from.index() < firstIndex) {
        return Optional.empty();
      }
      Set<String> found = new LinkedHashSet<>();
      for (long index = from.index(); index < to; index++) {
        String key = keys.get((int) (index - firstIndex));
        if (key.startsWith(prefix) && seen.getOrDefault(key, 0L) <= index) {
          found.add(key);
        }
      }
      return Optional.of(found);
    } finally {
      lock.unlock();
    }
  }

  /** Waits until this is no longer the state, or it is to stop, or the deadline. */
  void awaitOther(State known, BooleanSupplier stop, Deadline deadline)
      throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (end().equals(known.end()) && connected == known.connected() && !stop.getAsBoolean()) {
        if (changed.awaitNanos(deadline.remaining().toNanos()) <= 0) {
          return;
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** Whether there is a connection, at the deadline at the latest. */
  boolean awaitConnected(Deadline deadline) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (!connected) {
        if (changed.awaitNanos(deadline.remaining().toNanos()) <= 0) {
          return connected;
        }
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Lets every waiting thread look again. */
  void wake() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
