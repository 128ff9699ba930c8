package io.wayleave.datastore.zookeeper;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.DatastoreRefusedException;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.DatastoreUrl;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.Page;
import io.wayleave.datastore.Revision;
import io.wayleave.datastore.Session;
import io.wayleave.datastore.SnapshotExpiredException;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.Version;
import io.wayleave.datastore.Watch;
import io.wayleave.datastore.zookeeper.ZooKeeperConnection.Client;
import io.wayleave.datastore.zookeeper.ZooKeeperConnection.Reply;
import io.wayleave.model.InvalidInputException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

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
  /** Below ZooKeeper's limit (1 MiB less one byte) by what the requests' frames need. */
  private static final int MAX_TRANSACTION_BYTES = 1_000_000;

  private static final int FRAME_BYTES = 128;
  private static final int MAX_LISTINGS = 8;

  /** Requests under way at once in a listing. */
  private static final int WINDOW = 200;

  private final ZooKeeperConnection connection;
  private final Credentials credentials;
  private final Layout layout;
  private final Duration requestTimeout;
  private final String clientId = UUID.randomUUID().toString().substring(0, 8);
  private final Set<AutoCloseable> open = ConcurrentHashMap.newKeySet();
  private volatile boolean layoutKnown;

  /** The keys of listings in progress; guarded by itself. */
  private final Map<Page.Cursor, String[]> listings = new LinkedHashMap<>();

  /** A node's value and what ZooKeeper counts of it. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Node(byte[] data, Stat stat) {}

  /** What a key held at a position in the change log. */
  record Seen(String key, Optional<Entry> entry, ChangeLog.Position position) {}

  private ZooKeeperDatastore(
      Ensemble ensemble, String prefix, Credentials credentials, Duration requestTimeout) {
    this.layout = new Layout(prefix);
    this.credentials = credentials;
    this.connection = new ZooKeeperConnection(ensemble, credentials, layout);
    this.requestTimeout = requestTimeout;
  }

  /** Opens without waiting for a connection. */
  public static ZooKeeperDatastore open(DatastoreUrl url, DatastoreOptions options) {
    requireNonNull(url, "url is null");
    return open(
        Ensemble.of(url), url.prefix(), Credentials.of(options), options.requestTimeout());
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
    Map<String, Node> nodes = nodes(what, keys.stream().map(layout::path).toList(), deadline);
    Map<String, Entry> found = new HashMap<>();
    for (String key : keys) {
      Node node = nodes.get(layout.path(key));
      if (node != null) {
        found.put(key, entry(key, node));
      }
    }
    return found;
  }

  /** The nodes that are there, by path, as they are at one moment from now on. */
  private Map<String, Node> nodes(String what, Collection<String> paths, Deadline deadline) {
    checkLayout(what, deadline);
    List<Op> reads = paths.stream().map(Op::getData).toList();
    return connection.repeat(
        what,
        deadline,
        client -> {
          // Both are on their way at once; the server answers in order.
          CompletableFuture<Reply<Void>> current = connection.sync(client);
          CompletableFuture<Reply<List<OpResult>>> answer = connection.read(client, reads);
          connection.await(current, deadline);
          List<OpResult> results = connection.await(answer, deadline).value();
          Map<String, Node> found = new HashMap<>();
          for (int i = 0; i < reads.size(); i++) {
            String path = reads.get(i).getPath();
            node(path, results.get(i)).ifPresent(node -> found.put(path, node));
          }
          return found;
        });
  }

  private static Optional<Node> node(String path, OpResult result) throws KeeperException {
    return switch (result) {
      case OpResult.GetDataResult data ->
          Optional.of(
              new Node(data.getData() == null ? new byte[0] : data.getData(), data.getStat()));
      case OpResult.ErrorResult error when error.getErr() == Code.NONODE.intValue() ->
          Optional.empty();
      case OpResult.ErrorResult error ->
          throw KeeperException.create(Code.get(error.getErr()), path);
      default -> throw new IllegalStateException("answer to a read: " + result);
    };
  }

  private static Entry entry(String key, Node node) {
    return new Entry(key, node.data(), new Version(Long.toHexString(node.stat().getMzxid())));
  }

  /** Refuses a place that holds something else, or was written by a newer version of this. */
  private void checkLayout(String what, Deadline deadline) {
    if (layoutKnown) {
      return;
    }
    Optional<Node> root =
        connection.repeat(
            what,
            deadline,
            client ->
                node(
                    layout.root(),
                    connection
                        .await(
                            connection.read(client, List.of(Op.getData(layout.root()))), deadline)
                        .value()
                        .getFirst()));
    if (root.isEmpty() || isUnused(root.get())) {
      return;
    }
    String found = new String(root.get().data(), UTF_8);
    if (!found.equals(Layout.MARKER)) {
      throw new DatastoreRefusedException(
          what
              + " at "
              + description()
              + " refused: ZooKeeper's node "
              + layout.root()
              + " holds '"
              + (found.length() > 40 ? found.substring(0, 40) + "…" : found)
              + "'; allowed: '"
              + Layout.MARKER
              + "', a store that this version of Wayleave wrote",
          null);
    }
    layoutKnown = true;
  }

  private static boolean isUnused(Node root) {
    return root.data().length == 0 && root.stat().getNumChildren() == 0;
  }

  @Override
  public Page list(String prefix, Optional<Page.Cursor> cursor, int pageSize, Deadline deadline) {
    Keys.checkPrefix(prefix);
    if (pageSize < 1) {
      throw new IllegalArgumentException("pageSize is " + pageSize + "; allowed: 1 or more");
    }
    String what = "list of " + prefix;
    checkLayout(what, deadline);
    String[] keys;
    Revision revision;
    int from;
    if (cursor.isEmpty()) {
      Reply<String[]> all =
          connection.repeat(what, deadline, client -> keys(client, prefix, deadline));
      keys = all.value();
      revision = revision(all.position());
      from = 0;
    } else {
      revision = cursor.get().revision();
      keys = inProgress(prefix, revision);
      int at = Arrays.binarySearch(keys, cursor.get().afterKey());
      from = at < 0 ? -at - 1 : at + 1;
    }
    List<Entry> entries = new ArrayList<>();
    int to = from;
    // Keys that have gone since are not shown, and an empty page in the middle would say nothing.
    while (entries.isEmpty() && to < keys.length) {
      int next = Math.min(keys.length, to + pageSize);
      for (Seen value : values(Arrays.asList(keys).subList(to, next), deadline)) {
        value.entry().ifPresent(entries::add);
      }
      to = next;
    }
    if (to == keys.length) {
      return new Page(entries, revision, Optional.empty());
    }
    remember(prefix, revision, keys);
    return new Page(entries, revision, Optional.of(new Page.Cursor(revision, keys[to - 1])));
  }

  private String[] inProgress(String prefix, Revision revision) {
    Optional<ChangeLog.Position> position = position(revision);
    synchronized (listings) {
      String[] keys = listings.get(new Page.Cursor(revision, prefix));
      if (keys == null
          || position.isEmpty()
          || position.get().epoch() != connection.changes().state().end().epoch()) {
        throw new SnapshotExpiredException(
            "the listing of " + prefix + " from " + revision + " is no longer kept", null);
      }
      return keys;
    }
  }

  private void remember(String prefix, Revision revision, String[] keys) {
    synchronized (listings) {
      Page.Cursor name = new Page.Cursor(revision, prefix);
      if (listings.size() == MAX_LISTINGS && !listings.containsKey(name)) {
        listings.remove(listings.keySet().iterator().next());
      }
      listings.put(name, keys);
    }
  }

  /** All keys under a prefix, in order, and where a watch begins that tells all later changes. */
  private Reply<String[]> keys(Client client, String prefix, Deadline deadline)
      throws KeeperException, TimeoutException {
    ChangeLog changes = connection.changes();
    String directory = layout.directory(prefix);
    ChangeLog.Position start = connection.await(connection.sync(client), deadline).position();
    if (!changes.covers(prefix, start)) {
      start = connection.await(connection.watch(client, directory), deadline).position();
      changes.watched(prefix, start);
    }
    List<String> keys = new ArrayList<>();
    List<Place> directories = List.of(new Place(directory, prefix));
    while (!directories.isEmpty()) {
      List<Place> shards = new ArrayList<>();
      for (Listed listed : children(client, directories, deadline)) {
        for (String shard : listed.children()) {
          Layout.checkShard(listed.place().path(), shard);
          shards.add(new Place(listed.place().path() + "/" + shard, listed.place().prefix()));
        }
      }
      List<Place> deeper = new ArrayList<>();
      for (Listed listed : children(client, shards, deadline)) {
        for (String name : listed.children()) {
          Layout.Child child = Layout.child(listed.place().path(), name);
          if (child.isDirectory()) {
            deeper.add(
                new Place(
                    listed.place().path() + "/" + name,
                    listed.place().prefix() + child.name() + "/"));
          } else {
            keys.add(listed.place().prefix() + child.name());
          }
        }
      }
      directories = deeper;
    }
    String[] sorted = keys.toArray(String[]::new);
    Arrays.sort(sorted);
    return new Reply<>(sorted, start);
  }

  /** A node, and what the keys under it begin with. */
  private record Place(String path, String prefix) {}

  private record Listed(Place place, List<String> children) {}

  private List<Listed> children(Client client, List<Place> places, Deadline deadline)
      throws KeeperException, TimeoutException {
    List<Listed> listed = new ArrayList<>();
    for (int from = 0; from < places.size(); from += WINDOW) {
      List<Place> some = places.subList(from, Math.min(places.size(), from + WINDOW));
      List<CompletableFuture<Reply<List<String>>>> answers =
          some.stream().map(place -> connection.children(client, place.path())).toList();
      for (int i = 0; i < some.size(); i++) {
        listed.add(new Listed(some.get(i), connection.await(answers.get(i), deadline).value()));
      }
    }
    return listed;
  }

  /** What the keys hold now; each hundred or so at one moment. */
  List<Seen> values(Collection<String> keys, Deadline deadline) {
    return connection.repeat(
        "read of " + keys.size() + " keys",
        deadline,
        client -> {
          List<String> all = List.copyOf(keys);
          List<List<String>> parts = new ArrayList<>();
          List<CompletableFuture<Reply<List<OpResult>>>> answers = new ArrayList<>();
          for (int from = 0; from < all.size(); from += Transaction.MAX_OPERATIONS) {
            List<String> part =
                all.subList(from, Math.min(all.size(), from + Transaction.MAX_OPERATIONS));
            parts.add(part);
            answers.add(
                connection.read(
                    client, part.stream().map(key -> Op.getData(layout.path(key))).toList()));
          }
          List<Seen> seen = new ArrayList<>(all.size());
          for (int i = 0; i < parts.size(); i++) {
            Reply<List<OpResult>> answer = connection.await(answers.get(i), deadline);
            for (int j = 0; j < parts.get(i).size(); j++) {
              String key = parts.get(i).get(j);
              seen.add(
                  new Seen(
                      key,
                      node(layout.path(key), answer.value().get(j)).map(node -> entry(key, node)),
                      answer.position()));
            }
          }
          return seen;
        });
  }

  /** The place behind all changes that the server has told of. */
  ChangeLog.Position barrier(Deadline deadline) {
    return connection.repeat(
        "read of changes",
        deadline,
        client -> connection.await(connection.barrier(client), deadline).position());
  }

  @Override
  public TransactionResult commit(Transaction transaction, Deadline deadline) {
    String what =
        "transaction on "
            + transaction.operations().stream()
                .findFirst()
                .map(Transaction.Operation::key)
                .orElse("no key");
    checkSize(what, transaction);
    Optional<ZooKeeperSession> session = session(transaction);
    while (true) {
      Plan plan =
          new Plan(
              transaction,
              layout,
              session.map(bound -> bound.client().getSessionId()),
              credentials.acl());
      Map<String, Node> nodes = nodes(what, plan.paths(), deadline);
      Map<String, Entry> current = new HashMap<>();
      Map<String, Stat> stats = new HashMap<>();
      nodes.forEach((path, node) -> stats.put(path, node.stat()));
      for (Transaction.Condition condition : transaction.conditions()) {
        Node node = nodes.get(layout.path(condition.key()));
        if (node != null) {
          current.put(condition.key(), entry(condition.key(), node));
        }
      }
      List<Transaction.Condition> failed = failed(transaction, current);
      if (!failed.isEmpty()) {
        return new TransactionResult.Failed(failed, current);
      }
      if (plan.makeRoom(stats)) {
        make(what, plan.missing(), deadline);
        continue;
      }
      List<Op> ops = plan.operations(stats);
      try {
        if (ops.isEmpty()) {
          return committed(transaction, List.of(), barrier(deadline));
        }
        Reply<List<OpResult>> written =
            connection.write(
                what,
                session
                    .map(ZooKeeperSession::client)
                    .orElseGet(() -> connection.writer(what, deadline)),
                ops,
                deadline);
        // A session's client has another connection, whose answers have no place in our log.
        return committed(
            transaction,
            written.value(),
            session.isPresent() ? afterCommit(deadline) : written.position());
      } catch (KeeperException e) {
        if (!ZooKeeperConnection.isConflict(e.code())) {
          throw connection.translate(what, e);
        }
        // Something changed between reading and writing, so nothing was done: look again.
        if (deadline.hasPassed()) {
          throw new DatastoreUnavailableException(
              what + " at " + description() + " failed: others wrote all the time for " + deadline,
              e);
        }
      }
    }
  }

  private void checkSize(String what, Transaction transaction) {
    long bytes = 0;
    for (Transaction.Operation operation : transaction.operations()) {
      bytes += layout.path(operation.key()).length() + FRAME_BYTES;
      if (operation instanceof Transaction.Put put) {
        bytes += put.value().length;
      }
    }
    if (bytes > MAX_TRANSACTION_BYTES) {
      throw new DatastoreRefusedException(
          what
              + " at "
              + description()
              + " refused: it has "
              + bytes
              + " bytes; allowed: at most "
              + MAX_TRANSACTION_BYTES,
          null);
    }
  }

  private static Optional<ZooKeeperSession> session(Transaction transaction) {
    Optional<ZooKeeperSession> found = Optional.empty();
    for (Transaction.Operation operation : transaction.operations()) {
      if (operation instanceof Transaction.Put put && put.session().isPresent()) {
        if (!(put.session().get() instanceof ZooKeeperSession mine)) {
          throw new IllegalArgumentException(
              "session " + put.session().get().id() + " is of another datastore");
        }
        if (found.isPresent() && !found.get().equals(mine)) {
          throw new IllegalArgumentException(
              "the transaction binds keys to two sessions; allowed: one");
        }
        if (mine.ended().isDone()) {
          throw new DatastoreRefusedException("session " + mine.id() + " has ended", null);
        }
        found = Optional.of(mine);
      }
    }
    return found;
  }

  private static List<Transaction.Condition> failed(
      Transaction transaction, Map<String, Entry> current) {
    return transaction.conditions().stream()
        .filter(
            condition -> {
              Entry entry = current.get(condition.key());
              return !switch (condition) {
                case Transaction.Absent _ -> entry == null;
                case Transaction.Exists _ -> entry != null;
                case Transaction.Unchanged unchanged ->
                    entry != null && entry.version().equals(unchanged.version());
              };
            })
        .toList();
  }

  /** Makes the nodes that hold others, each unless it is there. They stay when nothing follows. */
  private void make(String what, List<String> paths, Deadline deadline) {
    connection.repeat(
        what,
        deadline,
        client -> {
          List<CompletableFuture<Reply<Void>>> answers = new ArrayList<>();
          if (!layoutKnown) {
            String root = layout.root();
            for (int slash = root.indexOf('/', 1);
                slash > 0;
                slash = root.indexOf('/', slash + 1)) {
              answers.add(
                  connection.create(
                      client, root.substring(0, slash), new byte[0], CreateMode.PERSISTENT));
            }
            answers.add(
                connection.create(
                    client, root, Layout.MARKER.getBytes(UTF_8), CreateMode.PERSISTENT));
            // An administrator may have made the node, with permissions, and left it empty.
            answers.add(connection.fill(client, root, Layout.MARKER.getBytes(UTF_8)));
          }
          for (String path : List.of(layout.keys(), layout.generations())) {
            answers.add(connection.create(client, path, new byte[0], CreateMode.PERSISTENT));
          }
          for (String path : paths) {
            // The server removes the empty ones of the first sort. A generation lives for ever.
            answers.add(
                connection.create(
                    client,
                    path,
                    new byte[0],
                    path.startsWith(layout.keys()) ? CreateMode.CONTAINER : CreateMode.PERSISTENT));
          }
          for (CompletableFuture<Reply<Void>> answer : answers) {
            connection.await(answer, deadline);
          }
          return true;
        });
  }

  private TransactionResult.Committed committed(
      Transaction transaction, List<OpResult> results, ChangeLog.Position position) {
    Map<String, Version> versions = new HashMap<>();
    // Every put writes a node that was there, its own or its generation's.
    results.stream()
        .filter(OpResult.SetDataResult.class::isInstance)
        .map(OpResult.SetDataResult.class::cast)
        .findFirst()
        .map(result -> new Version(Long.toHexString(result.getStat().getMzxid())))
        .ifPresent(
            version -> {
              for (Transaction.Operation operation : transaction.operations()) {
                if (operation instanceof Transaction.Put) {
                  versions.put(operation.key(), version);
                }
              }
            });
    return new TransactionResult.Committed(revision(position), versions);
  }

  /** Where a watch begins that does not tell of the transaction. */
  private ChangeLog.Position afterCommit(Deadline deadline) {
    try {
      return connection.repeat(
          "read of changes",
          deadline,
          client -> connection.await(connection.sync(client), deadline).position());
    } catch (DatastoreUnavailableException e) {
      // It is committed; a watch from a lost connection's position tells to resync.
      return connection.changes().state().end();
    }
  }

  @Override
  public Watch watch(String prefix, Revision after) {
    ZooKeeperWatch watch =
        new ZooKeeperWatch(
            this,
            connection.changes(),
            Keys.checkPrefix(prefix),
            // Of another client: no position of ours, so it tells to resync.
            position(after).orElse(new ChangeLog.Position(-1, 0)));
    open.add(watch);
    return watch;
  }

  private Revision revision(ChangeLog.Position position) {
    return new Revision(clientId + "-" + position.epoch() + "-" + position.index());
  }

  private Optional<ChangeLog.Position> position(Revision revision) {
    String[] parts = revision.token().split("-", -1);
    if (parts.length != 3 || !parts[1].matches("[0-9]{1,18}") || !parts[2].matches("[0-9]{1,18}")) {
      throw new InvalidInputException(
          "revision", revision.token(), "a revision that a ZooKeeper store gave out");
    }
    return parts[0].equals(clientId)
        ? Optional.of(new ChangeLog.Position(Long.parseLong(parts[1]), Long.parseLong(parts[2])))
        : Optional.empty();
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
  void forget(AutoCloseable closed) {
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
    for (AutoCloseable each : List.copyOf(open)) {
      switch (each) {
        case ZooKeeperSession session -> session.close();
        case ZooKeeperWatch watch -> watch.close();
        default -> throw new IllegalStateException("neither session nor watch: " + each);
      }
    }
    connection.close();
  }
}
