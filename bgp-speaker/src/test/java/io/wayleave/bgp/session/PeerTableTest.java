package io.wayleave.bgp.session;

import static io.wayleave.bgp.session.VirtualSpeaker.config;
import static io.wayleave.bgp.session.VirtualSpeaker.peer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.MaxPrefixes;
import io.wayleave.bgp.PeerAddress;
import io.wayleave.bgp.PeerAs;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.PeerSecurity;
import io.wayleave.bgp.PeerStatus;
import io.wayleave.bgp.ScopedAddress;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.Timers;
import io.wayleave.bgp.fsm.Phase;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Peers by range and by interface, passwords, and peers that are administratively down. */
class PeerTableTest {
  private static final String A = "10.0.0.1";
  private static final String B = "10.0.0.2";
  private static final String C = "10.0.0.3";
  private static final String LINK_LOCAL_A = "fe80::a";
  private static final String LINK_LOCAL_B = "fe80::b";

  private final VirtualNetwork network = new VirtualNetwork();
  private final VirtualNetwork.Host hostA = network.host(A);
  private final VirtualNetwork.Host hostB = network.host(B);
  private final VirtualNetwork.Host hostC = network.host(C);

  private void until(BooleanSupplier condition) {
    assertThat(network.runUntil(condition, Duration.ofSeconds(20))).as("came true").isTrue();
  }

  private static PeerConfig range(String name, String cidr, int limit) {
    return PeerConfig.of(
        name, new PeerAddress.Range(Cidr.parse(cidr), limit), new PeerAs.External());
  }

  private static List<String> names(VirtualSpeaker speaker) {
    return new StatusReport(speaker.core).speaker().peers().stream().map(PeerStatus::name).toList();
  }

  private VirtualSpeaker b(PeerConfig ofA) {
    return VirtualSpeaker.start(hostB, config(B, 65002, ofA)).inSync("10.2.0.0/24");
  }

  private VirtualSpeaker c(PeerConfig ofA) {
    return VirtualSpeaker.start(hostC, config(C, 65003, ofA)).inSync("10.3.0.0/24");
  }

  @Test
  void aPeerOfARangeComesWithItsConnectionAndGoesWithItsSession() {
    VirtualSpeaker a =
        VirtualSpeaker.start(hostA, config(A, 65001, range("rack", "10.0.0.0/24", 10)))
            .inSync("10.1.0.0/24");
    assertThat(names(a)).isEmpty();
    assertThat(a.routes.isConverged()).as("nobody is waited for").isFalse();
    VirtualSpeaker b = b(peer(A, 65001));
    VirtualSpeaker c = c(peer(A, 65001));
    until(() -> a.routes.has("10.2.0.0/24") && a.routes.has("10.3.0.0/24"));
    until(() -> b.routes.has("10.1.0.0/24"));
    assertThat(names(a)).containsExactlyInAnyOrder("rack-10.0.0.2", "rack-10.0.0.3");
    assertThat(a.status("rack-10.0.0.2").where()).hasToString("10.0.0.0/24");
    assertThat(a.status("rack-10.0.0.2").asNumber()).contains(Asn.of(65002));

    b.core.shutdown("");
    until(() -> names(a).equals(List.of("rack-10.0.0.3")));
    assertThat(a.routes.has("10.2.0.0/24")).isFalse();
    assertThat(c.established(A)).isTrue();
  }

  @Test
  void aPeerOfARangeThatRestartsGracefullyIsKeptAsLongAsItsRoutes() {
    VirtualSpeaker a =
        VirtualSpeaker.start(hostA, config(A, 65001, range("rack", "10.0.0.0/24", 10))).inSync();
    b(peer(A, 65001));
    until(() -> a.routes.has("10.2.0.0/24"));
    hostB.kill();
    network.run(Duration.ofSeconds(119));
    assertThat(a.routes.has("10.2.0.0/24")).isTrue();
    assertThat(names(a)).containsExactly("rack-10.0.0.2");
    network.run(Duration.ofSeconds(2));
    assertThat(a.routes.has("10.2.0.0/24")).isFalse();
    assertThat(names(a)).isEmpty();
  }

  @Test
  void theLongestRangeWinsAndAPeerOfItsOwnWinsOverAll() {
    VirtualSpeaker a =
        VirtualSpeaker.start(
                hostA,
                config(
                    A,
                    65001,
                    range("all", "10.0.0.0/8", 10),
                    range("some", "10.0.0.2/31", 10),
                    peer(C, 65003)))
            .inSync();
    VirtualSpeaker b = b(peer(A, 65001));
    VirtualSpeaker c = c(peer(A, 65001));
    until(() -> b.established(A) && c.established(A));
    assertThat(names(a)).containsExactlyInAnyOrder("some-10.0.0.2", C);
  }

  @Test
  void beyondItsLimitARangeRefuses() {
    VirtualSpeaker a =
        VirtualSpeaker.start(hostA, config(A, 65001, range("rack", "10.0.0.0/24", 1))).inSync();
    VirtualSpeaker b = b(peer(A, 65001));
    until(() -> b.established(A));
    VirtualSpeaker c = c(peer(A, 65001));
    until(() -> c.status(A).lastNotificationReceived().isPresent());
    assertThat(c.status(A).lastNotificationReceived().orElseThrow().text())
        .contains("Connection Rejected");
    assertThat(names(a)).containsExactly("rack-10.0.0.2");
    // A greater limit lets it in and touches nobody.
    a.core.apply(config(A, 65001, range("rack", "10.0.0.0/24", 2)));
    assertThat(network.runUntil(() -> c.established(A), Duration.ofMinutes(2))).isTrue();
    assertThat(b.status(A).counters().established()).isEqualTo(1);
  }

  @Test
  void aChangedRangeChangesItsPeersAndOnlyThem() {
    SpeakerConfig before =
        config(A, 65001, range("two", "10.0.0.2/32", 5), range("three", "10.0.0.3/32", 5));
    VirtualSpeaker a = VirtualSpeaker.start(hostA, before).inSync();
    VirtualSpeaker b = b(peer(A, 65001));
    VirtualSpeaker c = c(peer(A, 65001));
    until(() -> b.established(A) && c.established(A));

    Timers quick = Timers.DEFAULT.withHoldTime(Duration.ofSeconds(30));
    a.core.apply(
        config(
            A,
            65001,
            range("two", "10.0.0.2/32", 5).withTimers(quick),
            range("three", "10.0.0.3/32", 5)));
    until(() -> !b.established(A));
    until(
        () ->
            b.status(A)
                .established()
                .filter(up -> up.holdTime().equals(Duration.ofSeconds(30)))
                .isPresent());
    assertThat(c.status(A).counters().established()).isEqualTo(1);

    // The range of B is gone, C gets a peer of its own.
    a.core.apply(config(A, 65001, peer(C, 65003)));
    until(() -> !b.established(A) && !c.established(A));
    assertThat(b.status(A).lastNotificationReceived().orElseThrow().text())
        .contains("De-configured");
    until(() -> c.established(A));
    assertThat(names(a)).containsExactly(C);
  }

  /** Without memory of it the neighbour would be a new peer with each of its dials. */
  @Test
  void aPeerOfARangeAboveItsLimitStaysAwayUntilSomeoneClearsIt() {
    MaxPrefixes one = new MaxPrefixes(1, 75, new MaxPrefixes.Shutdown(Optional.empty()));
    VirtualSpeaker a =
        VirtualSpeaker.start(
                hostA,
                config(
                    A,
                    65001,
                    range("rack", "10.0.0.0/24", 10)
                        .withPolicy(rules -> rules.maxPrefixes(Family.IPV4, one))))
            .inSync();
    VirtualSpeaker b = b(peer(A, 65001));
    until(() -> b.established(A));
    until(() -> a.established("rack-10.0.0.2"));
    b.originate("10.2.1.0/24", "10.2.2.0/24");
    until(() -> !b.established(A));
    network.run(Duration.ofHours(1));
    assertThat(names(a)).containsExactly("rack-10.0.0.2");
    assertThat(b.status(A).counters().established()).isEqualTo(1);
    a.core.clear("rack-10.0.0.2", "");
    until(() -> b.status(A).counters().established() == 2);
  }

  /** RFC 4271 section 6.2: what both OPENs say must be what the routes are told with. */
  @Test
  void anotherAsOfOurOwnReachesAlsoAPeerThatIsChangedBesides() {
    VirtualSpeaker a = VirtualSpeaker.start(hostA, config(A, 65001, peer(B, 65002))).inSync();
    VirtualSpeaker b =
        VirtualSpeaker.start(
                hostB,
                config(
                    B,
                    65002,
                    PeerConfig.of(
                        A, new PeerAddress.Host(IpAddress.parse(A)), new PeerAs.External())))
            .inSync();
    until(() -> a.established(B) && b.established(A));
    a.core.apply(
        config(A, 65009, peer(B, 65002).withPolicy(rules -> rules.gracefulShutdown(true))));
    until(() -> b.status(A).asNumber().equals(Optional.of(Asn.of(65009))));
    until(() -> a.established(B) && b.established(A));
  }

  @Test
  void aPeerByInterfaceBeginsWhenItIsHeardAndMovesWithIt() {
    VirtualNetwork.Host one = network.host(LINK_LOCAL_A);
    VirtualNetwork.Host two = network.host(LINK_LOCAL_B);
    VirtualSpeaker a = VirtualSpeaker.start(one, unnumbered(A, 65001, LINK_LOCAL_A)).inSync();
    VirtualSpeaker b =
        VirtualSpeaker.start(two, unnumbered(B, 65002, LINK_LOCAL_B)).inSync("fd00:2::/64");
    network.run(Duration.ofSeconds(30));
    assertThat(a.status("tor").whyDown()).contains("no router was heard on eth0");
    assertThat(a.status("tor").address()).isEmpty();

    a.core.neighbourFound("eth1", on(LINK_LOCAL_B));
    assertThat(a.status("tor").address()).as("not its interface").isEmpty();
    a.core.neighbourFound("eth0", on(LINK_LOCAL_B));
    b.core.neighbourFound("eth0", on(LINK_LOCAL_A));
    until(() -> a.established("tor") && b.established("tor"));
    until(() -> a.routes.has("fd00:2::/64"));
    assertThat(a.status("tor").address()).contains(IpAddress.parse(LINK_LOCAL_B));
    network.run(Duration.ofMinutes(5));
    a.core.neighbourFound("eth0", on(LINK_LOCAL_B));
    assertThat(a.status("tor").counters().established()).isEqualTo(1);

    a.core.neighbourLost("eth0");
    assertThat(a.established("tor")).isFalse();
    until(() -> !a.routes.has("fd00:2::/64"));
    a.core.neighbourFound("eth0", on(LINK_LOCAL_B));
    until(() -> a.routes.has("fd00:2::/64"));

    // Another router in its place.
    a.core.neighbourFound("eth0", on("fe80::c"));
    assertThat(a.established("tor")).isFalse();
    assertThat(a.status("tor").address()).contains(IpAddress.parse("fe80::c"));
  }

  private static ScopedAddress on(String address) {
    return new ScopedAddress(IpAddress.parse(address), 3);
  }

  private static SpeakerConfig unnumbered(String id, int as, String own) {
    return SpeakerConfig.of(RouterId.parse(id), Asn.of(as))
        .withListen(new ListenAddress(IpAddress.parse(own), ListenAddress.BGP_PORT))
        .withPeer(
            PeerConfig.of("tor", new PeerAddress.OnInterface("eth0"), new PeerAs.External())
                .withFamilies(Family.IPV6));
  }

  @Test
  void aPeerThatIsDownByConfigurationSaysWhyToBothSides() {
    SpeakerConfig wanted = config(A, 65001, peer(B, 65002));
    VirtualSpeaker a = VirtualSpeaker.start(hostA, wanted).inSync();
    VirtualSpeaker b = b(peer(A, 65001));
    until(() -> a.established(B) && b.established(A));

    a.core.apply(
        config(A, 65001, peer(B, 65002).with(down -> down.shutdown(Optional.of("cable works")))));
    assertThat(a.status(B).state()).isEqualTo(Phase.IDLE);
    assertThat(a.status(B).whyDown()).contains("administratively down: cable works");
    until(() -> b.status(A).lastNotificationReceived().isPresent());
    assertThat(b.status(A).lastNotificationReceived().orElseThrow().text())
        .contains("Administrative Shutdown")
        .contains("cable works");
    long before = b.status(A).counters().messagesReceived();
    network.run(Duration.ofMinutes(2));
    assertThat(b.established(A)).isFalse();
    assertThat(b.status(A).counters().messagesReceived())
        .as("each attempt is told why")
        .isGreaterThan(before);
    assertThat(b.status(A).whyDown().orElseThrow()).contains("cable works");

    a.core.apply(wanted);
    until(() -> a.established(B) && b.established(A));
  }

  @Test
  void passwordsMustAgree() {
    PeerConfig toB = peer(B, 65002).with(p -> p.security(password("one")));
    VirtualSpeaker a = VirtualSpeaker.start(hostA, config(A, 65001, toB)).inSync();
    VirtualSpeaker b = b(peer(A, 65001).with(p -> p.security(password("two"))));
    network.run(Duration.ofMinutes(1));
    assertThat(b.established(A)).isFalse();
    b.core.apply(config(B, 65002, peer(A, 65001).with(p -> p.security(password("one")))));
    until(() -> a.established(B) && b.established(A));
    assertThat(a.status(B) + " " + toB).doesNotContain("one,").doesNotContain("\"one\"");
  }

  @Test
  void aRangeHasOnePasswordForAll() {
    PeerConfig rack = range("rack", "10.0.0.0/24", 9).with(p -> p.security(password("key")));
    VirtualSpeaker a = VirtualSpeaker.start(hostA, config(A, 65001, rack)).inSync();
    VirtualSpeaker b = b(peer(A, 65001).with(p -> p.security(password("key"))));
    VirtualSpeaker c = c(peer(A, 65001));
    until(() -> b.established(A));
    network.run(Duration.ofMinutes(1));
    assertThat(c.established(A)).isFalse();
    assertThat(names(a)).containsExactly("rack-10.0.0.2");
    // The kernel knows no exception of a prefix.
    assertThatThrownBy(() -> config(A, 65001, rack, peer(B, 65002)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("peers[1].md5Password")
        .hasMessageContaining("rack");
  }

  private static PeerSecurity password(String key) {
    return new PeerSecurity(Optional.of(key), OptionalInt.empty());
  }

  /** RFC 5082: the listening socket cannot tell peers apart. */
  @Test
  void onlyWherePeersAreAllNearIsNobodyFartherHeard() {
    PeerConfig one = peer("10.0.0.2", 65002).with(near(1));
    PeerConfig two = peer("10.0.0.3", 65003).with(near(3));
    PeerConfig anywhere = peer("10.0.0.4", 65004);
    VirtualSpeaker speaker = VirtualSpeaker.start(hostA, config("10.0.0.1", 65001, one, two));
    assertThat(hostA.ttlHops).isEqualTo(Map.of(Family.IPV4, 3));
    speaker.core.apply(config("10.0.0.1", 65001, one, two, anywhere));
    assertThat(hostA.ttlHops).isEmpty();
    speaker.core.apply(config("10.0.0.1", 65001, one));
    assertThat(hostA.ttlHops).isEqualTo(Map.of(Family.IPV4, 1));
  }

  private static Consumer<PeerConfig.Builder> near(int hops) {
    return peer -> peer.security(new PeerSecurity(Optional.empty(), OptionalInt.of(hops)));
  }
}
