package io.wayleave.route;

import io.wayleave.linux.netlink.NextHop;
import io.wayleave.linux.netlink.Route;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.route.Topology.Resolution;
import java.util.ArrayList;
import java.util.HashMap;
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
  private final Map<Gateway, Resolution> resolutions = new HashMap<>();

  /** A route, or why there is none at present. */
  sealed interface Translation {
    record Translated(Route route) implements Translation {}

    record Missing(String reason) implements Translation {}
  }

  Translator(Topology topology, RouteSettings settings) {
    this.topology = topology;
    this.settings = settings;
  }

  Translation translate(Cidr destination, RouteTarget target) {
    return switch (target) {
      case RouteTarget.Blackhole() ->
          new Translation.Translated(ours(Route.blackhole(destination, settings.protocol())));
      case RouteTarget.Workload workload ->
          byNextHops(
              destination,
              List.of(hop(Optional.empty(), topology.interfaceNamed(workload.interfaceName()))),
              workload.preferredSource());
      case RouteTarget.Learned learned ->
          byNextHops(
              destination,
              learned.gateways().stream()
                  .map(
                      gateway ->
                          hop(
                              Optional.of(gateway.address()),
                              resolutions.computeIfAbsent(gateway, topology::resolve)))
                  .toList(),
              learned.preferredSource());
    };
  }

  /** Looks for all routers that are in use again; returns those that are not where they were. */
  List<Gateway> moved(Set<Gateway> inUse) {
    resolutions.keySet().retainAll(inUse);
    List<Gateway> moved = new ArrayList<>();
    for (Gateway gateway : inUse) {
      Resolution now = topology.resolve(gateway);
      if (!now.equals(resolutions.put(gateway, now))) {
        moved.add(gateway);
      }
    }
    return moved;
  }

  /** A next hop that may be missing. */
  private sealed interface Hop {
    record There(NextHop hop) implements Hop {}

    record NotThere(String reason) implements Hop {}
  }

  private static Hop hop(Optional<IpAddress> gateway, Resolution resolution) {
    return switch (resolution) {
      case Resolution.Found(int index) -> new Hop.There(new NextHop(index, gateway, 1, false));
      case Resolution.Missing(String reason) -> new Hop.NotThere(reason);
    };
  }

  /** Those next hops that are there carry the traffic until the others are. */
  private Translation byNextHops(
      Cidr destination, List<Hop> hops, Optional<IpAddress> preferredSource) {
    List<NextHop> there = new ArrayList<>();
    List<String> reasons = new ArrayList<>();
    for (Hop hop : hops) {
      switch (hop) {
        case Hop.There(NextHop next) -> there.add(next);
        case Hop.NotThere(String reason) -> reasons.add(reason);
      }
    }
    if (there.isEmpty()) {
      return new Translation.Missing(String.join("; ", reasons));
    }
    Route route = ours(Route.unicast(destination, settings.protocol(), there));
    return new Translation.Translated(
        preferredSource.map(route::withPreferredSource).orElse(route));
  }

  private Route ours(Route route) {
    return route.withTable(settings.table()).withMetric(settings.metric());
  }
}
