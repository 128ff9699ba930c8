package io.wayleave.route;

import static java.util.Objects.requireNonNull;

import io.wayleave.linux.netlink.NextHop;
import io.wayleave.linux.netlink.Route;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the neighbours by which a router is reached: itself when it is on a link of this host, else
 * those of the most specific route to it that leads somewhere (RFC 4271 section 5.1.3), be that a
 * route of somebody else, the default route included, or a learned one. A learned route never
 * counts on the way to its own next hop. Pure, given what it looks at. NOT thread safe.
 */
final class GatewayResolver {
  private final Topology topology;
  private final Desired desired;
  private final RouteSettings settings;

  /** How a router is reached. */
  sealed interface Way {
    /**
     * By way of neighbours.
     *
     * @param hops at least one, each once
     * @param distance 0 for a router on a link of this host; beyond, one more than the metric of
     *     the route that leads there
     */
    record By(List<NextHop> hops, long distance) implements Way {
      public By {
        hops = List.copyOf(hops);
      }
    }

    record None(String reason) implements Way {}
  }

  /** A route that a packet to the router could take. */
  private sealed interface Candidate {
    Cidr destination();

    long metric();

    /** Farther than any router on a link, whatever the metric. */
    default long distance() {
      return metric() + 1;
    }

    record OfKernel(Route route) implements Candidate {
      @Override
      public long distance() {
        return Topology.isOnLink(route) ? 0 : metric() + 1;
      }

      @Override
      public Cidr destination() {
        return route.destination();
      }

      @Override
      public long metric() {
        return route.metric();
      }
    }

    record Ours(Cidr destination, long metric, RouteTarget target) implements Candidate {}
  }

  GatewayResolver(Topology topology, Desired desired, RouteSettings settings) {
    this.topology = requireNonNull(topology, "topology is null");
    this.desired = requireNonNull(desired, "desired is null");
    this.settings = requireNonNull(settings, "settings is null");
  }

  Way resolve(Gateway gateway) {
    return resolve(gateway, Set.of());
  }

  private Way resolve(Gateway gateway, Set<IpAddress> onTheWay) {
    IpAddress address = gateway.address();
    if (gateway.interfaceName().isPresent()) {
      return switch (topology.interfaceNamed(gateway.interfaceName().get())) {
        case Topology.Resolution.Found(int index) ->
            new Way.By(List.of(new NextHop(index, Optional.of(address), 1, false)), 0);
        case Topology.Resolution.Missing(String reason) -> new Way.None(reason);
      };
    }
    if (address.family() == Family.IPV6 && address.isLinkLocal()) {
      return new Way.None("next hop " + address + " is link-local and comes without an interface");
    }
    Set<IpAddress> further = new HashSet<>(onTheWay);
    further.add(address);
    for (Candidate candidate : candidates(address)) {
      List<NextHop> hops =
          switch (candidate) {
            case Candidate.OfKernel(Route route) -> hops(route, address);
            case Candidate.Ours(Cidr _, long _, RouteTarget.Learned learned) ->
                hops(learned, further);
            // A container or nothing at all: no router.
            case Candidate.Ours(Cidr _, long _, RouteTarget.Workload _) -> List.of();
            case Candidate.Ours(Cidr _, long _, RouteTarget.Blackhole _) -> List.of();
          };
      if (!hops.isEmpty()) {
        return new Way.By(hops, candidate.distance());
      }
    }
    return new Way.None(
        "next hop "
            + address
            + " is not on a network of this host's links, and no route leads to it");
  }

  /** The most specific first; among equals the kernel takes the smallest metric. */
  private List<Candidate> candidates(IpAddress address) {
    List<Candidate> candidates = new ArrayList<>();
    topology.routesTo(address).forEach(route -> candidates.add(new Candidate.OfKernel(route)));
    for (int length = address.family().bits(); length >= 0; length--) {
      Cidr destination = Cidr.around(address, length);
      desired
          .best(destination)
          // As the programmer: a network on a link is reached there.
          .filter(target -> !topology.hasOnLink(destination))
          .ifPresent(
              target ->
                  candidates.add(
                      new Candidate.Ours(destination, settings.metricOf(target), target)));
    }
    candidates.sort(
        Comparator.comparingInt((Candidate candidate) -> candidate.destination().prefixLength())
            .reversed()
            .thenComparingLong(Candidate::metric));
    return candidates;
  }

  private List<NextHop> hops(Route route, IpAddress address) {
    List<NextHop> hops = new ArrayList<>();
    for (NextHop hop : route.nextHops()) {
      if (topology.isUp(hop.interfaceIndex())) {
        hops.add(
            new NextHop(
                hop.interfaceIndex(),
                Optional.of(hop.gateway().orElse(address)),
                hop.weight(),
                hop.onlink()));
      }
    }
    return hops;
  }

  private List<NextHop> hops(RouteTarget.Learned learned, Set<IpAddress> onTheWay) {
    Set<NextHop> hops = new LinkedHashSet<>();
    for (Gateway next : learned.gateways()) {
      boolean circle = next.interfaceName().isEmpty() && onTheWay.contains(next.address());
      if (!circle && resolve(next, onTheWay) instanceof Way.By(List<NextHop> found, long _)) {
        hops.addAll(found);
      }
    }
    return List.copyOf(hops);
  }
}
