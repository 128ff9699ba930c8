package io.wayleave.bgp.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.GracefulRestart;
import io.wayleave.bgp.fsm.Negotiated;
import io.wayleave.bgp.wire.AddressFamily;
import io.wayleave.bgp.wire.BgpMessage.Open;
import io.wayleave.bgp.wire.Capability;
import io.wayleave.model.Asn;
import io.wayleave.model.Family;
import io.wayleave.model.RouterId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConvergenceTest {
  private static final long SECOND = Duration.ofSeconds(1).toNanos();
  private static final GracefulRestart SETTINGS =
      GracefulRestart.DEFAULT
          .withReconnectWait(Duration.ofSeconds(10))
          .withSelectionDeferral(Duration.ofSeconds(60));

  private final Convergence convergence =
      new Convergence(List.of("a", "b"), List.of(), SETTINGS, 0);

  @Test
  void waitsForEveryFamilyOfEveryPeer() {
    convergence.established("a", peer(false), 0);
    convergence.established("b", peer(false), 0);
    convergence.endOfRib("a", Family.IPV4);
    convergence.endOfRib("a", Family.IPV6);
    convergence.endOfRib("b", Family.IPV6);
    assertThat(convergence.selectionDone()).isFalse();
    assertThat(convergence.waitingFor()).containsExactly("b");
    convergence.endOfRib("b", Family.IPV4);
    assertThat(convergence.selectionDone()).isTrue();
    assertThat(convergence.done()).isTrue();
  }

  @Test
  void aDeadPeerIsWaitedForNoLongerThanItsOwnTime() {
    convergence.established("a", peer(false), 0);
    convergence.expire(10 * SECOND - 1);
    assertThat(convergence.waitingFor()).containsExactly("a", "b");
    convergence.expire(10 * SECOND);
    assertThat(convergence.waitingFor()).as("a is alive and has more time").containsExactly("a");
    convergence.expire(60 * SECOND - 1);
    assertThat(convergence.done()).isFalse();
    convergence.expire(60 * SECOND);
    assertThat(convergence.done()).isTrue();
  }

  @Test
  void aPeerThatRestartsItselfHoldsBackTheSweepOnlyAndNotForLong() {
    convergence.removed("b");
    convergence.established("a", peer(true), SECOND);
    assertThat(convergence.selectionDone()).isTrue();
    convergence.expire(11 * SECOND - 1);
    assertThat(convergence.done()).isFalse();
    convergence.expire(11 * SECOND);
    assertThat(convergence.done()).isTrue();
  }

  @Test
  void aPeerThatRestartsItselfIsDoneWithItsEndOfRib() {
    convergence.removed("b");
    convergence.established("a", peer(true), SECOND);
    convergence.endOfRib("a", Family.IPV4);
    assertThat(convergence.done()).isFalse();
    convergence.endOfRib("a", Family.IPV6);
    assertThat(convergence.done()).isTrue();
  }

  @Test
  void aPeerWithoutTheCapabilityMayNeverSayEndOfRib() {
    convergence.removed("b");
    convergence.established("a", Negotiated.of(open(List.of()), open(List.of())), 0);
    assertThat(convergence.selectionDone()).isTrue();
    assertThat(convergence.done()).isFalse();
    convergence.expire(10 * SECOND);
    assertThat(convergence.done()).isTrue();
  }

  @Test
  void aLostPeerMayComeBackInItsTime() {
    convergence.removed("b");
    convergence.established("a", peer(false), 0);
    convergence.endOfRib("a", Family.IPV4);
    convergence.lost("a", 0);
    convergence.established("a", peer(false), 0);
    convergence.endOfRib("a", Family.IPV6);
    assertThat(convergence.done()).as("the new session owes IPv4 again").isFalse();
    convergence.endOfRib("a", Family.IPV4);
    convergence.lost("a", 0);
    assertThat(convergence.done()).as("once done it stays so").isTrue();
  }

  @Test
  void eachPeerHasTheTimeFromItsOwnSessionOn() {
    convergence.established("a", peer(false), 0);
    convergence.established("b", peer(false), 9 * SECOND);
    convergence.expire(60 * SECOND);
    assertThat(convergence.waitingFor()).containsExactly("b");
    assertThat(convergence.untilNextDeadline(60 * SECOND)).contains(Duration.ofSeconds(9));
    convergence.expire(69 * SECOND);
    assertThat(convergence.done()).isTrue();
    assertThat(convergence.untilNextDeadline(69 * SECOND)).isEmpty();
  }

  @Test
  void aSessionThatComesAndGoesGainsNoMoreTimeThanBothTogether() {
    convergence.removed("b");
    for (int second = 0; second < 70; second += 5) {
      convergence.lost("a", second * SECOND);
      convergence.established("a", peer(false), second * SECOND);
    }
    convergence.expire(70 * SECOND - 1);
    assertThat(convergence.done()).isFalse();
    convergence.expire(70 * SECOND);
    assertThat(convergence.done()).isTrue();
  }

  @Test
  void whoComesByARangeIsWaitedForAsTheOthersAre() {
    Convergence ranged = new Convergence(List.of("a"), List.of("rack"), SETTINGS, 0);
    ranged.established("a", peer(false), 0);
    ranged.endOfRib("a", Family.IPV4);
    ranged.endOfRib("a", Family.IPV6);
    assertThat(ranged.selectionDone()).as("nobody has come by the range yet").isFalse();
    ranged.established("rack-1", peer(false), SECOND);
    ranged.established("rack-2", peer(false), SECOND);
    ranged.established("a", peer(false), SECOND);
    assertThat(ranged.waitingFor()).as("a is done").containsExactly("rack", "rack-1", "rack-2");
    ranged.removed("rack-2");
    ranged.expire(10 * SECOND);
    assertThat(ranged.waitingFor()).containsExactly("rack-1");
    ranged.established("rack-3", peer(false), 11 * SECOND);
    assertThat(ranged.waitingFor()).as("too late").containsExactly("rack-1");
    ranged.endOfRib("rack-1", Family.IPV4);
    ranged.endOfRib("rack-1", Family.IPV6);
    assertThat(ranged.done()).isTrue();
  }

  @Test
  void aRangeByWhichNobodyComesIsWaitedForNoLongerThanAPeer() {
    Convergence ranged = new Convergence(List.of(), List.of("rack"), SETTINGS, 0);
    ranged.expire(10 * SECOND - 1);
    assertThat(ranged.selectionDone()).isFalse();
    ranged.expire(10 * SECOND);
    assertThat(ranged.done()).isTrue();
  }

  private static Negotiated peer(boolean restarting) {
    Capability capability =
        new Capability.GracefulRestart(
            restarting,
            false,
            120,
            List.of(
                new Capability.GracefulRestart.RestartFamily(AddressFamily.IPV4_UNICAST, true)));
    return Negotiated.of(open(List.of(capability)), open(List.of(capability)));
  }

  private static Open open(List<Capability> more) {
    List<Capability> capabilities = new ArrayList<>(more);
    capabilities.add(new Capability.MultiProtocol(AddressFamily.IPV4_UNICAST));
    capabilities.add(new Capability.MultiProtocol(AddressFamily.IPV6_UNICAST));
    return Open.of(Asn.of(65001), 90, RouterId.parse("10.0.0.1"), capabilities);
  }
}
