package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.Arrays;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/**
 * Every peer's Adj-RIB-In and what is chosen from them, for both families, in one table: all paths
 * to a prefix lie together, as the choice wants them. What is chosen depends on the paths that are
 * there and never on the order in which they came; except that a chosen path whose source has
 * replaced it by one with a next hop not yet looked up stays chosen, where no other path is usable,
 * until {@link #decideAgain} tells that there is news of that next hop.
 *
 * <p>A change only marks its prefix. {@link #process} decides the marked prefixes later, a bounded
 * number at a time, and reports those whose choice changed; so a prefix that changes twice between
 * two turns is decided once.
 *
 * <p>While deferring (RFC 4724 section 4.1, after a restart), only prefixes originated here are
 * decided: they do not depend on what peers say.
 *
 * <p>A prefix is a number of {@link #prefixes} wherever speed counts. NOT thread safe.
 */
public final class LocRib {
  /** Told what is chosen for a prefix. */
  @FunctionalInterface
  public interface Listener {
    /**
     * The choice changed.
     *
     * @param id number of the prefix
     * @param selection the best path first, then those used beside it
     */
    void selected(Family family, int id, Candidates selection);
  }

  /** Sees one prefix by its number. */
  @FunctionalInterface
  public interface Visitor {
    void visit(int id, Candidates paths);
  }

  private final Map<Family, Table> tables = new EnumMap<>(Family.class);
  private BestPath bestPath;
  private boolean deferring;
  private boolean tellAll;

  /**
   * An empty table.
   *
   * @param deferring whether the choice waits for {@link #release}
   */
  public LocRib(BestPath bestPath, boolean deferring) {
    this.bestPath = requireNonNull(bestPath, "bestPath is null");
    this.deferring = deferring;
    for (Family family : Family.values()) {
      tables.put(family, new Table(family));
    }
  }

  public PrefixTable prefixes(Family family) {
    return table(family).prefixes;
  }

  private Table table(Family family) {
    return tables.get(family);
  }

  /** Adds a path of our own, in place of the one that there was for the prefix. */
  public void put(Cidr prefix, Path path) {
    Table table = table(prefix.family());
    put(table, table.prefixes.add(prefix), path, table.own);
  }

  /**
   * Adds the path, in place of the one that its source had for the prefix, given as {@link
   * io.wayleave.bgp.wire.PrefixList} has it.
   *
   * @param of the source's paths of the family
   */
  public void put(Family family, long high, long low, int length, Path path, PeerPaths of) {
    Table table = table(family);
    put(table, table.prefixes.add(high, low, length), path, of);
  }

  private void put(Table table, int id, Path path, PeerPaths of) {
    Candidates former = table.known(id);
    int at = former.indexOf(path.source(), path.pathId());
    if (at >= 0) {
      Path known = former.get(at);
      if (known.equals(path)) {
        return;
      }
      of.replaced(known.usable(), path.usable());
    } else {
      if (of.isFull()) {
        of.makeRoom(present(table, path.source()));
      }
      of.added(id, path.usable());
    }
    table.set(id, former.with(path));
    mark(table, id);
  }

  /** Whether there is a path of the source, asked for the first time. */
  private static IntPredicate present(Table table, PathSource source) {
    BitSet seen = new BitSet(table.prefixes.limit());
    return id -> {
      Candidates known = table.known(id);
      for (int i = 0; i < known.count() && !seen.get(id); i++) {
        if (PathSource.same(known.get(i).source(), source)) {
          seen.set(id);
          return true;
        }
      }
      return false;
    };
  }

  /** Removes the path of our own, if there is one. */
  public void remove(Cidr prefix, PathSource source) {
    Table table = table(prefix.family());
    remove(table, table.prefixes.find(prefix), source, 0, table.own);
  }

  /**
   * Removes the path of that source, if there is one.
   *
   * @param of the source's paths of the family
   */
  public void remove(
      Family family, long high, long low, int length, PathSource source, int pathId, PeerPaths of) {
    Table table = table(family);
    remove(table, table.prefixes.find(high, low, length), source, pathId, of);
  }

  private void remove(Table table, int id, PathSource source, int pathId, PeerPaths of) {
    Candidates former = id == PrefixTable.NONE ? Candidates.NONE : table.known(id);
    int at = former.indexOf(source, pathId);
    if (at >= 0) {
      of.removed(former.get(at).usable());
      table.set(id, former.without(at));
      mark(table, id);
    }
  }

  /**
   * Removes those paths of one peer whose source the test accepts, at the cost of what that peer
   * told; returns how many.
   *
   * @param of the peer's paths of the family
   * @param test accepts sources of that peer only
   */
  public int removeAll(Family family, PeerPaths of, Predicate<PathSource> test) {
    Table table = table(family);
    int removed = 0;
    for (int id : of.ids()) {
      Candidates left = table.known(id);
      for (int i = left.count() - 1; i >= 0; i--) {
        if (test.test(left.get(i).source())) {
          of.removed(left.get(i).usable());
          left = left.without(i);
          removed++;
        }
      }
      if (left.count() != table.known(id).count()) {
        table.set(id, left);
        mark(table, id);
      }
    }
    return removed;
  }

  /** Makes another path of one. */
  @FunctionalInterface
  public interface Change {
    /** Returns one of the same source and path id. */
    Path apply(Path path, Cidr prefix);
  }

  /**
   * Replaces the paths of one peer by others, as when they are judged by other rules, at the cost
   * of what that peer told.
   *
   * @param of the peer's paths of the family
   * @param test accepts sources of that peer only
   */
  public void replaceAll(Family family, PeerPaths of, Predicate<PathSource> test, Change change) {
    Table table = table(family);
    for (int id : of.ids()) {
      Candidates paths = table.known(id);
      for (int i = 0; i < paths.count(); i++) {
        Path path = paths.get(i);
        if (test.test(path.source())) {
          put(table, id, change.apply(path, table.prefixes.prefix(id)), of);
        }
      }
    }
  }

  /**
   * Decides at most that many marked prefixes.
   *
   * @return whether marked prefixes are left
   */
  public boolean process(int limit, Listener listener) {
    int left = limit;
    for (Table table : tables.values()) {
      while (left > 0 && !table.dirty.isEmpty()) {
        left--;
        decide(table, table.dirty.remove(), listener);
      }
    }
    return tables.values().stream().anyMatch(table -> !table.dirty.isEmpty());
  }

  private void decide(Table table, int id, Listener listener) {
    table.marked[id] = false;
    Candidates former = table.chosen(id);
    Candidates selection = bestPath.select(table.known(id));
    boolean undecided = false;
    if (selection.count() == 0) {
      selection = bestPath.kept(former, table.known(id));
      undecided = selection.count() > 0;
    }
    table.choose(id, selection);
    // What is kept is not told again: whoever is told all usable paths would find none.
    if ((tellAll && !undecided) || !selection.equals(former)) {
      listener.selected(table.prefixes.family(), id, selection);
    }
    table.prefixes.release(id);
  }

  /**
   * Whether decisions are told also when they are as before: paths that were not chosen changed.
   */
  void setTellAll(boolean all) {
    tellAll = all;
  }

  public boolean deferring() {
    return deferring;
  }

  /** Ends the deferral: every prefix is decided now. */
  public void release() {
    deferring = false;
    markAll();
  }

  /** There is news of these next hops: the prefixes that have a path by one are decided again. */
  @SuppressWarnings("ReferenceEquality") // The prefixes of an UPDATE share their path.
  public void decideAgain(Set<IpAddress> nextHops) {
    for (Table table : tables.values()) {
      Candidates last = Candidates.NONE;
      boolean lastConcerned = false;
      for (int id = 0; id < table.prefixes.limit(); id++) {
        Candidates known = table.known(id);
        if (known != last) {
          last = known;
          lastConcerned = concerned(known, nextHops);
        }
        if (lastConcerned) {
          mark(table, id);
        }
      }
    }
  }

  private static boolean concerned(Candidates paths, Set<IpAddress> nextHops) {
    for (int i = 0; i < paths.count(); i++) {
      if (nextHops.contains(paths.get(i).nextHop().gateway())) {
        return true;
      }
    }
    return false;
  }

  /** The next hops of all paths of peers. */
  public Set<IpAddress> nextHops() {
    Set<IpAddress> nextHops = new HashSet<>();
    for (Family family : Family.values()) {
      forEachCandidates(
          family,
          (_, paths) -> {
            for (int i = 0; i < paths.count(); i++) {
              if (!paths.get(i).isLocal()) {
                nextHops.add(paths.get(i).nextHop().gateway());
              }
            }
          });
    }
    return nextHops;
  }

  /** Other rules of choice: every prefix is decided again. */
  public void setBestPath(BestPath changed) {
    bestPath = requireNonNull(changed, "changed is null");
    markAll();
  }

  /** What is chosen now, prefix by prefix. Nothing may be changed meanwhile. */
  public void forEachSelected(Family family, Visitor visitor) {
    Table table = table(family);
    for (int id = 0; id < table.prefixes.limit(); id++) {
      Candidates chosen = table.chosen(id);
      if (chosen.count() > 0) {
        visitor.visit(id, chosen);
      }
    }
  }

  /** Every path that is known. Nothing may be changed meanwhile. */
  public void forEachCandidates(Family family, Visitor visitor) {
    forEachCandidates(family, 0, table(family).prefixes.limit(), visitor);
  }

  /** Every path to the prefixes with the numbers from one to below the other. */
  public void forEachCandidates(Family family, int from, int to, Visitor visitor) {
    Table table = table(family);
    for (int id = from; id < Math.min(to, table.prefixes.limit()); id++) {
      Candidates known = table.known(id);
      if (known.count() > 0) {
        visitor.visit(id, known);
      }
    }
  }

  /** What is chosen for the prefix now. */
  public Candidates selected(Cidr prefix) {
    Table table = table(prefix.family());
    int id = table.prefixes.find(prefix);
    return id == PrefixTable.NONE ? Candidates.NONE : table.chosen(id);
  }

  /** What is chosen for the prefix of that number now. */
  public Candidates selected(Family family, int id) {
    return table(family).chosen(id);
  }

  /** Every path that is known to the prefix of that number. */
  Candidates known(Family family, int id) {
    return table(family).known(id);
  }

  public BestPath bestPath() {
    return bestPath;
  }

  private void markAll() {
    for (Table table : tables.values()) {
      for (int id = 0; id < table.prefixes.limit(); id++) {
        if (table.known(id).count() > 0 || table.chosen(id).count() > 0) {
          mark(table, id);
        }
      }
    }
  }

  private void mark(Table table, int id) {
    if (deferring && !decidable(table, id)) {
      return;
    }
    table.mark(id);
  }

  /** A local path wins whatever comes; one that was chosen before can only have been local. */
  private static boolean decidable(Table table, int id) {
    return table.known(id).indexOf(PathSource.Local.INSTANCE, 0) >= 0
        || table.chosen(id).count() > 0;
  }

  /** One family. The number of a prefix is retained while anything is known or chosen for it. */
  private static final class Table {
    private final PrefixTable prefixes;
    private final IntQueue dirty = new IntQueue();
    private final PeerPaths own = new PeerPaths();
    // By number; null stands for none here and nowhere else.
    private Candidates[] known = {};
    private Candidates[] chosen = {};
    private boolean[] marked = {};

    Table(Family family) {
      prefixes = new PrefixTable(family);
    }

    Candidates known(int id) {
      return id < known.length && known[id] != null ? known[id] : Candidates.NONE;
    }

    Candidates chosen(int id) {
      return id < chosen.length && chosen[id] != null ? chosen[id] : Candidates.NONE;
    }

    void set(int id, Candidates paths) {
      ensure();
      known[id] = replaced(id, known[id], paths);
    }

    void choose(int id, Candidates paths) {
      ensure();
      chosen[id] = replaced(id, chosen[id], paths);
    }

    private Candidates replaced(int id, Candidates former, Candidates paths) {
      if (paths.count() == 0) {
        if (former != null) {
          prefixes.release(id);
        }
        return null;
      }
      if (former == null) {
        prefixes.retain(id);
      }
      return paths;
    }

    void mark(int id) {
      ensure();
      if (!marked[id]) {
        marked[id] = true;
        prefixes.retain(id);
        dirty.add(id);
      }
    }

    private void ensure() {
      int capacity = prefixes.capacity();
      if (known.length < capacity) {
        known = Arrays.copyOf(known, capacity);
        chosen = Arrays.copyOf(chosen, capacity);
        marked = Arrays.copyOf(marked, capacity);
      }
    }
  }
}
