package io.wayleave.ipam;

import io.wayleave.datastore.Keys;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Transaction;
import io.wayleave.model.Kind;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Counts where many histories went: at which commit of which operation processes died, before and
 * after it; which reads failed, and at which others acted; what callers and watches did. NOT thread
 * safe.
 */
final class ModelPoints {
  /** Every commit that an operation of IPAM makes. */
  enum Step {
    ALLOCATE_FROM_OWN_BLOCK,
    ALLOCATE_PENDING_CLAIM,
    ALLOCATE_CLAIMING,
    ALLOCATE_RECLAIMING,
    ALLOCATE_BORROWING,
    ALLOCATE_TOGETHER,
    ALLOCATE_TOGETHER_CLAIMING,
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

  /** Every read that an operation of IPAM makes. */
  enum Read {
    GUARDS,
    SETTINGS,
    POOL,
    POOLS,
    AFFINITIES,
    OWNERS_AND_BLOCKS,
    BLOCKS,
    HANDLE,
    HANDLES,
    NODES,
    LIFE_SIGNS;

    /** Whether it lists so much that it takes several pages. */
    boolean isPaged() {
      return switch (this) {
        case POOLS, AFFINITIES, BLOCKS, HANDLES, NODES -> true;
        case GUARDS, SETTINGS, POOL, OWNERS_AND_BLOCKS, HANDLE, LIFE_SIGNS -> false;
      };
    }
  }

  /** What happens at a read. */
  enum When {
    FAILS,
    OTHERS_ACT_BEFORE,
    OTHERS_ACT_BETWEEN_PAGES
  }

  /** Where a history can go. */
  sealed interface Point {}

  /** A process dies. */
  record Death(Step step, boolean afterCommit) implements Point {
    @Override
    public String toString() {
      return step + (afterCommit ? " after" : " before");
    }
  }

  /** Something happens while a process reads. */
  record Reading(Read read, When when) implements Point {
    @Override
    public String toString() {
      return read + " " + when;
    }
  }

  /** What one of several callers does whose requests are served together. */
  enum Caller implements Point {
    ALLOCATION_GIVEN_UP_WAITING,
    ALLOCATION_GIVEN_UP_AT_COMMIT,
    ALLOCATION_WITH_BAD_OWNER,
    RELEASE_GIVEN_UP_WAITING,
    RELEASE_GIVEN_UP_AT_COMMIT
  }

  /** What a watch does that does not tell each change at once. */
  enum Watching implements Point {
    TOLD_LATE,
    SEVERAL_AT_ONCE,
    LISTING_FAILED,
    DISCONNECTED,
    RECONNECTED,
    RESYNCED
  }

  private final Map<Point, Integer> hits = new HashMap<>();

  private final int wanted;

  /**
   * Counts from zero.
   *
   * @param wanted how often each point is to be hit
   */
  ModelPoints(int wanted) {
    this.wanted = wanted;
    for (Step step : Step.values()) {
      hits.put(new Death(step, false), 0);
      hits.put(new Death(step, true), 0);
    }
    for (Read read : Read.values()) {
      hits.put(new Reading(read, When.FAILS), 0);
      hits.put(new Reading(read, When.OTHERS_ACT_BEFORE), 0);
      if (read.isPaged()) {
        hits.put(new Reading(read, When.OTHERS_ACT_BETWEEN_PAGES), 0);
      }
    }
    for (Caller caller : Caller.values()) {
      hits.put(caller, 0);
    }
    for (Watching watching : Watching.values()) {
      hits.put(watching, 0);
    }
  }

  /** Whether it was not hit as often as it is to be. */
  boolean wants(Point point) {
    return hits.get(point) < wanted;
  }

  int hits(Point point) {
    return hits.get(point);
  }

  void hit(Point point) {
    hit(point, 1);
  }

  void hit(Point point, int times) {
    int before = hits.get(point); // which throws for a point that is none
    hits.put(point, before + times);
  }

  int fewest() {
    return hits.values().stream().mapToInt(Integer::intValue).min().orElse(0);
  }

  /** All points and how often each was hit. */
  Map<Point, Integer> all() {
    return hits;
  }

  /** Those that were hit less often than that, or all when there are none, for messages. */
  SortedMap<String, Integer> describe(int fewer) {
    SortedMap<String, Integer> described = new TreeMap<>();
    hits.forEach(
        (point, count) -> {
          if (count < fewer) {
            described.put(point.toString(), count);
          }
        });
    return described;
  }

  /**
   * Which read it is, by the first of the keys, or the prefix of a listing.
   *
   * @throws AssertionError when it is none that is known
   */
  static Read read(String key) {
    boolean lists = key.endsWith("/");
    if (key.equals(Keys.POOL_GUARD) || key.equals(Keys.SETTINGS_GUARD)) {
      return Read.GUARDS;
    }
    if (key.startsWith(ResourceStore.prefix(Kind.IP_POOL))) {
      return lists ? Read.POOLS : Read.POOL;
    }
    if (key.startsWith(ResourceStore.prefix(Kind.IP_RESERVATION))
        || key.startsWith(ResourceStore.prefix(Kind.IPAM_CONFIGURATION))) {
      return Read.SETTINGS;
    }
    if (key.startsWith(Keys.AFFINITIES)) {
      return Read.AFFINITIES;
    }
    if (key.startsWith(Keys.BLOCKS)) {
      return lists ? Read.BLOCKS : Read.OWNERS_AND_BLOCKS;
    }
    if (key.startsWith(Keys.HANDLES)) {
      return lists ? Read.HANDLES : Read.HANDLE;
    }
    if (key.startsWith(IpamKeys.OWNERS)
        || key.startsWith(ResourceStore.prefix(Kind.WORKLOAD_ENDPOINT))) {
      return Read.OWNERS_AND_BLOCKS;
    }
    if (key.equals(ResourceStore.prefix(Kind.NODE))) {
      return Read.NODES;
    }
    if (key.equals(Keys.PRESENCE)) {
      return Read.LIFE_SIGNS;
    }
    throw new AssertionError("a read of no known operation: " + key);
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
    long given =
        transaction.operations().stream()
            .filter(each -> each instanceof Transaction.Put && each.key().startsWith(Keys.HANDLES))
            .count();
    if (given > 1) {
      return givesAffinity ? Step.ALLOCATE_TOGETHER_CLAIMING : Step.ALLOCATE_TOGETHER;
    }
    if (given == 1) {
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
