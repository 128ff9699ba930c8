package io.wayleave.test.interop;

import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.test.interop.Setup.Option;
import io.wayleave.test.lab.Command;
import io.wayleave.test.lab.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** FRR: zebra, bgpd and, for BFD, bfdd, without its init scripts; asked by vtysh. */
final class Frr implements Speaker {
  private static final String DAEMONS = "/usr/lib/frr/";
  private static final Map<String, Capability> CAPABILITIES =
      Map.of(
          "4byteAs", Capability.FOUR_OCTET_AS,
          "addPath", Capability.ADD_PATH,
          "extendedMessage", Capability.EXTENDED_MESSAGE,
          "extendedNexthop", Capability.EXTENDED_NEXT_HOP,
          "routeRefresh", Capability.ROUTE_REFRESH,
          "enhancedRouteRefresh", Capability.ENHANCED_REFRESH,
          "gracefulRestart", Capability.GRACEFUL_RESTART);

  private final Link link;
  private final Side side;
  private final Path folder;
  private final List<DaemonProcess> helpers = new ArrayList<>();
  private Optional<DaemonProcess> bgpd = Optional.empty();
  private Setup setup;

  Frr(Link link, Side side) {
    this.link = link;
    this.side = side;
    folder = link.folder("frr");
  }

  @Override
  public void start(Setup configured) {
    setup = configured;
    write("zebra.conf", "hostname frr\n");
    write("bfdd.conf", "hostname frr\n");
    write("bgpd.conf", configuration(configured));
    Command.of("chown", "-R", "frr:frr", folder.toString()).check();
    // A crash of bgpd leaves the others, and the kernel's routes, as they are.
    if (helpers.isEmpty()) {
      helpers.add(daemon("zebra"));
      if (configured.has(Option.BFD)) {
        helpers.add(daemon("bfdd"));
      }
    }
    bgpd = Optional.of(daemon("bgpd"));
  }

  private void write(String file, String text) {
    try {
      Files.writeString(folder.resolve(file), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private DaemonProcess daemon(String name) {
    List<String> argv =
        new ArrayList<>(
            List.of(
                DAEMONS + name,
                "-f",
                folder.resolve(name + ".conf").toString(),
                "-i",
                folder.resolve(name + ".pid").toString(),
                "-z",
                folder.resolve("zserv.api").toString(),
                "--vty_socket",
                folder.toString(),
                // No command line on a TCP port.
                "-P",
                "0",
                "--log",
                "stdout"));
    if (name.equals("bgpd") && !setup.has(Option.UNNUMBERED)) {
      // Other speakers of the cell have other addresses of the namespace.
      argv.add("-l");
      argv.add(setup.address());
    }
    if (name.equals("bfdd")) {
      argv.add("--bfdctl");
      argv.add(folder.resolve("bfdd.sock").toString());
    }
    Path vty = folder.resolve(name + ".vty");
    try {
      // Of a process that was killed.
      Files.deleteIfExists(vty);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    DaemonProcess started =
        DaemonProcess.start(link.at(side), folder, Map.of(), argv.toArray(new String[0]));
    started.awaitReady(() -> Files.exists(vty) && vtysh("show version").contains("FRRouting"));
    return started;
  }

  static String configuration(Setup setup) {
    List<String> lines = new ArrayList<>(List.of("hostname frr", "log stdout"));
    for (int i = 0; i < setup.announced().size(); i++) {
      Route route = setup.announced().get(i);
      lines.add("route-map announce" + i + " permit 10");
      route.med().ifPresent(med -> lines.add(" set metric " + med));
      if (!route.communities().isEmpty()) {
        lines.add(" set community " + String.join(" ", route.communities()));
      }
      if (!route.large().isEmpty()) {
        lines.add(" set large-community " + String.join(" ", route.large()));
      }
      route
          .extended()
          .forEach(value -> lines.add(" set extcommunity " + value.replaceFirst(":", " ")));
      lines.add("exit");
    }
    lines.add("router bgp " + setup.asn());
    lines.add(" bgp router-id " + setup.routerId());
    lines.add(" bgp log-neighbor-changes");
    lines.add(" no bgp ebgp-requires-policy");
    lines.add(" no bgp default ipv4-unicast");
    lines.add(" no bgp network import-check");
    if (!setup.has(Option.GRACEFUL_RESTART)) {
      // Sends without its usual wait, which keeps End-of-RIB behind the routes after a restart.
      lines.add(" coalesce-time 0");
    }
    setup
        .value(Option.GRACEFUL_RESTART)
        .ifPresent(
            seconds -> {
              lines.add(" bgp graceful-restart");
              lines.add(" bgp graceful-restart preserve-fw-state");
              lines.add(" bgp graceful-restart restart-time " + seconds);
            });
    setup.value(Option.REFLECTOR).ifPresent(cluster -> lines.add(" bgp cluster-id " + cluster));
    for (Setup.Neighbor neighbor : setup.neighbors()) {
      lines.addAll(neighbor(setup, neighbor));
    }
    for (String version : families(setup)) {
      lines.add(" address-family " + version + " unicast");
      for (int i = 0; i < setup.announced().size(); i++) {
        Route route = setup.announced().get(i);
        if (route.ipv6() == version.equals("ipv6")) {
          lines.add("  network " + route.prefix() + " route-map announce" + i);
        }
      }
      for (Setup.Neighbor neighbor : setup.neighbors()) {
        String name = "  neighbor " + name(setup, neighbor) + " ";
        lines.add(name + "activate");
        if (setup.has(Option.REFLECTOR)) {
          lines.add(name + "route-reflector-client");
        }
        if (setup.has(Option.ADD_PATH)) {
          lines.add(name + "addpath-tx-all-paths");
        }
        setup
            .value(Option.MAX_PREFIXES)
            .ifPresent(limit -> lines.add(name + "maximum-prefix " + limit));
      }
      lines.add(" exit-address-family");
    }
    return String.join("\n", lines) + "\n";
  }

  private static List<String> neighbor(Setup setup, Setup.Neighbor neighbor) {
    List<String> lines = new ArrayList<>();
    String name = " neighbor " + name(setup, neighbor) + " ";
    lines.add(
        setup.has(Option.UNNUMBERED)
            ? " neighbor eth0 interface remote-as " + (setup.internal() ? "internal" : "external")
            : name + "remote-as " + neighbor.asn());
    lines.add(name + "timers " + Setup.HOLD_SECONDS / 3 + " " + Setup.HOLD_SECONDS);
    lines.add(name + "timers connect 1");
    lines.add(name + "advertisement-interval 0");
    setup.value(Option.MD5).ifPresent(password -> lines.add(name + "password " + password));
    if (setup.has(Option.GTSM)) {
      lines.add(name + "ttl-security hops 1");
    }
    if (setup.has(Option.BFD)) {
      lines.add(name + "bfd 3 100 100");
    }
    return lines;
  }

  private static String name(Setup setup, Setup.Neighbor neighbor) {
    return setup.has(Option.UNNUMBERED) ? "eth0" : neighbor.address();
  }

  private static List<String> families(Setup setup) {
    return setup.has(Option.UNNUMBERED)
        ? List.of("ipv4", "ipv6")
        : List.of(setup.ipv6() ? "ipv6" : "ipv4");
  }

  String vtysh(String... commands) {
    List<String> argv = new ArrayList<>(List.of("vtysh", "--vty_socket", folder.toString()));
    for (String command : commands) {
      argv.add("-c");
      argv.add(command);
    }
    return Command.of(argv).run().text();
  }

  private JsonNode json(String command) {
    return Json.read("vtysh", vtysh(command));
  }

  private String peer() {
    return setup.has(Option.UNNUMBERED) ? "eth0" : setup.peerAddress();
  }

  private JsonNode neighbor() {
    return json("show bgp neighbors " + peer() + " json").path(peer());
  }

  @Override
  public SessionFacts session() {
    JsonNode peer = neighbor();
    Set<Capability> offered = EnumSet.noneOf(Capability.class);
    Set<Capability> heard = EnumSet.noneOf(Capability.class);
    peer.path("neighborCapabilities")
        .properties()
        .forEach(
            entry -> {
              String text = entry.getValue().toString().toLowerCase(Locale.ROOT);
              if (entry.getKey().equals("multiprotocolExtensions")) {
                families(entry.getValue(), offered, heard);
              }
              Optional.ofNullable(CAPABILITIES.get(entry.getKey()))
                  .ifPresent(
                      capability -> {
                        if (text.contains("advertised")) {
                          offered.add(capability);
                        }
                        if (text.contains("received")) {
                          heard.add(capability);
                        }
                      });
            });
    NavigableSet<String> reasons = new TreeSet<>();
    for (String field :
        List.of("lastResetDueTo", "lastNotificationReason", "lastShutdownDescription")) {
      Optional.of(peer.path(field).asText(""))
          .filter(text -> !text.isEmpty())
          .ifPresent(reasons::add);
    }
    return new SessionFacts(
        peer.path("bgpState").asText("").equals("Established"),
        peer.path("remoteAs").asLong(),
        offered,
        heard,
        reasons);
  }

  private static void families(
      JsonNode extensions, Set<Capability> offered, Set<Capability> heard) {
    extensions
        .properties()
        .forEach(
            entry -> {
              Capability family =
                  entry.getKey().startsWith("ipv6") ? Capability.IPV6 : Capability.IPV4;
              String text = entry.getValue().toString().toLowerCase(Locale.ROOT);
              if (text.contains("advertised")) {
                offered.add(family);
              }
              if (text.contains("received")) {
                heard.add(family);
              }
            });
  }

  @Override
  public Set<Route> received() {
    return routes(true);
  }

  /** Not by {@code neighbors … routes}: that shows nothing of a peer that is down. */
  private Set<Route> routes(boolean fromPeer) {
    Set<Route> routes = new TreeSet<>();
    for (String version : families(setup)) {
      String show = "show bgp " + version + " unicast ";
      json(show + "json")
          .path("routes")
          .properties()
          .forEach(
              entry ->
                  json(show + entry.getKey() + " json")
                      .path("paths")
                      .forEach(
                          path -> {
                            if (isFromPeer(path) == fromPeer) {
                              routes.add(route(entry.getKey(), path));
                            }
                          }));
    }
    return routes;
  }

  private boolean isFromPeer(JsonNode path) {
    JsonNode from = path.path("peer");
    return from.path("peerId").asText("").equals(peer())
        || from.path("interface").asText("").equals(peer());
  }

  @Override
  public Set<Route> sent() {
    Set<Route> routes = new TreeSet<>();
    for (String version : families(setup)) {
      String show = "show bgp " + version + " unicast ";
      json(show + "neighbors " + peer() + " advertised-routes json")
          .path("advertisedRoutes")
          .properties()
          .forEach(
              entry ->
                  json(show + entry.getKey() + " json")
                      .path("paths")
                      .forEach(
                          path -> {
                            if (!isFromPeer(path)) {
                              routes.add(route(entry.getKey(), path));
                            }
                          }));
    }
    return routes;
  }

  private static Route route(String prefix, JsonNode path) {
    Route route =
        Route.to(prefix)
            .asPath(path.path("aspath").path("string").asText("").replace("Local", ""))
            .origin(path.path("origin").asText("").toLowerCase(Locale.ROOT))
            .med(path.path("metric").asLong(0));
    for (JsonNode hop : path.path("nexthops")) {
      // A link-local one is used beside a global one.
      if (hop.path("scope").asText("global").equals("global") || route.nextHop().isEmpty()) {
        route = route.nextHop(hop.path("ip").asText());
      }
    }
    if (path.has("locPrf")) {
      route = route.localPref(Optional.of(path.path("locPrf").asLong()));
    }
    // Not its string, which ends after some 800.
    for (JsonNode value : path.path("community").path("list")) {
      route = route.community(value.asText());
    }
    for (String value : words(path.path("extendedCommunity").path("string"))) {
      route = route.extended(value.toLowerCase(Locale.ROOT));
    }
    for (String value : words(path.path("largeCommunity").path("string"))) {
      route = route.large(value);
    }
    List<String> clusters = new ArrayList<>();
    path.path("clusterList").path("list").forEach(id -> clusters.add(id.asText()));
    return route.reflected(path.path("originatorId").asText(""), String.join(" ", clusters));
  }

  private static List<String> words(JsonNode text) {
    return text.asText("").isBlank() ? List.of() : List.of(text.asText().strip().split(" +", -1));
  }

  @Override
  public void refresh() {
    vtysh("clear bgp " + families(setup).getFirst() + " unicast " + peer() + " soft in");
  }

  @Override
  public long updatesReceived() {
    return neighbor().path("messageStats").path("updatesRecv").asLong();
  }

  @Override
  public void shutdown(String text) {
    vtysh(
        "configure terminal",
        "router bgp " + setup.asn(),
        "neighbor " + peer() + " shutdown message " + text);
  }

  @Override
  public void kill() {
    bgpd.ifPresent(DaemonProcess::kill);
  }

  @Override
  public String evidence() {
    return bgpd.map(DaemonProcess::log).orElse("")
        + vtysh("show bgp neighbors")
        + vtysh("show bgp ipv4 unicast", "show bgp ipv6 unicast");
  }

  @Override
  public void close() {
    bgpd.ifPresent(DaemonProcess::close);
    helpers.forEach(DaemonProcess::close);
  }
}
