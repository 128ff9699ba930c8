package io.wayleave.datastore.zookeeper;

import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.DatastoreUrl;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.Page;
import io.wayleave.datastore.Part;
import io.wayleave.datastore.Revision;
import io.wayleave.datastore.Session;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.Version;
import io.wayleave.datastore.Watch;
import io.wayleave.model.InvalidInputException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.zookeeper.ZooKeeper;

/**
 * A datastore in a ZooKeeper ensemble (3.6 or newer).
 *
 * <p>A {@link Version} is the number of the transaction that wrote the value ({@code mzxid}), which
 * is never used twice. ZooKeeper itself can only compare a node's own count of changes, which
 * begins anew when the node is deleted and made again; so each creation bumps a generation node,
 * and a transaction compares that as well, as it was when the version was read. A {@link Revision}
 * is a place in this client's {@link ChangeLog} and means nothing to another client.
 *
 * <p>Reads are preceded by ZooKeeper's {@code sync}, so they see what was committed before them,
 * unless two servers both take themselves for the leader, which lasts a few ticks at most; what a
 * transaction's conditions saw is always so. A listing is not of one moment.
 */
public final class ZooKeeperDatastore implements Datastore {
  private final ZooKeeperConnection connection;
  private final Layout layout;
  private final Nodes nodes;
  private final Listings listings;
  private final Transactions transactions;
  private final Revisions revisions = new Revisions();
  private final Duration requestTimeout;
  private final Set<Part> open = ConcurrentHashMap.newKeySet();

  private ZooKeeperDatastore(
      Ensemble ensemble, String prefix, Credentials credentials, Duration requestTimeout) {
    this.layout = new Layout(prefix);
    this.connection = new ZooKeeperConnection(ensemble, credentials, layout);
    this.nodes = new Nodes(connection, layout);
    this.listings = new Listings(connection, layout, nodes, revisions);
    this.transactions = new Transactions(connection, credentials, layout, nodes, revisions);
    this.requestTimeout = requestTimeout;
  }

  /** Opens without waiting for a connection. */
  public static ZooKeeperDatastore open(DatastoreUrl url, DatastoreOptions options) {
    requireNonNull(url, "url is null");
    return open(Ensemble.of(url), url.prefix(), Credentials.of(options), options.requestTimeout());
  }

  static ZooKeeperDatastore open(
      Ensemble ensemble, String prefix, Credentials credentials, Duration requestTimeout) {
    return new ZooKeeperDatastore(ensemble, prefix, credentials, requestTimeout);
  }

  @Override
  public Optional<Entry> get(String key, Deadline deadline) {
    return Optional.ofNullable(getAll(List.of(key), deadline).get(key));
  }

  @Override
  public Map<String, Entry> getAll(Collection<String> keys, Deadline deadline) {
    if (keys.size() > Transaction.MAX_OPERATIONS) {
      throw new InvalidInputException(
          "keys", Integer.toString(keys.size()), "at most " + Transaction.MAX_OPERATIONS);
    }
    keys.forEach(Keys::checkKey);
    if (keys.isEmpty()) {
      return Map.of();
    }
    String what = "get of " + (keys.size() == 1 ? keys.iterator().next() : keys.size() + " keys");
    Map<String, Nodes.Node> read =
        nodes.read(what, keys.stream().map(layout::path).toList(), deadline);
    Map<String, Entry> found = new HashMap<>();
    for (String key : keys) {
      Nodes.Node node = read.get(layout.path(key));
      if (node != null) {
        found.put(key, node.entry(key));
      }
    }
    return found;
  }

  @Override
  public Page list(String prefix, Optional<Page.Cursor> cursor, int pageSize, Deadline deadline) {
    Keys.checkPrefix(prefix);
    if (pageSize < 1) {
      throw new IllegalArgumentException("pageSize is " + pageSize + "; allowed: 1 or more");
    }
    return listings.list(prefix, cursor, pageSize, deadline);
  }

  @Override
  public TransactionResult commit(Transaction transaction, Deadline deadline) {
    return transactions.commit(transaction, deadline);
  }

  @Override
  public Watch watch(String prefix, Revision after) {
    ZooKeeperWatch watch =
        new ZooKeeperWatch(
            this,
            nodes,
            connection.changes(),
            Keys.checkPrefix(prefix),
            // Of another client: no position of ours, so it tells to resync.
            revisions.position(after).orElse(new ChangeLog.Position(-1, 0)));
    open.add(watch);
    return watch;
  }

  @Override
  public Session openSession(Duration timeToLive, Deadline deadline) {
    if (timeToLive.compareTo(Duration.ofSeconds(1)) < 0) {
      throw new InvalidInputException(
          "timeToLive", timeToLive.toMillis() + "ms", "one second or more");
    }
    if (connection.isClosed()) {
      throw new DatastoreUnavailableException("session on a closed datastore", null);
    }
    long seconds = timeToLive.plusNanos(999_999_999).toSeconds();
    ZooKeeperSession session = new ZooKeeperSession(connection, this, Duration.ofSeconds(seconds));
    open.add(session);
    session.awaitConnected(deadline);
    return session;
  }

  /** A watch or session is closed and need not be closed with the datastore. */
  void forget(Part closed) {
    open.remove(closed);
  }

  /** The client that calls go to now; for tests. */
  ZooKeeper client(Deadline deadline) {
    return connection.writer("client", deadline);
  }

  /** The sessions that have not ended; for tests. */
  List<ZooKeeperSession> sessions() {
    return open.stream()
        .filter(ZooKeeperSession.class::isInstance)
        .map(ZooKeeperSession.class::cast)
        .toList();
  }

  /** Listings that were begun and not read to the end; for tests. */
  int listingsInProgress() {
    return listings.inProgress();
  }

  /** Begins a new epoch, as the loss of the connection does; for tests. */
  void forgetHistory() {
    connection.changes().forget();
  }

  @Override
  public Duration requestTimeout() {
    return requestTimeout;
  }

  @Override
  public String description() {
    return connection.description();
  }

  @Override
  public void close() {
    List.copyOf(open).forEach(Part::close);
    connection.close();
  }
}
