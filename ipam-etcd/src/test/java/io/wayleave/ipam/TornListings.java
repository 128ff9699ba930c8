package io.wayleave.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Page;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.testing.DelegatingDatastore;
import java.util.List;
import java.util.Optional;

/**
 * Lists in small pages, each of its own moment, as a store may, and lets others do something before
 * each of them and before each commit.
 */
final class TornListings extends DelegatingDatastore {
  private static final int PAGE = 5;

  private final Runnable others;

  TornListings(Datastore delegate, Runnable others) {
    super(delegate);
    this.others = others;
  }

  @Override
  public TransactionResult commit(Transaction transaction, Deadline deadline) {
    others.run();
    return super.commit(transaction, deadline);
  }

  @Override
  public Page list(String prefix, Optional<Page.Cursor> cursor, int pageSize, Deadline deadline) {
    others.run();
    Page all = super.list(prefix, Optional.empty(), Integer.MAX_VALUE, deadline);
    List<Entry> rest =
        all.entries().stream()
            .filter(entry -> cursor.isEmpty() || entry.key().compareTo(cursor.get().afterKey()) > 0)
            .toList();
    List<Entry> page = rest.subList(0, Math.min(PAGE, rest.size()));
    return new Page(
        page,
        all.revision(),
        page.size() < rest.size()
            ? Optional.of(new Page.Cursor(all.revision(), page.getLast().key()))
            : Optional.empty());
  }
}
