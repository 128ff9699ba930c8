package io.wayleave.test.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.testing.DelegatingDatastore;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** Counts what is committed and refused, and remembers the last allocation from an own block. */
final class ObservedDatastore extends DelegatingDatastore {
  private final AtomicInteger commits = new AtomicInteger();
  private final AtomicInteger refusedClaims = new AtomicInteger();
  private final AtomicInteger refusedOthers = new AtomicInteger();
  private volatile Optional<Transaction> allocation = Optional.empty();

  ObservedDatastore(Datastore delegate) {
    super(delegate);
  }

  @Override
  public TransactionResult commit(Transaction transaction, Deadline deadline) {
    TransactionResult result = super.commit(transaction, deadline);
    boolean claims = puts(transaction, Keys.AFFINITIES);
    if (result.isCommitted()) {
      commits.incrementAndGet();
      if (!claims && puts(transaction, Keys.HANDLES)) {
        allocation = Optional.of(transaction);
      }
    } else {
      (claims ? refusedClaims : refusedOthers).incrementAndGet();
    }
    return result;
  }

  private static boolean puts(Transaction transaction, String prefix) {
    return transaction.operations().stream()
        .anyMatch(each -> each instanceof Transaction.Put && each.key().startsWith(prefix));
  }

  int commits() {
    return commits.get();
  }

  /** Transactions with a claim of a block that were refused. */
  int refusedClaims() {
    return refusedClaims.get();
  }

  int refusedOthers() {
    return refusedOthers.get();
  }

  /** The last one that was committed and claimed no block. */
  Optional<Transaction> allocation() {
    return allocation;
  }
}
