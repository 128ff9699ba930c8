package io.wayleave.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.OutcomeUnknownException;
import io.wayleave.datastore.Page;
import io.wayleave.datastore.Revision;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.testing.DelegatingDatastore;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A store that fails at chosen commits and reads, as a network or a dying process makes it fail.
 */
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

    /**
     * Asked before each read, and before each page of a listing.
     *
     * @param key the first of the keys, or the prefix
     * @param goesOn whether it is a page after the first
     * @return whether it fails
     */
    default boolean failsRead(String key, boolean goesOn) {
      return false;
    }

    /** Entries on a page of a listing, if not as many as are asked for. */
    default Optional<Integer> pageSize() {
      return Optional.empty();
    }
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

  private void beforeRead(String key, boolean goesOn) {
    if (script.failsRead(key, goesOn)) {
      throw new DatastoreUnavailableException("injected, not read", null);
    }
  }

  @Override
  public Optional<Entry> get(String key, Deadline deadline) {
    beforeRead(key, false);
    return super.get(key, deadline);
  }

  @Override
  public Map<String, Entry> getAll(Collection<String> keys, Deadline deadline) {
    if (!keys.isEmpty()) {
      beforeRead(keys.iterator().next(), false);
    }
    return super.getAll(keys, deadline);
  }

  /**
   * In pages as small as the script wants. Some listings show one moment, as etcd's do; of others
   * each page is of its own moment, as ZooKeeper's are.
   */
  @Override
  public Page list(String prefix, Optional<Page.Cursor> cursor, int pageSize, Deadline deadline) {
    beforeRead(prefix, cursor.isPresent());
    int size = script.pageSize().orElse(pageSize);
    if (cursor.isEmpty() || showsOneMoment(cursor.get().revision())) {
      return super.list(prefix, cursor, size, deadline);
    }
    List<Entry> rest =
        super.list(prefix, Optional.empty(), Integer.MAX_VALUE, deadline).entries().stream()
            .filter(entry -> entry.key().compareTo(cursor.get().afterKey()) > 0)
            .toList();
    // A watch from the revision of the first page tells what no page shows.
    Revision revision = cursor.get().revision();
    return rest.size() <= size
        ? new Page(rest, revision, Optional.empty())
        : new Page(
            rest.subList(0, size),
            revision,
            Optional.of(new Page.Cursor(revision, rest.get(size - 1).key())));
  }

  private static boolean showsOneMoment(Revision revision) {
    return Long.parseLong(revision.token()) % 2 == 0;
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
