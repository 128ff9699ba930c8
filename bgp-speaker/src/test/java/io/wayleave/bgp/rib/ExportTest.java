package io.wayleave.bgp.rib;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.wire.Community;
import io.wayleave.model.Asn;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ExportTest {
  private static final Export EXTERNAL = export(false, false);
  private static final Export EXTERNAL_TRANSIT = export(false, true);
  private static final Export INTERNAL = export(true, false);
  private static final Export INTERNAL_TRANSIT = export(true, true);

  private static Export export(boolean internal, boolean transit) {
    return new Export(
        internal, transit, Asn.of(64512), Optional.of(OwnNextHop.IPV4), Optional.empty());
  }

  @Test
  void localRoutesGoToEveryPeerWithTheSessionsOwnAddress() {
    Route external = EXTERNAL.of(Family.IPV4, Paths.local()).orElseThrow();
    assertThat(external.nextHop()).isEmpty();
    assertThat(external.attributes().asPath()).hasToString("64512");
    assertThat(external.attributes().localPref()).isEmpty();
    Route internal = INTERNAL.of(Family.IPV4, Paths.local()).orElseThrow();
    assertThat(internal.nextHop()).isEmpty();
    assertThat(internal.attributes().asPath().length()).isZero();
    assertThat(internal.attributes().localPref()).hasValue(100);
  }

  @Test
  void learnedRoutesGoNowhereWithoutTransit() {
    assertThat(EXTERNAL.of(Family.IPV4, Paths.of(1))).isEmpty();
    assertThat(INTERNAL.of(Family.IPV4, Paths.of(1))).isEmpty();
    assertThat(EXTERNAL_TRANSIT.of(Family.IPV4, Paths.of(1))).isPresent();
    assertThat(INTERNAL_TRANSIT.of(Family.IPV4, Paths.of(1))).isPresent();
  }

  @Test
  void towardsAnotherAsTheRouteIsRewritten() {
    Path best =
        Paths.internal(
            1,
            builder ->
                builder
                    .med(7)
                    .localPref(300)
                    .originatorId(Optional.of(RouterId.parse("9.9.9.9")))
                    .clusterList(List.of(IpAddress.parse("8.8.8.8"))),
            65001);
    Route told = EXTERNAL_TRANSIT.of(Family.IPV4, best).orElseThrow();
    assertThat(told.attributes().asPath()).hasToString("64512 65001");
    assertThat(told.attributes().med()).isEmpty();
    assertThat(told.attributes().localPref()).isEmpty();
    assertThat(told.attributes().originatorId()).isEmpty();
    assertThat(told.attributes().clusterList()).isEmpty();
    assertThat(told.nextHop()).isEmpty();
  }

  @Test
  void towardsTheOwnAsAnExternalRouteKeepsItsNextHop() {
    Path best = Paths.of(1, builder -> builder.med(7), 65001);
    Route told = INTERNAL_TRANSIT.of(Family.IPV4, best).orElseThrow();
    assertThat(told.attributes().asPath()).hasToString("65001");
    assertThat(told.attributes().med()).hasValue(7);
    assertThat(told.attributes().localPref()).hasValue(100);
    assertThat(told.nextHop()).contains(best.nextHop());
  }

  @Test
  void internalRoutesAreNotToldToInternalPeers() {
    assertThat(INTERNAL_TRANSIT.of(Family.IPV4, Paths.internal(1, _ -> {}, 65001))).isEmpty();
  }

  @Test
  void wellKnownCommunitiesAreObeyed() {
    Path noExport =
        Paths.of(1, builder -> builder.communities(List.of(Community.NO_EXPORT)), 65001);
    assertThat(EXTERNAL_TRANSIT.of(Family.IPV4, noExport)).isEmpty();
    assertThat(INTERNAL_TRANSIT.of(Family.IPV4, noExport)).isPresent();
    Path noAdvertise =
        Paths.of(1, builder -> builder.communities(List.of(Community.NO_ADVERTISE)), 65001);
    assertThat(INTERNAL_TRANSIT.of(Family.IPV4, noAdvertise)).isEmpty();
  }

  @Test
  void withoutAnAddressOfTheFamilyNothingIsTold() {
    assertThat(EXTERNAL.of(Family.IPV6, Paths.local())).isEmpty();
  }
}
