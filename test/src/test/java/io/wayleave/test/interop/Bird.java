package io.wayleave.test.interop;

import io.wayleave.test.interop.Setup.Option;
import io.wayleave.test.lab.Command;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** BIRD, asked by birdc. */
final class Bird implements Speaker {
  private static final Pattern ENTRY = Pattern.compile("^(\\S+/\\d+)?\\s+.*\\[(\\S+) .*\\].*$");
  private static final Map<String, Capability> CAPABILITIES =
      Map.of(
          "Route refresh", Capability.ROUTE_REFRESH,
          "Enhanced refresh", Capability.ENHANCED_REFRESH,
          "4-octet AS numbers", Capability.FOUR_OCTET_AS,
          "Graceful restart", Capability.GRACEFUL_RESTART,
          "ADD-PATH", Capability.ADD_PATH,
          "Extended message", Capability.EXTENDED_MESSAGE,
          "Extended next hop", Capability.EXTENDED_NEXT_HOP);

  private final Link link;
  private final Side side;
  private final Path folder;
  private Optional<DaemonProcess> process = Optional.empty();
  private Setup setup;

  Bird(Link link, Side side) {
    this(link, side, "bird");
  }

  /** One of several in a cell, told apart by their folders. */
  Bird(Link link, Side side, String name) {
    this.link = link;
    this.side = side;
    folder = link.folder(name);
  }

  @Override
  public void start(Setup configured) {
    setup = configured;
    try {
      Files.writeString(folder.resolve("bird.conf"), configuration(configured));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<String> argv =
        new ArrayList<>(
            List.of("bird", "-f", "-c", "bird.conf", "-s", "bird.ctl", "-P", "bird.pid"));
    if (configured.has(Option.RESTARTED)) {
      // Recover: only then does BIRD set the F bit and keep the kernel's routes until it is done.
      argv.add("-R");
    }
    DaemonProcess started =
        DaemonProcess.start(link.at(side), folder, Map.of(), argv.toArray(new String[0]));
    process = Optional.of(started);
    started.awaitReady(() -> birdc("show status").contains("ready"));
  }

  static String configuration(Setup setup) {
    StringBuilder text = new StringBuilder();
    text.append("log stderr all;\nrouter id ").append(setup.routerId()).append(";\n");
    text.append("graceful restart wait 15;\nprotocol device { scan time 1; }\n");
    if (setup.has(Option.BFD)) {
      text.append(
          "protocol bfd { interface \"*\" { min rx interval 100 ms; min tx interval 100 ms;"
              + " multiplier 3; }; }\n");
    }
    if (setup.has(Option.UNNUMBERED)) {
      // It sends no router advertisements for BGP's sake.
      text.append(
          "protocol radv { interface \"eth0\" { min ra interval 3; max ra interval 4; }; }\n");
    }
    for (int version : new int[] {4, 6}) {
      if (setup.has(Option.KERNEL)) {
        text.append("protocol kernel { persist; graceful restart on; ipv").append(version);
        text.append(" { import none; export where source = RTS_BGP; }; }\n");
      }
      text.append("protocol static s").append(version).append(" { ipv").append(version);
      text.append(";\n");
      setup.announced().stream()
          .filter(route -> route.ipv6() == (version == 6))
          .forEach(route -> text.append(origination(route)));
      text.append("}\n");
    }
    for (Setup.Neighbor neighbor : setup.neighbors()) {
      text.append(protocol(setup, neighbor));
    }
    return text.toString();
  }

  private static String origination(Route route) {
    StringBuilder text = new StringBuilder("  route " + route.prefix() + " blackhole {");
    route.med().ifPresent(med -> text.append(" bgp_med = ").append(med).append(';'));
    route.communities().forEach(value -> text.append(add("bgp_community", value)));
    route.extended().forEach(value -> text.append(add("bgp_ext_community", value)));
    route.large().forEach(value -> text.append(add("bgp_large_community", value)));
    return text.append(" };\n").toString();
  }

  private static String add(String attribute, String value) {
    return " " + attribute + ".add((" + value.replace(":", ", ") + "));";
  }

  private static String protocol(Setup setup, Setup.Neighbor neighbor) {
    List<String> lines = new ArrayList<>();
    lines.add(
        "protocol bgp "
            + (neighbor.main() ? "peer" : "more_" + neighbor.address().replace('.', '_'))
            + " {");
    if (setup.has(Option.UNNUMBERED)) {
      lines.add("interface \"eth0\";");
      lines.add("local as " + setup.asn() + ";");
      lines.add("neighbor range fe80::/10 " + (setup.internal() ? "internal;" : "external;"));
      lines.add("dynamic name \"peer\";");
    } else {
      lines.add("local " + setup.address() + " as " + setup.asn() + ";");
      lines.add("neighbor " + neighbor.address() + " as " + neighbor.asn() + ";");
      lines.add("strict bind yes;");
    }
    lines.add("hold time " + Setup.HOLD_SECONDS + ";");
    lines.add("connect delay time 1; connect retry time 1; error wait time 1,2;");
    lines.add("graceful restart " + (setup.has(Option.GRACEFUL_RESTART) ? "on;" : "aware;"));
    setup
        .value(Option.GRACEFUL_RESTART)
        .ifPresent(seconds -> lines.add("graceful restart time " + seconds + ";"));
    setup.value(Option.MD5).ifPresent(password -> lines.add("password \"" + password + "\";"));
    if (setup.has(Option.GTSM)) {
      lines.add("ttl security on;");
    }
    if (setup.has(Option.EXTENDED_MESSAGES)) {
      lines.add("enable extended messages on;");
    }
    if (setup.has(Option.REFLECTOR)) {
      lines.add("rr client; rr cluster id " + setup.value(Option.REFLECTOR).orElseThrow() + ";");
    }
    setup
        .value(Option.BFD)
        .ifPresent(kind -> lines.add("bfd " + (kind.isEmpty() ? "on" : kind) + ";"));
    for (int version : families(setup)) {
      lines.add("ipv" + version + " {");
      lines.add("  import all; export table on;");
      lines.add(
          setup.has(Option.MORE_PEERS) ? "  export all;" : "  export where source = RTS_STATIC;");
      if (setup.has(Option.ADD_PATH)) {
        lines.add("  add paths on;");
      }
      if (setup.has(Option.UNNUMBERED) && version == 4) {
        lines.add("  extended next hop on;");
      }
      setup
          .value(Option.MAX_PREFIXES)
          .ifPresent(limit -> lines.add("  receive limit " + limit + " action disable;"));
      lines.add("};");
    }
    lines.add("}");
    return String.join("\n", lines) + "\n";
  }

  private static int[] families(Setup setup) {
    return setup.has(Option.UNNUMBERED) ? new int[] {4, 6} : new int[] {setup.ipv6() ? 6 : 4};
  }

  String birdc(String command) {
    return Command.of("birdc", "-s", folder.resolve("bird.ctl").toString(), command).run().text();
  }

  private String protocol() {
    // A dynamic protocol is named after its template with a number.
    return setup.has(Option.UNNUMBERED) ? "peer1" : "peer";
  }

  @Override
  public SessionFacts session() {
    Set<Capability> offered = EnumSet.noneOf(Capability.class);
    Set<Capability> heard = EnumSet.noneOf(Capability.class);
    NavigableSet<String> reasons = new TreeSet<>();
    boolean established = false;
    long asn = 0;
    Set<Capability> current = offered;
    for (String line : birdc("show protocols all " + protocol()).lines().toList()) {
      String text = line.strip();
      if (text.startsWith("BGP state:")) {
        established = text.endsWith("Established");
      } else if (text.startsWith("Neighbor AS:")) {
        asn = Long.parseLong(text.substring(text.lastIndexOf(' ') + 1));
      } else if (text.equals("Neighbor capabilities")) {
        current = heard;
      } else if (text.startsWith("AF announced:")) {
        if (text.contains("ipv4")) {
          current.add(Capability.IPV4);
        }
        if (text.contains("ipv6")) {
          current.add(Capability.IPV6);
        }
      } else if (text.startsWith("Last error:") || text.startsWith("Message:")) {
        reasons.add(text);
      } else if (CAPABILITIES.containsKey(text)) {
        current.add(CAPABILITIES.get(text));
      }
    }
    // The text of a shutdown message stands in the log only.
    process.ifPresent(
        running ->
            running
                .fullLog()
                .lines()
                .filter(line -> line.contains("Received: ") || line.contains("Error: "))
                .forEach(reasons::add));
    return new SessionFacts(established, asn, offered, heard, reasons);
  }

  @Override
  public Set<Route> received() {
    Set<Route> routes = new TreeSet<>();
    routes.addAll(parse(birdc("show route all protocol " + protocol())));
    return routes;
  }

  @Override
  public Set<Route> sent() {
    Set<Route> routes = new TreeSet<>();
    for (int version : families(setup)) {
      routes.addAll(parse(birdc("show route all export table " + protocol() + ".ipv" + version)));
    }
    return routes;
  }

  /** What {@code show route all} prints; a prefix stands only before the first of its routes. */
  static Set<Route> parse(String text) {
    Set<Route> routes = new TreeSet<>();
    String prefix = "";
    Optional<Route> route = Optional.empty();
    // It wraps long lists of communities.
    for (String line : text.replaceAll("\\n\\t\\t", " ").lines().toList()) {
      Matcher entry = ENTRY.matcher(line);
      if (entry.matches() && !line.startsWith("\t")) {
        route.ifPresent(routes::add);
        prefix = Optional.ofNullable(entry.group(1)).orElse(prefix);
        route = Optional.of(Route.to(prefix).origin(""));
      } else if (line.strip().startsWith("BGP.") && route.isPresent()) {
        String attribute = line.strip();
        int colon = attribute.indexOf(':');
        route =
            Optional.of(
                attribute(
                    route.get(),
                    attribute.substring("BGP.".length(), colon),
                    attribute.substring(colon + 1).strip()));
      }
    }
    route.ifPresent(routes::add);
    return routes;
  }

  private static Route attribute(Route route, String name, String value) {
    Route changed = route;
    switch (name) {
      case "origin" -> changed = route.origin(value.toLowerCase(Locale.ROOT));
      case "as_path" -> changed = route.asPath(value);
      // The second is the link-local one, beside :: where there is no other.
      case "next_hop" -> changed = route.nextHop(value.replaceFirst("^:: ", "").split(" ", -1)[0]);
      case "med" -> changed = route.med(Long.parseLong(value));
      case "local_pref" -> changed = route.localPref(Optional.of(Long.parseLong(value)));
      case "originator_id" -> changed = route.reflected(value, route.clusters());
      case "cluster_list" -> changed = route.reflected(route.originator().orElse(""), value);
      case "community" -> {
        for (String part : value.split(" ", -1)) {
          changed = changed.community(part.replaceAll("[()]", "").replace(',', ':'));
        }
      }
      case "ext_community" -> {
        for (String part : tuples(value)) {
          changed = changed.extended(part);
        }
      }
      case "large_community" -> {
        for (String part : tuples(value)) {
          changed = changed.large(part);
        }
      }
      default -> {}
    }
    return changed;
  }

  /** {@code (1, 2, 3) (4, 5, 6)} as {@code 1:2:3} and {@code 4:5:6}. */
  private static List<String> tuples(String value) {
    List<String> all = new ArrayList<>();
    Matcher tuple = Pattern.compile("\\(([^)]*)\\)").matcher(value);
    while (tuple.find()) {
      all.add(tuple.group(1).replace(", ", ":"));
    }
    return all;
  }

  @Override
  public void refresh() {
    birdc("reload in " + protocol());
  }

  @Override
  public long updatesReceived() {
    long updates = 0;
    for (String line : birdc("show protocols all " + protocol()).lines().toList()) {
      String text = line.strip();
      if (text.startsWith("Import updates:")) {
        updates += Long.parseLong(text.split("\\s+", -1)[2]);
      }
    }
    return updates;
  }

  @Override
  public void shutdown(String text) {
    birdc("disable " + protocol() + " \"" + text + "\"");
  }

  @Override
  public void kill() {
    process.ifPresent(DaemonProcess::kill);
  }

  @Override
  public String evidence() {
    return process.map(DaemonProcess::log).orElse("")
        + birdc("show protocols all")
        + birdc("show route all");
  }

  @Override
  public void close() {
    process.ifPresent(DaemonProcess::close);
  }
}
