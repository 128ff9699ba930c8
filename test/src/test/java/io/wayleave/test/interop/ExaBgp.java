package io.wayleave.test.interop;

import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.test.interop.Setup.Option;
import io.wayleave.test.lab.Command;
import io.wayleave.test.lab.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
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
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * ExaBGP, which keeps no table of what it hears but tells a helper program each message as JSON.
 * That is its interface for users, and the facts here are what the messages of the present session
 * add up to. Commands go to it by the same helper's output.
 */
final class ExaBgp implements Speaker {
  private static final Map<String, Capability> CAPABILITIES =
      Map.of(
          "route-refresh", Capability.ROUTE_REFRESH,
          "enhanced-route-refresh", Capability.ENHANCED_REFRESH,
          "asn4", Capability.FOUR_OCTET_AS,
          "graceful restart", Capability.GRACEFUL_RESTART,
          "addpath", Capability.ADD_PATH,
          "extended-message", Capability.EXTENDED_MESSAGE,
          "nexthop", Capability.EXTENDED_NEXT_HOP);

  private final Link link;
  private final Side side;
  private final Path folder;
  private Optional<DaemonProcess> process = Optional.empty();
  private Setup setup;

  ExaBgp(Link link, Side side) {
    this.link = link;
    this.side = side;
    folder = link.folder("exabgp");
  }

  @Override
  public void start(Setup configured) {
    setup = configured;
    try {
      if (!Files.exists(commands())) {
        Command.of("mkfifo", commands().toString()).check();
      }
      Files.writeString(events(), "");
      Path helper = folder.resolve("helper.sh");
      Files.writeString(
          helper, "#!/bin/sh\ncat <> " + commands() + " &\nexec cat >>" + events() + "\n");
      Files.setPosixFilePermissions(helper, PosixFilePermissions.fromString("rwxr-xr-x"));
      Files.writeString(folder.resolve("exabgp.conf"), configuration(configured));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    DaemonProcess started =
        DaemonProcess.start(
            link.at(side),
            folder,
            Map.of(
                // The helper writes into the cell's folder.
                "exabgp_daemon_drop", "false",
                "exabgp_api_cli", "false",
                "exabgp_log_destination", "stderr",
                "exabgp_log_level", "INFO",
                "exabgp_tcp_bind", configured.address()),
            "exabgp",
            folder.resolve("exabgp.conf").toString());
    process = Optional.of(started);
    started.awaitReady(() -> started.log().contains("loaded new configuration"));
  }

  /** What it says of a configuration without starting. */
  String check(String text) {
    Path file = folder.resolve("checked.conf");
    try {
      // It looks for the helper, which start() would have made.
      Files.writeString(file, text.replaceAll("run [^;]*;", "run /bin/cat;"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Command.of("exabgp", "--test", file.toString())
        .environment(Map.of("exabgp_daemon_drop", "false", "exabgp_api_cli", "false"))
        .run()
        .text();
  }

  private Path commands() {
    return folder.resolve("commands");
  }

  private Path events() {
    return folder.resolve("events.json");
  }

  String configuration(Setup configured) {
    List<String> lines = new ArrayList<>();
    lines.add("process helper { run " + folder.resolve("helper.sh") + "; encoder json; }");
    for (Setup.Neighbor neighbor : configured.neighbors()) {
      String family = (configured.ipv6() ? "ipv6" : "ipv4") + " unicast";
      lines.add("neighbor " + neighbor.address() + " {");
      lines.add("router-id " + configured.routerId() + ";");
      lines.add("local-address " + configured.address() + ";");
      lines.add("local-as " + configured.asn() + ";");
      lines.add("peer-as " + neighbor.asn() + ";");
      lines.add("hold-time " + Setup.HOLD_SECONDS + ";");
      configured
          .value(Option.MD5)
          .ifPresent(password -> lines.add("md5-password " + password + ";"));
      if (configured.has(Option.GTSM)) {
        lines.add("outgoing-ttl 255; incoming-ttl 255;");
      }
      lines.add("family { " + family + "; }");
      lines.add("capability { asn4 enable; route-refresh enable;");
      lines.add(
          "graceful-restart " + configured.value(Option.GRACEFUL_RESTART).orElse("disable") + ";");
      lines.add("add-path " + (configured.has(Option.ADD_PATH) ? "send/receive" : "disable") + ";");
      lines.add("}");
      lines.add("api { processes [ helper ]; neighbor-changes; fsm;");
      lines.add("receive { parsed; open; update; notification; refresh; }");
      lines.add("send { parsed; open; update; notification; refresh; } }");
      lines.add("static {");
      for (int i = 0; i < configured.announced().size(); i++) {
        lines.add(origination(configured, configured.announced().get(i), i + 1));
      }
      lines.add("}");
      lines.add("}");
    }
    return String.join("\n", lines) + "\n";
  }

  private static String origination(Setup configured, Route route, int pathId) {
    StringBuilder text = new StringBuilder("route " + route.prefix() + " { next-hop ");
    text.append(route.ipv6() ? configured.at().ipv6() : "self").append(";");
    if (configured.internal()) {
      text.append(" local-preference 100;");
    }
    route.med().ifPresent(med -> text.append(" med ").append(med).append(";"));
    if (configured.has(Option.ADD_PATH)) {
      text.append(" path-information 0.0.0.").append(pathId).append(";");
    }
    list(text, "community", route.communities());
    list(text, "large-community", route.large());
    Set<String> extended = new TreeSet<>();
    route.extended().forEach(value -> extended.add(value.replaceFirst("^rt:", "target:")));
    list(text, "extended-community", extended);
    return text.append(" }").toString();
  }

  private static void list(StringBuilder text, String name, Set<String> values) {
    if (!values.isEmpty()) {
      text.append(' ').append(name).append(" [ ").append(String.join(" ", values)).append(" ];");
    }
  }

  private List<JsonNode> messages(Predicate<JsonNode> wanted) {
    try {
      return Files.readString(events(), StandardCharsets.UTF_8)
          .lines()
          // Answers to commands are no JSON; the last line may be under way.
          .filter(line -> line.startsWith("{") && line.endsWith("}"))
          // In its route refresh messages, which are of no use here, texts are quoted twice.
          .filter(line -> !line.contains("\"type\": \"refresh\""))
          .map(line -> Json.read("exabgp", line.replaceAll("\\p{Cntrl}", " ")))
          .filter(wanted)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The messages since the present, or else the last, connection came about. */
  private List<JsonNode> ofThisSession() {
    List<JsonNode> all =
        messages(
            event ->
                event
                    .path("neighbor")
                    .path("address")
                    .path("peer")
                    .asText("")
                    .equals(setup.peerAddress()));
    int start = 0;
    for (int i = 0; i < all.size(); i++) {
      if (state(all.get(i)).equals("connected")) {
        start = i;
      }
    }
    return all.subList(start, all.size());
  }

  private static String state(JsonNode event) {
    return event.path("type").asText().equals("state")
        ? event.path("neighbor").path("state").asText("")
        : "";
  }

  @Override
  public SessionFacts session() {
    Set<Capability> offered = EnumSet.noneOf(Capability.class);
    Set<Capability> heard = EnumSet.noneOf(Capability.class);
    boolean up = false;
    long asn = 0;
    for (JsonNode event : ofThisSession()) {
      JsonNode neighbor = event.path("neighbor");
      switch (event.path("type").asText()) {
        case "state" -> up = neighbor.path("state").asText().equals("up");
        case "open" -> {
          boolean sent = neighbor.path("direction").asText().equals("send");
          capabilities(neighbor.path("open").path("capabilities"), sent ? offered : heard);
          if (!sent) {
            JsonNode wide = neighbor.path("open").path("capabilities").path("65").path("asn4");
            asn = wide.asLong(neighbor.path("open").path("asn").asLong());
          }
        }
        default -> {}
      }
    }
    NavigableSet<String> reasons = new TreeSet<>();
    for (JsonNode event : messages(e -> true)) {
      JsonNode neighbor = event.path("neighbor");
      if (neighbor.has("notification")) {
        reasons.add(neighbor.path("notification").toString());
      }
      if (neighbor.has("reason")) {
        reasons.add(neighbor.path("reason").asText());
      }
    }
    return new SessionFacts(up, asn, offered, heard, reasons);
  }

  private static void capabilities(JsonNode node, Set<Capability> into) {
    for (JsonNode capability : node) {
      String name = capability.path("name").asText();
      Optional.ofNullable(CAPABILITIES.get(name)).ifPresent(into::add);
      for (JsonNode family : capability.path("families")) {
        into.add(family.asText().startsWith("ipv6") ? Capability.IPV6 : Capability.IPV4);
      }
      // Those that it does not know the names of, by number (RFC 8654).
      if (capability.path("value").asInt() == 6) {
        into.add(Capability.EXTENDED_MESSAGE);
      }
    }
  }

  @Override
  public Set<Route> received() {
    return routes("receive");
  }

  @Override
  public Set<Route> sent() {
    return routes("send");
  }

  private Set<Route> routes(String direction) {
    Map<String, Route> table = new TreeMap<>();
    for (JsonNode event : ofThisSession()) {
      JsonNode neighbor = event.path("neighbor");
      if (state(event).equals("down")) {
        table.clear();
      }
      if (!neighbor.path("direction").asText().equals(direction)) {
        continue;
      }
      JsonNode update = neighbor.path("message").path("update");
      update.path("withdraw").forEach(family -> family.forEach(nlri -> table.remove(key(nlri))));
      update
          .path("announce")
          .forEach(
              family ->
                  family
                      .properties()
                      .forEach(
                          hop ->
                              hop.getValue()
                                  .forEach(
                                      nlri -> {
                                        if (nlri.has("nlri")) {
                                          Route route =
                                              route(
                                                  nlri.path("nlri").asText(),
                                                  hop.getKey(),
                                                  update.path("attribute"));
                                          table.put(key(nlri), route);
                                        }
                                      })));
    }
    return new TreeSet<>(table.values());
  }

  private static String key(JsonNode nlri) {
    return nlri.path("nlri").asText() + " " + nlri.path("path-information").asText("");
  }

  private static Route route(String prefix, String nextHop, JsonNode attributes) {
    List<String> path = new ArrayList<>();
    JsonNode asPath = attributes.path("as-path");
    asPath.forEach(
        segment -> {
          if (segment.isObject()) {
            segment.path("value").forEach(asn -> path.add(asn.asText()));
          } else {
            path.add(segment.asText());
          }
        });
    Route route =
        Route.to(prefix)
            .nextHop(nextHop)
            .asPath(String.join(" ", path))
            .origin(attributes.path("origin").asText("").toLowerCase(Locale.ROOT))
            .med(attributes.path("med").asLong(0));
    if (attributes.has("local-preference")) {
      route = route.localPref(Optional.of(attributes.path("local-preference").asLong()));
    }
    for (JsonNode value : attributes.path("community")) {
      route = route.community(value.path(0).asText() + ":" + value.path(1).asText());
    }
    for (JsonNode value : attributes.path("large-community")) {
      route =
          route.large(
              value.path(0).asText() + ":" + value.path(1).asText() + ":" + value.path(2).asText());
    }
    for (JsonNode value : attributes.path("extended-community")) {
      route = route.extended(value.path("string").asText().replaceFirst("^target:", "rt:"));
    }
    List<String> clusters = new ArrayList<>();
    attributes.path("cluster-list").forEach(id -> clusters.add(id.asText()));
    return route.reflected(attributes.path("originator-id").asText(""), String.join(" ", clusters));
  }

  private void command(String text) {
    try {
      Files.writeString(commands(), text + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void refresh() {
    command("neighbor " + setup.peerAddress() + " announce route-refresh ipv4 unicast");
  }

  @Override
  public long updatesReceived() {
    return ofThisSession().stream()
        .filter(
            event ->
                event.path("type").asText().equals("update")
                    && event.path("neighbor").path("direction").asText().equals("receive"))
        .count();
  }

  @Override
  public void shutdown(String text) {
    // The only farewell that it can be told: Cease/Administrative Reset without a text.
    command("neighbor " + setup.peerAddress() + " teardown 2");
  }

  @Override
  public void kill() {
    process.ifPresent(DaemonProcess::kill);
  }

  @Override
  public String evidence() {
    StringBuilder text = new StringBuilder(process.map(DaemonProcess::log).orElse(""));
    messages(e -> true).forEach(event -> text.append(event).append('\n'));
    return text.toString();
  }

  @Override
  public void close() {
    process.ifPresent(DaemonProcess::close);
  }
}
