package io.wayleave.bgp.session;

import static io.wayleave.bgp.session.VirtualSpeaker.config;
import static io.wayleave.bgp.session.VirtualSpeaker.peer;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.LearnedRoute;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.PeerStatus;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.Timers;
import io.wayleave.bgp.fsm.Phase;
import io.wayleave.model.Asn;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** Speakers that peer with each other in virtual time. */
class SpeakerCoreTest {
  private static final String A = "10.0.0.1";
  private static final String B = "10.0.0.2";
  private static final String C = "10.0.0.3";
  private static final Duration LONG = Duration.ofMinutes(10);

  private final VirtualNetwork network = new VirtualNetwork();
  private final VirtualNetwork.Host hostA = network.host(A);
  private final VirtualNetwork.Host hostB = network.host(B);
  private final VirtualNetwork.Host hostC = network.host(C);

  private void until(BooleanSupplier condition) {
    until(condition, Duration.ofSeconds(20));
  }

  private void until(BooleanSupplier condition, Duration most) {
    assertThat(network.runUntil(condition, most)).as("came true in %s", most).isTrue();
  }

  @Test
  void establishesAndTellsRoutesBothWays() {
    VirtualSpeaker a =
        VirtualSpeaker.start(hostA, config(A, 65001, peer(B, 65002))).inSync("10.1.0.0/24");
    VirtualSpeaker b =
        VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001))).inSync("10.2.0.0/24");
    until(() -> a.routes.has("10.2.0.0/24") && b.routes.has("10.1.0.0/24"), Duration.ofSeconds(5));

    assertThat(a.routes.route("10.2.0.0/24").orElseThrow().nextHops())
        .containsExactly(LearnedRoute.NextHop.of(IpAddress.parse(B)));
    assertThat(a.routes.route("10.2.0.0/24").orElseThrow().peers()).containsExactly(B);
    PeerStatus status = a.status(B);
    assertThat(status.state()).isEqualTo(Phase.ESTABLISHED);
    assertThat(status.whyDown()).isEmpty();
    assertThat(status.prefixes().get(Family.IPV4)).isEqualTo(new PeerStatus.Prefixes(1, 1, 1));
    assertThat(status.established().orElseThrow().holdTime()).isEqualTo(Duration.ofSeconds(90));
    assertThat(status.established().orElseThrow().fourOctetAs()).isTrue();
    assertThat(status.established().orElseThrow().gracefulRestart()).isTrue();

    b.withdraw("10.2.0.0/24");
    until(() -> !a.routes.has("10.2.0.0/24"));
    assertThat(a.established(B)).isTrue();
  }

  @Test
  void startedInTheWrongOrderItStillConvergesFast() {
    VirtualSpeaker a = VirtualSpeaker.start(hostA, config(A, 65001, peer(B, 65002))).inSync();
    network.run(Duration.ofSeconds(60));
    assertThat(a.status(B).state()).isIn(Phase.ACTIVE, Phase.CONNECT);
    assertThat(a.status(B).whyDown())
        .hasValueSatisfying(why -> assertThat(why).contains("refused"));
    VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001).withPassive(true))).inSync();
    until(() -> a.established(B), Duration.ofSeconds(5));
  }

  @Test
  void sessionSurvivesOnKeepalivesAlone() {
    VirtualSpeaker a = VirtualSpeaker.start(hostA, config(A, 65001, peer(B, 65002))).inSync();
    VirtualSpeaker b = VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001))).inSync();
    until(() -> a.established(B) && b.established(A));
    network.run(Duration.ofHours(2));
    assertThat(a.status(B).counters().established()).isEqualTo(1);
    assertThat(b.status(A).counters().established()).isEqualTo(1);
    // Two hours at 22.5 to 30 s each.
    assertThat(a.status(B).counters().messagesSent()).isBetween(240L, 330L);
  }

  @Test
  void crossingConnectionsLeaveOneSession() {
    // Both dial in the same millisecond, so there are two connections until the OPENs are compared.
    VirtualSpeaker a =
        VirtualSpeaker.start(hostA, config(A, 65001, peer(B, 65002))).inSync("10.1.0.0/24");
    VirtualSpeaker b =
        VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001))).inSync("10.2.0.0/24");
    network.run(Duration.ofNanos(1_500_000));
    assertThat(network.connections(hostA, hostB)).isEqualTo(2);
    until(() -> a.established(B) && b.established(A), Duration.ofSeconds(1));
    network.run(Duration.ofMinutes(5));
    assertThat(network.connections(hostA, hostB)).isEqualTo(1);
    assertThat(a.status(B).counters().established()).isEqualTo(1);
    assertThat(b.status(A).counters().established()).isEqualTo(1);
    // The connection of the speaker with the higher router id stays (RFC 4271 section 6.8).
    assertThat(a.core.peer(B).dialledByUs()).isFalse();
    assertThat(b.core.peer(A).dialledByUs()).isTrue();
    assertThat(a.routes.has("10.2.0.0/24")).isTrue();
  }

  private static SpeakerConfig withoutRfc8538(SpeakerConfig config) {
    return config.withGracefulRestart(config.gracefulRestart().withNotification(false));
  }

  @Test
  void silenceExpiresTheHoldTimerAndTheRoutesGo() {
    VirtualSpeaker a =
        VirtualSpeaker.start(hostA, withoutRfc8538(config(A, 65001, quick(B, 65002)))).inSync();
    VirtualSpeaker b =
        VirtualSpeaker.start(hostB, config(B, 65002, quick(A, 65001))).inSync("10.2.0.0/24");
    until(() -> a.routes.has("10.2.0.0/24"));
    network.cut(hostA, hostB);
    network.run(Duration.ofSeconds(5));
    assertThat(a.established(B)).isTrue();
    until(() -> !a.established(B), Duration.ofSeconds(5));
    // Not silent: our own NOTIFICATION ends graceful restart, as RFC 8538 is off here.
    until(() -> !a.routes.has("10.2.0.0/24"), Duration.ofMillis(10));
    assertThat(a.status(B).lastNotificationSent().orElseThrow().text())
        .containsIgnoringCase("hold timer");
    assertThat(a.status(B).whyDown().orElseThrow()).containsIgnoringCase("hold timer");
    until(() -> a.established(B) && b.established(A), LONG);
    until(() -> a.routes.has("10.2.0.0/24"));
  }

  @Test
  void wrongAsIsRefusedAndBothSaySo() {
    VirtualSpeaker a = VirtualSpeaker.start(hostA, config(A, 65001, peer(B, 65009))).inSync();
    VirtualSpeaker b = VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001))).inSync();
    until(() -> a.status(B).lastNotificationSent().isPresent());
    network.run(Duration.ofSeconds(1));
    assertThat(a.status(B).lastNotificationSent().orElseThrow().text())
        .containsIgnoringCase("bad peer AS");
    assertThat(a.status(B).lastError().orElseThrow().text()).contains("65002").contains("65009");
    assertThat(b.status(A).lastNotificationReceived().orElseThrow().text())
        .containsIgnoringCase("bad peer AS");
    assertThat(b.status(A).whyDown().orElseThrow()).containsIgnoringCase("bad peer AS");
    // Damped: the waits double up to 30 s.
    network.run(Duration.ofMinutes(5));
    assertThat(a.status(B).counters().messagesSent()).isLessThan(120);
  }

  @Test
  void strangersAreTurnedAway() {
    VirtualSpeaker a = VirtualSpeaker.start(hostA, config(A, 65001)).inSync();
    VirtualSpeaker b = VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001))).inSync();
    network.run(Duration.ofMinutes(1));
    assertThat(b.established(A)).isFalse();
    assertThat(network.connections(hostA, hostB)).isZero();
    a.core.apply(config(A, 65001, peer(B, 65002)));
    until(() -> b.established(A), Duration.ofSeconds(5));
  }

  @Test
  void addingAPeerTouchesNoOther() {
    SpeakerConfig before = config(A, 65001, peer(B, 65002));
    VirtualSpeaker a = VirtualSpeaker.start(hostA, before).inSync("10.1.0.0/24");
    VirtualSpeaker b = VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001))).inSync();
    VirtualSpeaker c = VirtualSpeaker.start(hostC, config(C, 65003, peer(A, 65001))).inSync();
    until(() -> b.routes.has("10.1.0.0/24"));
    a.core.apply(before.withPeer(peer(C, 65003)));
    until(() -> c.routes.has("10.1.0.0/24"));
    assertThat(a.status(B).counters().established()).isEqualTo(1);

    // A changed peer restarts alone, and is told why.
    a.core.apply(
        before.withPeer(
            peer(C, 65003).withTimers(Timers.DEFAULT.withHoldTime(Duration.ofSeconds(30)))));
    until(() -> c.status(A).lastNotificationReceived().isPresent());
    assertThat(c.status(A).lastNotificationReceived().orElseThrow().text())
        .containsIgnoringCase("configuration change");
    until(() -> a.established(C) && c.established(A));
    assertThat(a.status(B).counters().established()).isEqualTo(1);

    a.core.apply(before);
    until(() -> !c.established(A));
    assertThat(c.status(A).lastNotificationReceived().orElseThrow().text())
        .containsIgnoringCase("de-configured");
    assertThat(a.status(B).counters().established()).isEqualTo(1);
  }

  @Test
  void aHostBetweenTwoPeersIsNoTransitUnlessAskedTo() {
    SpeakerConfig host = config(A, 65001, peer(B, 65002), peer(C, 65003));
    VirtualSpeaker a = VirtualSpeaker.start(hostA, host).inSync("10.1.0.0/24");
    VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001))).inSync("10.2.0.0/24");
    VirtualSpeaker c = VirtualSpeaker.start(hostC, config(C, 65003, peer(A, 65001))).inSync();
    until(() -> c.routes.has("10.1.0.0/24") && a.routes.has("10.2.0.0/24"));
    network.run(Duration.ofMinutes(1));
    assertThat(c.routes.has("10.2.0.0/24")).isFalse();
    assertThat(a.advertised(C)).containsExactly("10.1.0.0/24");

    a.core.apply(config(A, 65001, peer(B, 65002), peer(C, 65003).withTransit(true)));
    until(() -> c.routes.has("10.2.0.0/24"));
    assertThat(a.status(C).counters().established()).as("no flap").isEqualTo(1);
    assertThat(
            c.table().stream()
                .filter(route -> route.prefix().toString().equals("10.2.0.0/24"))
                .map(route -> route.paths().getFirst().attributes().asPath().toString()))
        .containsExactly("65001 65002");
    a.core.apply(host);
    until(() -> !c.routes.has("10.2.0.0/24"));
  }

  @Test
  void equalPathsThroughTwoPeersAreUsedTogether() {
    VirtualSpeaker a =
        VirtualSpeaker.start(hostA, config(A, 65001, peer(B, 65002), peer(C, 65003))).inSync();
    VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001))).inSync("10.9.0.0/24");
    VirtualSpeaker.start(hostC, config(C, 65003, peer(A, 65001))).inSync("10.9.0.0/24");
    until(
        () ->
            a.routes
                .route("10.9.0.0/24")
                .filter(route -> route.nextHops().size() == 2)
                .isPresent());
    hostC.kill();
    // Kept as stale by graceful restart until its time is over.
    network.run(Duration.ofSeconds(5));
    assertThat(a.routes.route("10.9.0.0/24").orElseThrow().nextHops()).hasSize(2);
    network.run(Duration.ofSeconds(130));
    assertThat(a.routes.route("10.9.0.0/24").orElseThrow().nextHops())
        .containsExactly(LearnedRoute.NextHop.of(IpAddress.parse(B)));
  }

  @Test
  void aStuckPeerHoldsNobodyBackAndGetsTheLatestState() {
    VirtualSpeaker a =
        VirtualSpeaker.start(hostA, config(A, 65001, peer(B, 65002), peer(C, 65003)), 32 * 1024)
            .inSync();
    VirtualSpeaker b = VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001))).inSync();
    VirtualSpeaker c = VirtualSpeaker.start(hostC, config(C, 65003, peer(A, 65001))).inSync();
    until(() -> a.established(B) && a.established(C));
    network.run(Duration.ofSeconds(1));
    hostB.stall(true);
    List<String> many = new ArrayList<>();
    for (int i = 0; i < 30_000; i++) {
      many.add("10." + (100 + i / 65_536) + "." + (i / 256 % 256) + "." + i % 256 + "/32");
    }
    // More than the connection buffers.
    a.originate(many.toArray(String[]::new));
    until(() -> c.routes.size() == many.size());
    long queuedForB = a.status(B).prefixes().get(Family.IPV4).advertised();
    assertThat(queuedForB).isLessThan(many.size());
    for (String prefix : many.subList(1, many.size())) {
      a.withdraw(prefix);
    }
    until(() -> c.routes.size() == 1);
    hostB.stall(false);
    until(() -> b.routes.size() == 1);
    network.run(Duration.ofSeconds(1));
    assertThat(b.routes.size()).isEqualTo(1);
    // What was superseded while B was stuck never went out.
    assertThat(a.status(B).counters().updatesSent())
        .isLessThan(a.status(C).counters().updatesSent());
  }

  @Test
  void ipv6RoutesTravelOverAnIpv4SessionWithTheConfiguredNextHop() {
    PeerConfig toB = peer(B, 65002).withFamilies(Family.IPV4, Family.IPV6);
    PeerConfig toA = peer(A, 65001).withFamilies(Family.IPV4, Family.IPV6);
    VirtualSpeaker a =
        VirtualSpeaker.start(hostA, config(A, 65001, toB).withNextHop(IpAddress.parse("fd00::a")))
            .inSync("fd00:1::/64");
    VirtualSpeaker b = VirtualSpeaker.start(hostB, config(B, 65002, toA)).inSync("fd00:2::/64");
    until(() -> b.routes.has("fd00:1::/64"));
    assertThat(b.routes.route("fd00:1::/64").orElseThrow().nextHops())
        .containsExactly(LearnedRoute.NextHop.of(IpAddress.parse("fd00::a")));
    // B has no IPv6 next hop to offer, so it tells no IPv6 route.
    network.run(Duration.ofSeconds(5));
    assertThat(a.routes.has("fd00:2::/64")).isFalse();
  }

  @Test
  void sessionsRunOverIpv6Too() {
    VirtualNetwork.Host host1 = network.host("fd00::1");
    VirtualNetwork.Host host2 = network.host("fd00::2");
    VirtualSpeaker one =
        VirtualSpeaker.start(host1, ipv6("10.0.0.1", "fd00::1", 65001, "fd00::2", 65002))
            .inSync("fd00:1::/64");
    VirtualSpeaker two =
        VirtualSpeaker.start(host2, ipv6("10.0.0.2", "fd00::2", 65002, "fd00::1", 65001)).inSync();
    until(() -> two.routes.has("fd00:1::/64"));
    assertThat(two.routes.route("fd00:1::/64").orElseThrow().nextHops())
        .containsExactly(LearnedRoute.NextHop.of(IpAddress.parse("fd00::1")));
    assertThat(one.status("fd00::2").established().orElseThrow().families())
        .containsExactly(Family.IPV6);
  }

  private static SpeakerConfig ipv6(String id, String own, int as, String other, int otherAs) {
    return SpeakerConfig.of(RouterId.parse(id), Asn.of(as))
        .withListen(new ListenAddress(IpAddress.parse(own), ListenAddress.BGP_PORT))
        .withPeer(peer(other, otherAs));
  }

  @Test
  void holdTimeZeroKeepsASessionWithoutKeepalives() {
    Timers none = Timers.DEFAULT.withHoldTime(Duration.ZERO);
    VirtualSpeaker a =
        VirtualSpeaker.start(hostA, config(A, 65001, peer(B, 65002).withTimers(none))).inSync();
    VirtualSpeaker b = VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001))).inSync();
    until(() -> a.established(B) && b.established(A));
    network.run(Duration.ofSeconds(1));
    long sent = b.status(A).counters().messagesSent();
    network.run(Duration.ofDays(1));
    assertThat(b.status(A).counters().messagesSent()).isEqualTo(sent);
    assertThat(a.established(B)).isTrue();
  }

  @Test
  void anotherRouterIdRestartsEverySession() {
    VirtualSpeaker a =
        VirtualSpeaker.start(hostA, config(A, 65001, peer(B, 65002))).inSync("10.1.0.0/24");
    VirtualSpeaker b = VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001))).inSync();
    until(() -> b.routes.has("10.1.0.0/24"));
    a.core.apply(
        SpeakerConfig.of(RouterId.parse("9.9.9.9"), Asn.of(65001))
            .withListen(new ListenAddress(IpAddress.parse(A), ListenAddress.BGP_PORT))
            .withPeer(peer(B, 65002)));
    until(
        () ->
            b.status(A)
                .established()
                .filter(up -> up.peerRouterId().equals(RouterId.parse("9.9.9.9")))
                .isPresent());
    until(() -> b.routes.has("10.1.0.0/24"));
  }

  @Test
  void withoutACommonFamilyTheSessionIsRefused() {
    VirtualSpeaker a =
        VirtualSpeaker.start(hostA, config(A, 65001, peer(B, 65002).withFamilies(Family.IPV6)))
            .inSync();
    VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001))).inSync();
    network.run(Duration.ofSeconds(10));
    assertThat(a.established(B)).isFalse();
    assertThat(a.status(B).lastError().orElseThrow().text()).contains("ipv6-unicast");
  }

  @Test
  void internalPeersGetLocalRoutesWithLocalPreference() {
    VirtualSpeaker a =
        VirtualSpeaker.start(hostA, config(A, 65001, peer(B, 65001), peer(C, 65001))).inSync();
    VirtualSpeaker.start(hostB, config(B, 65001, peer(A, 65001))).inSync("10.2.0.0/24");
    VirtualSpeaker c =
        VirtualSpeaker.start(hostC, config(C, 65001, peer(A, 65001).withTransit(true))).inSync();
    until(() -> a.routes.has("10.2.0.0/24") && c.established(A));
    network.run(Duration.ofSeconds(5));
    assertThat(c.routes.has("10.2.0.0/24")).as("iBGP is not readvertised").isFalse();
    assertThat(a.table().getFirst().paths().getFirst().attributes().localPref()).hasValue(100);
    assertThat(a.table().getFirst().paths().getFirst().attributes().asPath().length()).isZero();
  }

  @Test
  void ownAsInThePathIsKeptAndShownButNotUsed() {
    // A and C share an AS; B hands A's route on to C.
    VirtualSpeaker.start(hostA, config(A, 65001, peer(B, 65002))).inSync("10.1.0.0/24");
    VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001), peer(C, 65001).withTransit(true)))
        .inSync();
    VirtualSpeaker c = VirtualSpeaker.start(hostC, config(C, 65001, peer(B, 65002))).inSync();
    until(() -> !c.table().isEmpty());
    assertThat(c.table().getFirst().paths().getFirst().verdict()).contains("own AS");
    assertThat(c.table().getFirst().paths().getFirst().best()).isFalse();
    assertThat(c.routes.has("10.1.0.0/24")).isFalse();
    assertThat(c.status(B).prefixes().get(Family.IPV4)).isEqualTo(new PeerStatus.Prefixes(1, 0, 0));
  }

  private static PeerConfig quick(String address, int as) {
    return peer(address, as).withTimers(Timers.DEFAULT.withHoldTime(Duration.ofSeconds(9)));
  }
}
