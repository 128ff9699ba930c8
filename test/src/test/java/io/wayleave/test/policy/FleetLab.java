package io.wayleave.test.policy;

import io.wayleave.linux.NetworkNamespace;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.test.lab.Command;
import io.wayleave.test.lab.NetNs;
import io.wayleave.test.policy.Flow.Place;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;

/**
 * A layout in network namespaces: a namespace for each host and container, and one that is the
 * network between the hosts and all that is outside. Containers are wired as the CNI plugin wires
 * them.
 *
 * <pre>
 *   container ── eth0 ═ wl… ── host n1 ── out0 ═ n1 ── outside ── n2 ═ out0 ── host n2 …
 * </pre>
 *
 * NOT thread safe.
 */
final class FleetLab implements AutoCloseable {
  private static final String GATEWAY_MAC = "ee:ee:ee:ee:ee:ee";
  private static final String LINK_LOCAL = "fe80::ecee:eeff:feee:eeee";

  /** How long what must arrive may take on a busy machine. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /**
   * How long nothing more may have come when all that must arrive has: the veths are synchronous.
   */
  private static final Duration SILENCE = Duration.ofMillis(60);

  private final String id;
  private final FleetLayout layout;
  private final List<String> namespaces = new ArrayList<>();
  private final Map<String, Station> stations = new HashMap<>();
  private int nextCookie = 1;

  FleetLab(FleetLayout layout, String id) throws IOException {
    this.layout = layout;
    this.id = id;
    try {
      build();
      for (String namespace : namespaces) {
        stations.put(namespace, Station.open(namespace));
      }
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /** The host's namespace. */
  String host(String node) {
    return id + node;
  }

  private String outside() {
    return id + "out";
  }

  private String container(String endpoint) {
    return layout.containers().stream()
        .filter(container -> container.endpoint().equals(endpoint))
        .map(container -> id + container.node() + container.id())
        .findFirst()
        .orElseThrow();
  }

  private String namespace(Place place) {
    return switch (place) {
      case Place.Container(String endpoint) -> container(endpoint);
      case Place.Host(String node, _) -> host(node);
      case Place.Outside _ -> outside();
    };
  }

  /** Lets the hosts forget all flows, so that each packet opens one. */
  void forgetFlows() {
    for (FleetLayout.Host host : layout.hosts()) {
      Command.of("conntrack", "-F").at(NetNs.named(host(host.node()))).check();
    }
  }

  /**
   * Sends the first packet of each flow.
   *
   * @param expected those that will arrive, if all is well: they are waited for
   * @return those that arrived where they should
   */
  Set<Flow> send(List<Flow> flows, Set<Flow> expected) throws IOException {
    Map<Integer, Flow> byCookie = new HashMap<>();
    Map<String, Map<Integer, Flow>> bySender = new TreeMap<>();
    for (Flow flow : flows) {
      int cookie = nextCookie++;
      byCookie.put(cookie, flow);
      bySender
          .computeIfAbsent(namespace(flow.from()), _ -> new LinkedHashMap<>())
          .put(cookie, flow);
    }
    for (Map.Entry<String, Map<Integer, Flow>> sender : bySender.entrySet()) {
      stations.get(sender.getKey()).send(sender.getValue());
    }
    Set<Flow> arrived = new HashSet<>();
    long end = System.nanoTime() + PATIENCE.toNanos();
    long quietSince = System.nanoTime();
    while (System.nanoTime() - end < 0
        && !(arrived.containsAll(expected) && System.nanoTime() - quietSince > SILENCE.toNanos())) {
      if (collect(byCookie, arrived)) {
        quietSince = System.nanoTime();
      }
      LockSupport.parkNanos(2_000_000);
    }
    return arrived;
  }

  /** Sends the first packet of one flow, and waits a little. */
  boolean arrivesSoon(Flow flow) throws IOException {
    return !send(List.of(flow), Set.of()).isEmpty();
  }

  private boolean collect(Map<Integer, Flow> byCookie, Set<Flow> arrived) throws IOException {
    boolean any = false;
    for (Map.Entry<String, Station> station : stations.entrySet()) {
      for (int cookie : station.getValue().arrived()) {
        Flow flow = byCookie.get(cookie);
        // Answers have the cookie too, and arrive at the sender.
        if (flow != null && namespace(flow.to()).equals(station.getKey())) {
          any |= arrived.add(flow);
        }
      }
    }
    return any;
  }

  private void build() throws IOException {
    create(outside());
    List<String> outsideBatch =
        new ArrayList<>(
            List.of(
                "link set lo up",
                "route add local 203.0.113.0/24 dev lo",
                "-6 route add local 2001:db8:ff::/64 dev lo"));
    for (FleetLayout.Host host : layout.hosts()) {
      create(host(host.node()));
    }
    NetNs.sysctl(
        outside(),
        "net.ipv4.ip_forward=1",
        "net.ipv6.conf.all.forwarding=1",
        "net.ipv4.ip_nonlocal_bind=1",
        "net.ipv6.ip_nonlocal_bind=1");
    for (FleetLayout.Host host : layout.hosts()) {
      String node = host.node();
      batch(
          "link add "
              + FleetLayout.UPLINK
              + " netns "
              + host(node)
              + " type veth peer name "
              + node
              + " netns "
              + outside());
      outsideBatch.add("link set " + node + " up");
      List<String> hostBatch =
          new ArrayList<>(List.of("link set lo up", "link set " + FleetLayout.UPLINK + " up"));
      for (IpAddress address : host.addresses()) {
        IpAddress router = address.plus(-1);
        boolean v4 = address.family() == Family.IPV4;
        String net = v4 ? "/30" : "/64";
        String nodad = v4 ? "" : " nodad";
        hostBatch.add("addr add " + address + net + " dev " + FleetLayout.UPLINK + nodad);
        hostBatch.add("route add default via " + router);
        outsideBatch.add("addr add " + router + net + " dev " + node + nodad);
        layout.containers().stream()
            .filter(container -> container.node().equals(node))
            .flatMap(container -> container.addresses().stream())
            .filter(own -> own.family() == address.family())
            .forEach(own -> outsideBatch.add("route add " + own.toCidr() + " via " + address));
      }
      batchIn(host(node), hostBatch);
      NetNs.sysctl(host(node), "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1");
    }
    batchIn(outside(), outsideBatch);
    for (FleetLayout.Container container : layout.containers()) {
      wire(container);
    }
  }

  private void wire(FleetLayout.Container container) throws IOException {
    String name = container(container.endpoint());
    String veth = container.interfaceName();
    create(name);
    batch(
        "link add "
            + veth
            + " netns "
            + host(container.node())
            + " address "
            + GATEWAY_MAC
            + " type veth peer name eth0 netns "
            + name);
    List<String> hostBatch =
        new ArrayList<>(
            List.of(
                "link set " + veth + " addrgenmode none",
                "link set " + veth + " up",
                "addr add " + LINK_LOCAL + "/64 dev " + veth + " nodad"));
    List<String> own =
        new ArrayList<>(
            List.of(
                "link set lo up",
                "link set eth0 up",
                "neigh replace 169.254.1.1 lladdr " + GATEWAY_MAC + " dev eth0 nud permanent",
                "neigh replace "
                    + LINK_LOCAL
                    + " lladdr "
                    + GATEWAY_MAC
                    + " dev eth0 nud permanent",
                "route add 169.254.1.1 dev eth0 scope link"));
    for (IpAddress address : container.addresses()) {
      boolean v4 = address.family() == Family.IPV4;
      own.add("addr add " + address.toCidr() + " dev eth0" + (v4 ? "" : " nodad"));
      hostBatch.add("route add " + address.toCidr() + " dev " + veth);
    }
    own.add("route add default via 169.254.1.1 dev eth0");
    own.add("-6 route add default via " + LINK_LOCAL + " dev eth0");
    batchIn(host(container.node()), hostBatch);
    batchIn(name, own);
  }

  private void create(String name) throws IOException {
    NetworkNamespace.create(name).close();
    namespaces.add(name);
  }

  private static void batch(String line) {
    List<String> argv = new ArrayList<>(List.of("ip"));
    argv.addAll(List.of(line.split(" ")));
    Command.of(argv).check();
  }

  /** Lines with -6 go one by one: a batch has one family. */
  private static void batchIn(String namespace, List<String> lines) {
    Command.of("ip", "-n", namespace, "-batch", "-")
        .input(
            String.join("\n", lines.stream().filter(line -> !line.startsWith("-6 ")).toList())
                + "\n")
        .check();
    List<String> v6 = lines.stream().filter(line -> line.startsWith("-6 ")).toList();
    for (String line : v6) {
      batch("-n " + namespace + " " + line);
    }
  }

  /** The veth pairs go with their namespaces. */
  @Override
  public void close() {
    stations.values().forEach(Station::close);
    stations.clear();
    for (String namespace : namespaces.reversed()) {
      Command.of("ip", "netns", "del", namespace).run();
    }
    namespaces.clear();
  }
}
