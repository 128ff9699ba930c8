package io.wayleave.test.lab;

import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** FRR (zebra and bgpd, without its init scripts) as a router of the lab. */
final class FrrRouter implements Router {
  private static final String DAEMON = "bgpd";
  private static final String DAEMONS = "/usr/lib/frr/";
  private static final Duration START_DEADLINE = Duration.ofSeconds(15);

  private final RouterPlan plan;
  private final Daemons daemons;
  private final Path directory;

  FrrRouter(RouterPlan plan, Daemons daemons, Path directory) {
    this.plan = plan;
    this.daemons = daemons;
    this.directory = directory;
  }

  @Override
  public String name() {
    return plan.name();
  }

  @Override
  public RouterKind kind() {
    return RouterKind.FRR;
  }

  @Override
  public String namespace() {
    return plan.namespace();
  }

  @Override
  public void start() {
    writeConfiguration();
    startDaemon("zebra");
    startDaemon(DAEMON);
  }

  /** zebra has gone on. */
  @Override
  public void recover() {
    writeConfiguration();
    startDaemon(DAEMON);
  }

  @Override
  public String daemon() {
    return DAEMON;
  }

  private void writeConfiguration() {
    try {
      Files.createDirectories(directory);
      Files.writeString(directory.resolve("zebra.conf"), "hostname " + plan.name() + "\n");
      Files.writeString(directory.resolve("bgpd.conf"), configuration(plan));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    // The daemons drop to this user before they make their sockets here.
    Command.of("chown", "-R", "frr:frr", directory.toString()).check();
    try {
      // Of a process that was killed.
      Files.deleteIfExists(directory.resolve(DAEMON + ".vty"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void startDaemon(String daemon) {
    Path log = directory.resolve(daemon + ".log");
    ProcessRecord process =
        daemons.start(
            plan.name() + "/" + daemon,
            log,
            Map.of(),
            NetNs.in(
                plan.namespace(),
                DAEMONS + daemon,
                "-f",
                directory.resolve(daemon + ".conf").toString(),
                "-i",
                directory.resolve(daemon + ".pid").toString(),
                "-z",
                directory.resolve("zserv.api").toString(),
                "--vty_socket",
                directory.toString(),
                // No command line on a TCP port.
                "-P",
                "0",
                "--log",
                "stdout"));
    daemons.awaitReady(
        process,
        log,
        START_DEADLINE,
        () ->
            Files.exists(directory.resolve(daemon + ".vty"))
                && vtysh("show version").run().succeeded());
  }

  @Override
  public List<Session> sessions() {
    JsonNode peers = json("show bgp neighbors json");
    List<Session> sessions = new ArrayList<>();
    for (RouterPlan.Neighbor neighbor : plan.neighbors()) {
      JsonNode peer = peers.path(key(neighbor));
      String state = peer.path("bgpState").asText("absent");
      sessions.add(new Session(neighbor.name(), state.equals("Established"), state));
    }
    return sessions;
  }

  @Override
  public Set<Cidr> bgpRoutes() {
    Set<Cidr> routes = new TreeSet<>();
    json("show bgp ipv4 unicast json")
        .path("routes")
        .properties()
        .forEach(
            route -> {
              // Its own network statement is no route from BGP.
              if (!route.getValue().path(0).path("weight").asText("0").equals("32768")) {
                routes.add(Cidr.parse(route.getKey()));
              }
            });
    return routes;
  }

  @Override
  public void disableSession(String peer) {
    configure("neighbor " + key(plan.neighbor(peer)) + " shutdown");
  }

  @Override
  public void enableSession(String peer) {
    configure("no neighbor " + key(plan.neighbor(peer)) + " shutdown");
  }

  /** What FRR calls a neighbour. */
  private static String key(RouterPlan.Neighbor neighbor) {
    return switch (neighbor) {
      case RouterPlan.Fabric(String _, IpAddress address, Asn _) -> address.toString();
      case RouterPlan.HostPeer(String _, IpAddress address, Asn _) -> address.toString();
      case RouterPlan.LinkPeer(String link) -> link;
    };
  }

  private void configure(String line) {
    String answer =
        vtysh("configure terminal", "router bgp " + plan.asn().number(), line).check().strip();
    if (!answer.isEmpty()) {
      throw new LabException(name() + ": FRR answered: " + answer);
    }
  }

  private JsonNode json(String command) {
    return Json.read("vtysh of " + name(), vtysh(command).check());
  }

  @Override
  public List<String> cli(List<String> words) {
    List<String> argv = new ArrayList<>(List.of("vtysh", "--vty_socket", directory.toString()));
    if (!words.isEmpty()) {
      argv.addAll(List.of("-c", String.join(" ", words)));
    }
    return argv;
  }

  private Command vtysh(String... commands) {
    List<String> argv = new ArrayList<>(List.of("vtysh", "--vty_socket", directory.toString()));
    for (String command : commands) {
      argv.add("-c");
      argv.add(command);
    }
    return Command.of(argv);
  }

  static String configuration(RouterPlan plan) {
    boolean unnumbered = plan.hosts().stream().anyMatch(RouterPlan.LinkPeer.class::isInstance);
    List<String> lines = new ArrayList<>();
    lines.add("frr defaults datacenter");
    lines.add("hostname " + plan.name());
    lines.add("ip prefix-list containers4 seq 5 permit " + Topology.POOL + " le 32");
    lines.add("ipv6 prefix-list containers6 seq 5 permit " + Topology.POOL6 + " le 128");
    lines.add("router bgp " + plan.asn().number());
    lines.add(" bgp router-id " + plan.routerId());
    lines.add(" bgp log-neighbor-changes");
    lines.add(" no bgp ebgp-requires-policy");
    lines.add(" no bgp default ipv4-unicast");
    lines.add(" bgp bestpath as-path multipath-relax");
    // FRR is a graceful-restart helper by default: a host's routes stay while its agent restarts.
    for (String group : List.of("fabric", "hosts")) {
      lines.add(" neighbor " + group + " peer-group");
      lines.add(
          " neighbor %s timers %d %d"
              .formatted(group, RouterPlan.KEEPALIVE_SECONDS, RouterPlan.HOLD_SECONDS));
      lines.add(" neighbor " + group + " timers connect 1");
    }
    lines.add(" neighbor hosts " + (unnumbered ? "remote-as external" : "passive"));
    for (RouterPlan.Neighbor neighbor : plan.neighbors()) {
      lines.addAll(
          switch (neighbor) {
            case RouterPlan.Fabric(String name, var address, Asn asn) ->
                session(address, name, asn, "fabric");
            case RouterPlan.HostPeer(String name, var address, Asn asn) ->
                session(address, name, asn, "hosts");
            case RouterPlan.LinkPeer(String link) ->
                List.of(" neighbor " + link + " interface peer-group hosts");
          });
    }
    lines.addAll(family(plan, "4"));
    lines.addAll(family(plan, "6"));
    return String.join("\n", lines) + "\n";
  }

  private static List<String> session(IpAddress address, String name, Asn asn, String group) {
    String prefix = " neighbor " + address + " ";
    return List.of(
        prefix + "remote-as " + asn.number(),
        prefix + "peer-group " + group,
        prefix + "description " + name);
  }

  private static List<String> family(RouterPlan plan, String version) {
    List<String> lines = new ArrayList<>();
    lines.add(" address-family ipv" + version + " unicast");
    for (RouterPlan.Network network : plan.networks()) {
      lines.add("  network " + (version.equals("4") ? network.ipv4() : network.ipv6()));
    }
    lines.add("  neighbor fabric activate");
    lines.add("  neighbor fabric next-hop-self");
    lines.add("  neighbor hosts activate");
    lines.add("  neighbor hosts prefix-list containers" + version + " in");
    if (plan.overriddenAs().isPresent()) {
      lines.add("  neighbor hosts as-override");
    }
    lines.add("  maximum-paths 8");
    lines.add(" exit-address-family");
    return lines;
  }
}
