package io.wayleave.bgp.rib;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.LocalAs;
import io.wayleave.bgp.NextHopMode;
import io.wayleave.bgp.PeerPolicy;
import io.wayleave.bgp.wire.AsPath;
import io.wayleave.bgp.wire.Community;
import io.wayleave.bgp.wire.NextHop;
import io.wayleave.model.Asn;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class ExportTest {
  private static final RouterId CLUSTER = RouterId.parse("7.7.7.7");
  private static final Export EXTERNAL = export(false, false);
  private static final Export EXTERNAL_TRANSIT = export(false, true);
  private static final Export INTERNAL = export(true, false);
  private static final Export INTERNAL_TRANSIT = export(true, true);

  private static Export export(boolean internal, boolean transit) {
    return export(internal, rules -> rules.transit(transit));
  }

  private static Export export(boolean internal, Consumer<PeerPolicy.Builder> change) {
    return new Export(
        internal,
        Asn.of(64512),
        Optional.empty(),
        CLUSTER,
        Export.Rules.of(PeerPolicy.DEFAULT.with(change)),
        false,
        1,
        Optional.of(OwnNextHop.IPV4),
        Optional.empty());
  }

  private static Export withLocalAs(boolean replace) {
    return new Export(
        false,
        Asn.of(64512),
        Optional.of(new LocalAs(Asn.of(64999), replace)),
        CLUSTER,
        EXTERNAL_TRANSIT.rules(),
        false,
        1,
        Optional.of(OwnNextHop.IPV4),
        Optional.empty());
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

  @Test
  void reflectionIsFromClientsToAllAndFromOthersToClients() {
    Export client = export(true, rules -> rules.reflectorClient(true));
    Path other = Paths.internal(1, _ -> {}, 65001);
    assertThat(INTERNAL.of(Family.IPV4, Paths.ofClient(other))).isPresent();
    assertThat(INTERNAL.of(Family.IPV4, other)).isEmpty();
    assertThat(client.of(Family.IPV4, other)).isPresent();
    assertThat(client.of(Family.IPV4, Paths.ofClient(other))).isPresent();
  }

  @Test
  void aReflectedRouteSaysWhereItCameFromAndWhoReflectedIt() {
    Path first = Paths.ofClient(Paths.internal(1, builder -> builder.localPref(70), 65001));
    Route told = INTERNAL.of(Family.IPV4, first).orElseThrow();
    assertThat(told.attributes().originatorId()).contains(RouterId.parse("10.0.0.1"));
    assertThat(told.attributes().clusterList()).containsExactly(IpAddress.parse("7.7.7.7"));
    assertThat(told.attributes().localPref()).hasValue(70);
    assertThat(told.nextHop()).contains(first.nextHop());
    Path second =
        Paths.ofClient(
            Paths.internal(
                1,
                builder ->
                    builder
                        .originatorId(Optional.of(RouterId.parse("1.1.1.1")))
                        .clusterList(List.of(IpAddress.parse("8.8.8.8"))),
                65001));
    Route again = INTERNAL.of(Family.IPV4, second).orElseThrow();
    assertThat(again.attributes().originatorId()).contains(RouterId.parse("1.1.1.1"));
    assertThat(again.attributes().clusterList())
        .containsExactly(IpAddress.parse("7.7.7.7"), IpAddress.parse("8.8.8.8"));
  }

  @Test
  void theNextHopIsAsThePeerWantsIt() {
    Path external = Paths.of(1);
    assertThat(next(true, NextHopMode.STANDARD, external)).contains(external.nextHop());
    assertThat(next(true, NextHopMode.SELF, external)).isEmpty();
    assertThat(next(false, NextHopMode.STANDARD, external)).isEmpty();
    assertThat(next(false, NextHopMode.KEEP, external)).contains(external.nextHop());
    assertThat(next(false, NextHopMode.KEEP, Paths.local())).isEmpty();
    // Means nothing beyond the link that it was heard on, and was not negotiated for IPv4 either.
    Path linkLocal =
        new Path(
            external.source(),
            external.attributes(),
            NextHop.of(IpAddress.parse("fe80::1")),
            Optional.empty());
    assertThat(next(true, NextHopMode.KEEP, linkLocal)).isEmpty();
  }

  private static Optional<NextHop> next(boolean internal, NextHopMode mode, Path path) {
    return export(internal, rules -> rules.transit(true).nextHop(mode))
        .of(Family.IPV4, path)
        .orElseThrow()
        .nextHop();
  }

  @Test
  void localAsStandsBeforeOrInsteadOfTheOwnOne() {
    assertThat(path(withLocalAs(false))).isEqualTo("64999 64512 65000");
    assertThat(path(withLocalAs(true))).isEqualTo("64999 65000");
  }

  private static String path(Export export) {
    return export.of(Family.IPV4, Paths.of(1)).orElseThrow().attributes().asPath().toString();
  }

  /** RFC 8326. */
  @Test
  void aSessionThatIsAboutToEndSaysSo() {
    Route external =
        export(false, rules -> rules.gracefulShutdown(true))
            .of(Family.IPV4, Paths.local())
            .orElseThrow();
    assertThat(external.attributes().communities()).containsExactly(Community.GRACEFUL_SHUTDOWN);
    Route internal =
        export(true, rules -> rules.gracefulShutdown(true))
            .of(Family.IPV4, Paths.local())
            .orElseThrow();
    assertThat(internal.attributes().localPref()).hasValue(0);
  }

  /** RFC 8212. */
  @Test
  void withoutARequiredPolicyAnExternalPeerIsToldNothing() {
    assertThat(export(false, rules -> rules.requirePolicy(true)).of(Family.IPV4, Paths.local()))
        .isEmpty();
    assertThat(export(true, rules -> rules.requirePolicy(true)).of(Family.IPV4, Paths.local()))
        .isPresent();
  }

  @Test
  void confederationSegmentsStayInside() {
    Path best =
        Paths.internal(
            1,
            builder ->
                builder.asPath(
                    new AsPath(
                        List.of(
                            new AsPath.Segment(
                                AsPath.SegmentType.CONFED_SEQUENCE, List.of(Asn.of(65100))),
                            new AsPath.Segment(
                                AsPath.SegmentType.SEQUENCE, List.of(Asn.of(65001)))))));
    assertThat(EXTERNAL_TRANSIT.of(Family.IPV4, best).orElseThrow().attributes().asPath())
        .hasToString("64512 65001");
  }
}
