package io.wayleave.datastore.zookeeper;

import io.wayleave.datastore.DatastoreRefusedException;
import io.wayleave.datastore.Transaction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Stat;

/**
 * One attempt of a transaction: which nodes to look at, and, by what they were, which operations of
 * ZooKeeper's do what the transaction says, and fail when a node that matters has changed since.
 *
 * <p>A key that must still be the one that was read, or still be absent, is guarded by its
 * generation: whoever creates a key there bumps it. NOT thread safe; used once.
 */
final class Plan {
  private final Transaction transaction;
  private final Layout layout;
  private final Optional<Long> session;
  private final List<ACL> acl;
  private final List<String> missing = new ArrayList<>();

  Plan(Transaction transaction, Layout layout, Optional<Long> session, List<ACL> acl) {
    this.transaction = transaction;
    this.layout = layout;
    this.session = session;
    this.acl = acl;
  }

  /** The nodes to look at. */
  Set<String> paths() {
    Set<String> paths = new LinkedHashSet<>();
    for (Transaction.Condition condition : transaction.conditions()) {
      paths.add(layout.path(condition.key()));
      paths.add(layout.generation(condition.key()));
    }
    for (Transaction.Operation operation : transaction.operations()) {
      String path = layout.path(operation.key());
      paths.add(path);
      paths.add(layout.generation(operation.key()));
      if (operation instanceof Transaction.Put) {
        paths.add(Layout.parent(path));
      }
    }
    return paths;
  }

  /**
   * Whether nodes must be made first, in which the transaction then creates its own.
   *
   * @param nodes what there is of {@link #paths}
   */
  boolean makeRoom(Map<String, Stat> nodes) {
    Set<String> needed = new LinkedHashSet<>();
    for (Transaction.Condition condition : transaction.conditions()) {
      need(layout.generation(condition.key()), nodes, needed);
    }
    for (Transaction.Operation operation : transaction.operations()) {
      String path = layout.path(operation.key());
      need(layout.generation(operation.key()), nodes, needed);
      if (operation instanceof Transaction.Put && !nodes.containsKey(path)) {
        Stat shard = nodes.get(Layout.parent(path));
        if (shard == null) {
          needed.addAll(layout.ancestors(path));
        } else if (shard.getNumChildren() >= Layout.MAX_CHILDREN) {
          throw new DatastoreRefusedException(
              "transaction refused: ZooKeeper's node "
                  + Layout.parent(path)
                  + " has "
                  + shard.getNumChildren()
                  + " children; allowed: at most "
                  + Layout.MAX_CHILDREN,
              null);
        }
      }
    }
    missing.addAll(needed);
    return !missing.isEmpty();
  }

  private static void need(String path, Map<String, Stat> nodes, Set<String> needed) {
    if (!nodes.containsKey(path)) {
      needed.add(path);
    }
  }

  /** The nodes to make, the upper first. */
  List<String> missing() {
    return missing;
  }

  /**
   * What to send; empty when there is nothing to do and nothing to guard.
   *
   * @param nodes what there is of {@link #paths}
   */
  List<Op> operations(Map<String, Stat> nodes) {
    Set<String> guarded = new LinkedHashSet<>();
    Set<String> bumped = new HashSet<>();
    List<Op> checks = new ArrayList<>();
    List<Op> writes = new ArrayList<>();
    for (Transaction.Condition condition : transaction.conditions()) {
      Stat stat = nodes.get(layout.path(condition.key()));
      switch (condition) {
        case Transaction.Absent absent -> guarded.add(layout.generation(absent.key()));
        case Transaction.Exists exists -> checks.add(Op.check(layout.path(exists.key()), -1));
        case Transaction.Unchanged unchanged -> {
          checks.add(Op.check(layout.path(unchanged.key()), stat.getVersion()));
          guarded.add(layout.generation(unchanged.key()));
        }
      }
    }
    for (Transaction.Operation operation : transaction.operations()) {
      String path = layout.path(operation.key());
      Optional<Stat> stat = Optional.ofNullable(nodes.get(path));
      switch (operation) {
        case Transaction.Put put -> {
          long owner = put.session().isPresent() ? session.orElseThrow() : 0;
          if (stat.isPresent() && stat.get().getEphemeralOwner() == owner) {
            writes.add(Op.setData(path, put.value(), stat.get().getVersion()));
          } else {
            // A node's owner cannot be changed.
            stat.ifPresent(old -> writes.add(Op.delete(path, old.getVersion())));
            writes.add(
                Op.create(
                    path,
                    put.value(),
                    acl,
                    owner == 0 ? CreateMode.PERSISTENT : CreateMode.EPHEMERAL));
            bumped.add(layout.generation(put.key()));
          }
        }
        case Transaction.Delete delete -> {
          if (stat.isPresent()) {
            writes.add(Op.delete(path, -1));
          } else {
            guarded.add(layout.generation(delete.key()));
          }
        }
      }
    }
    // A creation by this transaction is guard enough of its own absence.
    guarded.removeIf(generation -> onlyCreatedHere(generation, nodes));
    List<Op> all = new ArrayList<>();
    Map<String, Integer> versions = new HashMap<>();
    guarded.forEach(generation -> versions.put(generation, nodes.get(generation).getVersion()));
    for (String generation : bumped) {
      all.add(Op.setData(generation, new byte[0], versions.getOrDefault(generation, -1)));
      versions.remove(generation);
    }
    versions.forEach((generation, version) -> all.add(Op.check(generation, version)));
    all.addAll(checks);
    all.addAll(writes);
    return all;
  }

  /** Whether all that the generation guards are absences of keys that this transaction creates. */
  private boolean onlyCreatedHere(String generation, Map<String, Stat> nodes) {
    Set<String> created = new HashSet<>();
    for (Transaction.Operation operation : transaction.operations()) {
      if (operation instanceof Transaction.Put put && !nodes.containsKey(layout.path(put.key()))) {
        created.add(put.key());
      } else if (operation instanceof Transaction.Delete delete
          && !nodes.containsKey(layout.path(delete.key()))
          && layout.generation(delete.key()).equals(generation)) {
        return false;
      }
    }
    for (Transaction.Condition condition : transaction.conditions()) {
      boolean needsGuard =
          switch (condition) {
            case Transaction.Absent absent -> !created.contains(absent.key());
            case Transaction.Exists _ -> false;
            case Transaction.Unchanged _ -> true;
          };
      if (needsGuard && layout.generation(condition.key()).equals(generation)) {
        return false;
      }
    }
    return true;
  }
}
