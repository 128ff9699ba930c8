package io.wayleave.route;

import io.wayleave.linux.netlink.NextHop;
import io.wayleave.linux.netlink.Route;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.route.GatewayResolver.Way;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Puts a target in the kernel's words: interface names and routers become indexes. Remembers where
 * each router was found, to tell which of them are elsewhere after a change. NOT thread safe.
 */
final class Translator {
  private final Topology topology;
  private final RouteSettings settings;
  private final GatewayResolver resolver;
  private final Map<Gateway, Way> ways = new HashMap<>();

  /** A route, or why there is none at present. */
  sealed interface Translation {
    record Translated(Route route) implements Translation {}

    record Missing(String reason) implements Translation {}
  }

  Translator(Topology topology, GatewayResolver resolver, RouteSettings settings) {
    this.topology = topology;
    this.resolver = resolver;
    this.settings = settings;
  }

  Translation translate(Cidr destination, RouteTarget target) {
    return switch (target) {
      case RouteTarget.Blackhole() ->
          new Translation.Translated(
              ours(Route.blackhole(destination, settings.protocol()), settings.metric()));
      case RouteTarget.Workload workload ->
          byNextHops(
              destination,
              List.of(onInterface(workload.interfaceName())),
              workload.preferredSource(),
              settings.metric());
      case RouteTarget.Learned learned ->
          byNextHops(
              destination,
              learned.gateways().stream()
                  .map(gateway -> ways.computeIfAbsent(gateway, resolver::resolve))
                  .toList(),
              learned.preferredSource(),
              settings.metricOf(learned));
    };
  }

  /** Looks for all routers that are in use again; returns those that are not where they were. */
  List<Gateway> moved(Set<Gateway> inUse) {
    ways.keySet().retainAll(inUse);
    List<Gateway> moved = new ArrayList<>();
    for (Gateway gateway : inUse) {
      Way now = resolver.resolve(gateway);
      if (!now.equals(ways.put(gateway, now))) {
        moved.add(gateway);
      }
    }
    return moved;
  }

  private Way onInterface(String name) {
    return switch (topology.interfaceNamed(name)) {
      case Topology.Resolution.Found(int index) -> new Way.By(List.of(NextHop.dev(index)), 0);
      case Topology.Resolution.Missing(String reason) -> new Way.None(reason);
    };
  }

  /** Those next hops that are there carry the traffic until the others are. */
  private Translation byNextHops(
      Cidr destination, List<Way> ways, Optional<IpAddress> preferredSource, long metric) {
    // Two routers behind one neighbour are one next hop.
    Set<NextHop> there = new LinkedHashSet<>();
    List<String> reasons = new ArrayList<>();
    for (Way way : ways) {
      switch (way) {
        case Way.By(List<NextHop> hops, long _) -> there.addAll(hops);
        case Way.None(String reason) -> reasons.add(reason);
      }
    }
    if (there.isEmpty()) {
      return new Translation.Missing(String.join("; ", reasons));
    }
    Route route = ours(Route.unicast(destination, settings.protocol(), List.copyOf(there)), metric);
    return new Translation.Translated(
        preferredSource.map(route::withPreferredSource).orElse(route));
  }

  private Route ours(Route route, long metric) {
    return route.withTable(settings.table()).withMetric(metric);
  }
}
