package io.wayleave.test.lab;

import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The lab's namespaces, cables and addresses. Every cable is made with both ends in their
 * namespaces: nothing of a lab is ever in the machine's own network, and deleting the namespaces
 * deletes all of it.
 *
 * <p>Interface names: hosts have {@code eth0}, {@code eth1} to their second switch, and {@code
 * mgmt} to the segment where that is not their only link; a switch has {@code up} to the spine, a
 * port of the host's name for each host and, where ports have no addresses of their own, a bridge
 * {@code rack} over them; the spine has {@code tor1}, …; etcd is at {@code etcd} of the spine or
 * segment.
 */
final class Underlay {
  private final Topology topology;
  private final Shape shape;

  Underlay(Topology topology) {
    this.topology = topology;
    this.shape = topology.shape();
  }

  List<String> namespaces() {
    List<String> all = new ArrayList<>();
    all.add(topology.etcdNamespace());
    if (shape.hasTors()) {
      all.add(topology.spineNamespace());
    }
    if (shape.hasSegment()) {
      all.add(topology.segmentNamespace());
    }
    topology.tors().forEach(t -> all.add(t.namespace()));
    topology.hosts().forEach(h -> all.add(h.namespace()));
    return all;
  }

  void create() {
    for (String namespace : namespaces()) {
      // Before any interface exists: without it, an IPv6 address is unusable for its first second.
      Command.of("ip", "netns", "add", namespace).check();
      NetNs.sysctl(
          namespace, "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.default.dad_transmits=0");
    }
    Command.of("ip", "-batch", "-").input(cables()).check();
    if (shape.hasTors()) {
      batch(topology.spineNamespace(), spine());
      forward(topology.spineNamespace());
    }
    if (shape.hasSegment()) {
      batch(topology.segmentNamespace(), segment());
    }
    batch(topology.etcdNamespace(), etcd());
    for (Topology.Tor tor : topology.tors()) {
      batch(tor.namespace(), tor(tor));
      forward(tor.namespace());
    }
    for (Topology.Host host : topology.hosts()) {
      batch(host.namespace(), host(host));
      NetNs.sysctl(
          host.namespace(),
          "net.ipv4.fib_multipath_hash_policy=1",
          "net.ipv6.fib_multipath_hash_policy=1",
          // A link without carrier is not used, before BGP has noticed anything.
          "net.ipv4.conf.all.ignore_routes_with_linkdown=1",
          "net.ipv6.conf.all.ignore_routes_with_linkdown=1");
    }
  }

  private static void batch(String namespace, List<String> lines) {
    Command.of("ip", "-n", namespace, "-batch", "-").input(String.join("\n", lines) + "\n").check();
  }

  private static void forward(String namespace) {
    NetNs.sysctl(
        namespace,
        "net.ipv4.ip_forward=1",
        "net.ipv6.conf.all.forwarding=1",
        // Flows, not packets, are spread over equal routes, by ports too.
        "net.ipv4.fib_multipath_hash_policy=1",
        "net.ipv6.fib_multipath_hash_policy=1",
        "net.ipv4.conf.all.ignore_routes_with_linkdown=1",
        "net.ipv6.conf.all.ignore_routes_with_linkdown=1");
  }

  private String cables() {
    StringBuilder lines = new StringBuilder();
    lines.append(
        cable(
            "etcd",
            shape.hasSegment() ? topology.segmentNamespace() : topology.spineNamespace(),
            "eth0",
            topology.etcdNamespace()));
    for (Topology.Tor tor : topology.tors()) {
      lines.append(cable(tor.name(), topology.spineNamespace(), "up", tor.namespace()));
      for (Topology.Host host : topology.hosts(tor.rack())) {
        lines.append(cable(host.name(), tor.namespace(), tor.hostLink(), host.namespace()));
      }
    }
    if (shape.hasSegment()) {
      for (Topology.Host host : topology.hosts()) {
        lines.append(
            cable(host.name(), topology.segmentNamespace(), segmentLink(), host.namespace()));
      }
    }
    return lines.toString();
  }

  private static String cable(String end, String namespace, String otherEnd, String other) {
    return "link add name %s netns %s type veth peer name %s netns %s\n"
        .formatted(end, namespace, otherEnd, other);
  }

  /** The interface by which hosts are on the segment. */
  private String segmentLink() {
    return shape.hasTors() ? "mgmt" : "eth0";
  }

  private List<String> spine() {
    List<String> lines = new ArrayList<>();
    lines.add("link set dev lo up");
    if (!shape.hasSegment()) {
      lines.addAll(up("etcd", "10.90.0.1/24", "fd90::1/64"));
    }
    for (Topology.Tor tor : topology.tors()) {
      lines.addAll(up(tor.name(), tor.spine4() + "/31", tor.spine6() + "/64"));
    }
    return lines;
  }

  private List<String> segment() {
    List<String> lines = new ArrayList<>();
    lines.add("link add name lan type bridge");
    lines.add("link set dev etcd master lan up");
    topology.hosts().forEach(host -> lines.add("link set dev " + host.name() + " master lan up"));
    lines.add("link set dev lan up");
    return lines;
  }

  private List<String> etcd() {
    List<String> lines = new ArrayList<>();
    lines.add("link set dev lo up");
    if (shape.hasSegment()) {
      lines.addAll(up("eth0", Topology.ETCD + "/16", Topology.ETCD6 + "/16"));
    } else {
      lines.addAll(up("eth0", Topology.ETCD + "/24", Topology.ETCD6 + "/64"));
      lines.add("route add default via 10.90.0.1");
      lines.add("route add ::/0 via fd90::1");
    }
    return lines;
  }

  private List<String> tor(Topology.Tor tor) {
    List<String> lines = new ArrayList<>();
    lines.add("link set dev lo up");
    lines.addAll(up("up", tor.uplink4() + "/31", tor.uplink6() + "/64"));
    if (shape.links() == Shape.Links.UNNUMBERED) {
      topology.hosts(tor.rack()).forEach(host -> lines.add("link set dev " + host.name() + " up"));
      return lines;
    }
    lines.add("link add name rack type bridge");
    for (Topology.Host host : topology.hosts(tor.rack())) {
      lines.add("link set dev " + host.name() + " master rack up");
    }
    lines.addAll(up("rack", tor.gateway4() + "/24", tor.gateway6() + "/64"));
    return lines;
  }

  private List<String> host(Topology.Host host) {
    List<Topology.Tor> tors = topology.tors(host.rack());
    List<String> lines = new ArrayList<>();
    lines.add("link set dev lo up");
    switch (shape.links()) {
      case RACK -> {
        for (Topology.Tor tor : tors) {
          lines.addAll(
              up(
                  tor.hostLink(),
                  Topology.address(host, tor) + "/24",
                  Topology.address6(host, tor) + "/64"));
        }
        lines.addAll(defaultRoutes(tors));
      }
      case UNNUMBERED -> {
        tors.forEach(tor -> lines.add("link set dev " + tor.hostLink() + " up"));
        lines.addAll(up(segmentLink(), host.ipv4() + "/16", host.ipv6() + "/16"));
      }
      case SEGMENT -> lines.addAll(up(segmentLink(), host.ipv4() + "/16", host.ipv6() + "/16"));
    }
    return lines;
  }

  private static List<String> up(String link, String ipv4, String ipv6) {
    return List.of(
        "address add " + ipv4 + " dev " + link,
        "address add " + ipv6 + " dev " + link + " nodad",
        "link set dev " + link + " up");
  }

  private static List<String> defaultRoutes(List<Topology.Tor> tors) {
    return List.of(
        defaultRoute("0.0.0.0/0", tors, Topology.Tor::gateway4),
        defaultRoute("::/0", tors, Topology.Tor::gateway6));
  }

  private static String defaultRoute(
      String destination, List<Topology.Tor> tors, Function<Topology.Tor, IpAddress> gateway) {
    if (tors.size() == 1) {
      return "route add " + destination + " via " + gateway.apply(tors.getFirst());
    }
    return tors.stream()
        .map(tor -> " nexthop via " + gateway.apply(tor) + " dev " + tor.hostLink())
        .collect(Collectors.joining("", "route add " + destination, ""));
  }
}
