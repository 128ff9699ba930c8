package io.wayleave.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Keys;
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
 * takes from and that of the settings, which every change of a reservation and of the configuration
 * bumps, so that an old table costs one more attempt. What cannot be read is never guessed: no
 * address is given that it might concern. NOT thread safe.
 */
final class PoolTable {
  private static final Logger log = LoggerFactory.getLogger(PoolTable.class);

  // Read by any thread; written by the owner.
  private volatile List<Pool> pools = List.of();
  private Optional<IpamConfiguration> configuration = Optional.empty();
  private PoolGuard guard = PoolGuard.NONE;
  // What this version cannot read, and why.
  private List<ResourceStore.Unreadable> unreadablePools = List.of();
  private Optional<ResourceStore.Unreadable> unreadableReservation = Optional.empty();
  private Optional<ResourceStore.Unreadable> unreadableConfiguration = Optional.empty();

  /**
   * A pool and the state of its record.
   *
   * @param reserved the reservations that concern it
   */
  record Pool(IpPool resource, Version version, List<Cidr> reserved) {
    String name() {
      return resource.name();
    }

    /** Whether it is meant by this: its name or CIDR, or the name of a pool it was split from. */
    boolean answersTo(String text) {
      return text.equals(name())
          || text.equals(cidr().toString())
          || Pools.splitFrom(resource).contains(text);
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
    // The guard first: what is changed between the reads bumps it again.
    guard = PoolGuard.read(datastore, deadline);
    ResourceStore resources = new ResourceStore(datastore);
    ResourceStore.Listing<IpReservation> reservations =
        resources.list(IpReservation.class, deadline);
    ResourceStore.Listing<IpamConfiguration> configurations =
        resources.list(IpamConfiguration.class, deadline);
    ResourceStore.Listing<IpPool> listed = resources.list(IpPool.class, deadline);
    unreadableReservation = first(reservations);
    unreadableConfiguration = first(configurations);
    unreadablePools = listed.unreadable();
    unreadablePools.forEach(PoolTable::warn);
    List<Cidr> reserved =
        reservations.resources().stream()
            .flatMap(reservation -> reservation.spec().reservedCIDRs().stream())
            .toList();
    configuration = configurations.resources().stream().findFirst();
    pools =
        listed.items().stream()
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

  private static Optional<ResourceStore.Unreadable> first(ResourceStore.Listing<?> listing) {
    listing.unreadable().forEach(PoolTable::warn);
    return listing.unreadable().stream().findFirst();
  }

  private static void warn(ResourceStore.Unreadable bad) {
    log.warn("resource not readable key={}: {}", bad.key(), bad.reason());
  }

  /** What people have set; empty: nothing. */
  Optional<IpamConfiguration> configuration() {
    return configuration;
  }

  /** The state of the guard that this table was read at. */
  PoolGuard guard() {
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
   * Checks the names of a request.
   *
   * @throws InvalidInputException when one is no pool of its family that can be read
   */
  void check(AllocationRequest request) {
    request.pools().forEach((family, names) -> names.forEach(name -> checkName(family, name)));
  }

  private void checkName(Family family, String name) {
    String field = AllocationRequest.poolsField(family);
    Optional<Pool> pool = pools.stream().filter(each -> each.answersTo(name)).findFirst();
    if (pool.isEmpty()) {
      String key = ResourceStore.key(Kind.IP_POOL, name);
      throw new InvalidInputException(
          field,
          name,
          unreadablePools.stream()
              .filter(bad -> bad.key().equals(key))
              .findFirst()
              .map(bad -> "a pool that this version can read: " + bad.reason())
              .orElse("names or CIDRs of pools that exist: " + describe()));
    }
    if (pool.get().cidr().family() != family) {
      throw new InvalidInputException(
          field,
          name,
          "pools of " + family + "; " + pool.get().name() + " has " + pool.get().cidr());
    }
  }

  /** Sorts the pools of a family; the names of the request are those of pools. */
  Choice choose(Family family, AllocationRequest request, String node, Map<String, String> labels) {
    List<String> names = request.pools(family);
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
                  : objection(pool, request, node, labels).or(this::unknownReservation);
      objection.ifPresentOrElse(
          reason -> passedOver.add(verdict(pool, reason)), () -> usable.add(pool));
    }
    for (ResourceStore.Unreadable bad : unreadablePools) {
      passedOver.add(
          new IpamException.PoolVerdict(
              Keys.lastSegment(bad.key()),
              "range unknown",
              "cannot be read: " + bad.reason(),
              remedy(bad)));
    }
    return new Choice(usable, passedOver);
  }

  /**
   * An address may be reserved by what cannot be read; only by name it may be given all the same.
   */
  private Optional<Objection> unknownReservation() {
    return unreadableReservation.map(PoolTable::notReadable);
  }

  private static Objection notReadable(ResourceStore.Unreadable bad) {
    return new Objection(
        "gives nothing, since " + bad.key() + " cannot be read: " + bad.reason(), remedy(bad));
  }

  private static String remedy(ResourceStore.Unreadable bad) {
    return "upgrade this agent, or mend or delete " + bad.key();
  }

  /**
   * Why a pool gives nothing.
   *
   * @param reason as the words after the pool's name
   * @param remedy what a person may do about it; empty: nothing in particular
   */
  record Objection(String reason, String remedy) {}

  /** Why this request may not take from the pool, not even by name; empty when it may. */
  Optional<Objection> objection(
      Pool pool, AllocationRequest request, String node, Map<String, String> labels) {
    if (unreadableConfiguration.isPresent()) {
      return unreadableConfiguration.map(PoolTable::notReadable);
    }
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
