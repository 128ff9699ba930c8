package io.wayleave.bgp.rib;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.wire.AsPath;
import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.Origin;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Asn;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ImportCheckTest {
  private static final PathAttributes GOOD =
      PathAttributes.builder(Origin.IGP, AsPath.sequence(Asn.of(65000))).build();
  private static final ImportCheck CHECK =
      new ImportCheck(
          Set.of(Asn.of(64512), Asn.of(64513)),
          RouterId.parse("10.0.0.254"),
          RouterId.parse("9.9.9.9"),
          Set.of(IpAddress.parse("fd00::a")));

  private static Optional<Rejection> check(PathAttributes attributes, String nextHop) {
    return CHECK.check(Paths.external(1), attributes, NextHop.of(IpAddress.parse(nextHop)), 0);
  }

  @Test
  void aGoodRouteIsAccepted() {
    assertThat(check(GOOD, "10.0.0.1")).isEmpty();
  }

  @Test
  void ownAsAnywhereInThePathIsALoop() {
    PathAttributes loop =
        PathAttributes.builder(
                Origin.IGP, AsPath.sequence(Asn.of(65000), Asn.of(64512), Asn.of(65001)))
            .build();
    assertThat(check(loop, "10.0.0.1")).contains(Rejection.AS_LOOP);
  }

  @Test
  void anOwnAsMayBeThereAsOftenAsAllowed() {
    PathAttributes twice =
        PathAttributes.builder(
                Origin.IGP, AsPath.sequence(Asn.of(64513), Asn.of(64513), Asn.of(65001)))
            .build();
    NextHop hop = NextHop.of(IpAddress.parse("10.0.0.1"));
    assertThat(CHECK.check(Paths.external(1), twice, hop, 1)).contains(Rejection.AS_LOOP);
    assertThat(CHECK.check(Paths.external(1), twice, hop, 2)).isEmpty();
  }

  @Test
  void ownClusterIdInTheListIsALoop() {
    PathAttributes loop =
        GOOD.toBuilder()
            .clusterList(List.of(IpAddress.parse("8.8.8.8"), IpAddress.parse("9.9.9.9")))
            .build();
    assertThat(check(loop, "10.0.0.1")).contains(Rejection.CLUSTER_LOOP);
  }

  @Test
  void ownRouterIdAsOriginatorIsALoop() {
    PathAttributes loop =
        GOOD.toBuilder().originatorId(Optional.of(RouterId.parse("10.0.0.254"))).build();
    assertThat(check(loop, "10.0.0.1")).contains(Rejection.ORIGINATOR_LOOP);
  }

  @Test
  void nextHopsThatLeadNowhere() {
    assertThat(check(GOOD, "10.0.0.254")).contains(Rejection.NEXT_HOP_IS_SELF);
    assertThat(check(GOOD, "fd00::a")).contains(Rejection.NEXT_HOP_IS_SELF);
    assertThat(check(GOOD, "0.0.0.0")).contains(Rejection.NEXT_HOP_INVALID);
    assertThat(check(GOOD, "224.0.0.5")).contains(Rejection.NEXT_HOP_INVALID);
    assertThat(check(GOOD, "127.0.0.9")).contains(Rejection.NEXT_HOP_INVALID);
  }
}
