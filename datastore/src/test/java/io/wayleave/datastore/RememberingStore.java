package io.wayleave.datastore;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** A client of a store in memory that remembers its sessions; closing it leaves the store open. */
final class RememberingStore implements Datastore {
  final MemoryDatastore memory;
  final List<Session> sessions = new CopyOnWriteArrayList<>();
  private final AtomicInteger failures = new AtomicInteger();
  private final AtomicInteger defects = new AtomicInteger();

  RememberingStore() {
    this(new MemoryDatastore());
  }

  RememberingStore(MemoryDatastore memory) {
    this.memory = memory;
  }

  /** The next so many sessions fail as a defect in a client does. */
  void failSessions(int count) {
    defects.set(count);
  }

  /** How many sessions could not be opened. */
  int failures() {
    return failures.get();
  }

  @Override
  public Optional<Entry> get(String key, Deadline deadline) {
    return memory.get(key, deadline);
  }

  @Override
  public Map<String, Entry> getAll(Collection<String> keys, Deadline deadline) {
    return memory.getAll(keys, deadline);
  }

  @Override
  public Page list(String prefix, Optional<Page.Cursor> cursor, int pageSize, Deadline deadline) {
    return memory.list(prefix, cursor, pageSize, deadline);
  }

  @Override
  public TransactionResult commit(Transaction transaction, Deadline deadline) {
    return memory.commit(transaction, deadline);
  }

  @Override
  public Watch watch(String prefix, Revision after) {
    return memory.watch(prefix, after);
  }

  @Override
  public Session openSession(Duration timeToLive, Deadline deadline) {
    if (defects.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      throw new IllegalStateException("injected");
    }
    try {
      Session session = memory.openSession(timeToLive, deadline);
      sessions.add(session);
      return session;
    } catch (DatastoreUnavailableException e) {
      failures.incrementAndGet();
      throw e;
    }
  }

  @Override
  public Duration requestTimeout() {
    return memory.requestTimeout();
  }

  @Override
  public String description() {
    return memory.description();
  }

  @Override
  public void close() {
    // The store belongs to the test.
  }
}
