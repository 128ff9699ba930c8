package io.wayleave.test.interop;

import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.test.interop.Setup.Option;
import io.wayleave.test.lab.Command;
import io.wayleave.test.lab.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** OpenBGPD, asked by {@code bgpctl -j}. */
final class OpenBgpd implements Speaker {
  /** Where its processes change their root to; the package's service file makes it. */
  private static final Path CHROOT = Path.of("/run/openbgpd");

  private static final Map<String, Capability> CAPABILITIES =
      Map.of(
          "as4byte", Capability.FOUR_OCTET_AS,
          "refresh", Capability.ROUTE_REFRESH,
          "enhanced_refresh", Capability.ENHANCED_REFRESH,
          "graceful_restart", Capability.GRACEFUL_RESTART,
          "add-path", Capability.ADD_PATH);

  private final Link link;
  private final Side side;
  private final Path folder;
  private Optional<DaemonProcess> process = Optional.empty();
  private Setup setup;

  OpenBgpd(Link link, Side side) {
    this.link = link;
    this.side = side;
    folder = link.folder("openbgpd");
  }

  @Override
  public void start(Setup configured) {
    setup = configured;
    write(configuration(configured));
    try {
      Files.createDirectories(CHROOT);
      Files.deleteIfExists(socket());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    DaemonProcess started =
        DaemonProcess.start(link.at(side), folder, Map.of(), "bgpd", "-d", "-v", "-f", "bgpd.conf");
    process = Optional.of(started);
    // It answers before all of its processes have read the file.
    started.awaitReady(
        () ->
            started.log().contains("RDE reconfigured")
                && bgpctl("show", "summary").run().succeeded());
  }

  void write(String text) {
    Path file = folder.resolve("bgpd.conf");
    try {
      Files.writeString(file, text);
      // It refuses a file that others may read, for the passwords in it.
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What it says of a configuration without starting. */
  String check(String text) {
    write(text);
    return Command.of("bgpd", "-n", "-f", folder.resolve("bgpd.conf").toString()).run().text();
  }

  private Path socket() {
    return folder.resolve("bgpd.sock");
  }

  String configuration(Setup configured) {
    List<String> lines = new ArrayList<>();
    lines.add("AS " + configured.asn());
    lines.add("router-id " + configured.routerId());
    lines.add("listen on " + configured.address());
    lines.add("socket \"" + socket() + "\"");
    for (Route route : configured.announced()) {
      lines.add("network " + route.prefix() + attributes(route));
    }
    for (Setup.Neighbor neighbor : configured.neighbors()) {
      lines.add("neighbor " + neighbor.address() + " {");
      lines.add(" remote-as " + neighbor.asn());
      lines.add(" local-address " + configured.address());
      lines.add(" holdtime " + Setup.HOLD_SECONDS);
      lines.add(" announce enhanced refresh yes");
      configured
          .value(Option.MD5)
          .ifPresent(password -> lines.add(" tcp md5sig password " + password));
      if (configured.has(Option.GTSM)) {
        lines.add(" ttl-security yes");
      }
      configured
          .value(Option.REFLECTOR)
          .ifPresent(cluster -> lines.add(" route-reflector " + cluster));
      if (configured.has(Option.ADD_PATH)) {
        lines.add(" announce add-path recv yes");
        lines.add(" announce add-path send all");
      }
      configured.value(Option.MAX_PREFIXES).ifPresent(limit -> lines.add(" max-prefix " + limit));
      lines.add("}");
    }
    // Nothing is allowed by default (RFC 8212).
    lines.add(configured.internal() ? "allow from ibgp" : "allow from ebgp");
    lines.add("allow from any");
    lines.add("allow to any");
    return String.join("\n", lines) + "\n";
  }

  private static String attributes(Route route) {
    List<String> words = new ArrayList<>();
    route.med().ifPresent(med -> words.add("med " + med));
    route.communities().forEach(value -> words.add("community " + value));
    route.large().forEach(value -> words.add("large-community " + value));
    route.extended().forEach(value -> words.add("ext-community " + value.replaceFirst(":", " ")));
    return words.isEmpty() ? "" : " set { " + String.join(" ", words) + " }";
  }

  Command bgpctl(String... words) {
    List<String> argv = new ArrayList<>(List.of("bgpctl", "-j", "-s", socket().toString()));
    argv.addAll(List.of(words));
    return Command.of(argv);
  }

  private JsonNode neighbor() {
    String text = bgpctl("show", "neighbor", setup.peerAddress()).check();
    return Json.read("bgpctl", text).path("neighbors").path(0);
  }

  @Override
  public SessionFacts session() {
    JsonNode peer = neighbor();
    NavigableSet<String> reasons = new TreeSet<>();
    for (String field : List.of("last_shutdown_reason", "last_error_received", "last_error_sent")) {
      Optional.of(peer.path(field))
          .filter(value -> !value.isMissingNode())
          .ifPresent(value -> reasons.add(value.isTextual() ? value.asText() : value.toString()));
    }
    // A session that is tried again has forgotten its last error.
    process.ifPresent(
        running ->
            running
                .fullLog()
                .lines()
                .filter(line -> line.contains("notification"))
                .forEach(reasons::add));
    return new SessionFacts(
        peer.path("state").asText("").equals("Established"),
        peer.path("remote_as").asLong(),
        capabilities(peer.path("session").path("local").path("capabilities")),
        capabilities(peer.path("session").path("remote").path("capabilities")),
        reasons);
  }

  private static Set<Capability> capabilities(JsonNode node) {
    Set<Capability> all = EnumSet.noneOf(Capability.class);
    node.properties()
        .forEach(
            entry -> {
              JsonNode value = entry.getValue();
              if (value.isBoolean() ? value.asBoolean() : !value.isEmpty()) {
                Optional.ofNullable(CAPABILITIES.get(entry.getKey())).ifPresent(all::add);
              }
            });
    for (JsonNode family : node.path("multiprotocol")) {
      all.add(family.asText().startsWith("IPv6") ? Capability.IPV6 : Capability.IPV4);
    }
    return all;
  }

  @Override
  public Set<Route> received() {
    return routes("in");
  }

  @Override
  public Set<Route> sent() {
    return routes("out");
  }

  private Set<Route> routes(String direction) {
    Set<Route> routes = new TreeSet<>();
    String text =
        bgpctl("show", "rib", direction, "neighbor", setup.peerAddress(), "detail").check();
    if (!text.isBlank()) {
      Json.read("bgpctl", text).path("rib").forEach(entry -> routes.add(route(entry)));
    }
    return routes;
  }

  private static Route route(JsonNode entry) {
    Route route =
        Route.to(entry.path("prefix").asText())
            .asPath(entry.path("aspath").asText(""))
            .origin(entry.path("origin").asText("").toLowerCase(Locale.ROOT))
            .nextHop(entry.path("exit_nexthop").asText(""))
            .med(entry.path("metric").asLong())
            .localPref(Optional.of(entry.path("localpref").asLong()));
    for (JsonNode value : entry.path("communities")) {
      route = route.community(value.asText());
    }
    for (JsonNode value : entry.path("extended_communities")) {
      route = route.extended(value.asText().replace(' ', ':'));
    }
    for (JsonNode value : entry.path("large_communities")) {
      route = route.large(value.asText());
    }
    List<String> clusters = new ArrayList<>();
    // They stand among the attributes that have no place of their own.
    JsonNode list = entry.findPath("cluster_list");
    list.forEach(id -> clusters.add(id.asText()));
    return route.reflected(entry.findPath("originator").asText(""), String.join(" ", clusters));
  }

  @Override
  public void refresh() {
    bgpctl("neighbor", setup.peerAddress(), "refresh").check();
  }

  @Override
  public long updatesReceived() {
    return neighbor().path("stats").path("message").path("received").path("updates").asLong();
  }

  @Override
  public void shutdown(String text) {
    bgpctl("neighbor", setup.peerAddress(), "down", text).check();
  }

  @Override
  public void kill() {
    process.ifPresent(DaemonProcess::kill);
  }

  @Override
  public String evidence() {
    return process.map(DaemonProcess::log).orElse("") + bgpctl("show", "neighbor").run().text();
  }

  @Override
  public void close() {
    process.ifPresent(DaemonProcess::close);
  }
}
