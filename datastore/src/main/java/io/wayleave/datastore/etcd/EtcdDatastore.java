package io.wayleave.datastore.etcd;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.etcd.jetcd.api.Compare;
import io.etcd.jetcd.api.DeleteRangeRequest;
import io.etcd.jetcd.api.KVGrpc;
import io.etcd.jetcd.api.KeyValue;
import io.etcd.jetcd.api.LeaseGrantRequest;
import io.etcd.jetcd.api.LeaseGrantResponse;
import io.etcd.jetcd.api.LeaseGrpc;
import io.etcd.jetcd.api.PutRequest;
import io.etcd.jetcd.api.RangeRequest;
import io.etcd.jetcd.api.RangeResponse;
import io.etcd.jetcd.api.RequestOp;
import io.etcd.jetcd.api.ResponseOp;
import io.etcd.jetcd.api.TxnRequest;
import io.etcd.jetcd.api.TxnResponse;
import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.DatastoreRefusedException;
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
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A datastore in an etcd v3 cluster. A {@link Version} is the key's modification revision and a
 * {@link Revision} the store's revision, neither of which etcd ever uses twice.
 *
 * <p>It speaks etcd's protocol through jetcd's generated stubs on one gRPC channel of its own and
 * not through jetcd's client: that one's watch skips changes when a connection breaks between the
 * creation of a watch and its first event (it goes on at the revision of the creation), and its
 * event loops and retry layer cost every start of {@code netctl} more than the call itself.
 */
public final class EtcdDatastore implements Datastore {
  private final EtcdConnection connection;
  private final String root;
  private final Duration requestTimeout;
  private final Set<Part> open = ConcurrentHashMap.newKeySet();

  private EtcdDatastore(EtcdConnection connection, String root, Duration requestTimeout) {
    this.connection = connection;
    this.root = root;
    this.requestTimeout = requestTimeout;
  }

  /** Opens without connecting. */
  public static EtcdDatastore open(DatastoreUrl url, DatastoreOptions options) {
    requireNonNull(url, "url is null");
    return new EtcdDatastore(
        new EtcdConnection(url, options), url.prefix() + "/", options.requestTimeout());
  }

  @Override
  public Optional<Entry> get(String key, Deadline deadline) {
    RangeResponse answer =
        connection.call(
            "get of " + Keys.checkKey(key),
            KVGrpc.getRangeMethod(),
            RangeRequest.newBuilder().setKey(storeKey(key)).build(),
            EtcdConnection.Repetition.SAFE,
            deadline);
    return answer.getKvsList().stream().findFirst().map(this::entry);
  }

  @Override
  public Map<String, Entry> getAll(Collection<String> keys, Deadline deadline) {
    if (keys.size() > Transaction.MAX_OPERATIONS) {
      throw new InvalidInputException(
          "keys", Integer.toString(keys.size()), "at most " + Transaction.MAX_OPERATIONS);
    }
    if (keys.isEmpty()) {
      return Map.of();
    }
    TxnRequest.Builder request = TxnRequest.newBuilder();
    keys.forEach(key -> request.addSuccess(read(Keys.checkKey(key))));
    TxnResponse answer =
        connection.call(
            "get of " + keys.size() + " keys",
            KVGrpc.getTxnMethod(),
            request.build(),
            EtcdConnection.Repetition.SAFE,
            deadline);
    return entries(answer);
  }

  @Override
  public Page list(String prefix, Optional<Page.Cursor> cursor, int pageSize, Deadline deadline) {
    Keys.checkPrefix(prefix);
    if (pageSize < 1) {
      throw new IllegalArgumentException("pageSize is " + pageSize + "; allowed: 1 or more");
    }
    RangeRequest.Builder request =
        RangeRequest.newBuilder()
            .setKey(storeKey(prefix))
            .setRangeEnd(prefixEnd(storeKey(prefix)))
            .setLimit(pageSize);
    cursor.ifPresent(
        at ->
            request
                // The key after it: the smallest that is greater.
                .setKey(storeKey(at.afterKey()).concat(ByteString.copyFrom(new byte[] {0})))
                .setRevision(Long.parseLong(at.revision().token())));
    RangeResponse answer =
        connection.call(
            "list of " + prefix,
            KVGrpc.getRangeMethod(),
            request.build(),
            EtcdConnection.Repetition.SAFE,
            deadline);
    List<Entry> entries = answer.getKvsList().stream().map(this::entry).toList();
    Revision revision =
        cursor
            .map(Page.Cursor::revision)
            .orElseGet(() -> new Revision(Long.toString(answer.getHeader().getRevision())));
    return new Page(
        entries,
        revision,
        answer.getMore()
            ? Optional.of(new Page.Cursor(revision, entries.getLast().key()))
            : Optional.empty());
  }

  @Override
  public boolean listsOneMoment() {
    return true;
  }

  @Override
  public TransactionResult commit(Transaction transaction, Deadline deadline) {
    TxnRequest.Builder request = TxnRequest.newBuilder();
    for (Transaction.Condition condition : transaction.conditions()) {
      request.addCompare(compare(condition));
      request.addFailure(read(condition.key()));
    }
    transaction.operations().forEach(operation -> request.addSuccess(write(operation)));
    TxnResponse answer =
        connection.call(
            "transaction on " + firstKey(transaction),
            KVGrpc.getTxnMethod(),
            request.build(),
            EtcdConnection.Repetition.UNSAFE,
            deadline);
    return answer.getSucceeded()
        ? committed(transaction, answer.getHeader().getRevision())
        : failed(transaction, entries(answer));
  }

  private static String firstKey(Transaction transaction) {
    return transaction.operations().stream()
        .findFirst()
        .map(Transaction.Operation::key)
        .orElse("no key");
  }

  private static TransactionResult committed(Transaction transaction, long revision) {
    Version version = new Version(Long.toString(revision));
    Map<String, Version> versions = new HashMap<>();
    for (Transaction.Operation operation : transaction.operations()) {
      if (operation instanceof Transaction.Put) {
        versions.put(operation.key(), version);
      }
    }
    return new TransactionResult.Committed(new Revision(version.token()), versions);
  }

  private static TransactionResult failed(Transaction transaction, Map<String, Entry> current) {
    List<Transaction.Condition> failed = new ArrayList<>();
    for (Transaction.Condition condition : transaction.conditions()) {
      Entry entry = current.get(condition.key());
      boolean holds =
          switch (condition) {
            case Transaction.Absent _ -> entry == null;
            case Transaction.Exists _ -> entry != null;
            case Transaction.Unchanged unchanged ->
                entry != null && entry.version().equals(unchanged.version());
          };
      if (!holds) {
        failed.add(condition);
      }
    }
    return new TransactionResult.Failed(failed, current);
  }

  private Compare compare(Transaction.Condition condition) {
    Compare.Builder builder = Compare.newBuilder().setKey(storeKey(condition.key()));
    return switch (condition) {
      case Transaction.Absent _ ->
          builder
              .setTarget(Compare.CompareTarget.CREATE)
              .setResult(Compare.CompareResult.EQUAL)
              .setCreateRevision(0)
              .build();
      case Transaction.Exists _ ->
          builder
              .setTarget(Compare.CompareTarget.CREATE)
              .setResult(Compare.CompareResult.GREATER)
              .setCreateRevision(0)
              .build();
      case Transaction.Unchanged unchanged ->
          builder
              .setTarget(Compare.CompareTarget.MOD)
              .setResult(Compare.CompareResult.EQUAL)
              .setModRevision(number("version", unchanged.version().token()))
              .build();
    };
  }

  private RequestOp write(Transaction.Operation operation) {
    return switch (operation) {
      case Transaction.Put put ->
          RequestOp.newBuilder()
              .setRequestPut(
                  PutRequest.newBuilder()
                      .setKey(storeKey(put.key()))
                      // Nobody changes the array of a transaction, so it need not be copied.
                      .setValue(UnsafeByteOperations.unsafeWrap(put.value()))
                      .setLease(put.session().map(EtcdDatastore::lease).orElse(0L)))
              .build();
      case Transaction.Delete delete ->
          RequestOp.newBuilder()
              .setRequestDeleteRange(DeleteRangeRequest.newBuilder().setKey(storeKey(delete.key())))
              .build();
    };
  }

  private static long lease(Session session) {
    if (!(session instanceof EtcdSession mine)) {
      throw new IllegalArgumentException("session " + session.id() + " is of another datastore");
    }
    return mine.lease();
  }

  private RequestOp read(String key) {
    return RequestOp.newBuilder()
        .setRequestRange(RangeRequest.newBuilder().setKey(storeKey(key)))
        .build();
  }

  private Map<String, Entry> entries(TxnResponse answer) {
    Map<String, Entry> entries = new HashMap<>();
    for (ResponseOp op : answer.getResponsesList()) {
      for (KeyValue kv : op.getResponseRange().getKvsList()) {
        Entry entry = entry(kv);
        entries.put(entry.key(), entry);
      }
    }
    return entries;
  }

  @Override
  public Watch watch(String prefix, Revision after) {
    EtcdWatch watch =
        new EtcdWatch(
            connection,
            this,
            storeKey(Keys.checkPrefix(prefix)),
            number("revision", after.token()) + 1);
    open.add(watch);
    return watch;
  }

  @Override
  public Session openSession(Duration timeToLive, Deadline deadline) {
    if (timeToLive.compareTo(Duration.ofSeconds(1)) < 0) {
      throw new InvalidInputException(
          "timeToLive", timeToLive.toMillis() + "ms", "one second or more");
    }
    long seconds = timeToLive.plusNanos(999_999_999).toSeconds();
    LeaseGrantResponse granted =
        connection.call(
            "session",
            LeaseGrpc.getLeaseGrantMethod(),
            LeaseGrantRequest.newBuilder().setTTL(seconds).build(),
            // A lease too many ends by itself.
            EtcdConnection.Repetition.SAFE,
            deadline);
    if (!granted.getError().isEmpty()) {
      throw new DatastoreRefusedException("session refused: " + granted.getError(), null);
    }
    EtcdSession session =
        new EtcdSession(connection, this, granted.getID(), Duration.ofSeconds(granted.getTTL()));
    open.add(session);
    session.start();
    return session;
  }

  /** A watch or session is closed and need not be closed with the datastore. */
  void forget(Part closed) {
    open.remove(closed);
  }

  Entry entry(KeyValue kv) {
    return new Entry(
        key(kv.getKey()),
        kv.getValue().toByteArray(),
        new Version(Long.toString(kv.getModRevision())));
  }

  String key(ByteString storeKey) {
    return storeKey.toString(StandardCharsets.UTF_8).substring(root.length());
  }

  private ByteString storeKey(String key) {
    return ByteString.copyFromUtf8(root + key);
  }

  /** The smallest key greater than all that begin with the prefix; it ends in '/', so no carry. */
  static ByteString prefixEnd(ByteString prefix) {
    byte[] end = prefix.toByteArray();
    end[end.length - 1]++;
    return ByteString.copyFrom(end);
  }

  private static long number(String what, String token) {
    try {
      return Long.parseLong(token);
    } catch (NumberFormatException e) {
      InvalidInputException refusal =
          new InvalidInputException(what, token, "a " + what + " that this store gave out");
      refusal.initCause(e);
      throw refusal;
    }
  }

  /** The store's newest revision, confirmed by a majority. */
  long currentRevision(Deadline deadline) {
    return connection
        .call(
            "read of the revision",
            KVGrpc.getRangeMethod(),
            RangeRequest.newBuilder().setKey(storeKey("")).setCountOnly(true).build(),
            EtcdConnection.Repetition.SAFE,
            deadline)
        .getHeader()
        .getRevision();
  }

  @Override
  public Duration requestTimeout() {
    return requestTimeout;
  }

  @Override
  public String description() {
    return connection.url().toString();
  }

  @Override
  public void close() {
    List.copyOf(open).forEach(Part::close);
    connection.close();
  }
}
