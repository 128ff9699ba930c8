package io.wayleave.test.interop;

import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.ctl.Netctl;
import io.wayleave.test.interop.Setup.Option;
import io.wayleave.test.lab.Command;
import io.wayleave.test.lab.Installation;
import io.wayleave.test.lab.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/**
 * Our speaker as it is installed: {@code bin/wayleave-bgp} with its file, asked by {@code netctl
 * bgp}. Where a cell is about graceful restart it is a {@link SpeakerProgram} with the same file,
 * since the installed one owns no routes that it could have kept over a restart.
 */
final class Wayleave implements Speaker {
  private static final String PEER = "peer";
  private static final Map<String, Capability> CAPABILITIES =
      Map.of(
          "multiprotocol ipv4", Capability.IPV4,
          "multiprotocol ipv6", Capability.IPV6,
          "route-refresh", Capability.ROUTE_REFRESH,
          "enhanced-route-refresh", Capability.ENHANCED_REFRESH,
          "4-byte-as", Capability.FOUR_OCTET_AS,
          "graceful-restart", Capability.GRACEFUL_RESTART,
          "add-path", Capability.ADD_PATH,
          "extended-message", Capability.EXTENDED_MESSAGE,
          "extended-next-hop", Capability.EXTENDED_NEXT_HOP);

  private final Link link;
  private final Side side;
  private final Path folder;
  private Optional<DaemonProcess> process = Optional.empty();
  private Setup setup;

  Wayleave(Link link, Side side) {
    this.link = link;
    this.side = side;
    folder = link.folder("wayleave");
  }

  @Override
  public void start(Setup configured) {
    write(configured, "");
    try {
      Files.deleteIfExists(socket());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<String> at = new ArrayList<>(link.at(side));
    // A JVM never handles a SIGHUP that its parent ignores, as under nohup.
    at.addAll(List.of("env", "--default-signal=HUP"));
    DaemonProcess started =
        DaemonProcess.start(at, folder, Map.of(), program().toArray(new String[0]));
    process = Optional.of(started);
    started.awaitReady(() -> Files.exists(socket()));
  }

  private List<String> program() {
    if (!setup.has(Option.GRACEFUL_RESTART)) {
      return List.of(
          Installation.find().bgp().toString(),
          "--config",
          file().toString(),
          "--admin-socket",
          socket().toString());
    }
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Xmx128m",
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "-cp",
        System.getProperty("java.class.path"),
        SpeakerProgram.class.getName(),
        file().toString(),
        socket().toString(),
        changesFile().toString(),
        setup.has(Option.RESTARTED) ? "restarted" : "fresh");
  }

  private Path file() {
    return folder.resolve("bgp.yaml");
  }

  private Path socket() {
    return folder.resolve("admin.sock");
  }

  private Path changesFile() {
    return folder.resolve("changes");
  }

  private void write(Setup configured, String mainPeer) {
    setup = configured;
    try {
      Files.writeString(file(), configuration(configured, mainPeer));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * The file.
   *
   * @param mainPeer a field more of the peer that the cell is about, or nothing
   */
  static String configuration(Setup setup, String mainPeer) {
    List<String> lines = new ArrayList<>();
    lines.add("routerId: " + setup.routerId());
    lines.add("asNumber: " + setup.asn());
    setup.value(Option.REFLECTOR).ifPresent(cluster -> lines.add("clusterId: " + cluster));
    if (!setup.has(Option.UNNUMBERED)) {
      // Other speakers of the cell have other addresses of the namespace.
      lines.add("listen: [ { address: \"" + setup.address() + "\" } ]");
    }
    setup
        .value(Option.GRACEFUL_RESTART)
        .ifPresent(seconds -> lines.add("gracefulRestart: { restartTime: " + seconds + " }"));
    lines.add("peerDefaults:");
    lines.add(
        "  timers: { hold: "
            + Setup.HOLD_SECONDS
            + ", connectRetry: 1, idleHold: 0.5, idleHoldMax: 1 }");
    lines.add("  extendedMessages: " + setup.has(Option.EXTENDED_MESSAGES));
    lines.add("  transit: " + setup.has(Option.MORE_PEERS));
    lines.add("  routeReflectorClient: " + setup.has(Option.REFLECTOR));
    if (!setup.has(Option.UNNUMBERED)) {
      lines.add("  sourceAddress: \"" + setup.address() + "\"");
    }
    if (setup.has(Option.ADD_PATH)) {
      lines.add("  addPath: { receive: true, send: 255 }");
    }
    setup
        .value(Option.MAX_PREFIXES)
        .ifPresent(
            limit ->
                lines.add(
                    "  maxPrefixes: { "
                        + (setup.ipv6() ? "ipv6" : "ipv4")
                        + ": { limit: "
                        + limit
                        + " } }"));
    lines.add("peers:");
    for (Setup.Neighbor neighbor : setup.neighbors()) {
      lines.addAll(peer(setup, neighbor, mainPeer));
    }
    if (!setup.announced().isEmpty()) {
      lines.add("routes:");
    }
    for (Route route : setup.announced()) {
      String communities =
          route.communities().stream()
              .map(value -> "\"" + value + "\"")
              .collect(Collectors.joining(", "));
      lines.add("  - prefix: \"" + route.prefix() + "\"");
      lines.add("    communities: [" + communities + "]");
      route.med().ifPresent(med -> lines.add("    med: " + med));
    }
    return String.join("\n", lines) + "\n";
  }

  private static List<String> peer(Setup setup, Setup.Neighbor neighbor, String mainPeer) {
    List<String> lines = new ArrayList<>();
    lines.add("  - name: " + (neighbor.main() ? PEER : "more-" + neighbor.address()));
    if (setup.has(Option.UNNUMBERED)) {
      lines.add("    interface: " + Link.INTERFACE);
      lines.add("    asNumber: " + (setup.internal() ? "internal" : "external"));
    } else {
      lines.add("    address: \"" + neighbor.address() + "\"");
      lines.add("    asNumber: " + neighbor.asn());
    }
    if (neighbor.main()) {
      setup
          .value(Option.MD5)
          .ifPresent(password -> lines.add("    password: \"" + password + "\""));
      if (setup.has(Option.GTSM)) {
        lines.add("    ttlSecurity: 1");
      }
      if (setup.has(Option.BFD)) {
        lines.add(
            "    bfd: { transmitMilliseconds: 100, receiveMilliseconds: 100, multiplier: 3 }");
      }
      if (!mainPeer.isEmpty()) {
        lines.add("    " + mainPeer);
      }
    }
    return lines;
  }

  /** Goes over to another file by SIGHUP. */
  private void reload(Setup configured, String mainPeer) {
    write(configured, mainPeer);
    long pid = process.orElseThrow(() -> new AssertionError("ours does not run")).pid();
    var _ = Command.of("kill", "-HUP", Long.toString(pid)).check();
  }

  /** {@code netctl bgp} in this process: it starts slowly, and a cell asks often. */
  private String netctl(String... arguments) {
    List<String> all = new ArrayList<>(List.of("bgp"));
    all.addAll(Arrays.asList(arguments));
    // On a busy machine it is slow and not broken.
    all.addAll(List.of("--socket", socket().toString(), "-o", "json", "--timeout", "30s"));
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    ByteArrayOutputStream error = new ByteArrayOutputStream();
    int code =
        Netctl.run(
            all.toArray(new String[0]),
            new PrintStream(answer, true, StandardCharsets.UTF_8),
            new PrintStream(error, true, StandardCharsets.UTF_8),
            Map.of());
    if (code != 0) {
      throw new AssertionError(
          all + ": " + error.toString(StandardCharsets.UTF_8) + process.map(DaemonProcess::log));
    }
    return answer.toString(StandardCharsets.UTF_8);
  }

  private JsonNode json(String... arguments) {
    return Json.read("netctl", netctl(arguments));
  }

  private JsonNode neighbor() {
    return json("neighbors", PEER).path(0);
  }

  @Override
  public SessionFacts session() {
    JsonNode peer = neighbor();
    NavigableSet<String> reasons = new TreeSet<>();
    add(reasons, "", peer.path("whyDown"));
    add(reasons, "", peer.at("/lastError/text"));
    add(reasons, "received ", peer.at("/lastNotificationReceived/text"));
    add(reasons, "sent ", peer.at("/lastNotificationSent/text"));
    JsonNode capabilities = peer.at("/session/capabilities");
    return new SessionFacts(
        peer.path("state").asText().equals("Established"),
        peer.path("asNumber").asLong(),
        capabilities(capabilities.path("sent")),
        capabilities(capabilities.path("received")),
        reasons);
  }

  private static void add(Set<String> reasons, String kind, JsonNode text) {
    if (!text.isMissingNode()) {
      reasons.add(kind + text.asText());
    }
  }

  private static Set<Capability> capabilities(JsonNode texts) {
    Set<Capability> all = EnumSet.noneOf(Capability.class);
    for (JsonNode text : texts) {
      String words = text.asText();
      String name = words.startsWith("multiprotocol") ? words : words.split(" ", -1)[0];
      Optional.ofNullable(CAPABILITIES.get(name)).ifPresent(all::add);
    }
    return all;
  }

  @Override
  public Set<Route> received() {
    return routes("--received", PEER);
  }

  @Override
  public Set<Route> sent() {
    return routes("--advertised", PEER);
  }

  private Set<Route> routes(String view, String peer) {
    Set<Route> routes = new TreeSet<>();
    for (JsonNode route : json("routes", view, peer)) {
      for (JsonNode path : route.path("paths")) {
        routes.add(route(route.path("prefix").asText(), path));
      }
    }
    return routes;
  }

  private static Route route(String prefix, JsonNode path) {
    Route route =
        Route.to(prefix)
            // The second is the link-local one, beside :: where there is no other.
            .nextHop(path.path("nextHop").asText("").replaceFirst("^:: ", "").split(" ", -1)[0])
            .asPath(path.path("asPath").asText(""))
            .origin(path.path("origin").asText("").toLowerCase(Locale.ROOT))
            .med(path.path("med").asLong(0));
    if (path.has("localPref")) {
      route = route.localPref(Optional.of(path.path("localPref").asLong()));
    }
    for (JsonNode value : path.path("communities")) {
      String text = value.asText();
      if (Character.isLetter(text.charAt(0))) {
        route = route.extended(text);
      } else if (text.split(":", -1).length == 3) {
        route = route.large(text);
      } else {
        route = route.community(text);
      }
    }
    return route.reflected(
        path.path("originatorId").asText(""), String.join(" ", texts(path.path("clusterList"))));
  }

  private static List<String> texts(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false).map(JsonNode::asText).toList();
  }

  @Override
  public void refresh() {
    var _ = netctl("refresh", PEER);
  }

  @Override
  public long updatesReceived() {
    return neighbor().at("/messagesReceived/update").asLong();
  }

  /** How often the session came up. */
  long established() {
    return neighbor().path("timesEstablished").asLong();
  }

  /** Families whose routes are kept over the peer's restart. */
  Set<String> stale() {
    return Set.copyOf(texts(neighbor().path("staleFamilies")));
  }

  /**
   * What the owner of the routes was told since the start, in order: {@code +prefix}, {@code
   * -prefix}, {@code converged}. Only of a {@link SpeakerProgram}: the CLI shows no past.
   */
  List<String> changes() {
    try {
      return Files.readAllLines(changesFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** By the file: the peer has the text as its {@code shutdown}. */
  @Override
  public void shutdown(String text) {
    reload(setup, "shutdown: \"" + text + "\"");
  }

  /** The peer is wanted again. */
  void takeUp() {
    reload(setup, "");
  }

  @Override
  public void kill() {
    process.ifPresent(DaemonProcess::kill);
  }

  @Override
  public String evidence() {
    return process.map(DaemonProcess::log).orElse("")
        + (process.filter(DaemonProcess::isAlive).isPresent()
            ? netctl("neighbors") + netctl("routes") + netctl("routes", "--advertised", PEER)
            : "not running");
  }

  @Override
  public void close() {
    process.ifPresent(DaemonProcess::close);
  }
}
