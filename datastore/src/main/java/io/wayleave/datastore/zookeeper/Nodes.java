package io.wayleave.datastore.zookeeper;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.wayleave.datastore.DatastoreRefusedException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.Version;
import io.wayleave.datastore.zookeeper.ZooKeeperConnection.Reply;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.data.Stat;

/**
 * Reads nodes of a store, once it is known that they are one: several at one moment, as they are
 * now. Thread safe.
 */
final class Nodes {
  private final ZooKeeperConnection connection;
  private final Layout layout;
  private volatile boolean layoutKnown;

  /** A node's value and what ZooKeeper counts of it. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Node(byte[] data, Stat stat) {
    /** As the value of a key. */
    Entry entry(String key) {
      return new Entry(key, data, new Version(Long.toHexString(stat.getMzxid())));
    }
  }

  /** What a key held at a position in the change log. */
  record Seen(String key, Optional<Entry> entry, ChangeLog.Position position) {}

  Nodes(ZooKeeperConnection connection, Layout layout) {
    this.connection = connection;
    this.layout = layout;
  }

  /** The nodes that are there, by path, as they are at one moment from now on. */
  Map<String, Node> read(String what, Collection<String> paths, Deadline deadline) {
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

  /** Refuses a place that holds something else, or was written by a newer version of this. */
  void checkLayout(String what, Deadline deadline) {
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
              + connection.description()
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

  /** Whether the store's nodes have been seen, and so are there for good. */
  boolean layoutKnown() {
    return layoutKnown;
  }

  private static boolean isUnused(Node root) {
    return root.data().length == 0 && root.stat().getNumChildren() == 0;
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
                      node(layout.path(key), answer.value().get(j)).map(node -> node.entry(key)),
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
}
