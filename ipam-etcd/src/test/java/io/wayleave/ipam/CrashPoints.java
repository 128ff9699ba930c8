package io.wayleave.ipam;

import io.wayleave.datastore.Keys;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Transaction;
import io.wayleave.model.Kind;
import java.util.Map;
import java.util.TreeMap;

/**
 * Counts at which commit of which operation processes died, before and after it, over many
 * histories. NOT thread safe.
 */
final class CrashPoints {
  /** Every commit that an operation of IPAM makes. */
  enum Step {
    ALLOCATE_FROM_OWN_BLOCK,
    ALLOCATE_PENDING_CLAIM,
    ALLOCATE_CLAIMING,
    ALLOCATE_RECLAIMING,
    ALLOCATE_BORROWING,
    WITHDRAW_CLAIM,
    RELEASE,
    RELEASE_TOGETHER,
    CLAIM,
    GIVE_UP_BLOCK,
    COLLECT_HANDLE,
    COLLECT_BLOCK,
    COLLECT_CLAIM,
    POOL_CREATE,
    POOL_CHANGE,
    POOL_EMPTY_BLOCKS,
    POOL_DELETE,
    SETTINGS_CHANGE
  }

  record Point(Step step, boolean afterCommit) implements Comparable<Point> {
    @Override
    public int compareTo(Point other) {
      return toString().compareTo(other.toString());
    }

    @Override
    public String toString() {
      return step + (afterCommit ? " after" : " before");
    }
  }

  private final Map<Point, Integer> hits = new TreeMap<>();

  private final int wanted;

  /**
   * Counts from zero.
   *
   * @param wanted how often each point is to be hit
   */
  CrashPoints(int wanted) {
    this.wanted = wanted;
    for (Step step : Step.values()) {
      hits.put(new Point(step, false), 0);
      hits.put(new Point(step, true), 0);
    }
  }

  int wanted() {
    return wanted;
  }

  int hits(Point point) {
    return hits.get(point);
  }

  void hit(Point point) {
    hit(point, 1);
  }

  void hit(Point point, int times) {
    hits.merge(point, times, Integer::sum);
  }

  int fewest() {
    return hits.values().stream().mapToInt(Integer::intValue).min().orElse(0);
  }

  /** All points and how often each was hit. */
  Map<Point, Integer> all() {
    return hits;
  }

  /**
   * Which step a transaction is, by what it writes.
   *
   * @param host that commits it
   * @param collecting whether it is done by garbage collection
   */
  static Step step(Transaction transaction, String host, boolean collecting) {
    String pools = ResourceStore.prefix(Kind.IP_POOL);
    if (puts(transaction, Keys.POOL_GUARD)) {
      return deletes(transaction, pools)
          ? Step.POOL_DELETE
          : transaction.conditions().stream()
                  .anyMatch(
                      each ->
                          each instanceof Transaction.Absent(String key) && key.startsWith(pools))
              ? Step.POOL_CREATE
              : Step.POOL_CHANGE;
    }
    if (puts(transaction, Keys.SETTINGS_GUARD)) {
      return Step.SETTINGS_CHANGE;
    }
    boolean givesAffinity = puts(transaction, Keys.AFFINITIES);
    boolean takesAffinity = deletes(transaction, Keys.AFFINITIES);
    if (puts(transaction, Keys.HANDLES)) {
      return takesAffinity
          ? Step.ALLOCATE_RECLAIMING
          : givesAffinity
              ? Step.ALLOCATE_CLAIMING
              : borrows(transaction, host) ? Step.ALLOCATE_BORROWING : Step.ALLOCATE_FROM_OWN_BLOCK;
    }
    long released =
        transaction.operations().stream()
            .filter(each -> each instanceof Transaction.Delete)
            .filter(each -> each.key().startsWith(Keys.HANDLES))
            .count();
    if (released > 0) {
      return collecting
          ? Step.COLLECT_HANDLE
          : released == 1 ? Step.RELEASE : Step.RELEASE_TOGETHER;
    }
    if (givesAffinity) {
      return puts(transaction, Keys.BLOCKS) ? Step.CLAIM : Step.ALLOCATE_PENDING_CLAIM;
    }
    if (deletes(transaction, Keys.BLOCKS) || puts(transaction, Keys.BLOCKS)) {
      return collecting
          ? Step.COLLECT_BLOCK
          : host.isEmpty() ? Step.POOL_EMPTY_BLOCKS : Step.GIVE_UP_BLOCK;
    }
    if (!takesAffinity) {
      throw new AssertionError("a transaction of no known operation: " + transaction);
    }
    return collecting ? Step.COLLECT_CLAIM : Step.WITHDRAW_CLAIM;
  }

  private static boolean borrows(Transaction transaction, String host) {
    return transaction.operations().stream()
        .anyMatch(
            operation ->
                operation instanceof Transaction.Put put
                    && put.key().startsWith(Keys.BLOCKS)
                    && !Block.fromJson(put.value()).belongsTo(host));
  }

  private static boolean puts(Transaction transaction, String prefix) {
    return transaction.operations().stream()
        .anyMatch(each -> each instanceof Transaction.Put && each.key().startsWith(prefix));
  }

  private static boolean deletes(Transaction transaction, String prefix) {
    return transaction.operations().stream()
        .anyMatch(each -> each instanceof Transaction.Delete && each.key().startsWith(prefix));
  }
}
