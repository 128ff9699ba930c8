package io.wayleave.datastore.zookeeper;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.wayleave.datastore.DatastoreRefusedException;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.Version;
import io.wayleave.datastore.zookeeper.ZooKeeperConnection.Reply;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.data.Stat;

/**
 * Does transactions: reads what one depends on, sends by a {@link Plan} one {@code multi} that
 * fails when any of that has changed, and then begins anew. Thread safe.
 */
final class Transactions {
  /** Below ZooKeeper's limit (1 MiB less one byte) by what the requests' frames need. */
  private static final int MAX_TRANSACTION_BYTES = 1_000_000;

  private static final int FRAME_BYTES = 128;

  private final ZooKeeperConnection connection;
  private final Credentials credentials;
  private final Layout layout;
  private final Nodes nodes;
  private final Revisions revisions;

  Transactions(
      ZooKeeperConnection connection,
      Credentials credentials,
      Layout layout,
      Nodes nodes,
      Revisions revisions) {
    this.connection = connection;
    this.credentials = credentials;
    this.layout = layout;
    this.nodes = nodes;
    this.revisions = revisions;
  }

  /** As {@link io.wayleave.datastore.Datastore#commit}. */
  TransactionResult commit(Transaction transaction, Deadline deadline) {
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
      Map<String, Nodes.Node> found = nodes.read(what, plan.paths(), deadline);
      Map<String, Entry> current = new HashMap<>();
      Map<String, Stat> stats = new HashMap<>();
      found.forEach((path, node) -> stats.put(path, node.stat()));
      for (Transaction.Condition condition : transaction.conditions()) {
        Nodes.Node node = found.get(layout.path(condition.key()));
        if (node != null) {
          current.put(condition.key(), node.entry(condition.key()));
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
          return committed(transaction, List.of(), nodes.barrier(deadline));
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
              what
                  + " at "
                  + connection.description()
                  + " failed: others wrote all the time for "
                  + deadline,
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
              + connection.description()
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
          if (!nodes.layoutKnown()) {
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
    return new TransactionResult.Committed(revisions.revision(position), versions);
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
}
