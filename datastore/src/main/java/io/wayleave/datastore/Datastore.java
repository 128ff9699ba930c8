package io.wayleave.datastore;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Keys and values that all hosts share. Keys are paths such as {@code resources/nodes/r1h1},
 * relative to the prefix that the store was opened with; a prefix to list or watch is empty or ends
 * in {@code /}.
 *
 * <p>Calls block, so they belong on virtual threads or threads of their own, never on an event
 * loop. Each takes a deadline and keeps it: it returns, or throws {@link
 * DatastoreUnavailableException} at the deadline at the latest. Reads are linearizable and are
 * repeated on another member while the deadline allows; a transaction is sent once more only when
 * the first did certainly not reach the store. All methods are thread safe and all throw {@link
 * DatastoreException}.
 *
 * <p>The contract is what etcd and ZooKeeper can both keep. So a listing of several pages need not
 * be of one moment, a watch may tell only the last of several changes of a key, and a {@link
 * Revision} is good for the object that gave it out and no other.
 */
public interface Datastore extends AutoCloseable {
  /** How many entries a page has when the caller has no wish. */
  int DEFAULT_PAGE_SIZE = 1000;

  /** The entry, or empty when there is no such key. */
  Optional<Entry> get(String key, Deadline deadline);

  /**
   * Several keys as they were at one moment; those that exist, by key.
   *
   * @param keys at most {@link Transaction#MAX_OPERATIONS}
   */
  Map<String, Entry> getAll(Collection<String> keys, Deadline deadline);

  /**
   * The first or next page of what lies under the prefix, in key order. Each key that was there
   * from the first page to the last is shown once, as it was at some moment between. A watch from
   * the listing's revision tells every change that the listing does not show, and perhaps some that
   * it does.
   *
   * @param cursor of the page before; empty for the first page
   * @throws SnapshotExpiredException when the store has dropped the state that the first page
   *     showed
   */
  Page list(String prefix, Optional<Page.Cursor> cursor, int pageSize, Deadline deadline);

  /** Whether all pages of a listing, and so {@link #listAll}, show the store at one moment. */
  default boolean listsOneMoment() {
    return false;
  }

  /** Does the transaction, or nothing. A condition that does not hold is a result, no exception. */
  TransactionResult commit(Transaction transaction, Deadline deadline);

  /**
   * Starts to watch what lies under the prefix, from the first change after that revision. Returns
   * at once, also when the store is away.
   *
   * @param after of a listing by this object of this prefix or one that contains it, or anything
   *     later; before that a store need not keep changes, and the watch tells {@link
   *     WatchEvent.Resync}
   */
  Watch watch(String prefix, Revision after);

  /**
   * Starts a session.
   *
   * @param timeToLive how long the store keeps the session without a sign of life, at least one
   *     second; rounded up to whole seconds, and to what the store allows
   */
  Session openSession(Duration timeToLive, Deadline deadline);

  /** How long a call may take when its caller has no deadline of its own. */
  Duration requestTimeout();

  /** Where this is, without credentials, for logs and error messages. */
  String description();

  /** Ends watches, sessions and connections. Calls in progress fail. */
  @Override
  void close();

  /** A deadline of {@link #requestTimeout} from now. */
  default Deadline deadline() {
    return Deadline.after(requestTimeout());
  }

  /** Everything under the prefix in memory: all pages, begun again when the snapshot expires. */
  default Listing listAll(String prefix, Deadline deadline) {
    while (true) {
      try {
        List<Entry> entries = new ArrayList<>();
        Page page = list(prefix, Optional.empty(), DEFAULT_PAGE_SIZE, deadline);
        entries.addAll(page.entries());
        while (page.next().isPresent()) {
          page = list(prefix, page.next(), DEFAULT_PAGE_SIZE, deadline);
          entries.addAll(page.entries());
        }
        return new Listing(entries, page.revision());
      } catch (SnapshotExpiredException e) {
        if (deadline.hasPassed()) {
          throw new DatastoreUnavailableException(
              "listing " + prefix + " did not end within " + deadline, e);
        }
      }
    }
  }

  /** Everything under a prefix, in key order, and where a watch begins that tells the rest. */
  record Listing(List<Entry> entries, Revision revision) {
    public Listing {
      entries = List.copyOf(entries);
    }
  }
}
