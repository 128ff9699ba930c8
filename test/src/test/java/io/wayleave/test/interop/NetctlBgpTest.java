package io.wayleave.test.interop;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.bgp.daemon.BgpMain;
import io.wayleave.ctl.Netctl;
import io.wayleave.model.ResourceCodec;
import io.wayleave.test.lab.Await;
import io.wayleave.test.lab.Command;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * {@code netctl bgp} against the program {@code wayleave-bgp} between two real BIRDs: what it says
 * is what birdc says.
 */
@Tag("real")
class NetctlBgpTest {
  private static final Duration WAIT = Duration.ofSeconds(30);
  private static final String SECOND = "10.77.0.3";

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

  private final Link link = new Link();
  private final Path folder = link.folder("wayleave");
  private final Bird one = new Bird(link, Side.THEIRS, "one");
  private final Bird two = new Bird(link, Side.THEIRS, "two");
  private Optional<DaemonProcess> speaker = Optional.empty();

  @BeforeEach
  void start() throws IOException {
    var _ = link.ip(Side.THEIRS, "address", "add", SECOND + "/24", "dev", Link.INTERFACE);
    configure("");
    speaker =
        Optional.of(
            DaemonProcess.start(
                link.at(Side.OURS),
                folder,
                Map.of(),
                // A JVM never handles a SIGHUP that its parent ignores, as under nohup.
                "env",
                "--default-signal=HUP",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                BgpMain.class.getName(),
                "--config",
                "bgp.yaml"));
    one.start(
        Setup.of(Side.THEIRS, false, 65001, 65002)
            .announcing(
                Route.to("10.2.0.0/24").community("65001:7").large("65001:1:2"),
                Route.to("10.3.0.0/24")));
    two.start(
        Setup.of(Side.THEIRS, false, 65003, 65002)
            .from(SECOND)
            .announcing(Route.to("10.2.0.0/24"), Route.to("10.3.0.0/24")));
    until(
        "both are told everything",
        () ->
            Files.exists(socket())
                && state("one").equals("Established")
                && state("two").equals("Established")
                && one.received().size() == 1
                && two.received().size() == 3
                && neighbor("two").at("/prefixes/0/received").asInt() == 2);
  }

  private Path socket() {
    return folder.resolve("admin.sock");
  }

  /** Writes the file; what is given is added to the peer {@code two}. */
  private void configure(String more) throws IOException {
    Files.writeString(
        folder.resolve("bgp.yaml"),
        """
        routerId: 10.77.0.1
        asNumber: 65002
        listen: [ { address: 10.77.0.1 } ]
        adminSocket: %s
        peerDefaults: { timers: { hold: 9, connectRetry: 1, idleHold: 0.5, idleHoldMax: 1 } }
        peers:
          - { name: one, address: 10.77.0.2, asNumber: 65001, filters: [own-only] }
          - { name: two, address: 10.77.0.3, asNumber: 65003, filters: [less]%s }
        routes:
          - { prefix: 10.9.0.0/24, communities: ["65002:9"], med: 30 }
        filters:
          own-only:
            exportV4: [ { action: Reject, source: RemotePeers } ]
          less:
            importV4:
              - { action: Reject, cidr: 10.3.0.0/24, matchOperator: Equal }
              - { action: Accept, operations: [ { setLocalPref: { value: 50 } } ] }
        """
            .formatted(socket(), more));
  }

  @AfterEach
  void stop() {
    try (Link _ = link;
        Bird _ = one;
        Bird _ = two) {
      speaker.ifPresent(DaemonProcess::close);
    }
  }

  private void until(String what, BooleanSupplier condition) {
    Await.until(what, WAIT, condition, this::evidence);
  }

  private String evidence() {
    return speaker.map(DaemonProcess::log).orElse("")
        + netctl("neighbors")
        + netctl("routes")
        + one.evidence()
        + two.evidence();
  }

  private String netctl(String... arguments) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    Netctl.run(arguments(arguments), out, out, Map.of());
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private String[] arguments(String... given) {
    List<String> all = new ArrayList<>(List.of("--timeout", "30s", "bgp"));
    all.addAll(Arrays.asList(given));
    all.addAll(List.of("--socket", socket().toString()));
    return all.toArray(String[]::new);
  }

  private JsonNode json(String... arguments) {
    List<String> all = new ArrayList<>(Arrays.asList(arguments));
    all.addAll(List.of("-o", "json"));
    String text = netctl(all.toArray(String[]::new));
    try {
      return ResourceCodec.jsonMapper().readTree(text);
    } catch (JsonProcessingException e) {
      throw new AssertionError(text, e);
    }
  }

  private JsonNode neighbor(String name) {
    return json("neighbors", name).path(0);
  }

  private String state(String name) {
    return neighbor(name).path("state").asText();
  }

  private static Set<Capability> capabilities(JsonNode texts) {
    Set<Capability> all = EnumSet.noneOf(Capability.class);
    texts.forEach(
        text -> {
          String words = text.asText();
          String name = words.startsWith("multiprotocol") ? words : words.split(" ", -1)[0];
          Optional.ofNullable(CAPABILITIES.get(name)).ifPresent(all::add);
        });
    return all;
  }

  /** Routes of an answer with attributes as {@link Route}s; each path is one. */
  private static Set<Route> routes(JsonNode answer) {
    Set<Route> routes = new TreeSet<>();
    for (JsonNode route : answer) {
      for (JsonNode path : route.path("paths")) {
        Route made =
            Route.to(route.path("prefix").asText())
                .nextHop(path.path("nextHop").asText())
                .asPath(path.path("asPath").asText())
                .origin(path.path("origin").asText().toLowerCase(Locale.ROOT))
                .med(path.path("med").asLong());
        for (JsonNode community : path.path("communities")) {
          String text = community.asText();
          made = text.split(":", -1).length == 3 ? made.large(text) : made.community(text);
        }
        routes.add(made);
      }
    }
    return routes;
  }

  private static Set<Route> map(Set<Route> routes, UnaryOperator<Route> change) {
    return routes.stream().map(change).collect(Collectors.toCollection(TreeSet::new));
  }

  private static String verdict(JsonNode routes, String prefix, String peer) {
    for (JsonNode route : routes) {
      for (JsonNode path : route.path("paths")) {
        if (route.path("prefix").asText().equals(prefix)
            && path.path("peer").asText().equals(peer)) {
          return path.path("verdict").asText();
        }
      }
    }
    throw new AssertionError(prefix + " of " + peer + " is not in " + routes);
  }

  @Test
  void sessionsAndRoutesAreThoseOfBird() {
    assertThat(netctl("summary"))
        .contains("Speaker                    AS 65002, router id 10.77.0.1\n")
        .contains("Listening                  10.77.0.1 port 179\n")
        .contains("Originated                 1 route\n")
        .containsPattern("one +10\\.77\\.0\\.2 +65001 +Established +\\S+ +2 +2 +1 +-\n")
        .containsPattern("two +10\\.77\\.0\\.3 +65003 +Established +\\S+ +2 +1 +3 +-\n");
    assertThat(json("summary").path("neighbors")).hasSize(2);

    SessionFacts bird = one.session();
    JsonNode peer = neighbor("one");
    JsonNode capabilities = peer.at("/session/capabilities");
    assertThat(bird.established()).isTrue();
    assertThat(capabilities(capabilities.path("sent"))).isEqualTo(bird.heard());
    assertThat(capabilities(capabilities.path("received"))).isEqualTo(bird.offered());
    assertThat(capabilities(capabilities.path("inForce")))
        .contains(Capability.IPV4, Capability.ROUTE_REFRESH, Capability.FOUR_OCTET_AS)
        .isSubsetOf(bird.heard())
        .isSubsetOf(bird.offered());
    assertThat(peer.at("/session/peerRouterId").asText()).isEqualTo("10.77.0.2");
    assertThat(peer.at("/session/holdTime").asInt()).isEqualTo(9);
    assertThat(one.birdc("show protocols all peer"))
        .containsPattern("Hold timer: +[0-9.]+/9\n")
        .contains("Neighbor ID:      10.77.0.1");
    assertThat(netctl("neighbors", "one"))
        .containsPattern("Capabilities sent +multiprotocol ipv4, route-refresh, .*4-byte-as 65002")
        .containsPattern("Capabilities received +.*4-byte-as 65001");

    // BIRD does not show next hop and AS path of what it sends; both are in the table below.
    assertThat(map(routes(json("routes", "--received", "one")), Route::payload))
        .isEqualTo(one.sent());
    assertThat(map(routes(json("routes", "--received", "two")), Route::payload))
        .isEqualTo(two.sent());
    assertThat(routes(json("routes", "--advertised", "one")))
        .isEqualTo(map(one.received(), Route::external));
    assertThat(routes(json("routes", "--advertised", "two")))
        .isEqualTo(map(two.received(), Route::external));
    JsonNode all = json("routes");
    assertThat(verdict(all, "10.2.0.0/24", "one")).isEqualTo("best");
    assertThat(verdict(all, "10.2.0.0/24", "two")).isEqualTo("lower local preference");
    assertThat(verdict(all, "10.3.0.0/24", "two"))
        .isEqualTo("rejected by filter \"less\", importV4[0]");
    assertThat(netctl("routes", "10.2.0.0/24"))
        .containsPattern(
            "10\\.2\\.0\\.0/24 +10\\.77\\.0\\.2 +one +65001 +\\S+ +- +- +65001:7,65001:1:2 +best\n")
        .doesNotContain("10.3.0.0/24");
    assertThat(json("routes", "--best")).hasSize(3);
    assertThat(json("routes", "--best", "10.2.0.0/24").at("/0/paths")).hasSize(1);
  }

  @Test
  void refreshAsksAndClearResets() {
    int before = neighbor("one").path("timesEstablished").asInt();
    JsonNode other = neighbor("two").path("timesEstablished");
    one.birdc("debug peer { packets }");
    assertThat(netctl("refresh", "one")).isEqualTo("asked one for its routes again\n");
    until("BIRD is asked", () -> one.evidence().contains("Got ROUTE-REFRESH"));
    assertThat(neighbor("one").at("/messagesSent/routeRefresh").asInt()).isEqualTo(1);
    assertThat(state("one")).isEqualTo("Established");

    assertThat(netctl("clear", "one", "--message", "new cable"))
        .isEqualTo("ended the session with one; it comes back by itself\n");
    until(
        "it comes back",
        () ->
            neighbor("one").path("timesEstablished").asInt() == before + 1
                && one.received().size() == 1
                && state("one").equals("Established"));
    assertThat(one.session().reasons()).anyMatch(reason -> reason.contains("new cable"));
    JsonNode peer = neighbor("one");
    assertThat(peer.at("/lastNotificationSent/text").asText())
        .isEqualTo("Cease/Administrative Reset (6/4): \"new cable\"");
    assertThat(neighbor("two").path("timesEstablished")).isEqualTo(other);
    assertThat(netctl("clear", "three"))
        .contains("peer: \"three\" is not allowed; allowed: the name of a peer: one, two");
  }

  @Test
  void aSessionThatIsDownSaysWhy() throws IOException {
    one.birdc("disable peer \"rack 7 moves\"");
    until("one is down", () -> !state("one").equals("Established"));
    JsonNode peer = neighbor("one");
    String said = "Cease/Administrative Shutdown (6/2): \"rack 7 moves\"";
    assertThat(peer.at("/lastNotificationReceived/text").asText()).isEqualTo(said);
    assertThat(netctl("neighbors", "one"))
        .containsPattern("Last NOTIFICATION received \\S+ \\QCease/Administrative Shutdown\\E")
        .contains("Down  ");
    until("BIRD refuses connections", () -> netctl("summary").contains("Connection refused"));
    assertThat(netctl("summary"))
        .containsPattern("one .* received NOTIFICATION .*rack 7 moves.*; since then: .*refused");

    configure(", shutdown: \"until noon\"");
    Command.of("kill", "-HUP", Long.toString(speaker.orElseThrow().pid())).check();
    until("two is down", () -> state("two").equals("Idle"));
    assertThat(neighbor("two").path("whyDown").asText())
        .isEqualTo("administratively down: until noon");
    assertThat(neighbor("two").at("/lastNotificationSent/text").asText())
        .isEqualTo("Cease/Administrative Shutdown (6/2): \"until noon\"");
    until(
        "BIRD was told",
        () -> two.session().reasons().stream().anyMatch(reason -> reason.contains("until noon")));
    assertThat(routes(json("routes", "--best"))).hasSize(1);
  }

  @Test
  void watchShowsAChange() throws InterruptedException {
    ByteArrayOutputStream seen = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(seen, true, StandardCharsets.UTF_8);
    Thread watcher =
        Thread.ofPlatform()
            .start(
                () -> {
                  int _ = Netctl.run(arguments("summary", "--watch"), out, out, Map.of());
                });
    try {
      until(
          "shown twice",
          () -> seen.toString(StandardCharsets.UTF_8).split("Speaker", -1).length > 2);
      assertThat(seen.toString(StandardCharsets.UTF_8)).contains("one").doesNotContain("moved");
      one.birdc("disable peer \"moved\"");
      until("the change is shown", () -> seen.toString(StandardCharsets.UTF_8).contains("moved"));
    } finally {
      watcher.interrupt();
      assertThat(watcher.join(WAIT)).isTrue();
    }
  }
}
