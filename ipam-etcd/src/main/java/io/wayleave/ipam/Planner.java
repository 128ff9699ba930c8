package io.wayleave.ipam;

import io.wayleave.datastore.Version;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Chooses addresses for one request after another from a view of pools and blocks: from the host's
 * own blocks, then from a block to claim, then from an empty block that another host does not need,
 * then, where that is allowed, from other hosts' blocks, and only then addresses that were freed
 * just now. It touches nothing; {@link #changes} says what has to be written for all of them
 * together. By a view that may be old it gives from the host's own blocks only, for which no better
 * choice can be missed. NOT thread safe.
 */
final class Planner {
  /** A block that is empty and untouched for so many seconds may be taken from its host. */
  static final long RECLAIM_AFTER_SECONDS = 60;

  private final PoolTable pools;
  private final BlockView view;
  private final boolean fresh;
  private final String node;
  private final Map<String, String> labels;
  private final IpamOptions options;
  private final Supplier<String> names;
  private final long now;

  private Mark all = new Mark(Map.of(), Set.of(), Set.of());
  private List<Handle.Assigned> assigned = new ArrayList<>();
  private boolean ownBlocksDo = true;

  /**
   * A block before and after.
   *
   * @param before the version of its record; empty: there is none
   * @param claim whether the host has to claim it
   * @param from the host that it is taken from, whose affinity goes
   */
  record Change(Optional<Version> before, Block after, boolean claim, Optional<String> from) {
    private Change with(Block block) {
      return new Change(before, block, claim, from);
    }
  }

  /** What one request gets. */
  record Plan(List<Handle.Assigned> assigned) {
    List<IpAddress> addresses() {
      return assigned.stream().map(Handle.Assigned::address).toList();
    }
  }

  /** Everything planned up to a moment. */
  record Mark(Map<Cidr, Change> changes, Set<PoolTable.Pool> pools, Set<Family> leftOut) {
    Mark {
      changes = new LinkedHashMap<>(changes);
      pools = new LinkedHashSet<>(pools);
      leftOut = new LinkedHashSet<>(leftOut);
    }

    Mark copy() {
      return new Mark(changes, pools, leftOut);
    }
  }

  /**
   * @param fresh whether pools and view are up to date
   * @param labels of the node, for pools' selectors
   * @param options in force where no configuration says otherwise
   * @param names gives a new incarnation's name
   */
  Planner(
      PoolTable pools,
      BlockView view,
      boolean fresh,
      String node,
      Map<String, String> labels,
      IpamOptions options,
      Supplier<String> names) {
    this.pools = pools;
    this.view = view;
    this.fresh = fresh;
    this.node = node;
    this.labels = labels;
    this.options = options.under(pools.configuration());
    this.names = names;
    this.now = options.now();
  }

  /** The state of the plan, for {@link #backTo}. */
  Mark mark() {
    return all.copy();
  }

  /** Forgets what was planned since. */
  void backTo(Mark mark) {
    all = mark.copy();
  }

  /** What has to be written for all plans, by network. */
  Map<Cidr, Change> changes() {
    return all.changes();
  }

  /** The pools taken from, whose versions have to be compared. */
  Set<PoolTable.Pool> pools() {
    return all.pools();
  }

  /**
   * Families of which a request got no address because no pool of them would do: whether that is
   * so, any change of any pool may change.
   */
  Set<Family> leftOut() {
    return all.leftOut();
  }

  /**
   * Chooses, or says why not; then nothing is planned for this request.
   *
   * @return empty: a fresh view has to say
   * @throws IpamException when not all can be given
   * @throws InvalidInputException when the request names what does not exist
   */
  Optional<Plan> plan(AllocationRequest request) {
    Mark before = mark();
    assigned = new ArrayList<>();
    ownBlocksDo = true;
    boolean done = false;
    try {
      choose(request);
      done = fresh || ownBlocksDo;
      return done ? Optional.of(new Plan(List.copyOf(assigned))) : Optional.empty();
    } catch (IpamException | InvalidInputException e) {
      if (fresh) {
        throw e;
      }
      return Optional.empty();
    } finally {
      if (!done) {
        backTo(before);
      }
    }
  }

  private void choose(AllocationRequest request) {
    pools.check(request);
    request.addresses().forEach(address -> takeNamed(address, request));
    switch (request.wanted()) {
      case AllocationRequest.Count count -> {
        for (Family family : Family.values()) {
          if (count.of(family) > 0) {
            take(family, count.of(family), choose(family, request));
          }
        }
      }
      case AllocationRequest.OneOfEachFamily _ -> takeOneOfEachFamily(request);
    }
  }

  private void takeOneOfEachFamily(AllocationRequest request) {
    boolean any = !request.addresses().isEmpty();
    List<IpamException.PoolVerdict> passedOver = new ArrayList<>();
    for (Family family : Family.values()) {
      if (request.addresses().stream().anyMatch(address -> address.family() == family)) {
        continue;
      }
      PoolTable.Choice choice = choose(family, request);
      passedOver.addAll(choice.passedOver());
      if (!choice.usable().isEmpty() || !request.pools(family).isEmpty()) {
        take(family, 1, choice);
        any = true;
      } else {
        leftOut().add(family);
      }
    }
    if (!any) {
      boolean onlyIpv6 =
          !pools.all().isEmpty()
              && pools.all().stream().allMatch(pool -> pool.cidr().family() == Family.IPV6);
      throw new IpamException.Exhausted(onlyIpv6 ? Family.IPV6 : Family.IPV4, passedOver);
    }
  }

  private PoolTable.Choice choose(Family family, AllocationRequest request) {
    return pools.choose(family, request, node, labels);
  }

  /** Where addresses are looked for in a pool. */
  private interface Source {
    int take(PoolTable.Pool pool, int wanted);
  }

  private void take(Family family, int count, PoolTable.Choice choice) {
    int missing = count;
    List<Source> sources = new ArrayList<>();
    sources.add((pool, wanted) -> takeFrom(pool, ownBlocks(pool), wanted, rested(pool)));
    sources.add(this::claimFrom);
    sources.add(this::reclaimFrom);
    if (!options.strictAffinity()) {
      sources.add(
          (pool, wanted) ->
              takeFrom(pool, othersBlocks(pool, Block::hasFree), wanted, rested(pool)));
    }
    // An address that was freed just now is better than none.
    sources.add((pool, wanted) -> takeFrom(pool, ownBlocks(pool), wanted, any(pool)));
    if (!options.strictAffinity()) {
      sources.add(
          (pool, wanted) -> takeFrom(pool, othersBlocks(pool, Block::hasFree), wanted, any(pool)));
    }
    for (Source source : sources) {
      for (PoolTable.Pool pool : choice.usable()) {
        missing -= source.take(pool, missing);
      }
      if (missing == 0) {
        return;
      }
      ownBlocksDo = false;
      if (!fresh) {
        return;
      }
    }
    List<IpamException.PoolVerdict> verdicts = new ArrayList<>(choice.passedOver());
    choice.usable().forEach(pool -> verdicts.add(PoolTable.verdict(pool, whyNot(pool))));
    throw new IpamException.Exhausted(family, verdicts);
  }

  private Block.Terms rested(PoolTable.Pool pool) {
    return new Block.Terms(pool.reserved(), now - options.reuseDelay().toSeconds() + 1);
  }

  private static Block.Terms any(PoolTable.Pool pool) {
    return new Block.Terms(pool.reserved(), Long.MAX_VALUE);
  }

  private int takeFrom(
      PoolTable.Pool pool, List<Change> candidates, int wanted, Block.Terms terms) {
    int got = 0;
    for (Change change : candidates) {
      if (got == wanted) {
        break;
      }
      got += take(pool, change, wanted - got, terms);
    }
    return got;
  }

  private int claimFrom(PoolTable.Pool pool, int wanted) {
    int got = 0;
    while (got < wanted && mayHoldMore(pool.cidr().family())) {
      Optional<Change> claim = nextClaim(pool);
      if (claim.isEmpty()) {
        break;
      }
      got += take(pool, claim.get(), wanted - got, rested(pool));
    }
    return got;
  }

  private boolean mayHoldMore(Family family) {
    return options.autoAllocateBlocks() && blocksHeld(family) < options.maxBlocksPerHost();
  }

  /** A block that nobody has: one that its host gave up with addresses in use, or a new one. */
  private Optional<Change> nextClaim(PoolTable.Pool pool) {
    long existing = 0;
    for (BlockView.Held held : view.all()) {
      Block block = held.block();
      if (!pool.has(block)) {
        continue;
      }
      existing++;
      if (block.node().isEmpty()
          && !changes().containsKey(block.cidr())
          && block.freeCount(rested(pool)) > 0) {
        return Optional.of(
            new Change(
                Optional.of(held.version()), block.claimedBy(node, now), true, Optional.empty()));
      }
    }
    BlockWalk walk = new BlockWalk(pool.cidr(), pool.blockSize(), node);
    if (existing == walk.count()) {
      return Optional.empty(); // a walk through a full pool would cost the most when it is in vain
    }
    return walk.first(
            cidr ->
                view.exists(cidr)
                    || changes().containsKey(cidr)
                    || newBlock(pool, cidr).after().freeCount(any(pool)) == 0,
            pool.reserved())
        .map(cidr -> newBlock(pool, cidr));
  }

  private int reclaimFrom(PoolTable.Pool pool, int wanted) {
    int got = 0;
    for (Change change : othersBlocks(pool, Block::isUnused)) {
      Block block = change.after();
      // How many it holds takes a look at every block, so that is asked of the few that are idle.
      if (got < wanted
          && block.node().isPresent()
          && !changes().containsKey(block.cidr())
          && block.isIdleSince(now - RECLAIM_AFTER_SECONDS)
          && mayHoldMore(pool.cidr().family())) {
        Change taken = new Change(change.before(), block.claimedBy(node, now), true, block.node());
        got += take(pool, taken, wanted - got, rested(pool));
      }
    }
    return got;
  }

  private Change newBlock(PoolTable.Pool pool, Cidr cidr) {
    return new Change(
        Optional.empty(),
        Block.empty(cidr, pool.name(), Optional.of(node), names.get(), now),
        true,
        Optional.empty());
  }

  private int take(PoolTable.Pool pool, Change change, int count, Block.Terms terms) {
    if (!change.after().hasFree()) {
      return 0; // most blocks of a host that has many: looking for what to take would copy each
    }
    Block.Taken taken = change.after().take(count, terms);
    if (!taken.addresses().isEmpty()) {
      record(pool, change.with(taken.block()), taken.addresses());
    }
    return taken.addresses().size();
  }

  private void takeNamed(IpAddress address, AllocationRequest request) {
    PoolTable.Pool pool =
        pools
            .containing(address)
            .orElseThrow(
                () ->
                    new IpamException.AddressRefused(
                        address, "it is in no pool (pools: " + pools.describe() + ")"));
    pools
        .objection(pool, request, node, labels)
        .ifPresent(
            objection -> {
              throw new IpamException.AddressRefused(
                  address, "its pool " + pool.name() + " " + objection.reason());
            });
    Cidr cidr = pool.blockOf(address);
    Change change = changeForNamed(pool, cidr, address);
    Block after =
        change
            .after()
            .take(address)
            .orElseThrow(() -> new IpamException.AddressRefused(address, "it is in use"));
    if (!after.belongsTo(node) || change.claim()) {
      ownBlocksDo = false;
    }
    record(pool, change.with(after), List.of(address));
  }

  private Change changeForNamed(PoolTable.Pool pool, Cidr cidr, IpAddress address) {
    Optional<BlockView.Held> held = view.get(cidr);
    if (held.isEmpty()) {
      if (changes().containsKey(cidr)) {
        return changes().get(cidr);
      }
      if (view.exists(cidr)) {
        throw new IpamException.AddressRefused(
            address, "the record of its block " + cidr + " cannot be read");
      }
      if (!options.autoAllocateBlocks()) {
        throw new IpamException.AddressRefused(
            address, "nobody has its block " + cidr + ", and autoAllocateBlocks is false");
      }
      if (!mayHoldMore(cidr.family())) {
        throw new IpamException.AddressRefused(
            address, "nobody has its block " + cidr + ", and " + limitReached(cidr.family()));
      }
      return newBlock(pool, cidr);
    }
    Block block = changeOf(held.get()).after();
    if (options.strictAffinity() && !block.belongsTo(node)) {
      throw new IpamException.AddressRefused(
          address,
          "its block "
              + cidr
              + " belongs to "
              + block.node().orElse("nobody")
              + ", and strictAffinity forbids borrowing");
    }
    return changeOf(held.get());
  }

  private void record(PoolTable.Pool pool, Change change, List<IpAddress> addresses) {
    Block block = change.after();
    changes().put(block.cidr(), change);
    pools().add(pool);
    for (IpAddress address : addresses) {
      assigned.add(new Handle.Assigned(address, block.cidr(), block.incarnation()));
    }
  }

  /** The block as this plan has it so far. */
  private Change changeOf(BlockView.Held held) {
    return changes()
        .getOrDefault(
            held.block().cidr(),
            new Change(Optional.of(held.version()), held.block(), false, Optional.empty()));
  }

  /** Those that the host has, and those that this plan claims. */
  private List<Change> ownBlocks(PoolTable.Pool pool) {
    List<Change> own = new ArrayList<>();
    for (BlockView.Held held : view.all()) {
      if (held.block().belongsTo(node) && pool.has(held.block())) {
        own.add(changeOf(held));
      }
    }
    changes().values().stream()
        .filter(change -> change.claim() && pool.has(change.after()))
        .forEach(own::add);
    return own;
  }

  /**
   * Those that may do, in the order of the walk, so that borrowers do not all go to the same block.
   *
   * @param mayDo asked first, of all blocks that there are: planning only makes it less true
   */
  private List<Change> othersBlocks(PoolTable.Pool pool, Predicate<Block> mayDo) {
    List<Change> others = new ArrayList<>();
    for (BlockView.Held held : view.all()) {
      Block block = held.block();
      if (mayDo.test(block) && !block.belongsTo(node) && pool.has(block)) {
        Change change = changeOf(held);
        if (!change.claim()) {
          others.add(change);
        }
      }
    }
    if (!others.isEmpty()) {
      Collections.rotate(others, -Math.floorMod(node.hashCode(), others.size()));
    }
    return others;
  }

  private int blocksHeld(Family family) {
    long held =
        view.all().stream()
            .filter(each -> each.block().belongsTo(node))
            .filter(each -> each.block().cidr().family() == family)
            .count();
    long claimed =
        changes().values().stream()
            .filter(Change::claim)
            .filter(change -> change.after().cidr().family() == family)
            .count();
    return (int) (held + claimed);
  }

  private String limitReached(Family family) {
    return node
        + " holds "
        + blocksHeld(family)
        + " blocks, its limit (maxBlocksPerHost "
        + options.maxBlocksPerHost()
        + ")";
  }

  private PoolTable.Objection whyNot(PoolTable.Pool pool) {
    Family family = pool.cidr().family();
    long blocks = new BlockWalk(pool.cidr(), pool.blockSize(), node).count();
    long existing = 0;
    long freeElsewhere = 0;
    for (BlockView.Held held : view.all()) {
      if (pool.has(held.block())) {
        existing++;
        freeElsewhere += held.block().belongsTo(node) ? 0 : held.block().freeCount(any(pool));
      }
    }
    List<String> reasons = new ArrayList<>();
    String remedy = "";
    if (existing < blocks) {
      if (!options.autoAllocateBlocks()) {
        reasons.add("has unclaimed blocks, but autoAllocateBlocks is false");
        remedy = "claim a block for " + node;
      } else if (blocksHeld(family) >= options.maxBlocksPerHost()) {
        reasons.add("has unclaimed blocks, but " + limitReached(family));
        remedy = "raise maxBlocksPerHost";
      } else {
        reasons.add("has too few addresses left for this request");
      }
    } else {
      reasons.add("has all its " + blocks + " blocks claimed");
    }
    if (!pool.reserved().isEmpty()) {
      reasons.add("keeps " + pool.reserved() + " back (IPReservation)");
    }
    if (freeElsewhere > 0 && options.strictAffinity()) {
      reasons.add(
          freeElsewhere
              + " addresses are free in other nodes' blocks, which strictAffinity forbids");
      remedy = remedy.isEmpty() ? "turn strictAffinity off" : remedy;
    } else {
      reasons.add("no claimed block has enough free addresses");
    }
    return new PoolTable.Objection(String.join(", and ", reasons), remedy);
  }
}
