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
  public void start() {
    Path config = directory.resolve("bird.conf");
    Path log = directory.resolve("bird.log");
    try {
      Files.createDirectories(directory);
      Files.writeString(config, configuration(plan));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    ProcessRecord process =
        daemons.start(
            plan.name() + "/bird",
            log,
            Map.of(),
            NetNs.in(
                plan.namespace(),
                "bird",
                "-f",
                "-c",
                config.toString(),
                "-s",
                socket().toString()));
    daemons.awaitReady(
        process,
        log,
        START_DEADLINE,
        () -> Files.exists(socket()) && birdc("show", "status").run().succeeded());
  }

  @Override
  public List<Session> sessions() {
    return parseSessions(birdc("show", "protocols").check());
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

  private Command birdc(String... words) {
    List<String> argv = new ArrayList<>(List.of("birdc", "-s", socket().toString()));
    argv.addAll(List.of(words));
    return Command.of(argv);
  }

  static String configuration(RouterPlan plan) {
    String links =
        plan.networks().stream().map(n -> '"' + n.link() + '"').collect(Collectors.joining(", "));
    StringBuilder text = new StringBuilder();
    text.append(
        """
        # Written by the lab: %s
        log stderr all;
        router id %s;

        protocol device { }
        protocol direct { ipv4; ipv6; interface %s; }
        protocol kernel { ipv4 { import none; export where source = RTS_BGP; }; merge paths on; }
        protocol kernel { ipv6 { import none; export where source = RTS_BGP; }; merge paths on; }

        template bgp peer {
          local as %d;
          hold time %d;
          keepalive time %d;
          connect retry time 1;
          connect delay time 1;
          error wait time 1, 3;
        }
        template bgp fabric from peer {
          ipv4 { import all; export all; next hop self; };
          ipv6 { import all; export all; next hop self; };
        }
        template bgp host from peer {
          passive;
          # Helper only: a host's routes stay while its agent restarts.
          graceful restart aware;
          ipv4 { import where net ~ [ %s+ ]; export all; };
          ipv6 { import where net ~ [ %s+ ]; export all; };
        }
        """
            .formatted(
                plan.name(),
                plan.routerId(),
                links,
                plan.asn().number(),
                RouterPlan.HOLD_SECONDS,
                RouterPlan.KEEPALIVE_SECONDS,
                Topology.POOL,
                Topology.POOL6));
    for (RouterPlan.Neighbor neighbor : plan.neighbors()) {
      text.append(
          "protocol bgp %s from %s { neighbor %s as %d; }%n"
              .formatted(
                  neighbor.name(),
                  switch (neighbor) {
                    case RouterPlan.Fabric _ -> "fabric";
                    case RouterPlan.HostPeer _ -> "host";
                  },
                  neighbor.address(),
                  neighbor.asn().number()));
    }
    return text.toString();
  }
}
