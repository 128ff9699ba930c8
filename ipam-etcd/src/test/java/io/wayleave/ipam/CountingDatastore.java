package io.wayleave.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Page;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.testing.DelegatingDatastore;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** Counts round trips. */
final class CountingDatastore extends DelegatingDatastore {
  private final AtomicInteger reads = new AtomicInteger();
  private final AtomicInteger commits = new AtomicInteger();

  CountingDatastore(Datastore delegate) {
    super(delegate);
  }

  int reads() {
    return reads.get();
  }

  int commits() {
    return commits.get();
  }

  void reset() {
    reads.set(0);
    commits.set(0);
  }

  @Override
  public Optional<Entry> get(String key, Deadline deadline) {
    reads.incrementAndGet();
    return super.get(key, deadline);
  }

  @Override
  public Map<String, Entry> getAll(Collection<String> keys, Deadline deadline) {
    reads.addAndGet(keys.isEmpty() ? 0 : 1);
    return super.getAll(keys, deadline);
  }

  @Override
  public Page list(String prefix, Optional<Page.Cursor> cursor, int pageSize, Deadline deadline) {
    reads.incrementAndGet();
    return super.list(prefix, cursor, pageSize, deadline);
  }

  @Override
  public TransactionResult commit(Transaction transaction, Deadline deadline) {
    commits.incrementAndGet();
    return super.commit(transaction, deadline);
  }
}
