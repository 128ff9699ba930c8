package io.wayleave.bgp.session;

import static io.wayleave.bgp.session.VirtualSpeaker.config;
import static io.wayleave.bgp.session.VirtualSpeaker.peer;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.GracefulRestart;
import io.wayleave.bgp.PeerAddress;
import io.wayleave.bgp.PeerAs;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.StartMode;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * RFC 4724 between speakers in virtual time: A restarts, B and C help. Each promise has beside it
 * the case in which it must not hold.
 */
class GracefulRestartTest {
  private static final String A = "10.0.0.1";
  private static final String B = "10.0.0.2";
  private static final String C = "10.0.0.3";
  private static final String FROM_A = "10.1.0.0/24";
  private static final String FROM_B = "10.2.0.0/24";
  private static final StartMode RESTARTED = new StartMode.Restarted(Set.of(Family.IPV4));

  private final VirtualNetwork network = new VirtualNetwork();
  private final VirtualNetwork.Host hostB = network.host(B);
  private final SpeakerConfig configA = config(A, 65001, peer(B, 65002));
  private VirtualNetwork.Host hostA;
  private VirtualSpeaker a;
  private VirtualSpeaker b;

  @BeforeEach
  void converge() {
    converge(configA, peer(A, 65001));
  }

  private void converge(SpeakerConfig ofA, PeerConfig ofB) {
    hostA = network.host(A);
    a = VirtualSpeaker.start(hostA, ofA).inSync(FROM_A);
    b = VirtualSpeaker.start(hostB, config(B, 65002, ofB)).inSync(FROM_B);
    until(() -> a.routes.isConverged() && b.routes.isConverged());
    until(() -> a.routes.has(FROM_B) && b.routes.has(FROM_A));
  }

  private void until(BooleanSupplier condition) {
    assertThat(network.runUntil(condition, Duration.ofSeconds(20))).as("came true").isTrue();
  }

  /** Starts A again on its machine, after a while. */
  private VirtualSpeaker restart(Duration after, SpeakerConfig config, StartMode mode) {
    network.run(after);
    hostA = network.host(A);
    return VirtualSpeaker.start(hostA, config, mode);
  }

  private long removals() {
    return b.routes.changes().stream().filter(change -> change.equals("-" + FROM_A)).count();
  }

  @Test
  void plannedRestartKeepsRoutesAtTheHelper() {
    a.core.closeForRestart();
    hostA.kill();
    network.run(Duration.ofSeconds(5));
    assertThat(b.status(A).staleFamilies()).containsExactly(Family.IPV4);
    assertThat(b.table().getFirst().paths().getFirst().stale()).isTrue();

    VirtualSpeaker again = restart(Duration.ofSeconds(5), configA, RESTARTED);
    until(() -> again.established(B));
    network.run(Duration.ofSeconds(30));
    assertThat(b.routes.has(FROM_A))
        .as("kept until the restarted speaker has all its routes")
        .isTrue();
    assertThat(b.status(A).staleFamilies()).containsExactly(Family.IPV4);

    again.inSync(FROM_A);
    until(() -> b.status(A).staleFamilies().isEmpty());
    network.run(Duration.ofSeconds(5));
    assertThat(b.routes.has(FROM_A)).isTrue();
    assertThat(removals()).as("never away").isZero();
    assertThat(again.routes.changes()).containsExactly("+" + FROM_B, "converged");
  }

  @Test
  void killedSpeakerIsHelpedToo() {
    hostA.kill();
    VirtualSpeaker again = restart(Duration.ofSeconds(20), configA, RESTARTED).inSync(FROM_A);
    until(() -> again.routes.isConverged() && b.status(A).staleFamilies().isEmpty());
    network.run(Duration.ofMinutes(5));
    assertThat(removals()).isZero();
    assertThat(b.routes.has(FROM_A)).isTrue();
  }

  @Test
  void killedSpeakerWhoseOldConnectionLooksAliveIsHelped() {
    // No reset reaches B: it learns of the restart by the new connection (RFC 4724 section 5).
    network.cut(hostA, hostB);
    hostA.kill();
    VirtualSpeaker again = restart(Duration.ofSeconds(3), configA, RESTARTED);
    until(() -> again.established(B));
    assertThat(b.status(A).staleFamilies()).containsExactly(Family.IPV4);
    again.inSync(FROM_A);
    until(() -> b.status(A).staleFamilies().isEmpty());
    assertThat(removals()).isZero();
  }

  @Test
  void routesThatTheRestartedSpeakerHasNoMoreGoAtItsEndOfRib() {
    hostA.kill();
    VirtualSpeaker again = restart(Duration.ofSeconds(3), configA, RESTARTED).inSync("10.1.7.0/24");
    until(() -> b.routes.has("10.1.7.0/24"));
    until(() -> !b.routes.has(FROM_A));
    assertThat(again.established(B)).isTrue();
  }

  @Test
  void withoutTheForwardingBitRoutesGoWhenTheSessionIsBack() {
    hostA.kill();
    network.run(Duration.ofSeconds(1));
    assertThat(b.routes.has(FROM_A)).isTrue();
    VirtualSpeaker again =
        restart(Duration.ofSeconds(1), configA, new StartMode.Restarted(Set.of()));
    until(() -> again.established(B));
    until(() -> !b.routes.has(FROM_A));
  }

  @Test
  void withoutTheCapabilityRoutesGoAtOnce() {
    network.run(Duration.ofSeconds(1));
    a.core.apply(configA.withPeers(List.of(peer(B, 65002).withGracefulRestart(false))));
    until(() -> a.established(B) && a.status(B).counters().established() == 2);
    until(() -> b.routes.has(FROM_A) && b.established(A));
    hostA.kill();
    until(() -> !b.established(A));
    until(() -> !b.routes.has(FROM_A));
  }

  @Test
  void withoutTheCapabilityInTheNewOpenRoutesGo() {
    hostA.kill();
    VirtualSpeaker again =
        restart(Duration.ofSeconds(1), configA.withGracefulRestart(GracefulRestart.OFF), RESTARTED);
    until(() -> again.established(B));
    until(() -> !b.routes.has(FROM_A));
  }

  @Test
  void aNotificationEndsItAtOnce() {
    a.core.shutdown("maintenance");
    until(() -> !b.established(A));
    until(() -> !b.routes.has(FROM_A));
    assertThat(b.status(A).lastNotificationReceived().orElseThrow().text())
        .containsIgnoringCase("administrative shutdown")
        .contains("maintenance");
  }

  @Test
  void whoDoesNotComeBackInItsRestartTimeIsForgotten() {
    hostA.kill();
    network.run(Duration.ofSeconds(119));
    assertThat(b.routes.has(FROM_A)).isTrue();
    network.run(Duration.ofSeconds(2));
    assertThat(b.routes.has(FROM_A)).isFalse();
  }

  @Test
  void whoComesBackAndNeverSaysEndOfRibIsForgottenLater() {
    hostA.kill();
    VirtualSpeaker again = restart(Duration.ofSeconds(2), configA, RESTARTED);
    until(() -> again.established(B));
    network.run(Duration.ofSeconds(355));
    assertThat(b.routes.has(FROM_A)).isTrue();
    network.run(Duration.ofSeconds(10));
    assertThat(b.routes.has(FROM_A)).isFalse();
    assertThat(again.established(B)).isTrue();
  }

  @Test
  void whatWasStaleWhenTheSessionIsLostAgainGoes() {
    a.originate("10.1.1.0/24");
    until(() -> b.routes.has("10.1.1.0/24"));
    hostA.kill();
    VirtualSpeaker again = restart(Duration.ofSeconds(2), configA, RESTARTED);
    again.originate(FROM_A);
    until(() -> again.established(B));
    network.run(Duration.ofSeconds(20));
    assertThat(b.routes.has("10.1.1.0/24")).isTrue();
    hostA.kill();
    network.run(Duration.ofSeconds(2));
    assertThat(b.routes.has(FROM_A)).as("sent by the second session").isTrue();
    assertThat(b.routes.has("10.1.1.0/24")).as("stale twice").isFalse();
  }

  @Test
  void deadPeersHoldBackTheChoiceNoLongerThanTheirOwnWait() {
    SpeakerConfig two = configA.withPeer(peer(C, 65003));
    hostA.kill();
    VirtualSpeaker again = restart(Duration.ofSeconds(2), two, RESTARTED).inSync(FROM_A);
    until(() -> again.established(B));
    network.run(Duration.ofSeconds(3));
    // B has said everything, C is dead: nothing may reach the kernel yet, local routes may go out.
    assertThat(again.routes.changes()).isEmpty();
    assertThat(again.advertised(B)).containsExactly(FROM_A);
    assertThat(b.status(A).staleFamilies()).as("no End-of-RIB yet").isNotEmpty();
    network.run(Duration.ofSeconds(7));
    assertThat(again.routes.changes()).containsExactly("+" + FROM_B, "converged");
    until(() -> b.status(A).staleFamilies().isEmpty());
    assertThat(removals()).isZero();
  }

  /** The first peer that is back would else drop what the others have not told again yet. */
  @Test
  void peersOfARangeAreWaitedFor() {
    PeerConfig rack =
        PeerConfig.of(
                "rack", new PeerAddress.Range(Cidr.parse("10.0.0.0/24"), 9), new PeerAs.External())
            .withTransit(true);
    hostA.kill();
    VirtualSpeaker again = restart(Duration.ofSeconds(2), config(A, 65001, rack), RESTARTED);
    again.inSync(FROM_A);
    until(() -> b.established(A));
    network.run(Duration.ofSeconds(1));
    assertThat(b.status(A).staleFamilies()).as("no End-of-RIB yet").isNotEmpty();
    VirtualSpeaker c =
        VirtualSpeaker.start(network.host(C), config(C, 65003, peer(A, 65001)))
            .inSync("10.3.0.0/24");
    until(() -> c.established(A));
    network.run(Duration.ofSeconds(1));
    assertThat(again.routes.changes()).isEmpty();
    until(() -> b.status(A).staleFamilies().isEmpty());
    // What came before End-of-RIB is decided in the next turn.
    network.run(Duration.ofMillis(10));
    assertThat(b.routes.has("10.3.0.0/24")).isTrue();
    assertThat(removals()).isZero();
    until(again.routes::isConverged);
  }

  @Test
  void aFreshStartDefersNothing() {
    VirtualNetwork.Host hostC = network.host(C);
    VirtualSpeaker c =
        VirtualSpeaker.start(hostC, config(C, 65003, peer(B, 65002), peer("10.0.0.9", 65009)));
    b.core.apply(config(B, 65002, peer(A, 65001), peer(C, 65003)));
    until(() -> c.routes.has(FROM_B));
    assertThat(c.routes.isConverged()).as("10.0.0.9 is waited for").isFalse();
    network.run(Duration.ofSeconds(10));
    assertThat(c.routes.isConverged()).isTrue();
  }

  @Test
  void aSpeakerThatClosesTellsItsOwnerNothing() {
    int before = a.routes.changes().size();
    a.core.closeForRestart();
    network.run(Duration.ofSeconds(5));
    assertThat(a.routes.changes()).hasSize(before);
  }
}
