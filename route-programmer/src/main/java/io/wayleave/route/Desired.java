package io.wayleave.route;

import io.wayleave.model.Cidr;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What each source wants for each destination, and which destinations hang on an interface name or
 * on a router, so that a change of either touches only those. NOT thread safe.
 */
final class Desired {
  private final Map<Cidr, EnumMap<RouteSource, RouteTarget>> targets = new HashMap<>();
  private final Map<String, Set<Cidr>> byInterface = new HashMap<>();
  private final Map<Gateway, Set<Cidr>> byGateway = new HashMap<>();

  void put(Cidr destination, RouteTarget target) {
    remove(destination, target.source());
    targets
        .computeIfAbsent(destination, key -> new EnumMap<>(RouteSource.class))
        .put(target.source(), target);
    switch (target) {
      case RouteTarget.Workload workload ->
          index(byInterface, workload.interfaceName(), destination);
      case RouteTarget.Learned learned ->
          learned.gateways().forEach(gateway -> index(byGateway, gateway, destination));
      case RouteTarget.Blackhole blackhole -> {}
    }
  }

  void remove(Cidr destination, RouteSource source) {
    EnumMap<RouteSource, RouteTarget> candidates = targets.get(destination);
    RouteTarget target = candidates == null ? null : candidates.remove(source);
    if (target == null) {
      return;
    }
    if (candidates.isEmpty()) {
      targets.remove(destination);
    }
    switch (target) {
      case RouteTarget.Workload workload ->
          unindex(byInterface, workload.interfaceName(), destination);
      case RouteTarget.Learned learned ->
          learned.gateways().forEach(gateway -> unindex(byGateway, gateway, destination));
      case RouteTarget.Blackhole blackhole -> {}
    }
  }

  /** The target of the most preferred source that wants the destination. */
  Optional<RouteTarget> best(Cidr destination) {
    EnumMap<RouteSource, RouteTarget> candidates = targets.get(destination);
    // An EnumMap goes in the order of the sources, the most preferred first.
    return candidates == null
        ? Optional.empty()
        : Optional.of(candidates.values().iterator().next());
  }

  Set<Cidr> destinations() {
    return Collections.unmodifiableSet(targets.keySet());
  }

  Set<String> interfaceNames() {
    return Collections.unmodifiableSet(byInterface.keySet());
  }

  Set<Gateway> gateways() {
    return Collections.unmodifiableSet(byGateway.keySet());
  }

  /** A copy. */
  List<Cidr> onInterface(String name) {
    return List.copyOf(byInterface.getOrDefault(name, Set.of()));
  }

  /** A copy. */
  List<Cidr> byGateway(Gateway gateway) {
    return List.copyOf(byGateway.getOrDefault(gateway, Set.of()));
  }

  private static <K> void index(Map<K, Set<Cidr>> index, K key, Cidr destination) {
    index.computeIfAbsent(key, absent -> new LinkedHashSet<>()).add(destination);
  }

  private static <K> void unindex(Map<K, Set<Cidr>> index, K key, Cidr destination) {
    Set<Cidr> destinations = index.get(key);
    destinations.remove(destination);
    if (destinations.isEmpty()) {
      index.remove(key);
    }
  }
}
