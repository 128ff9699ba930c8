package io.wayleave.test.lab;

import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * The lab's namespaces, cables and addresses. Every cable is made with both ends in their
 * namespaces: nothing of a lab is ever in the machine's own network, and deleting the namespaces
 * deletes all of it.
 *
 * <p>Interface names: hosts have {@code eth0}; a switch has a bridge {@code rack} and {@code up} to
 * the spine; the spine has {@code tor1}, … and {@code etcd}.
 */
final class Underlay {
  private final Topology topology;

  Underlay(Topology topology) {
    this.topology = topology;
  }

  List<String> namespaces() {
    List<String> all = new ArrayList<>();
    all.add(topology.spineNamespace());
    all.add(topology.etcdNamespace());
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
    batch(topology.spineNamespace(), spine());
    batch(topology.etcdNamespace(), etcd());
    topology.tors().forEach(t -> batch(t.namespace(), tor(t)));
    topology.hosts().forEach(h -> batch(h.namespace(), host(h)));
    forward(topology.spineNamespace());
    topology.tors().forEach(t -> forward(t.namespace()));
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
        "net.ipv4.fib_multipath_hash_policy=1");
  }

  private String cables() {
    StringBuilder lines = new StringBuilder();
    lines.append(cable("etcd", topology.spineNamespace(), "eth0", topology.etcdNamespace()));
    for (Topology.Tor tor : topology.tors()) {
      lines.append(cable(tor.name(), topology.spineNamespace(), "up", tor.namespace()));
      for (Topology.Host host : topology.hosts(tor.rack())) {
        lines.append(cable(host.name(), tor.namespace(), "eth0", host.namespace()));
      }
    }
    return lines.toString();
  }

  private static String cable(String end, String namespace, String otherEnd, String other) {
    return "link add name %s netns %s type veth peer name %s netns %s\n"
        .formatted(end, namespace, otherEnd, other);
  }

  private List<String> spine() {
    List<String> lines = new ArrayList<>();
    lines.add("link set dev lo up");
    lines.addAll(up("etcd", "10.90.0.1/24", "fd90::1/64"));
    for (Topology.Tor tor : topology.tors()) {
      lines.addAll(
          up(
              tor.name(),
              topology.spineAddress(tor.rack()) + "/31",
              topology.spineAddress6(tor.rack()) + "/64"));
    }
    return lines;
  }

  private static List<String> etcd() {
    List<String> lines = new ArrayList<>();
    lines.add("link set dev lo up");
    lines.addAll(up("eth0", Topology.ETCD + "/24", "fd90::2/64"));
    lines.addAll(defaultRoutes(IpAddress.parse("10.90.0.1"), IpAddress.parse("fd90::1")));
    return lines;
  }

  private List<String> tor(Topology.Tor tor) {
    List<String> lines = new ArrayList<>();
    lines.add("link set dev lo up");
    lines.addAll(up("up", tor.uplink4() + "/31", tor.uplink6() + "/64"));
    lines.add("link add name rack type bridge");
    for (Topology.Host host : topology.hosts(tor.rack())) {
      lines.add("link set dev " + host.name() + " master rack up");
    }
    lines.addAll(up("rack", tor.gateway4() + "/24", tor.gateway6() + "/64"));
    return lines;
  }

  private List<String> host(Topology.Host host) {
    Topology.Tor tor = topology.tor(host.rack());
    List<String> lines = new ArrayList<>();
    lines.add("link set dev lo up");
    lines.addAll(up("eth0", host.ipv4() + "/24", host.ipv6() + "/64"));
    lines.addAll(defaultRoutes(tor.gateway4(), tor.gateway6()));
    return lines;
  }

  private static List<String> up(String link, String ipv4, String ipv6) {
    return List.of(
        "address add " + ipv4 + " dev " + link,
        "address add " + ipv6 + " dev " + link + " nodad",
        "link set dev " + link + " up");
  }

  private static List<String> defaultRoutes(IpAddress ipv4, IpAddress ipv6) {
    return List.of("route add default via " + ipv4, "route add ::/0 via " + ipv6);
  }
}
