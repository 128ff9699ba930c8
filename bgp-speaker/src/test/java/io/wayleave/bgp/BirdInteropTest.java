package io.wayleave.bgp;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.fsm.Phase;
import io.wayleave.bgp.session.RouteRecorder;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Against a real BIRD on the loopback network, which agrees by its own CLI. BIRD has an AS number
 * of four octets and both families on one session.
 */
@Tag("real")
class BirdInteropTest {
  private static final String OURS = "127.0.0.1";
  private static final String ITS = "127.0.0.2";
  private static final String OUR_ROUTE = "10.1.0.0/24";
  private static final String OUR_ROUTE6 = "fd00:1::/64";
  private static final String ITS_ROUTE = "10.2.0.0/24";
  private static final String ITS_ROUTE6 = "fd00:2::/64";
  private static final Duration WAIT = Duration.ofSeconds(15);

  private Daemon bird;
  private SpeakerConfig config;
  private RouteRecorder routes = new RouteRecorder();
  private BgpSpeaker speaker;

  @BeforeEach
  void start() throws IOException {
    int ourPort = Daemon.freePort(OURS);
    int itsPort = Daemon.freePort(ITS);
    bird = new Daemon("bird");
    bird.write("bird.conf", birdConfig(ourPort, itsPort));
    startBird();
    config =
        SpeakerConfig.of(RouterId.parse("10.255.0.1"), Asn.of(65001))
            .withListen(new ListenAddress(IpAddress.parse(OURS), ourPort))
            .withNextHop(IpAddress.parse("fd00::a"))
            .withPeer(
                PeerConfig.of("bird", IpAddress.parse(ITS), Asn.of(4_200_000_002L))
                    .withPort(itsPort)
                    .withSourceAddress(IpAddress.parse(OURS))
                    .withFamilies(Family.IPV4, Family.IPV6)
                    .withTimers(Timers.DEFAULT.withHoldTime(Duration.ofSeconds(9))));
    startSpeaker(new StartMode.Fresh());
  }

  private static String birdConfig(int ourPort, int itsPort) {
    return """
    log stderr all;
    router id 127.0.0.2;
    graceful restart wait 15;
    protocol device { }
    protocol static s4 { ipv4; route 10.2.0.0/24 blackhole; }
    protocol static s6 { ipv6; route fd00:2::/64 blackhole; }
    protocol bgp wayleave {
      strict bind yes;
      local 127.0.0.2 port %d as 4200000002;
      neighbor 127.0.0.1 port %d as 65001;
      multihop;
      hold time 9;
      graceful restart on;
      graceful restart time 20;
      connect delay time 1; connect retry time 2; error wait time 1,2;
      ipv4 { import all; export where source = RTS_STATIC; };
      ipv6 { import all; export where source = RTS_STATIC; next hop address fd00::b; };
    }
    """
        .formatted(itsPort, ourPort);
  }

  private void startBird(String... options) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of("bird", "-f", "-c", "bird.conf", "-s", "bird.ctl", "-P", "bird.pid"));
    command.addAll(List.of(options));
    bird.start(command);
    Await.until(
        "bird answers", WAIT, () -> birdc("show status").contains("up and running"), bird::log);
  }

  private void startSpeaker(StartMode mode) {
    routes = new RouteRecorder();
    speaker = BgpSpeaker.start(config, mode, routes);
  }

  /** Originates as the agent does after its start. */
  private void inSync() {
    speaker.originate(Cidr.parse(OUR_ROUTE));
    speaker.originate(Cidr.parse(OUR_ROUTE6));
    speaker.localRoutesInSync();
  }

  private void converge() {
    inSync();
    until(
        "both have all routes",
        () -> bothHave() && routes.has(ITS_ROUTE) && routes.has(ITS_ROUTE6));
    until("converged", routes::isConverged);
  }

  @AfterEach
  void stop() throws IOException {
    try {
      speaker.close();
    } finally {
      bird.close();
    }
  }

  private String birdc(String command) {
    return bird.birdc(command);
  }

  private boolean birdHas(String prefix) {
    return birdc("show route protocol wayleave").contains(prefix + " ");
  }

  private boolean bothHave() {
    String table = birdc("show route protocol wayleave");
    return table.contains(OUR_ROUTE + " ") && table.contains(OUR_ROUTE6 + " ");
  }

  private PeerStatus peer() {
    return speaker.status().peers().getFirst();
  }

  private void until(String what, BooleanSupplier condition) {
    Await.until(what, WAIT, condition, this::evidence);
  }

  private String evidence() {
    return bird.log()
        + birdc("show protocols all wayleave")
        + birdc("show route all")
        + peer()
        + "\n"
        + routes.changes();
  }

  @Test
  void exchangesRoutesOfBothFamiliesBothWays() {
    converge();
    String learned = birdc("show route all " + OUR_ROUTE);
    assertThat(learned).contains("BGP.as_path: 65001").contains("BGP.next_hop: " + OURS);
    assertThat(birdc("show route all " + OUR_ROUTE6)).contains("BGP.next_hop: fd00::a");
    String protocol = birdc("show protocols all wayleave");
    assertThat(protocol).contains("Established").contains("Route refresh").contains("4-octet AS");
    assertThat(routes.route(ITS_ROUTE).orElseThrow().nextHops())
        .containsExactly(LearnedRoute.NextHop.of(IpAddress.parse(ITS)));
    assertThat(routes.route(ITS_ROUTE6).orElseThrow().nextHops())
        .containsExactly(LearnedRoute.NextHop.of(IpAddress.parse("fd00::b")));
    PeerStatus status = peer();
    assertThat(status.state()).isEqualTo(Phase.ESTABLISHED);
    assertThat(status.established().orElseThrow().families())
        .containsExactly(Family.IPV4, Family.IPV6);
    assertThat(status.prefixes().get(Family.IPV4)).isEqualTo(new PeerStatus.Prefixes(1, 1, 1));
    assertThat(status.prefixes().get(Family.IPV6)).isEqualTo(new PeerStatus.Prefixes(1, 1, 1));
    assertThat(
            SlicedRoutes.received(speaker, "bird")
                .getFirst()
                .paths()
                .getFirst()
                .attributes()
                .asPath())
        .hasToString("4200000002");
    assertThat(SlicedRoutes.advertised(speaker, "bird")).hasSize(2);

    speaker.withdraw(Cidr.parse(OUR_ROUTE));
    until("withdrawn at bird", () -> !birdHas(OUR_ROUTE));
    assertThat(birdHas(OUR_ROUTE6)).isTrue();
    birdc("disable s4");
    until("withdrawn here", () -> !routes.has(ITS_ROUTE));
    assertThat(routes.has(ITS_ROUTE6)).isTrue();
    assertThat(peer().counters().established()).isEqualTo(1);
  }

  @Test
  void refreshesRoutesBothWays() {
    converge();
    long sent = peer().counters().updatesSent();
    birdc("reload in wayleave");
    until("sent again", () -> peer().counters().updatesSent() >= sent + 2);
    long received = peer().counters().updatesReceived();
    speaker.refresh("bird");
    until("received again", () -> peer().counters().updatesReceived() >= received + 2);
    assertThat(bothHave()).isTrue();
    assertThat(routes.changes()).as("nothing changed by it").hasSize(3);
  }

  @Test
  void birdKeepsOurRoutesWhileWeRestart() {
    converge();
    speaker.closeForRestart();
    Await.always("kept while away", Duration.ofSeconds(2), this::bothHave, this::evidenceOfBird);
    assertThat(birdc("show protocols wayleave")).doesNotContain("Established");

    startSpeaker(new StartMode.Restarted(Set.of(Family.IPV4, Family.IPV6)));
    until("established", () -> peer().state() == Phase.ESTABLISHED);
    Await.always(
        "kept until we are in sync", Duration.ofSeconds(2), this::bothHave, this::evidence);
    inSync();
    until("selection over", routes::isConverged);
    Await.always("kept after it", Duration.ofSeconds(1), this::bothHave, this::evidence);
    assertThat(routes.changes()).endsWith("converged").hasSize(3);
    assertThat(birdc("show protocols all wayleave")).contains("Established");
  }

  private String evidenceOfBird() {
    return bird.log() + birdc("show route all");
  }

  @Test
  void birdForgetsWhatTheRestartedSpeakerHasNoMore() {
    converge();
    speaker.closeForRestart();
    startSpeaker(new StartMode.Restarted(Set.of(Family.IPV4, Family.IPV6)));
    speaker.originate(Cidr.parse(OUR_ROUTE6));
    speaker.localRoutesInSync();
    until("swept by our End-of-RIB", () -> !birdHas(OUR_ROUTE));
    assertThat(birdHas(OUR_ROUTE6)).isTrue();
  }

  @Test
  void withoutTheForwardingBitBirdDropsOurRoutes() {
    converge();
    speaker.closeForRestart();
    startSpeaker(new StartMode.Restarted(Set.of()));
    until("established", () -> peer().state() == Phase.ESTABLISHED);
    until("dropped", () -> !birdHas(OUR_ROUTE));
  }

  @Test
  void shutdownIsNoRestart() {
    converge();
    speaker.shutdown("maintenance of rack 7");
    Await.until(
        "dropped at once", Duration.ofSeconds(2), () -> !birdHas(OUR_ROUTE), this::evidenceOfBird);
    assertThat(birdc("show protocols all wayleave")).contains("Administrative shutdown");
    assertThat(bird.log()).contains("maintenance of rack 7");
  }

  @Test
  void keepsBirdsRoutesWhileItIsKilledAndComesBack() throws IOException {
    converge();
    bird.kill();
    until("session down", () -> peer().state() != Phase.ESTABLISHED);
    assertThat(peer().staleFamilies()).containsExactly(Family.IPV4, Family.IPV6);
    assertThat(peer().whyDown().orElseThrow()).contains("connection lost");
    // -R: recover, so that the F bit is set.
    startBird("-R");
    until("back", () -> peer().state() == Phase.ESTABLISHED);
    until("all there again", () -> peer().staleFamilies().isEmpty() && bothHave());
    assertThat(routes.changes()).as("never away").hasSize(3);
    assertThat(routes.has(ITS_ROUTE)).isTrue();
  }

  @Test
  void withoutItsForwardingBitBirdsRoutesGo() throws IOException {
    converge();
    bird.kill();
    until("session down", () -> peer().state() != Phase.ESTABLISHED);
    assertThat(routes.has(ITS_ROUTE)).isTrue();
    startBird();
    until("dropped", () -> routes.changes().contains("-" + ITS_ROUTE));
    until("and learned again", () -> routes.has(ITS_ROUTE));
  }

  @Test
  void itsNotificationDropsItsRoutesAtOnce() {
    converge();
    birdc("disable wayleave \"rack 8 is off\"");
    until("session down", () -> peer().state() != Phase.ESTABLISHED);
    until("dropped", () -> !routes.has(ITS_ROUTE) && !routes.has(ITS_ROUTE6));
    assertThat(peer().whyDown().orElseThrow())
        .containsIgnoringCase("administrative shutdown")
        .contains("rack 8 is off");
    assertThat(peer().staleFamilies()).isEmpty();
  }

  @Test
  void bothSayWhyAWrongAsIsRefused() {
    converge();
    speaker.apply(
        config.withPeers(
            List.of(
                PeerConfig.of("bird", config.peers().getFirst().host().orElseThrow(), Asn.of(65077))
                    .withPort(config.peers().getFirst().port())
                    .withSourceAddress(IpAddress.parse(OURS)))));
    until(
        "refused",
        () ->
            peer()
                .lastNotificationSent()
                .filter(sent -> sent.text().toLowerCase(Locale.ROOT).contains("bad peer as"))
                .isPresent());
    assertThat(peer().lastError().orElseThrow().text()).contains("4200000002").contains("65077");
    until("bird says so", () -> birdc("show protocols all wayleave").contains("Bad peer AS"));
  }
}
