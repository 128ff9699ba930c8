package io.wayleave.bgp.session;

import static io.wayleave.bgp.session.VirtualSpeaker.config;
import static io.wayleave.bgp.session.VirtualSpeaker.peer;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.BfdSettings;
import io.wayleave.bgp.LearnedRoute;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.PeerAddress;
import io.wayleave.bgp.PeerAs;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.ScopedAddress;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.bfd.BfdEndpoint;
import io.wayleave.bgp.bfd.Diagnostic;
import io.wayleave.model.Asn;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** What BFD and router advertisements do to sessions, between speakers in virtual time. */
class PathDownTest {
  private static final String A = "10.0.0.1";
  private static final String B = "10.0.0.2";
  private static final String FROM_B = "10.2.0.0/24";
  private static final BfdEndpoint TO_B = BfdEndpoint.of(IpAddress.parse(B));
  private static final String LINK_LOCAL_A = "fe80::a";
  private static final String LINK_LOCAL_B = "fe80::b";

  private final VirtualNetwork network = new VirtualNetwork();
  private VirtualSpeaker a;
  private VirtualSpeaker b;

  private void converge(PeerConfig ofB) {
    a = VirtualSpeaker.start(network.host(A), config(A, 65001, ofB)).inSync();
    b = VirtualSpeaker.start(network.host(B), config(B, 65002, peer(A, 65001))).inSync(FROM_B);
    until(() -> a.established(B) && a.routes.has(FROM_B));
  }

  private static PeerConfig watched() {
    return peer(B, 65002).with(peer -> peer.bfd(Optional.of(BfdSettings.DEFAULT)));
  }

  private void until(BooleanSupplier condition) {
    assertThat(network.runUntil(condition, Duration.ofSeconds(20))).as("came true").isTrue();
  }

  private void pathDown(boolean independent) {
    a.core.pathDown(TO_B, Diagnostic.DETECTION_TIME_EXPIRED, independent);
  }

  @Test
  void thePathToAPeerIsWatchedAsConfigured() {
    converge(watched());
    assertThat(a.surroundings.paths).isEqualTo(Map.of(TO_B, BfdSettings.DEFAULT));
    assertThat(b.surroundings.paths).isEmpty();

    BfdSettings slow = new BfdSettings(Duration.ofSeconds(1), Duration.ofSeconds(1), 5);
    a.core.apply(config(A, 65001, watched().with(peer -> peer.bfd(Optional.of(slow)))));
    until(() -> a.surroundings.paths.equals(Map.of(TO_B, slow)));
    assertThat(a.status(B).counters().established()).as("the session stays").isEqualTo(1);

    a.core.apply(config(A, 65001, watched().with(peer -> peer.shutdown(Optional.of("for good")))));
    until(() -> a.surroundings.paths.isEmpty());
  }

  @Test
  void aPeerThatMayBeRestartingKeepsItsRoutes() {
    converge(watched());
    network.host(B);
    pathDown(false);
    assertThat(a.established(B)).isFalse();
    assertThat(a.status(B).whyDown().orElseThrow())
        .contains("BFD session down: control detection time expired");
    assertThat(a.status(B).staleFamilies()).containsExactly(Family.IPV4);
    network.run(Duration.ofSeconds(1));
    assertThat(a.routes.has(FROM_B)).isTrue();
    assertThat(a.routes.changes()).as("never away").hasSize(2);
  }

  @Test
  void aPathThatIsBrokenTakesTheRoutesWithIt() {
    converge(watched());
    pathDown(true);
    assertThat(a.status(B).lastNotificationSent().orElseThrow().text()).contains("BFD Down");
    assertThat(b.status(A).lastNotificationReceived()).isEmpty();
    until(() -> !a.routes.has(FROM_B));
    until(() -> b.status(A).lastNotificationReceived().isPresent());
    assertThat(b.status(A).lastNotificationReceived().orElseThrow().text()).contains("BFD Down");
    // BFD that stays down does not keep the session away.
    until(() -> a.established(B));
  }

  @Test
  void withoutGracefulRestartNothingIsKept() {
    converge(watched().withGracefulRestart(false));
    pathDown(false);
    assertThat(a.status(B).lastNotificationSent().orElseThrow().text()).contains("BFD Down");
    until(() -> !a.routes.has(FROM_B));
  }

  @Test
  void anotherPathIsNobodysAffair() {
    converge(watched());
    a.core.pathDown(
        BfdEndpoint.of(IpAddress.parse("10.0.0.3")), Diagnostic.DETECTION_TIME_EXPIRED, true);
    assertThat(a.established(B)).isTrue();
    pathDown(true);
    assertThat(a.established(B)).isFalse();
    // Told of a session that is down already, nothing happens.
    pathDown(true);
    until(() -> a.established(B));
  }

  @Test
  void aPeerWithoutBfdIsNotTouched() {
    converge(peer(B, 65002));
    pathDown(true);
    assertThat(a.established(B)).isTrue();
  }

  @Test
  void anUnnumberedPeerCarriesBothFamiliesByItsLinkLocalAddress() {
    a =
        VirtualSpeaker.start(network.host(LINK_LOCAL_A), unnumbered(A, 65001, LINK_LOCAL_A))
            .inSync("10.1.0.0/24");
    b =
        VirtualSpeaker.start(network.host(LINK_LOCAL_B), unnumbered(B, 65002, LINK_LOCAL_B))
            .inSync(FROM_B, "fd00:2::/64");
    until(() -> a.surroundings.interfaces.contains("eth0"));
    assertThat(a.surroundings.paths).isEmpty();
    a.core.neighbourFound("eth0", new ScopedAddress(IpAddress.parse(LINK_LOCAL_B), 3));
    b.core.neighbourFound("eth0", new ScopedAddress(IpAddress.parse(LINK_LOCAL_A), 3));
    until(() -> a.routes.has(FROM_B) && a.routes.has("fd00:2::/64"));
    assertThat(a.surroundings.paths)
        .containsOnlyKeys(BfdEndpoint.of(IpAddress.parse(LINK_LOCAL_B), 3));
    for (String prefix : List.of(FROM_B, "fd00:2::/64")) {
      assertThat(a.routes.route(prefix).orElseThrow().nextHops())
          .containsExactly(
              new LearnedRoute.NextHop(IpAddress.parse(LINK_LOCAL_B), Optional.of("eth0")));
    }
    until(() -> b.routes.has("10.1.0.0/24"));

    a.core.neighbourLost("eth0");
    until(() -> a.surroundings.paths.isEmpty());
  }

  private static SpeakerConfig unnumbered(String id, int as, String own) {
    return SpeakerConfig.of(RouterId.parse(id), Asn.of(as))
        .withListen(new ListenAddress(IpAddress.parse(own), ListenAddress.BGP_PORT))
        .withPeer(
            PeerConfig.of("tor", new PeerAddress.OnInterface("eth0"), new PeerAs.External())
                .with(peer -> peer.bfd(Optional.of(BfdSettings.DEFAULT))));
  }
}
