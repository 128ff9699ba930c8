package io.wayleave.bgp.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.GracefulRestart;
import io.wayleave.bgp.fsm.DownCause;
import io.wayleave.bgp.fsm.Negotiated;
import io.wayleave.bgp.wire.AddressFamily;
import io.wayleave.bgp.wire.BgpMessage.Notification;
import io.wayleave.bgp.wire.BgpMessage.Open;
import io.wayleave.bgp.wire.Capability;
import io.wayleave.model.Asn;
import io.wayleave.model.Family;
import io.wayleave.model.RouterId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StaleRoutesTest {
  private static final DownCause LOST = new DownCause.TcpLost("Connection reset by peer");

  private final StaleRoutes stale = new StaleRoutes();

  @Test
  void onlyTheFamiliesOfTheCapabilityAreKept() {
    StaleRoutes.Verdict verdict = stale.down(LOST, session(120, family(Family.IPV4, false)));
    assertThat(stale.families()).containsExactly(Family.IPV4);
    assertThat(verdict.drop()).containsExactly(Family.IPV6);
    assertThat(verdict.timer()).contains(Duration.ofMinutes(2));
  }

  @Test
  void anythingButASilentLossDropsEverything() {
    Negotiated session = session(120, family(Family.IPV4, true));
    for (DownCause cause :
        List.of(
            new DownCause.NotificationReceived(new Notification(6, 2)),
            new DownCause.NotificationSent(new Notification(4, 0)))) {
      assertThat(stale.down(cause, session).drop()).containsExactly(Family.IPV4, Family.IPV6);
      assertThat(stale.families()).isEmpty();
    }
  }

  @Test
  void aRestartTimeOfZeroKeepsNothing() {
    assertThat(stale.down(LOST, session(0, family(Family.IPV4, true))).drop())
        .containsExactly(Family.IPV4, Family.IPV6);
  }

  @Test
  void theForwardingBitOfTheNewSessionDecides() {
    Negotiated both = session(120, family(Family.IPV4, false), family(Family.IPV6, false));
    stale.down(LOST, both);
    StaleRoutes.Verdict back =
        stale.up(
            session(120, family(Family.IPV4, true), family(Family.IPV6, false)),
            GracefulRestart.DEFAULT);
    assertThat(back.drop()).containsExactly(Family.IPV6);
    assertThat(back.timer()).contains(GracefulRestart.DEFAULT.staleTime());
    assertThat(stale.endOfRib(Family.IPV6).drop()).isEmpty();
    assertThat(stale.endOfRib(Family.IPV4).drop()).containsExactly(Family.IPV4);
    assertThat(stale.families()).isEmpty();
  }

  @Test
  void theTimerEndsIt() {
    stale.down(LOST, session(120, family(Family.IPV4, true)));
    assertThat(stale.giveUp().drop()).containsExactly(Family.IPV4);
    assertThat(stale.families()).isEmpty();
  }

  private static Capability.GracefulRestart.RestartFamily family(Family family, boolean preserved) {
    return new Capability.GracefulRestart.RestartFamily(AddressFamily.unicast(family), preserved);
  }

  private static Negotiated session(
      int restartTime, Capability.GracefulRestart.RestartFamily... families) {
    List<Capability> capabilities = new ArrayList<>();
    capabilities.add(new Capability.MultiProtocol(AddressFamily.IPV4_UNICAST));
    capabilities.add(new Capability.MultiProtocol(AddressFamily.IPV6_UNICAST));
    capabilities.add(new Capability.GracefulRestart(false, false, restartTime, List.of(families)));
    Open open = Open.of(Asn.of(65001), 90, RouterId.parse("10.0.0.1"), capabilities);
    return Negotiated.of(open, open);
  }
}
