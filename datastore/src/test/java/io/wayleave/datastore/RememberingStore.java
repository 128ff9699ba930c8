package io.wayleave.datastore;

import io.wayleave.datastore.testing.DelegatingDatastore;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** A client of a store in memory that remembers its sessions; closing it leaves the store open. */
final class RememberingStore extends DelegatingDatastore {
  final MemoryDatastore memory;
  final List<Session> sessions = new CopyOnWriteArrayList<>();
  private final AtomicInteger failures = new AtomicInteger();
  private final AtomicInteger writes = new AtomicInteger();
  private final AtomicInteger failedWrites = new AtomicInteger();
  private final AtomicInteger defects = new AtomicInteger();

  RememberingStore() {
    this(new MemoryDatastore());
  }

  RememberingStore(MemoryDatastore memory) {
    super(memory);
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

  /** How many writes found the store away. */
  int failedWrites() {
    return failedWrites.get();
  }

  /** How many writes were tried. */
  int writes() {
    return writes.get();
  }

  @Override
  public TransactionResult commit(Transaction transaction, Deadline deadline) {
    writes.incrementAndGet();
    try {
      return super.commit(transaction, deadline);
    } catch (DatastoreUnavailableException e) {
      failedWrites.incrementAndGet();
      throw e;
    }
  }

  @Override
  public void close() {
    // The store belongs to the test.
  }
}
