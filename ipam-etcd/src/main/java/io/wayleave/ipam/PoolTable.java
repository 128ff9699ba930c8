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
import io.wayleave.model.Kind;
import io.wayleave.model.selector.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The pools as this process last read them, in order of name, and which of them a host may use. An
 * allocation compares the versions of the pools it takes from and of the guard, which every change
 * of a pool bumps, so that an old table costs one more attempt. NOT thread safe.
 */
final class PoolTable {
  private static final Logger log = LoggerFactory.getLogger(PoolTable.class);

  private List<Pool> pools = List.of();
  private Optional<Version> guard = Optional.empty();

  /** A pool and the state of its record. */
  record Pool(IpPool resource, Version version) {
    String name() {
      return resource.name();
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
    guard = datastore.get(Keys.POOL_GUARD, deadline).map(entry -> entry.version());
    ResourceStore.Listing<IpPool> listing =
        new ResourceStore(datastore).list(IpPool.class, deadline);
    listing
        .unreadable()
        .forEach(
            bad -> log.warn("pool not readable, not used key={}: {}", bad.key(), bad.reason()));
    pools =
        listing.items().stream()
            .map(stored -> new Pool(stored.resource(), stored.version()))
            .toList();
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
   * @param names the pools asked for; empty: any
   * @throws InvalidInputException when one of the names is no pool
   */
  Choice choose(Family family, List<String> names, String node, Map<String, String> labels) {
    for (String name : names) {
      if (pools.stream().noneMatch(pool -> pool.name().equals(name))) {
        throw new InvalidInputException("pools", name, "names of pools that exist: " + describe());
      }
    }
    List<Pool> usable = new ArrayList<>();
    List<IpamException.PoolVerdict> passedOver = new ArrayList<>();
    for (Pool pool : pools) {
      if (pool.cidr().family() != family) {
        continue;
      }
      if (!names.isEmpty() && !names.contains(pool.name())) {
        passedOver.add(verdict(pool, "was not asked for"));
        continue;
      }
      objection(pool, node, labels)
          .ifPresentOrElse(reason -> passedOver.add(verdict(pool, reason)), () -> usable.add(pool));
    }
    return new Choice(usable, passedOver);
  }

  /** Why this host may not take from the pool; empty when it may. */
  static Optional<String> objection(Pool pool, String node, Map<String, String> labels) {
    if (pool.resource().spec().disabled()) {
      return Optional.of("is disabled");
    }
    String selector = pool.resource().spec().nodeSelector();
    if (!Selector.parse(selector).matches(labels)) {
      return Optional.of("is for nodes that match " + selector + ", and " + node + " does not");
    }
    return Optional.empty();
  }

  static IpamException.PoolVerdict verdict(Pool pool, String reason) {
    return new IpamException.PoolVerdict(pool.name(), pool.cidr().toString(), reason);
  }
}
