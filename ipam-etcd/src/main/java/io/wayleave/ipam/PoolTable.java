package io.wayleave.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Version;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import io.wayleave.model.IpReservation;
import io.wayleave.model.IpamConfiguration;
import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import io.wayleave.model.selector.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The pools as this process last read them, in order of name, and which of them a host may use,
 * with the reservations and the configuration. An allocation compares the versions of the pools it
 * takes from and of the guard, which every change of a pool bumps, so that an old table costs one
 * more attempt. NOT thread safe.
 */
final class PoolTable {
  private static final Logger log = LoggerFactory.getLogger(PoolTable.class);

  // Read by any thread; written by the owner.
  private volatile List<Pool> pools = List.of();
  private Optional<IpamConfiguration> configuration = Optional.empty();
  private Optional<Version> guard = Optional.empty();

  /**
   * A pool and the state of its record.
   *
   * @param reserved the reservations that concern it
   */
  record Pool(IpPool resource, Version version, List<Cidr> reserved) {
    String name() {
      return resource.name();
    }

    /** Whether it is meant by this name: its own, or that of a pool which it was split from. */
    boolean answersTo(String name) {
      return name().equals(name) || Pools.splitFrom(resource).contains(name);
    }

    Cidr cidr() {
      return resource.spec().cidr();
    }

    String key() {
      return ResourceStore.key(Kind.IP_POOL, name());
    }

    int blockSize() {
      return resource.spec().blockSize();
    }

    Cidr blockOf(IpAddress address) {
      return Cidr.around(address, blockSize());
    }

    /** Whether the block was cut from this pool as it is now. */
    boolean has(Block block) {
      return cidr().contains(block.cidr()) && block.cidr().prefixLength() == blockSize();
    }
  }

  /** The pools that may be used, and the verdicts on the others. */
  record Choice(List<Pool> usable, List<IpamException.PoolVerdict> passedOver) {}

  void refresh(Datastore datastore, Deadline deadline) {
    // The guard first: a pool that is created between the two reads bumps it again, and the
    // allocation that relies on this table is refused.
    guard = PoolGuard.read(datastore, deadline);
    ResourceStore resources = new ResourceStore(datastore);
    List<Cidr> reserved =
        readable(resources.list(IpReservation.class, deadline)).stream()
            .flatMap(stored -> stored.resource().spec().reservedCIDRs().stream())
            .toList();
    configuration =
        readable(resources.list(IpamConfiguration.class, deadline)).stream()
            .findFirst()
            .map(ResourceStore.Stored::resource);
    pools =
        readable(resources.list(IpPool.class, deadline)).stream()
            .map(
                stored ->
                    new Pool(
                        stored.resource(),
                        stored.version(),
                        reserved.stream()
                            .filter(stored.resource().spec().cidr()::overlaps)
                            .toList()))
            .toList();
  }

  private static <R extends Resource> List<ResourceStore.Stored<R>> readable(
      ResourceStore.Listing<R> listing) {
    listing
        .unreadable()
        .forEach(
            bad -> log.warn("resource not readable, not used key={}: {}", bad.key(), bad.reason()));
    return listing.items();
  }

  /** What people have set; empty: nothing. */
  Optional<IpamConfiguration> configuration() {
    return configuration;
  }

  /** The state of the guard that this table was read at; empty: it did not exist. */
  Optional<Version> guard() {
    return guard;
  }

  Optional<Pool> containing(IpAddress address) {
    return pools.stream().filter(pool -> pool.cidr().contains(address)).findFirst();
  }

  Optional<Pool> containing(Cidr cidr) {
    return pools.stream().filter(pool -> pool.cidr().contains(cidr)).findFirst();
  }

  /** All pools in words, for messages. */
  String describe() {
    return pools.isEmpty()
        ? "none exists"
        : String.join(", ", pools.stream().map(pool -> pool.name() + " " + pool.cidr()).toList());
  }

  List<Pool> all() {
    return pools;
  }

  /**
   * Sorts the pools of a family.
   *
   * @throws InvalidInputException when the request names what is no pool
   */
  Choice choose(Family family, AllocationRequest request, String node, Map<String, String> labels) {
    List<String> names = request.pools();
    for (String name : names) {
      if (pools.stream().noneMatch(pool -> pool.answersTo(name))) {
        throw new InvalidInputException("pools", name, "names of pools that exist: " + describe());
      }
    }
    List<Pool> usable = new ArrayList<>();
    List<IpamException.PoolVerdict> passedOver = new ArrayList<>();
    for (Pool pool : pools) {
      if (pool.cidr().family() != family) {
        continue;
      }
      boolean asked = names.stream().anyMatch(pool::answersTo);
      Optional<Objection> objection =
          !asked && !names.isEmpty()
              ? Optional.of(new Objection("was not asked for", "ask for pool " + pool.name()))
              : !asked && pool.resource().spec().manual()
                  ? Optional.of(
                      new Objection(
                          "is for who asks for it by name (assignmentMode Manual)",
                          "ask for pool " + pool.name()))
                  : objection(pool, request, node, labels);
      objection.ifPresentOrElse(
          reason -> passedOver.add(verdict(pool, reason)), () -> usable.add(pool));
    }
    return new Choice(usable, passedOver);
  }

  /**
   * Why a pool gives nothing.
   *
   * @param reason as the words after the pool's name
   * @param remedy what a person may do about it; empty: nothing in particular
   */
  record Objection(String reason, String remedy) {}

  /** Why this request may not take from the pool, not even by name; empty when it may. */
  static Optional<Objection> objection(
      Pool pool, AllocationRequest request, String node, Map<String, String> labels) {
    IpPool.Spec spec = pool.resource().spec();
    if (spec.disabled()) {
      return Optional.of(new Objection("is disabled", "enable pool " + pool.name()));
    }
    if (!spec.allows(request.use())) {
      return Optional.of(
          new Objection(
              "is for uses " + spec.allowedUses() + " only, and this is " + request.use(),
              "add " + request.use() + " to allowedUses of pool " + pool.name()));
    }
    if (!Selector.parse(spec.nodeSelector()).matches(labels)) {
      return Optional.of(
          new Objection(
              "is for nodes that match " + spec.nodeSelector() + ", and " + node + " does not",
              "label the node or change nodeSelector of pool " + pool.name()));
    }
    if (spec.namespaceSelector().isPresent()
        && !Selector.parse(spec.namespaceSelector().get()).matches(request.namespaceLabels())) {
      return Optional.of(
          new Objection(
              "is for namespaces that match "
                  + spec.namespaceSelector().get()
                  + ", and this one, with labels "
                  + new TreeMap<>(request.namespaceLabels())
                  + ", does not",
              "label the namespace or change namespaceSelector of pool " + pool.name()));
    }
    return Optional.empty();
  }

  static IpamException.PoolVerdict verdict(Pool pool, Objection objection) {
    return new IpamException.PoolVerdict(
        pool.name(), pool.cidr().toString(), objection.reason(), objection.remedy());
  }
}
