package io.wayleave.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.OutcomeUnknownException;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.testing.DelegatingDatastore;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A store that fails at chosen commits, as a network or a dying process makes it fail. */
final class FaultyDatastore extends DelegatingDatastore {
  /** What happens at a commit. */
  enum Fault {
    /** The store does not get it, and the caller knows. */
    UNAVAILABLE,
    /** The store does not get it, and the caller does not know. */
    LOST_REQUEST,
    /** The store commits, and the caller does not learn it. */
    LOST_ANSWER,
    /** The store gets it later, when the caller has gone on; {@link #deliver} says when. */
    LATE,
    /** The process dies before it sends. */
    CRASH_BEFORE,
    /** The process dies after the store has committed. */
    CRASH_AFTER
  }

  /** The end of the process, as far as these tests go: nothing of the product catches it. */
  static final class Crash extends Error {
    private static final long serialVersionUID = 1L;

    Crash() {
      super("the process died");
    }
  }

  /** Asked at each commit. */
  interface Script {
    Optional<Fault> next(Transaction transaction);

    /** What became of a transaction after which the process dies. */
    default void died(Transaction transaction, TransactionResult result) {}
  }

  private Script script = _ -> Optional.empty();
  private int commits;
  private final List<Transaction> underWay = new ArrayList<>();

  FaultyDatastore(Datastore delegate) {
    super(delegate);
  }

  void setScript(Script newScript) {
    script = newScript;
    commits = 0;
  }

  /** The fault at that commit from now on, counted from 0, and no other. */
  void failAt(int commit, Fault fault) {
    setScript(_ -> commits == commit ? Optional.of(fault) : Optional.empty());
  }

  /** Commits since the script was set. */
  int commits() {
    return commits;
  }

  /** Transactions that the store has not got yet. */
  List<Transaction> underWay() {
    return underWay;
  }

  /** The store gets this one now, and does it if its conditions hold. */
  TransactionResult deliver(Transaction transaction, Deadline deadline) {
    underWay.remove(transaction);
    return super.commit(transaction, deadline);
  }

  @Override
  public TransactionResult commit(Transaction transaction, Deadline deadline) {
    Optional<Fault> fault = script.next(transaction);
    commits++;
    if (fault.isEmpty()) {
      return super.commit(transaction, deadline);
    }
    switch (fault.get()) {
      case UNAVAILABLE -> throw new DatastoreUnavailableException("injected", null);
      case LOST_REQUEST -> throw new OutcomeUnknownException("injected, not committed", null);
      case LOST_ANSWER -> {
        var _ = super.commit(transaction, deadline);
        throw new OutcomeUnknownException("injected, committed", null);
      }
      case LATE -> {
        underWay.add(transaction);
        throw new OutcomeUnknownException("injected, committed later", null);
      }
      case CRASH_BEFORE -> throw new Crash();
      case CRASH_AFTER -> {
        script.died(transaction, super.commit(transaction, deadline));
        throw new Crash();
      }
    }
    throw new IllegalStateException("a fault without an effect: " + fault);
  }
}
