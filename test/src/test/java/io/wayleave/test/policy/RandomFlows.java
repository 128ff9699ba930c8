package io.wayleave.test.policy;

import io.wayleave.model.Family;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.IpAddress;
import io.wayleave.model.policy.Picture;
import io.wayleave.test.policy.Flow.Place;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * Flows between the containers, hosts and outside addresses of a layout, over every protocol that
 * rules can name, such that a kernel takes them for new flows: no ICMP errors, no answers. NOT
 * thread safe.
 */
final class RandomFlows {
  /** Ports at and beside the edges of the ranges that rules have, named ones and failsafe ones. */
  static final List<Integer> PORTS =
      List.of(1, 22, 53, 79, 80, 81, 179, 443, 8000, 8079, 8080, 8081, 9000, 65534, 65535);

  private static final List<Integer> SOURCE_PORTS = List.of(1023, 1024, 4000, 4999, 5000, 65535);
  private static final List<Integer> OTHER_PROTOCOLS = List.of(99, 253);
  private static final int FIRST_FREE_PORT = 20_000;
  private static final int FREE_PORTS = 40_000;

  private final Random random;
  private final FleetLayout layout;
  private final Picture fleet;
  private final List<Flow> drawn = new ArrayList<>();

  RandomFlows(Random random, FleetLayout layout, Picture fleet) {
    this.random = random;
    this.layout = layout;
    this.fleet = fleet;
  }

  /** Any flow. */
  Flow next() {
    while (true) {
      Spot from = spot();
      Spot to = spot();
      Optional<IpAddress> source = pickAddress(from, random.nextInt(5) < 3);
      Optional<IpAddress> destination =
          source.flatMap(address -> pickAddress(to, address.family() == Family.IPV4));
      if (leaves(from, to)
          && source.isPresent()
          && destination.isPresent()
          && source.get().family() == destination.get().family()) {
        Flow flow =
            withProtocol(
                from.place,
                random.nextInt(12) == 0 ? borrowed(from, to, source.get()) : source.get(),
                to.place,
                destination.get());
        drawn.add(flow);
        return flow;
      }
    }
  }

  /**
   * For a container an address of another place than the two, as if that were the sender; for who
   * is no container its own.
   */
  private IpAddress borrowed(Spot from, Spot to, IpAddress own) {
    List<IpAddress> others = new ArrayList<>(layout.outside());
    layout.containers().forEach(container -> others.addAll(container.addresses()));
    others.removeAll(from.addresses);
    others.removeAll(to.addresses);
    others.removeIf(address -> address.family() != own.family());
    return from.place instanceof Place.Container ? pick(others) : own;
  }

  /** One that differs from an earlier one in one end or in its ports, or not at all. */
  Flow near() {
    Flow flow = drawn.get(random.nextInt(drawn.size()));
    boolean ports = Flow.hasPorts(flow.protocol());
    return switch (random.nextInt(4)) {
      case 0 -> withProtocol(flow.from(), flow.source(), flow.to(), flow.destination());
      case 1 -> withPorts(flow, flow.sourcePort(), ports ? pick(PORTS) : 0);
      case 2 -> withPorts(flow, ports ? sourcePort() : 0, flow.destinationPort());
      default -> otherOutside(flow);
    };
  }

  private Flow otherOutside(Flow flow) {
    List<IpAddress> outside =
        layout.outside().stream().filter(a -> a.family() == flow.family()).toList();
    return new Flow(
        flow.from(),
        flow.from() instanceof Place.Outside ? pick(outside) : flow.source(),
        flow.to(),
        flow.to() instanceof Place.Outside ? pick(outside) : flow.destination(),
        flow.protocol(),
        flow.sourcePort(),
        flow.destinationPort(),
        flow.icmpType(),
        flow.icmpCode());
  }

  private static Flow withPorts(Flow flow, int sourcePort, int destinationPort) {
    return new Flow(
        flow.from(),
        flow.source(),
        flow.to(),
        flow.destination(),
        flow.protocol(),
        sourcePort,
        destinationPort,
        flow.icmpType(),
        flow.icmpCode());
  }

  private Flow withProtocol(Place from, IpAddress source, Place to, IpAddress destination) {
    boolean v4 = source.family() == Family.IPV4;
    int protocol =
        switch (random.nextInt(20)) {
          case 0, 1, 2, 3, 4, 5, 6 -> Flow.TCP;
          case 7, 8, 9, 10, 11 -> Flow.UDP;
          case 12, 13, 14, 15 -> v4 ? Flow.ICMP : Flow.ICMPV6;
          case 16, 17 -> Flow.SCTP;
          case 18 -> Flow.UDPLITE;
          default -> pick(OTHER_PROTOCOLS);
        };
    boolean icmp = protocol == Flow.ICMP || protocol == Flow.ICMPV6;
    boolean ports = Flow.hasPorts(protocol);
    return new Flow(
        from,
        source,
        to,
        destination,
        protocol,
        ports ? sourcePort() : 0,
        ports ? pick(PORTS) : 0,
        icmp ? (v4 ? pick(RandomRules.ICMP_TYPES) : pick(RandomRules.ICMPV6_TYPES)) : 0,
        icmp ? random.nextInt(2) : 0);
  }

  private int sourcePort() {
    return random.nextInt(3) == 0
        ? pick(SOURCE_PORTS)
        : FIRST_FREE_PORT + random.nextInt(FREE_PORTS);
  }

  /** A place and its addresses. */
  private record Spot(Place place, Optional<String> node, List<IpAddress> addresses) {}

  private Spot spot() {
    int chance = random.nextInt(10);
    if (chance < 5) {
      FleetLayout.Container container = pick(layout.containers());
      return new Spot(
          new Place.Container(container.endpoint()),
          Optional.of(container.node()),
          container.addresses());
    }
    if (chance < 8) {
      FleetLayout.Host host = pick(layout.hosts());
      return new Spot(
          new Place.Host(host.node(), hostEndpoint(host)),
          Optional.of(host.node()),
          host.addresses());
    }
    return new Spot(new Place.Outside(), Optional.empty(), layout.outside());
  }

  /** Whether the packet passes an interface: between two places, not both outside. */
  private static boolean leaves(Spot from, Spot to) {
    boolean bothOutside = from.place instanceof Place.Outside && to.place instanceof Place.Outside;
    boolean sameHost =
        from.place instanceof Place.Host && to.place instanceof Place.Host && from.equals(to);
    return !bothOutside && !sameHost && !from.equals(to);
  }

  /** There is one host endpoint at most, and it has the uplink by its name, as *, or by address. */
  private Optional<String> hostEndpoint(FleetLayout.Host host) {
    return fleet.hostEndpoints().stream()
        .filter(endpoint -> endpoint.spec().node().equals(host.node()))
        .map(HostEndpoint::name)
        .findFirst();
  }

  private Optional<IpAddress> pickAddress(Spot spot, boolean v4) {
    List<IpAddress> ofFamily =
        spot.addresses.stream().filter(a -> (a.family() == Family.IPV4) == v4).toList();
    return ofFamily.isEmpty() ? Optional.empty() : Optional.of(pick(ofFamily));
  }

  private <T> T pick(List<T> items) {
    return items.get(random.nextInt(items.size()));
  }
}
