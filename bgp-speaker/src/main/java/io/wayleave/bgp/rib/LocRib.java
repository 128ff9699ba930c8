package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Every peer's Adj-RIB-In and what is chosen from them, for both families, in one table: all paths
 * to a prefix lie together, as the choice wants them. What is chosen depends on the paths that are
 * there and never on the order in which they came.
 *
 * <p>A change only marks its prefix. {@link #process} decides the marked prefixes later, a bounded
 * number at a time, and reports those whose choice changed; so a prefix that changes twice between
 * two turns is decided once.
 *
 * <p>While deferring (RFC 4724 section 4.1, after a restart), only prefixes originated here are
 * decided: they do not depend on what peers say.
 *
 * <p>A walk over one peer's paths walks the whole table. NOT thread safe.
 */
public final class LocRib {
  /** Told what is chosen for a prefix. */
  public interface Listener {
    /**
     * The choice changed.
     *
     * @param selection the best path first, then those used beside it; empty when none is left
     */
    void selected(Cidr prefix, Optional<Candidates> selection);
  }

  private final Map<Family, Table> tables = new EnumMap<>(Family.class);
  private final ArrayDeque<Cidr> dirty = new ArrayDeque<>();
  private BestPath bestPath;
  private boolean deferring;

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

  /** Adds the path, in place of the one that its source had for the prefix. */
  public void put(Cidr prefix, Path path) {
    Table table = tables.get(prefix.family());
    Candidates former = table.candidates.get(prefix);
    if (former == null) {
      table.candidates.put(prefix, path);
    } else {
      int at = former.indexOf(path.source());
      if (at >= 0 && former.get(at).equals(path) && sameGeneration(former.get(at), path)) {
        return;
      }
      table.candidates.put(prefix, former.with(path));
    }
    mark(table, prefix);
  }

  /** Removes the path of that source, if there is one. */
  public void remove(Cidr prefix, PathSource source) {
    Table table = tables.get(prefix.family());
    Candidates former = table.candidates.get(prefix);
    int at = former == null ? -1 : former.indexOf(source);
    if (at >= 0) {
      removeAt(table, prefix, former, at);
    }
  }

  /** Removes every path of the family whose source the test accepts; returns how many. */
  public int removeAll(Family family, Predicate<PathSource> test) {
    Table table = tables.get(family);
    List<Cidr> prefixes = new ArrayList<>();
    table.candidates.forEach(
        (prefix, candidates) -> {
          for (int i = 0; i < candidates.count(); i++) {
            if (test.test(candidates.get(i).source())) {
              prefixes.add(prefix);
              break;
            }
          }
        });
    int removed = 0;
    for (Cidr prefix : prefixes) {
      for (int i = table.candidates.get(prefix).count() - 1; i >= 0; i--) {
        Candidates current = table.candidates.get(prefix);
        if (test.test(current.get(i).source())) {
          removeAt(table, prefix, current, i);
          removed++;
        }
      }
    }
    return removed;
  }

  /**
   * Decides at most that many marked prefixes.
   *
   * @return whether marked prefixes are left
   */
  public boolean process(int limit, Listener listener) {
    for (int i = 0; i < limit && !dirty.isEmpty(); i++) {
      Cidr prefix = dirty.remove();
      Table table = tables.get(prefix.family());
      table.marked.remove(prefix);
      Candidates candidates = table.candidates.get(prefix);
      Optional<Candidates> selection =
          candidates == null ? Optional.empty() : bestPath.select(candidates);
      Optional<Candidates> former =
          Optional.ofNullable(
              selection.isPresent()
                  ? table.selected.put(prefix, selection.get())
                  : table.selected.remove(prefix));
      if (!selection.equals(former)) {
        listener.selected(prefix, selection);
      }
    }
    return !dirty.isEmpty();
  }

  public boolean deferring() {
    return deferring;
  }

  /** Ends the deferral: every prefix is decided now. */
  public void release() {
    deferring = false;
    markAll();
  }

  /** Other rules of choice, or news about next hops: every prefix is decided again. */
  public void setBestPath(BestPath changed) {
    bestPath = requireNonNull(changed, "changed is null");
    markAll();
  }

  /** What is chosen now, prefix by prefix. Nothing may be changed meanwhile. */
  public void forEachSelected(Family family, PrefixMap.Visitor<Candidates> visitor) {
    tables.get(family).selected.forEach(visitor);
  }

  /** Every path that is known. Nothing may be changed meanwhile. */
  public void forEachCandidates(Family family, PrefixMap.Visitor<Candidates> visitor) {
    tables.get(family).candidates.forEach(visitor);
  }

  /** What is chosen for the prefix now. */
  public Optional<Candidates> selected(Cidr prefix) {
    return Optional.ofNullable(tables.get(prefix.family()).selected.get(prefix));
  }

  public BestPath bestPath() {
    return bestPath;
  }

  private void removeAt(Table table, Cidr prefix, Candidates former, int at) {
    if (former.count() == 1) {
      table.candidates.remove(prefix);
    } else {
      table.candidates.put(prefix, former.without(at));
    }
    mark(table, prefix);
  }

  private void markAll() {
    for (Table table : tables.values()) {
      table.candidates.forEach((prefix, _) -> mark(table, prefix));
      table.selected.forEach((prefix, _) -> mark(table, prefix));
    }
  }

  private void mark(Table table, Cidr prefix) {
    if (deferring && !decidable(table, prefix)) {
      return;
    }
    if (table.marked.put(prefix, Boolean.TRUE) == null) {
      dirty.add(prefix);
    }
  }

  /** A local path wins whatever comes; one that was chosen before can only have been local. */
  private static boolean decidable(Table table, Cidr prefix) {
    Candidates candidates = table.candidates.get(prefix);
    return (candidates != null && candidates.indexOf(PathSource.Local.INSTANCE) >= 0)
        || table.selected.get(prefix) != null;
  }

  /** Equal sources of different generations differ: the newer one is not stale any more. */
  private static boolean sameGeneration(Path former, Path path) {
    return !(former.source() instanceof PathSource.Peer one)
        || !(path.source() instanceof PathSource.Peer other)
        || one.generation() == other.generation();
  }

  private static final class Table {
    private final PrefixMap<Candidates> candidates;
    private final PrefixMap<Candidates> selected;
    private final PrefixMap<Boolean> marked;

    Table(Family family) {
      candidates = new PrefixMap<>(family);
      selected = new PrefixMap<>(family);
      marked = new PrefixMap<>(family);
    }
  }
}
