package io.wayleave.datastore.testing;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Page;
import io.wayleave.datastore.Revision;
import io.wayleave.datastore.Session;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.Watch;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;

/** Passes everything on to another datastore; a subclass changes what it wants to change. */
public class DelegatingDatastore implements Datastore {
  private final Datastore delegate;

  protected DelegatingDatastore(Datastore delegate) {
    this.delegate = delegate;
  }

  @Override
  public Optional<Entry> get(String key, Deadline deadline) {
    return delegate.get(key, deadline);
  }

  @Override
  public Map<String, Entry> getAll(Collection<String> keys, Deadline deadline) {
    return delegate.getAll(keys, deadline);
  }

  @Override
  public Page list(String prefix, Optional<Page.Cursor> cursor, int pageSize, Deadline deadline) {
    return delegate.list(prefix, cursor, pageSize, deadline);
  }

  @Override
  public boolean listsOneMoment() {
    return delegate.listsOneMoment();
  }

  @Override
  public TransactionResult commit(Transaction transaction, Deadline deadline) {
    return delegate.commit(transaction, deadline);
  }

  @Override
  public Watch watch(String prefix, Revision after) {
    return delegate.watch(prefix, after);
  }

  @Override
  public Session openSession(Duration timeToLive, Deadline deadline) {
    return delegate.openSession(timeToLive, deadline);
  }

  @Override
  public Duration requestTimeout() {
    return delegate.requestTimeout();
  }

  @Override
  public String description() {
    return delegate.description();
  }

  @Override
  public void close() {
    delegate.close();
  }
}
