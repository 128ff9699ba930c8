package io.wayleave.ipam;

import io.wayleave.datastore.Version;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Chooses addresses for one request from a view of pools and blocks: from the host's own blocks,
 * then from a block to claim, then, where that is allowed, from other hosts' blocks. It touches
 * nothing; the {@link Plan} says what has to be written. Used once. NOT thread safe.
 */
final class Planner {
  private final PoolTable pools;
  private final BlockView view;
  private final String node;
  private final Map<String, String> labels;
  private final IpamOptions options;
  private final Supplier<String> names;

  private final Map<Cidr, Change> changes = new LinkedHashMap<>();
  private final List<Handle.Assigned> assigned = new ArrayList<>();
  private final Set<PoolTable.Pool> used = new LinkedHashSet<>();
  private boolean complete = true;

  /**
   * A block before and after.
   *
   * @param before the version of its record; empty: there is none
   * @param claim whether the host has to claim it
   */
  record Change(Optional<Version> before, Block after, boolean claim) {}

  /**
   * What has to be written.
   *
   * @param pools the pools taken from, whose versions have to be compared
   * @param fromMemory whether only blocks of the host itself are touched; otherwise the view must
   *     be fresh for the plan to be the best one
   */
  record Plan(
      List<Handle.Assigned> assigned,
      Map<Cidr, Change> changes,
      Set<PoolTable.Pool> pools,
      boolean fromMemory) {
    List<IpAddress> addresses() {
      return assigned.stream().map(Handle.Assigned::address).toList();
    }

    List<Cidr> claims() {
      return changes.entrySet().stream()
          .filter(change -> change.getValue().claim())
          .map(Map.Entry::getKey)
          .toList();
    }
  }

  /**
   * @param labels of the node, for pools' selectors
   * @param names gives a new incarnation's name
   */
  Planner(
      PoolTable pools,
      BlockView view,
      String node,
      Map<String, String> labels,
      IpamOptions options,
      Supplier<String> names) {
    this.pools = pools;
    this.view = view;
    this.node = node;
    this.labels = labels;
    this.options = options;
    this.names = names;
  }

  /**
   * Chooses, or says why not.
   *
   * @throws IpamException when not all can be given
   * @throws InvalidInputException when the request names what does not exist
   */
  Plan plan(AllocationRequest request) {
    request.addresses().forEach(this::takeNamed);
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
    return new Plan(List.copyOf(assigned), Map.copyOf(changes), Set.copyOf(used), complete);
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
      if (!choice.usable().isEmpty()) {
        take(family, 1, choice);
        any = true;
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
    return pools.choose(family, request.pools(), node, labels);
  }

  private void take(Family family, int count, PoolTable.Choice choice) {
    int missing = count;
    for (PoolTable.Pool pool : choice.usable()) {
      missing -= takeFrom(pool, ownBlocks(pool), missing);
    }
    if (missing == 0) {
      return;
    }
    complete = false;
    for (PoolTable.Pool pool : choice.usable()) {
      missing -= claimFrom(pool, missing);
    }
    if (!options.strictAffinity()) {
      for (PoolTable.Pool pool : choice.usable()) {
        missing -= takeFrom(pool, othersBlocks(pool), missing);
      }
    }
    if (missing > 0) {
      List<IpamException.PoolVerdict> verdicts = new ArrayList<>(choice.passedOver());
      choice.usable().forEach(pool -> verdicts.add(PoolTable.verdict(pool, whyNot(pool))));
      throw new IpamException.Exhausted(family, verdicts);
    }
  }

  private int takeFrom(PoolTable.Pool pool, List<BlockView.Held> candidates, int wanted) {
    int got = 0;
    for (BlockView.Held held : candidates) {
      if (got == wanted) {
        break;
      }
      Change change = changeOf(held);
      got += take(pool, change, wanted - got);
    }
    return got;
  }

  private int claimFrom(PoolTable.Pool pool, int wanted) {
    int got = 0;
    while (got < wanted && blocksHeld(pool.cidr().family()) < options.maxBlocksPerHost()) {
      Optional<Change> claim = nextClaim(pool);
      if (claim.isEmpty()) {
        break;
      }
      got += take(pool, claim.get(), wanted - got);
    }
    return got;
  }

  /** A block that nobody has: one that its host gave up with addresses in use, or a new one. */
  private Optional<Change> nextClaim(PoolTable.Pool pool) {
    for (BlockView.Held held : view.all()) {
      Block block = held.block();
      if (block.node().isEmpty()
          && block.freeCount() > 0
          && pool.has(block)
          && !changes.containsKey(block.cidr())) {
        return Optional.of(
            new Change(Optional.of(held.version()), block.withNode(Optional.of(node)), true));
      }
    }
    return new BlockWalk(pool.cidr(), pool.blockSize(), node)
        .first(cidr -> view.exists(cidr) || changes.containsKey(cidr))
        .map(cidr -> newBlock(pool, cidr));
  }

  private Change newBlock(PoolTable.Pool pool, Cidr cidr) {
    return new Change(
        Optional.empty(), Block.empty(cidr, pool.name(), Optional.of(node), names.get()), true);
  }

  private int take(PoolTable.Pool pool, Change change, int count) {
    Block.Taken taken = change.after().take(count);
    if (!taken.addresses().isEmpty()) {
      record(pool, new Change(change.before(), taken.block(), change.claim()), taken.addresses());
    }
    return taken.addresses().size();
  }

  private void takeNamed(IpAddress address) {
    PoolTable.Pool pool =
        pools
            .containing(address)
            .orElseThrow(
                () ->
                    new IpamException.AddressRefused(
                        address, "it is in no pool (pools: " + pools.describe() + ")"));
    PoolTable.objection(pool, node, labels)
        .ifPresent(
            reason -> {
              throw new IpamException.AddressRefused(
                  address, "its pool " + pool.name() + " " + reason);
            });
    Cidr cidr = pool.blockOf(address);
    Change change = changeForNamed(pool, cidr, address);
    Block after =
        change
            .after()
            .take(address)
            .orElseThrow(() -> new IpamException.AddressRefused(address, "it is in use"));
    if (!after.belongsTo(node) || change.claim()) {
      complete = false;
    }
    record(pool, new Change(change.before(), after, change.claim()), List.of(address));
  }

  private Change changeForNamed(PoolTable.Pool pool, Cidr cidr, IpAddress address) {
    Optional<BlockView.Held> held = view.get(cidr);
    if (held.isEmpty()) {
      if (changes.containsKey(cidr)) {
        return changes.get(cidr);
      }
      if (view.exists(cidr)) {
        throw new IpamException.AddressRefused(
            address, "the record of its block " + cidr + " cannot be read");
      }
      if (blocksHeld(cidr.family()) >= options.maxBlocksPerHost()) {
        throw new IpamException.AddressRefused(
            address, "nobody has its block " + cidr + ", and " + limitReached(cidr.family()));
      }
      return newBlock(pool, cidr);
    }
    Block block = held.get().block();
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
    changes.put(block.cidr(), change);
    used.add(pool);
    for (IpAddress address : addresses) {
      assigned.add(new Handle.Assigned(address, block.cidr(), block.incarnation()));
    }
  }

  /** The block as this plan has it so far. */
  private Change changeOf(BlockView.Held held) {
    return changes.getOrDefault(
        held.block().cidr(), new Change(Optional.of(held.version()), held.block(), false));
  }

  private List<BlockView.Held> ownBlocks(PoolTable.Pool pool) {
    return view.all().stream()
        .filter(held -> held.block().belongsTo(node) && pool.has(held.block()))
        .toList();
  }

  /** In the order of the walk, so that borrowers do not all go to the same block. */
  private List<BlockView.Held> othersBlocks(PoolTable.Pool pool) {
    List<BlockView.Held> others =
        view.all().stream()
            .filter(held -> !held.block().belongsTo(node) && pool.has(held.block()))
            .toList();
    if (others.isEmpty()) {
      return others;
    }
    int start = Math.floorMod(node.hashCode(), others.size());
    List<BlockView.Held> rotated = new ArrayList<>(others.subList(start, others.size()));
    rotated.addAll(others.subList(0, start));
    return rotated;
  }

  private int blocksHeld(Family family) {
    long held =
        view.all().stream()
            .filter(each -> each.block().belongsTo(node))
            .filter(each -> each.block().cidr().family() == family)
            .count();
    long claimed =
        changes.values().stream()
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

  private String whyNot(PoolTable.Pool pool) {
    long blocks = new BlockWalk(pool.cidr(), pool.blockSize(), node).count();
    long existing = 0;
    long freeElsewhere = 0;
    for (BlockView.Held held : view.all()) {
      if (pool.has(held.block())) {
        existing++;
        freeElsewhere += held.block().belongsTo(node) ? 0 : held.block().freeCount();
      }
    }
    List<String> reasons = new ArrayList<>();
    if (existing < blocks) {
      reasons.add(
          blocksHeld(pool.cidr().family()) >= options.maxBlocksPerHost()
              ? "has unclaimed blocks, but " + limitReached(pool.cidr().family())
              : "has too few addresses left for this request");
    } else {
      reasons.add("has all its " + blocks + " blocks claimed");
    }
    if (freeElsewhere > 0 && options.strictAffinity()) {
      reasons.add(
          freeElsewhere
              + " addresses are free in other nodes' blocks, which strictAffinity forbids");
    } else {
      reasons.add("no claimed block has enough free addresses");
    }
    return String.join(", and ", reasons);
  }
}
