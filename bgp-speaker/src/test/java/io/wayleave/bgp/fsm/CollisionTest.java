package io.wayleave.bgp.fsm;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Asn;
import io.wayleave.model.RouterId;
import org.junit.jupiter.api.Test;

class CollisionTest {
  private static final RouterId LOW = RouterId.parse("10.0.0.1");
  private static final RouterId HIGH = RouterId.parse("200.0.0.1");
  private static final Asn AS1 = Asn.of(65001);
  private static final Asn AS2 = Asn.of(65002);

  @Test
  void theHigherRouterIdsConnectionStaysWhoeverAsks() {
    assertThat(Collision.winner(LOW, AS2, HIGH, AS1)).isEqualTo(Collision.Winner.DIALLED_BY_PEER);
    assertThat(Collision.winner(HIGH, AS1, LOW, AS2)).isEqualTo(Collision.Winner.DIALLED_BY_US);
  }

  @Test
  void equalRouterIdsAreDecidedByTheAs() {
    assertThat(Collision.winner(LOW, AS1, LOW, AS2)).isEqualTo(Collision.Winner.DIALLED_BY_PEER);
    assertThat(Collision.winner(LOW, AS2, LOW, AS1)).isEqualTo(Collision.Winner.DIALLED_BY_US);
  }
}
