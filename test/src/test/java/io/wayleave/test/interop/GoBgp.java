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
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** GoBGP, asked by {@code gobgp -j}. */
final class GoBgp implements Speaker {
  private static final String TYPE = "type.googleapis.com/apipb.";
  private static final Map<String, Capability> CAPABILITIES =
      Map.of(
          "RouteRefreshCapability", Capability.ROUTE_REFRESH,
          "EnhancedRouteRefreshCapability", Capability.ENHANCED_REFRESH,
          "FourOctetASNCapability", Capability.FOUR_OCTET_AS,
          "GracefulRestartCapability", Capability.GRACEFUL_RESTART,
          "AddPathCapability", Capability.ADD_PATH,
          "ExtendedNexthopCapability", Capability.EXTENDED_NEXT_HOP);
  private static final List<String> ORIGINS = List.of("igp", "egp", "incomplete");

  private final Link link;
  private final Side side;
  private final Path folder;
  private Optional<DaemonProcess> process = Optional.empty();
  private Optional<DaemonProcess> advertiser = Optional.empty();
  private Setup setup;

  GoBgp(Link link, Side side) {
    this.link = link;
    this.side = side;
    folder = link.folder("gobgp");
  }

  @Override
  public void start(Setup configured) {
    setup = configured;
    try {
      Files.deleteIfExists(socket());
      Files.writeString(folder.resolve("gobgpd.yaml"), configuration(configured));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (configured.has(Option.UNNUMBERED)) {
      meetNeighbour();
    }
    List<String> argv =
        new ArrayList<>(
            List.of(
                "gobgpd",
                "-f",
                "gobgpd.yaml",
                "-t",
                "yaml",
                "-l",
                "debug",
                "--pprof-disable",
                "--api-hosts",
                "unix://" + socket()));
    if (configured.has(Option.RESTARTED)) {
      argv.add("--graceful-restart");
    }
    // Routes of its own come by its CLI only. They must be there before a session that tells what a
    // restart has left: End-of-RIB without them would mean that they have gone.
    tcpFromHere("-A");
    DaemonProcess started =
        DaemonProcess.start(link.at(side), folder, Map.of(), argv.toArray(new String[0]));
    process = Optional.of(started);
    started.awaitReady(() -> Files.exists(socket()) && gobgp("global").run().succeeded());
    configured.announced().forEach(this::originate);
    tcpFromHere("-D");
  }

  /** Lets no TCP out, {@code -A}, or lets it again, {@code -D}. */
  private void tcpFromHere(String change) {
    var _ =
        Command.of("iptables", change, "OUTPUT", "-p", "tcp", "-j", "DROP")
            .at(link.at(side))
            .check();
  }

  /**
   * What it leaves to others on an unnumbered link: to send router advertisements, which a BIRD
   * does here, and to find the neighbour, which it looks up in the kernel's table when it starts.
   */
  private void meetNeighbour() {
    try {
      Files.writeString(
          folder.resolve("radv.conf"),
          """
          log stderr all;
          router id 10.77.0.2;
          protocol device { }
          protocol radv { interface "eth0" { min ra interval 3; max ra interval 4; }; }
          """);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    DaemonProcess bird =
        DaemonProcess.start(
            link.at(side), folder, Map.of(), "bird", "-f", "-c", "radv.conf", "-s", "radv.ctl");
    advertiser = Optional.of(bird);
    bird.awaitReady(() -> Files.exists(folder.resolve("radv.ctl")));
    var _ =
        Command.of("ping", "-6", "-c", "1", "-w", "5", link.linkLocal(side.other()) + "%eth0")
            .at(link.at(side))
            .check();
  }

  /** What it says of a configuration without starting. */
  String check(String text) {
    Path file = folder.resolve("checked.yaml");
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Command.of("gobgpd", "--dry-run", "-t", "yaml", "-f", file.toString()).run().text();
  }

  private Path socket() {
    return folder.resolve("api.sock");
  }

  static String configuration(Setup setup) {
    StringBuilder text = new StringBuilder();
    text.append("global:\n  config:\n");
    text.append("    as: ").append(setup.asn()).append('\n');
    text.append("    router-id: ").append(setup.routerId()).append('\n');
    text.append("    local-address-list: [\"");
    text.append(setup.has(Option.UNNUMBERED) ? "::" : setup.address()).append("\"]\n");
    text.append("neighbors:\n");
    for (Setup.Neighbor neighbor : setup.neighbors()) {
      text.append("  - config:\n");
      if (setup.has(Option.UNNUMBERED)) {
        text.append("      neighbor-interface: eth0\n");
      } else {
        text.append("      neighbor-address: \"").append(neighbor.address()).append("\"\n");
      }
      text.append("      peer-as: ").append(neighbor.asn()).append('\n');
      setup
          .value(Option.MD5)
          .ifPresent(p -> text.append("      auth-password: ").append(p).append('\n'));
      if (!setup.has(Option.UNNUMBERED)) {
        text.append("    transport: { config: { local-address: \"");
        text.append(setup.address()).append("\" } }\n");
      }
      text.append("    timers: { config: { connect-retry: 1, idle-hold-time-after-reset: 1,");
      text.append(" hold-time: 9, keepalive-interval: 3 } }\n");
      if (setup.has(Option.GTSM)) {
        text.append("    ttl-security: { config: { enabled: true, ttl-min: 255 } }\n");
      }
      setup
          .value(Option.REFLECTOR)
          .ifPresent(
              cluster ->
                  text.append("    route-reflector: { config: { route-reflector-client: true,")
                      .append(" route-reflector-cluster-id: ")
                      .append(cluster)
                      .append(" } }\n"));
      setup
          .value(Option.GRACEFUL_RESTART)
          .ifPresent(
              seconds ->
                  text.append("    graceful-restart: { config: { enabled: true, restart-time: ")
                      .append(seconds)
                      .append(", notification-enabled: false } }\n"));
      text.append("    afi-safis:\n");
      for (String family : families(setup)) {
        text.append("      - config: { afi-safi-name: ").append(family).append("-unicast }\n");
        if (setup.has(Option.GRACEFUL_RESTART)) {
          text.append("        mp-graceful-restart: { config: { enabled: true } }\n");
        }
        if (setup.has(Option.ADD_PATH)) {
          text.append("        add-paths: { config: { receive: true, send-max: 8 } }\n");
        }
        setup
            .value(Option.MAX_PREFIXES)
            .ifPresent(
                limit ->
                    text.append("        prefix-limit: { config: { max-prefixes: ")
                        .append(limit)
                        .append(", shutdown-threshold-pct: 100 } }\n"));
      }
    }
    return text.toString();
  }

  private static List<String> families(Setup setup) {
    return setup.has(Option.UNNUMBERED)
        ? List.of("ipv4", "ipv6")
        : List.of(setup.ipv6() ? "ipv6" : "ipv4");
  }

  private void originate(Route route) {
    List<String> words = new ArrayList<>(List.of("global", "rib", "add", "-a"));
    words.add(route.ipv6() ? "ipv6" : "ipv4");
    words.add(route.prefix());
    words.add("origin");
    words.add("igp");
    words.add("nexthop");
    words.add(
        setup.has(Option.UNNUMBERED)
            ? link.linkLocal(side)
            : route.ipv6() ? side.ipv6() : side.ipv4());
    route.med().ifPresent(med -> words.addAll(List.of("med", Long.toString(med))));
    if (!route.communities().isEmpty()) {
      words.addAll(List.of("community", String.join(",", route.communities())));
    }
    if (!route.large().isEmpty()) {
      words.addAll(List.of("large-community", String.join(",", route.large())));
    }
    route
        .extended()
        .forEach(value -> words.addAll(List.of("rt", value.substring(value.indexOf(':') + 1))));
    gobgp(words.toArray(new String[0])).check();
  }

  Command gobgp(String... words) {
    List<String> argv = new ArrayList<>(List.of("gobgp", "--target", "unix://" + socket(), "-j"));
    argv.addAll(List.of(words));
    return Command.of(argv);
  }

  private JsonNode json(String... words) {
    return Json.read("gobgp", gobgp(words).check());
  }

  /** An unnumbered peer is named by its link-local address. */
  private String peer() {
    if (!setup.has(Option.UNNUMBERED)) {
      return setup.peerAddress();
    }
    return json("neighbor").path(0).path("state").path("neighbor_address").asText();
  }

  @Override
  public SessionFacts session() {
    JsonNode state = json("neighbor", peer()).path("state");
    NavigableSet<String> reasons = new TreeSet<>();
    process.ifPresent(
        running ->
            running
                .fullLog()
                .lines()
                .filter(
                    line ->
                        line.contains("notification")
                            || line.contains("Reason")
                            || line.contains("Communicat"))
                .forEach(reasons::add));
    return new SessionFacts(
        state.path("session_state").asInt() == 6,
        state.path("peer_asn").asLong(),
        capabilities(state.path("local_cap")),
        capabilities(state.path("remote_cap")),
        reasons);
  }

  private static Set<Capability> capabilities(JsonNode list) {
    Set<Capability> all = EnumSet.noneOf(Capability.class);
    for (JsonNode capability : list) {
      String type = capability.path("type_url").asText().substring(TYPE.length());
      Optional.ofNullable(CAPABILITIES.get(type)).ifPresent(all::add);
      if (type.equals("MultiProtocolCapability")) {
        // A protobuf message { family { afi = 1, safi = 2 } }: the fourth octet is the AFI.
        byte[] value = Base64.getDecoder().decode(capability.path("value").asText());
        all.add(value[3] == 2 ? Capability.IPV6 : Capability.IPV4);
      }
      if (type.equals("UnknownCapability")) {
        // Its first field is the code; 6 is the extended message of RFC 8654.
        byte[] value = Base64.getDecoder().decode(capability.path("value").asText());
        if (value.length > 1 && value[1] == 6) {
          all.add(Capability.EXTENDED_MESSAGE);
        }
      }
    }
    return all;
  }

  @Override
  public Set<Route> received() {
    return routes("adj-in");
  }

  @Override
  public Set<Route> sent() {
    return routes("adj-out");
  }

  private Set<Route> routes(String table) {
    Set<Route> routes = new TreeSet<>();
    for (String family : families(setup)) {
      Command.Result result = gobgp("neighbor", peer(), table, "-a", family).run();
      // A peer that is down has no table.
      if (result.succeeded()) {
        Json.read("gobgp", result.out())
            .properties()
            .forEach(entry -> entry.getValue().forEach(p -> routes.add(route(entry.getKey(), p))));
      }
    }
    return routes;
  }

  private static Route route(String prefix, JsonNode path) {
    Route route = Route.to(prefix).origin("");
    for (JsonNode attribute : path.path("attrs")) {
      JsonNode value = attribute.path("value");
      switch (attribute.path("type").asInt()) {
        case 1 -> route = route.origin(ORIGINS.get(value.asInt()));
        case 2 -> {
          List<String> numbers = new ArrayList<>();
          attribute
              .path("as_paths")
              .forEach(segment -> segment.path("asns").forEach(asn -> numbers.add(asn.asText())));
          route = route.asPath(String.join(" ", numbers));
        }
        case 3, 14 -> route = route.nextHop(attribute.path("nexthop").asText());
        case 4 -> route = route.med(attribute.path("metric").asLong());
        case 5 -> route = route.localPref(Optional.of(value.asLong()));
        case 8 -> {
          for (JsonNode community : attribute.path("communities")) {
            long number = community.asLong();
            route = route.community((number >> 16) + ":" + (number & 0xffff));
          }
        }
        case 9 -> route = route.reflected(value.asText(), route.clusters());
        case 10 -> {
          List<String> ids = new ArrayList<>();
          value.forEach(id -> ids.add(id.asText()));
          route = route.reflected(route.originator().orElse(""), String.join(" ", ids));
        }
        case 16 -> {
          for (JsonNode extended : value) {
            String kind = extended.path("subtype").asInt() == 2 ? "rt" : "other";
            route = route.extended(kind + ":" + extended.path("value").asText());
          }
        }
        case 32 -> {
          for (JsonNode large : value) {
            route =
                route.large(
                    large.path("ASN").asText()
                        + ":"
                        + large.path("LocalData1").asText()
                        + ":"
                        + large.path("LocalData2").asText());
          }
        }
        default -> {}
      }
    }
    return route;
  }

  @Override
  public void refresh() {
    gobgp("neighbor", peer(), "softresetin").check();
  }

  /** How many ROUTE-REFRESH messages it sent. */
  long refreshesSent() {
    return json("neighbor", peer())
        .path("state")
        .path("messages")
        .path("sent")
        .path("refresh")
        .asLong();
  }

  @Override
  public long updatesReceived() {
    return json("neighbor", peer())
        .path("state")
        .path("messages")
        .path("received")
        .path("update")
        .asLong();
  }

  @Override
  public void shutdown(String text) {
    gobgp("neighbor", peer(), "shutdown", "--reason", text).check();
  }

  @Override
  public void kill() {
    process.ifPresent(DaemonProcess::kill);
  }

  @Override
  public String evidence() {
    return process.map(DaemonProcess::log).orElse("") + gobgp("neighbor").run().text();
  }

  @Override
  public void close() {
    process.ifPresent(DaemonProcess::close);
    advertiser.ifPresent(DaemonProcess::close);
  }
}
