package io.wayleave.datastore;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A datastore in the memory of this process, for unit tests and for embedding: nothing of it
 * outlives the process. It keeps the whole contract of {@link Datastore} and passes the same
 * contract suite as the real ones. Sessions have no clock; {@link #expire} ends one as the store's
 * clock would.
 *
 * <p>{@link #disconnect}, {@link #reconnect} and {@link #compact} make the conditions that real
 * stores make by themselves. Thread safe; one lock guards everything.
 */
public final class MemoryDatastore implements Datastore {
  /** Changes that are kept for watches; beyond that the oldest are compacted away. */
  private static final int MAX_HISTORY = 100_000;

  /** Listings that can be in progress at once. */
  private static final int MAX_SNAPSHOTS = 8;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final NavigableMap<String, Stored> entries = new TreeMap<>();
  private final NavigableMap<Long, List<WatchEvent>> history = new TreeMap<>();
  private final Map<Long, NavigableMap<String, Stored>> snapshots = new LinkedHashMap<>();
  private final Set<MemorySession> sessions = new HashSet<>();
  private final Duration requestTimeout;
  private long revision = 1;
  private long compacted = 1;
  private long sessionCount;
  private boolean connected = true;
  private boolean closed;

  private record Stored(Entry entry, Optional<Session> session) {}

  public MemoryDatastore() {
    this(DatastoreOptions.DEFAULTS.requestTimeout());
  }

  public MemoryDatastore(Duration requestTimeout) {
    this.requestTimeout = requireNonNull(requestTimeout, "requestTimeout is null");
  }

  @Override
  public Optional<Entry> get(String key, Deadline deadline) {
    return Optional.ofNullable(getAll(List.of(key), deadline).get(key));
  }

  @Override
  public Map<String, Entry> getAll(Collection<String> keys, Deadline deadline) {
    keys.forEach(Keys::checkKey);
    lock.lock();
    try {
      checkReachable("get of " + keys, deadline);
      Map<String, Entry> found = new HashMap<>();
      for (String key : keys) {
        Stored stored = entries.get(key);
        if (stored != null) {
          found.put(key, stored.entry());
        }
      }
      return found;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Page list(String prefix, Optional<Page.Cursor> cursor, int pageSize, Deadline deadline) {
    Keys.checkPrefix(prefix);
    if (pageSize < 1) {
      throw new IllegalArgumentException("pageSize is " + pageSize + "; allowed: 1 or more");
    }
    lock.lock();
    try {
      checkReachable("list of " + prefix, deadline);
      long at = cursor.map(c -> Long.parseLong(c.revision().token())).orElse(revision);
      NavigableMap<String, Stored> shown = at == revision ? entries : snapshots.get(at);
      if (shown == null) {
        throw new SnapshotExpiredException("revision " + at + " is no longer kept", null);
      }
      SortedMap<String, Stored> rest =
          cursor.isEmpty()
              ? shown.tailMap(prefix, true)
              : shown.tailMap(cursor.get().afterKey(), false);
      List<Entry> page = new ArrayList<>();
      boolean more = false;
      for (Stored stored : rest.values()) {
        if (!stored.entry().key().startsWith(prefix)) {
          break;
        }
        if (page.size() == pageSize) {
          more = true;
          break;
        }
        page.add(stored.entry());
      }
      if (more && !snapshots.containsKey(at)) {
        keepSnapshot(at);
      }
      Revision shownRevision = new Revision(Long.toString(at));
      return new Page(
          page,
          shownRevision,
          more
              ? Optional.of(new Page.Cursor(shownRevision, page.getLast().key()))
              : Optional.empty());
    } finally {
      lock.unlock();
    }
  }

  private void keepSnapshot(long at) {
    if (snapshots.size() == MAX_SNAPSHOTS) {
      snapshots.remove(snapshots.keySet().iterator().next());
    }
    snapshots.put(at, new TreeMap<>(entries));
  }

  @Override
  public boolean listsOneMoment() {
    return true;
  }

  @Override
  public TransactionResult commit(Transaction transaction, Deadline deadline) {
    lock.lock();
    try {
      checkReachable("transaction", deadline);
      List<Transaction.Condition> failed = new ArrayList<>();
      Map<String, Entry> current = new HashMap<>();
      for (Transaction.Condition condition : transaction.conditions()) {
        Stored stored = entries.get(condition.key());
        if (stored != null) {
          current.put(condition.key(), stored.entry());
        }
        boolean holds =
            switch (condition) {
              case Transaction.Absent _ -> stored == null;
              case Transaction.Exists _ -> stored != null;
              case Transaction.Unchanged unchanged ->
                  stored != null && stored.entry().version().equals(unchanged.version());
            };
        if (!holds) {
          failed.add(condition);
        }
      }
      if (!failed.isEmpty()) {
        return new TransactionResult.Failed(failed, current);
      }
      for (Transaction.Operation operation : transaction.operations()) {
        if (operation instanceof Transaction.Put put) {
          put.session().ifPresent(this::checkLive);
        }
      }
      return apply(transaction.operations());
    } finally {
      lock.unlock();
    }
  }

  private TransactionResult.Committed apply(List<Transaction.Operation> operations) {
    long next = revision + 1;
    Version version = new Version(Long.toString(next));
    Map<String, Version> versions = new HashMap<>();
    List<WatchEvent> events = new ArrayList<>();
    for (Transaction.Operation operation : operations) {
      switch (operation) {
        case Transaction.Put put -> {
          Entry entry = new Entry(put.key(), put.value().clone(), version);
          entries.put(put.key(), new Stored(entry, put.session()));
          versions.put(put.key(), version);
          events.add(new WatchEvent.Put(entry));
        }
        case Transaction.Delete delete -> {
          if (entries.remove(delete.key()) != null) {
            events.add(new WatchEvent.Delete(delete.key()));
          }
        }
      }
    }
    if (!events.isEmpty()) {
      revision = next;
      history.put(next, events);
      if (history.size() > MAX_HISTORY) {
        compacted = history.pollFirstEntry().getKey();
      }
      changed.signalAll();
    }
    return new TransactionResult.Committed(new Revision(Long.toString(revision)), versions);
  }

  private void checkLive(Session session) {
    if (!(session instanceof MemorySession mine) || !sessions.contains(mine)) {
      throw new DatastoreRefusedException("session " + session.id() + " has ended", null);
    }
  }

  @Override
  public Watch watch(String prefix, Revision after) {
    return new MemoryWatch(Keys.checkPrefix(prefix), Long.parseLong(after.token()));
  }

  @Override
  public Session openSession(Duration timeToLive, Deadline deadline) {
    lock.lock();
    try {
      checkReachable("session", deadline);
      MemorySession session = new MemorySession(Long.toString(++sessionCount));
      sessions.add(session);
      return session;
    } finally {
      lock.unlock();
    }
  }

  /** Ends a session as the store does when no life sign came in time. */
  public void expire(Session session) {
    end((MemorySession) session, Session.End.EXPIRED);
  }

  private void end(MemorySession session, Session.End why) {
    lock.lock();
    try {
      if (!sessions.remove(session)) {
        return;
      }
      List<Transaction.Operation> deletes = new ArrayList<>();
      for (Stored stored : entries.values()) {
        if (stored.session().filter(session::equals).isPresent()) {
          deletes.add(new Transaction.Delete(stored.entry().key()));
        }
      }
      apply(deletes);
    } finally {
      lock.unlock();
    }
    session.ended.complete(why);
  }

  /** Forgets all history up to now: watches that have not seen it must resync. */
  public void compact() {
    lock.lock();
    try {
      compacted = revision;
      history.clear();
      snapshots.keySet().removeIf(at -> at < revision);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** From now on calls fail as when no member of a real store can be reached. */
  public void disconnect() {
    setConnected(false);
  }

  public void reconnect() {
    setConnected(true);
  }

  private void setConnected(boolean value) {
    lock.lock();
    try {
      connected = value;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void checkReachable(String what, Deadline deadline) {
    if (closed) {
      throw new DatastoreUnavailableException(what + " on a closed datastore", null);
    }
    if (!connected) {
      throw new DatastoreUnavailableException(
          what + " failed: " + description() + " is away", null);
    }
    if (deadline.hasPassed()) {
      throw new DatastoreUnavailableException(what + " did not start within " + deadline, null);
    }
  }

  @Override
  public Duration requestTimeout() {
    return requestTimeout;
  }

  @Override
  public String description() {
    return "memory";
  }

  @Override
  public void close() {
    List<MemorySession> open;
    lock.lock();
    try {
      open = List.copyOf(sessions);
    } finally {
      lock.unlock();
    }
    open.forEach(MemorySession::close);
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private final class MemorySession implements Session {
    private final String id;
    private final CompletableFuture<End> ended = new CompletableFuture<>();

    MemorySession(String id) {
      this.id = id;
    }

    @Override
    public String id() {
      return id;
    }

    @Override
    public CompletableFuture<End> ended() {
      return ended.copy();
    }

    @Override
    public void close() {
      end(this, End.CLOSED);
    }
  }

  /** Guarded by the store's lock. */
  private final class MemoryWatch implements Watch {
    private final String prefix;
    private long seen;
    private boolean seenConnected = true;
    private boolean ended;

    MemoryWatch(String prefix, long seen) {
      this.prefix = prefix;
      this.seen = seen;
    }

    @Override
    public List<WatchEvent> take(Deadline deadline) throws InterruptedException {
      lock.lockInterruptibly();
      try {
        while (true) {
          if (isEnded()) {
            return List.of();
          }
          List<WatchEvent> events = next();
          if (!events.isEmpty()) {
            return events;
          }
          if (changed.awaitNanos(deadline.remaining().toNanos()) <= 0 && deadline.hasPassed()) {
            return List.of();
          }
        }
      } finally {
        lock.unlock();
      }
    }

    private List<WatchEvent> next() {
      if (!connected) {
        if (seenConnected) {
          seenConnected = false;
          return List.of(new WatchEvent.Disconnected("memory is away"));
        }
        return List.of();
      }
      if (!seenConnected) {
        seenConnected = true;
        return List.of(new WatchEvent.Reconnected());
      }
      if (seen < compacted) {
        ended = true;
        return List.of(
            new WatchEvent.Resync("changes after " + seen + " are compacted up to " + compacted));
      }
      for (Map.Entry<Long, List<WatchEvent>> change : history.tailMap(seen, false).entrySet()) {
        seen = change.getKey();
        List<WatchEvent> matching = change.getValue().stream().filter(this::matches).toList();
        if (!matching.isEmpty()) {
          return matching;
        }
      }
      return List.of();
    }

    private boolean matches(WatchEvent event) {
      return switch (event) {
        case WatchEvent.Put put -> put.entry().key().startsWith(prefix);
        case WatchEvent.Delete delete -> delete.key().startsWith(prefix);
        case WatchEvent.Resync _, WatchEvent.Disconnected _, WatchEvent.Reconnected _ -> false;
      };
    }

    @Override
    public boolean isEnded() {
      lock.lock();
      try {
        return ended || closed;
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void close() {
      lock.lock();
      try {
        ended = true;
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }
}
