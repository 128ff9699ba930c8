package io.wayleave.test.lab;

import io.wayleave.model.Cidr;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** BIRD 2 as a router of the lab. A peer's protocol has the peer's name. */
final class BirdRouter implements Router {
  private static final String DAEMON = "bird";
  private static final Duration START_DEADLINE = Duration.ofSeconds(10);
  private static final Pattern PROTOCOL =
      Pattern.compile("(?m)^(\\S+)\\s+BGP\\s+\\S+\\s+(\\S+)\\s+\\S+(?:[ \\t]+(.*\\S))?[ \\t]*$");
  private static final Pattern ROUTE = Pattern.compile("(?m)^(\\d\\S+/\\d+)\\s");

  private final RouterPlan plan;
  private final Daemons daemons;
  private final Path directory;

  BirdRouter(RouterPlan plan, Daemons daemons, Path directory) {
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
    return RouterKind.BIRD;
  }

  @Override
  public String namespace() {
    return plan.namespace();
  }

  @Override
  public void start() {
    start(List.of());
  }

  /**
   * With {@code -R}, which makes BIRD say in its OPENs that it has kept forwarding, and leave the
   * kernel's routes alone until its neighbours have told it all.
   */
  @Override
  public void recover() {
    start(List.of("-R"));
  }

  private void start(List<String> more) {
    Path config = directory.resolve("bird.conf");
    Path log = directory.resolve("bird.log");
    try {
      Files.createDirectories(directory);
      Files.writeString(config, configuration(plan));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<String> argv =
        new ArrayList<>(List.of("bird", "-f", "-c", config.toString(), "-s", socket().toString()));
    argv.addAll(more);
    ProcessRecord process =
        daemons.start(
            plan.name() + "/" + DAEMON,
            log,
            Map.of(),
            NetNs.in(plan.namespace(), argv.toArray(new String[0])));
    daemons.awaitReady(
        process,
        log,
        START_DEADLINE,
        () -> Files.exists(socket()) && birdc("show", "status").run().succeeded());
  }

  @Override
  public String daemon() {
    return DAEMON;
  }

  @Override
  public List<Session> sessions() {
    List<Session> printed = parseSessions(birdc("show", "protocols").check());
    return plan.neighbors().stream().map(neighbor -> session(neighbor, printed)).toList();
  }

  /** A host that is known by its link only has a protocol of its own while it is connected. */
  static Session session(RouterPlan.Neighbor neighbor, List<Session> printed) {
    return printed.stream()
        .filter(s -> s.peer().matches(neighbor.name() + "_\\d+"))
        .filter(Session::established)
        .map(s -> new Session(neighbor.name(), true, s.state()))
        .findFirst()
        .or(() -> printed.stream().filter(s -> s.peer().equals(neighbor.name())).findFirst())
        .orElseGet(() -> new Session(neighbor.name(), false, "absent"));
  }

  static List<Session> parseSessions(String text) {
    List<Session> sessions = new ArrayList<>();
    Matcher matcher = PROTOCOL.matcher(text);
    while (matcher.find()) {
      String info = matcher.group(3) == null ? "" : matcher.group(3);
      boolean established = matcher.group(2).equals("up") && info.equals("Established");
      sessions.add(
          new Session(matcher.group(1), established, info.isEmpty() ? matcher.group(2) : info));
    }
    return sessions;
  }

  @Override
  public Set<Cidr> bgpRoutes() {
    return parseRoutes(
        birdc("show", "route", "table", "master4", "where", "source", "=", "RTS_BGP").check());
  }

  static Set<Cidr> parseRoutes(String text) {
    Set<Cidr> routes = new TreeSet<>();
    Matcher matcher = ROUTE.matcher(text);
    while (matcher.find()) {
      routes.add(Cidr.parse(matcher.group(1)));
    }
    return routes;
  }

  @Override
  public void disableSession(String peer) {
    expect(
        birdc("disable", session(peer).peer()).check(),
        peer + ": disabled",
        peer + ": already disabled");
  }

  @Override
  public void enableSession(String peer) {
    expect(
        birdc("enable", session(peer).peer()).check(),
        peer + ": enabled",
        peer + ": already enabled");
  }

  /** birdc exits 0 also when BIRD refuses. */
  private void expect(String answer, String... wanted) {
    if (Arrays.stream(wanted).noneMatch(answer::contains)) {
      throw new LabException(name() + ": BIRD answered: " + answer.strip());
    }
  }

  private Path socket() {
    return directory.resolve("bird.sock");
  }

  @Override
  public List<String> cli(List<String> words) {
    List<String> argv = new ArrayList<>(List.of("birdc", "-s", socket().toString()));
    argv.addAll(words);
    return argv;
  }

  private Command birdc(String... words) {
    return Command.of(cli(List.of(words)));
  }

  static String configuration(RouterPlan plan) {
    StringBuilder text = new StringBuilder();
    text.append(
        """
        log stderr all;
        router id %s;
        """
            .formatted(plan.routerId()));
    if (plan.restartsGracefully()) {
      text.append("# After a crash, for neighbours that do not come back.\n");
      text.append("graceful restart wait 30;\n");
    }
    text.append("\nprotocol device { }\n");
    if (!plan.networks().isEmpty()) {
      text.append("protocol direct { ipv4; ipv6; interface %s; }%n".formatted(quoted(links(plan))));
    }
    String kept = plan.restartsGracefully() ? " persist; graceful restart on;" : "";
    for (String family : List.of("ipv4", "ipv6")) {
      text.append(
          """
          protocol kernel { %s { import none; export where source = RTS_BGP; }; merge paths on;%s }
          """
              .formatted(family, kept));
    }
    text.append(
        """

        template bgp peer {
          local as %d;
          hold time %d;
          keepalive time %d;
          connect retry time 1;
          connect delay time 1;
          error wait time 1, 3;
        %s}
        template bgp fabric from peer {
          ipv4 { import all; export all; next hop self; };
          ipv6 { import all; export all; next hop self; };
        }
        """
            .formatted(
                plan.asn().number(),
                RouterPlan.HOLD_SECONDS,
                RouterPlan.KEEPALIVE_SECONDS,
                restartOption(plan)));
    List<String> byLink = new ArrayList<>();
    for (RouterPlan.Neighbor neighbor : plan.hosts()) {
      if (neighbor instanceof RouterPlan.LinkPeer(String link)) {
        byLink.add(link);
      }
    }
    if (!plan.hosts().isEmpty()) {
      text.append(hostTemplate(plan, !byLink.isEmpty()));
    }
    if (!byLink.isEmpty()) {
      text.append(
          """
          # Tells the hosts this end's link-local address; it is no default gateway of theirs.
          protocol radv { interface %s { max ra interval 5; default lifetime 0; }; }

          """
              .formatted(quoted(byLink)));
    }
    for (RouterPlan.Neighbor neighbor : plan.neighbors()) {
      text.append(
          switch (neighbor) {
            case RouterPlan.Fabric(String name, var address, var asn) ->
                "protocol bgp %s from fabric { neighbor %s as %d; }%n"
                    .formatted(name, address, asn.number());
            case RouterPlan.HostPeer(String name, var address, var asn) ->
                "protocol bgp %s from host { neighbor %s as %d; }%n"
                    .formatted(name, address, asn.number());
            case RouterPlan.LinkPeer(String link) ->
                """
                protocol bgp %1$s from host { neighbor range fe80::/10 external; interface "%1$s"; dynamic name "%1$s_"; }
                """
                    .formatted(link);
          });
    }
    return text.toString();
  }

  private static String restartOption(RouterPlan plan) {
    return plan.restartsGracefully()
        ? """
          # Routes stay while this daemon, or the neighbour, restarts.
          graceful restart on;
        """
        : "";
  }

  private static String hostTemplate(RouterPlan plan, boolean unnumbered) {
    // BIRD 2.0 has no option for it.
    String export =
        plan.overriddenAs()
            .map(as -> "export filter { bgp_path.delete(" + as.number() + "); accept; };")
            .orElse("export all;");
    return """
    template bgp host from peer {
      %s
    %s  ipv4 { import where net ~ [ %s+ ]; %s%s };
      ipv6 { import where net ~ [ %s+ ]; %s%s };
    }
    """
        .formatted(
            unnumbered ? "direct;" : "passive;",
            plan.restartsGracefully()
                ? ""
                : """
                  # Helper only: a host's routes stay while its agent restarts.
                  graceful restart aware;
                """,
            Topology.POOL,
            export,
            unnumbered ? " extended next hop on; next hop self;" : "",
            Topology.POOL6,
            export,
            unnumbered ? " next hop self;" : "");
  }

  private static List<String> links(RouterPlan plan) {
    return plan.networks().stream().map(RouterPlan.Network::link).toList();
  }

  private static String quoted(List<String> words) {
    return words.stream().map(word -> '"' + word + '"').collect(Collectors.joining(", "));
  }
}
