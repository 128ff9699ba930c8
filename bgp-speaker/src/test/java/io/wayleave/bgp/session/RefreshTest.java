package io.wayleave.bgp.session;

import static io.wayleave.bgp.session.VirtualSpeaker.config;
import static io.wayleave.bgp.session.VirtualSpeaker.peer;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.wire.AddressFamily;
import io.wayleave.bgp.wire.AsPath;
import io.wayleave.bgp.wire.BgpMessage;
import io.wayleave.bgp.wire.BgpMessage.RouteRefresh;
import io.wayleave.bgp.wire.BgpMessage.RouteRefresh.Subtype;
import io.wayleave.bgp.wire.BgpMessage.Update;
import io.wayleave.bgp.wire.Capability;
import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.Origin;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.bgp.wire.PrefixList;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** RFC 2918 and RFC 7313: routes told again, with and without markers. */
class RefreshTest {
  private static final String A = "10.0.0.1";
  private static final String B = "10.0.0.2";
  private static final String ONE = "10.2.1.0/24";
  private static final String TWO = "10.2.2.0/24";
  private static final Capability IPV4 = new Capability.MultiProtocol(AddressFamily.IPV4_UNICAST);
  private static final Capability ENHANCED = new Capability.EnhancedRouteRefresh();
  private static final Capability REFRESH = new Capability.RouteRefresh();
  private static final BgpMessage BEGIN =
      new RouteRefresh(AddressFamily.IPV4_UNICAST, Subtype.BEGIN);
  private static final BgpMessage END = new RouteRefresh(AddressFamily.IPV4_UNICAST, Subtype.END);
  private static final BgpMessage END_OF_RIB = Update.endOfRib(AddressFamily.IPV4_UNICAST);

  private final VirtualNetwork network = new VirtualNetwork();
  private final VirtualNetwork.Host hostB = network.host(B);
  private VirtualSpeaker a;

  private ScriptedPeer peerWith(Capability... capabilities) {
    ScriptedPeer b =
        ScriptedPeer.listen(
            hostB, BgpMessage.Open.of(Asn.of(65002), 0, RouterId.parse(B), List.of(capabilities)));
    a = VirtualSpeaker.start(network.host(A), config(A, 65001, peer(B, 65002)));
    a.inSync("10.1.0.0/24");
    assertThat(network.runUntil(() -> a.established(B), Duration.ofSeconds(5))).isTrue();
    network.run(Duration.ofSeconds(1));
    return b;
  }

  private static Update announce(String prefix) {
    return Update.announce(
        PathAttributes.builder(Origin.IGP, AsPath.sequence(Asn.of(65002))).build(),
        NextHop.of(IpAddress.parse(B)),
        PrefixList.of(Family.IPV4, List.of(Cidr.parse(prefix))));
  }

  private void settle() {
    network.run(Duration.ofSeconds(1));
  }

  @Test
  void whatIsNotToldAgainGoesAtTheEnd() {
    ScriptedPeer b = peerWith(IPV4, REFRESH, ENHANCED);
    b.send(announce(ONE), announce(TWO), END_OF_RIB);
    settle();
    b.send(BEGIN, announce(ONE));
    settle();
    assertThat(a.routes.has(TWO)).isTrue();
    assertThat(stale()).containsExactly(TWO);
    b.send(END);
    settle();
    assertThat(a.routes.has(ONE)).isTrue();
    assertThat(a.routes.has(TWO)).isFalse();
    assertThat(a.routes.changes()).as("never away").doesNotContain("-" + ONE);
    assertThat(stale()).isEmpty();
    b.send(END);
    settle();
    assertThat(a.routes.has(ONE)).as("an end without a begin").isTrue();
    assertThat(a.established(B)).isTrue();
  }

  private List<String> stale() {
    return a.table().stream()
        .filter(route -> route.paths().getFirst().stale())
        .map(route -> route.prefix().toString())
        .toList();
  }

  @Test
  void aSecondBeginMarksAllAgain() {
    ScriptedPeer b = peerWith(IPV4, REFRESH, ENHANCED);
    b.send(announce(ONE), announce(TWO), BEGIN, announce(ONE), BEGIN, announce(TWO), END);
    settle();
    assertThat(a.routes.has(ONE)).isFalse();
    assertThat(a.routes.has(TWO)).isTrue();
  }

  @Test
  void aRefreshThatNeverEndsIsOverAfterTheStaleTime() {
    ScriptedPeer b = peerWith(IPV4, REFRESH, ENHANCED);
    b.send(announce(ONE), announce(TWO), BEGIN, announce(ONE));
    network.run(Duration.ofSeconds(355));
    assertThat(a.routes.has(TWO)).isTrue();
    network.run(Duration.ofSeconds(10));
    assertThat(a.routes.has(TWO)).isFalse();
    assertThat(a.routes.has(ONE)).isTrue();
  }

  /** RFC 7313 section 4: from a peer with graceful restart, not before its End-of-RIB. */
  @Test
  void aBeginBeforeEndOfRibIsIgnored() {
    ScriptedPeer b =
        peerWith(
            IPV4, REFRESH, ENHANCED, new Capability.GracefulRestart(false, false, 60, List.of()));
    b.send(announce(ONE), announce(TWO), BEGIN, announce(ONE), END);
    settle();
    assertThat(a.routes.has(TWO)).isTrue();
    b.send(END_OF_RIB, BEGIN, announce(ONE), END);
    settle();
    assertThat(a.routes.has(TWO)).isFalse();
  }

  /** RFC 4724 section 4.2: what the session that was lost has told is kept, told again or not. */
  @Test
  void aSessionLostInTheMidstOfARefreshKeepsAllItsRoutes() {
    ScriptedPeer b =
        peerWith(
            IPV4,
            REFRESH,
            ENHANCED,
            new Capability.GracefulRestart(
                false,
                false,
                60,
                List.of(
                    new Capability.GracefulRestart.RestartFamily(
                        AddressFamily.IPV4_UNICAST, true))));
    b.send(announce(ONE), announce(TWO), END_OF_RIB, BEGIN, announce(ONE));
    settle();
    hostB.kill();
    settle();
    assertThat(a.established(B)).isFalse();
    assertThat(stale()).containsExactlyInAnyOrder(ONE, TWO);
    network.run(Duration.ofSeconds(60));
    assertThat(a.routes.has(ONE)).isFalse();
    assertThat(a.routes.has(TWO)).isFalse();
  }

  @Test
  void withoutTheCapabilityMarkersMeanNothing() {
    ScriptedPeer b = peerWith(IPV4, REFRESH);
    b.send(announce(ONE), END_OF_RIB, BEGIN, END);
    settle();
    assertThat(a.routes.has(ONE)).isTrue();
    b.heard.clear();
    b.send(RouteRefresh.request(AddressFamily.IPV4_UNICAST));
    settle();
    assertThat(summary(b)).containsExactly("10.1.0.0/24");
  }

  @Test
  void aRequestIsAnsweredBetweenMarkers() {
    ScriptedPeer b = peerWith(IPV4, REFRESH, ENHANCED);
    assertThat(summary(b)).containsExactly("10.1.0.0/24", "end of rib");
    b.heard.clear();
    b.send(RouteRefresh.request(AddressFamily.IPV4_UNICAST));
    settle();
    assertThat(summary(b)).containsExactly("BEGIN", "10.1.0.0/24", "END");
    b.heard.clear();
    b.send(RouteRefresh.request(AddressFamily.IPV6_UNICAST));
    settle();
    assertThat(summary(b)).as("not a family of the session").isEmpty();
  }

  /** Each is a pass over the table, so a peer must not be able to ask for thousands of them. */
  @Test
  void requestsThatComeTogetherAreAnsweredOnce() {
    ScriptedPeer b = peerWith(IPV4, REFRESH, ENHANCED);
    b.heard.clear();
    BgpMessage[] requests = new BgpMessage[1000];
    Arrays.fill(requests, RouteRefresh.request(AddressFamily.IPV4_UNICAST));
    b.send(requests);
    settle();
    assertThat(summary(b)).containsExactly("BEGIN", "10.1.0.0/24", "END");
    b.heard.clear();
    b.send(RouteRefresh.request(AddressFamily.IPV4_UNICAST));
    settle();
    assertThat(summary(b)).as("asked later").containsExactly("BEGIN", "10.1.0.0/24", "END");
  }

  private static List<String> summary(ScriptedPeer peer) {
    return peer.heard.stream()
        .flatMap(
            message ->
                switch (message) {
                  case Update update when update.endOfRib().isPresent() -> Stream.of("end of rib");
                  case Update update ->
                      update.reach().stream()
                          .flatMap(reach -> reach.prefixes().stream())
                          .map(Cidr::toString);
                  case RouteRefresh refresh -> Stream.of(refresh.subtype().toString());
                  case BgpMessage.Open _, BgpMessage.Keepalive _, BgpMessage.Notification _ ->
                      Stream.<String>empty();
                })
        .toList();
  }
}
