package io.wayleave.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.wayleave.bgp.AddPath;
import io.wayleave.bgp.BfdSettings;
import io.wayleave.bgp.LocalAs;
import io.wayleave.bgp.MaxPrefixes;
import io.wayleave.bgp.NextHopMode;
import io.wayleave.bgp.PeerAddress;
import io.wayleave.bgp.PeerAs;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.filter.RejectAll;
import io.wayleave.model.Asn;
import io.wayleave.model.BgpConfiguration;
import io.wayleave.model.BgpFilter;
import io.wayleave.model.BgpPeer;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Metadata;
import io.wayleave.model.Node;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.RouterId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BgpPlanTest {
  private static final RouterId ROUTER_ID = RouterId.parse("10.0.0.1");
  private final Node self = node("n1", "10.0.0.1/24", Map.of("rack", "1"));

  @Test
  void withoutPeersEveryNodePeersWithEveryOther() {
    BgpPlan plan =
        plan(
            List.of(self, node("n2", "10.0.0.2", Map.of()), node("n3", "10.0.0.3", Map.of())),
            List.of());
    assertThat(plan.peers()).extracting(BgpPlan.Peer::name).containsExactly("node:n2", "node:n3");
    assertThat(plan.peers())
        .allMatch(
            peer ->
                peer.session().remoteAs().equals(new PeerAs.Exact(BgpConfiguration.DEFAULT_ASN)));
    assertThat(plan.mesh()).isEqualTo("on: there is no BGPPeer");
    assertThat(plan.asNumber()).isEqualTo(new Asn(64512));
  }

  @Test
  void anyPeerTurnsTheMeshOffOnEveryNode() {
    BgpPlan plan =
        plan(
            List.of(self, node("n2", "10.0.0.2", Map.of())),
            List.of(peer("tor2", "10.0.2.1", Optional.of("rack == \"2\""))));
    assertThat(plan.peers()).isEmpty();
    assertThat(plan.mesh()).isEqualTo("off: there is 1 BGPPeer");
  }

  @Test
  void theConfigurationDecidesOverThePresenceOfPeers() {
    List<Node> nodes = List.of(self, node("n2", "10.0.0.2", Map.of()));
    List<BgpPeer> peers = List.of(peer("tor", "10.0.0.254", Optional.empty()));
    assertThat(BgpPlan.of(me(self), nodes, peers, List.of(), mesh(true)).peers())
        .extracting(BgpPlan.Peer::name)
        .containsExactly("node:n2", "tor");
    assertThat(BgpPlan.of(me(self), nodes, List.of(), List.of(), mesh(false)).peers()).isEmpty();
  }

  @Test
  void peersApplyBySelectorOrNode() {
    BgpPlan plan =
        plan(
            List.of(self),
            List.of(
                peer("all", "10.1.0.1", Optional.empty()),
                peer("rack1", "10.1.0.2", Optional.of("rack == \"1\"")),
                peer("rack2", "10.1.0.3", Optional.of("rack == \"2\""))));
    assertThat(plan.peers()).extracting(BgpPlan.Peer::name).containsExactly("all", "rack1");
    assertThat(plan.peers())
        .extracting(BgpPlan.Peer::type)
        .containsExactly(BgpPlan.PeerType.GLOBAL, BgpPlan.PeerType.NODE_SPECIFIC);
    assertThat(plan.peers().getFirst().session().timers().holdTime())
        .isEqualTo(Duration.ofSeconds(90));
  }

  @Test
  void oneAddressIsOnePeerAndTheOtherIsReported() {
    BgpPlan plan =
        plan(
            List.of(self),
            List.of(
                peer("b", "10.1.0.1", Optional.empty()), peer("a", "10.1.0.1", Optional.empty())));
    assertThat(plan.peers()).extracting(BgpPlan.Peer::name).containsExactly("a");
    assertThat(plan.failures())
        .singleElement()
        .satisfies(
            failure ->
                assertThat(failure.why())
                    .isEqualTo("10.1.0.1 is also the address of peer a, which is used"));
  }

  @Test
  void aPeerThatIsThisNodeIsReported() {
    BgpPlan plan = plan(List.of(self), List.of(peer("me", "10.0.0.1", Optional.empty())));
    assertThat(plan.peers()).isEmpty();
    assertThat(plan.failures())
        .singleElement()
        .satisfies(
            failure -> assertThat(failure.why()).isEqualTo("10.0.0.1 is this node's own address"));
  }

  @Test
  void theOrderOfResourcesChangesNothing() {
    List<Node> nodes =
        new ArrayList<>(
            List.of(
                self,
                node("n2", "10.0.0.2", Map.of()),
                node("n3", "10.0.0.2", Map.of()),
                node("n4", "10.0.0.4", Map.of())));
    List<BgpPeer> peers =
        new ArrayList<>(
            List.of(
                peer("b", "10.0.0.4", Optional.empty()),
                peer("a", "10.0.0.4", Optional.empty()),
                peer("c", "10.1.0.1", Optional.empty())));
    BgpPlan first = BgpPlan.of(me(self), nodes, peers, List.of(), mesh(true));
    assertThat(first.failures()).hasSize(3);
    Random random = new Random(3);
    for (int i = 0; i < 50; i++) {
      Collections.shuffle(nodes, random);
      Collections.shuffle(peers, random);
      assertThat(BgpPlan.of(me(self), nodes, peers, List.of(), mesh(true))).isEqualTo(first);
    }
  }

  @Test
  void selectedNodesPeerFromBothEndsAndReflectorsServeTheOthers() {
    Node rr1 = reflector("rr1", "10.0.0.8");
    Node rr2 = reflector("rr2", "10.0.0.9");
    Node n2 = node("n2", "10.0.0.2", Map.of());
    List<BgpPeer> peers =
        List.of(spec("reflectors", "{nodeSelector: all(), peerSelector: reflector == 'yes'}"));
    List<Node> nodes = List.of(self, n2, rr1, rr2);

    assertThat(plan(nodes, peers).peers())
        .extracting(BgpPlan.Peer::name)
        .containsExactly("node:rr1", "node:rr2");
    assertThat(plan(nodes, peers).peers())
        .noneMatch(peer -> peer.session().policy().reflectorClient());

    BgpPlan ofReflector =
        BgpPlan.of(
            new BgpPlan.Self(
                rr1, ROUTER_ID, List.of(IpAddress.parse("10.0.0.8")), BgpPlan.Drain.NONE),
            nodes,
            peers,
            List.of(),
            BgpConfiguration.defaults());
    assertThat(ofReflector.clusterId()).contains(RouterId.parse("10.9.9.9"));
    assertThat(ofReflector.peers())
        .extracting(BgpPlan.Peer::name, peer -> peer.session().policy().reflectorClient())
        .containsExactly(tuple("node:n1", true), tuple("node:n2", true), tuple("node:rr2", false));
    assertThat(ofReflector.failures()).isEmpty();
  }

  @Test
  void theSessionOfTwoNodesIsTheSameForTheMeshAndForAReflector() {
    List<Node> nodes = List.of(self, reflector("rr1", "10.0.0.8"));
    List<BgpPeer> peers = List.of(spec("reflectors", "{peerSelector: has(reflector)}"));
    PeerConfig meshed =
        BgpPlan.of(me(self), nodes, List.of(), List.of(), mesh(true)).peers().getFirst().session();
    PeerConfig reflected =
        BgpPlan.of(me(self), nodes, peers, List.of(), mesh(false)).peers().getFirst().session();
    BgpPlan both = BgpPlan.of(me(self), nodes, peers, List.of(), mesh(true));

    assertThat(reflected).matches(meshed::sameSession);
    assertThat(both.peers()).extracting(BgpPlan.Peer::session).containsExactly(reflected);
    assertThat(both.failures()).isEmpty();
  }

  @Test
  void aPeerHasTheSettingsOfItsResource() {
    BgpPeer uplink =
        spec(
            "uplink",
            """
            {interface: eth0, localASNumber: 65100, numAllowedLocalASNumbers: 2, ttlSecurity: 1,
             password: {file: /etc/tor.password}, nextHopMode: Self, keepaliveTime: 3,
             maxRestartTime: 60, bfd: {transmitMilliseconds: 100},
             maxPrefixes: {limit: 1000, restartSeconds: 30}}
            """);
    BgpPlan.Peer peer = plan(List.of(self), List.of(uplink)).peers().getFirst();
    PeerConfig session = peer.session();
    assertThat(session.where()).isEqualTo(new PeerAddress.OnInterface("eth0"));
    assertThat(session.remoteAs()).isEqualTo(new PeerAs.External());
    assertThat(session.localAs()).contains(new LocalAs(new Asn(65100), true));
    assertThat(session.families()).containsExactlyInAnyOrder(Family.IPV4, Family.IPV6);
    assertThat(session.ipv4OverIpv6()).isTrue();
    assertThat(session.sourceAddress()).isEmpty();
    assertThat(session.security().ttlHops()).hasValue(1);
    assertThat(session.timers().holdTime()).isEqualTo(Duration.ofSeconds(9));
    assertThat(session.restartTime()).contains(Duration.ofSeconds(60));
    assertThat(session.bfd())
        .contains(new BfdSettings(Duration.ofMillis(100), Duration.ofMillis(300), 3));
    assertThat(session.policy().nextHop()).isEqualTo(NextHopMode.SELF);
    assertThat(session.policy().allowOwnAs()).isEqualTo(2);
    assertThat(session.policy().maxPrefixes().get(Family.IPV4))
        .isEqualTo(
            new MaxPrefixes(
                1000, 75, new MaxPrefixes.Shutdown(Optional.of(Duration.ofSeconds(30)))));
    assertThat(peer.passwordFile()).contains("/etc/tor.password");
  }

  @Test
  void aPeerMayWaitForgetRoutesNeedFiltersAndTellSeveralPaths() {
    BgpPeer plain = spec("tor", "{peerIP: 10.1.0.1, asNumber: 65000}");
    BgpPeer other =
        spec(
            "tor",
            """
            {peerIP: 10.1.0.1, asNumber: 65000, passive: true, gracefulRestart: false,
             requirePolicy: true, addPath: {receive: true, send: 4}}
            """);
    PeerConfig usual = plan(List.of(self), List.of(plain)).peers().getFirst().session();
    PeerConfig changed = plan(List.of(self), List.of(other)).peers().getFirst().session();
    assertThat(usual)
        .returns(false, PeerConfig::passive)
        .returns(true, PeerConfig::gracefulRestart)
        .returns(false, session -> session.policy().requirePolicy())
        .returns(AddPath.OFF, PeerConfig::addPath);
    assertThat(changed)
        .returns(true, PeerConfig::passive)
        .returns(false, PeerConfig::gracefulRestart)
        .returns(true, session -> session.policy().requirePolicy())
        .returns(new AddPath(true, 4), PeerConfig::addPath);
    BgpPeer receiver = spec("tor", "{peerIP: 10.1.0.1, asNumber: 65000, addPath: {receive: true}}");
    assertThat(plan(List.of(self), List.of(receiver)).peers().getFirst().session().addPath())
        .isEqualTo(new AddPath(true, 1));
  }

  @Test
  void aDrainIsAnnouncedFirstAndThenEndsTheSessions() {
    List<BgpPeer> peers = List.of(peer("tor", "10.1.0.1", Optional.empty()));
    PeerConfig usual = drained(peers, BgpPlan.Drain.NONE);
    PeerConfig announced = drained(peers, BgpPlan.Drain.ANNOUNCED);
    PeerConfig done = drained(peers, BgpPlan.Drain.DONE);
    assertThat(usual.policy().gracefulShutdown()).isFalse();
    assertThat(announced.policy().gracefulShutdown()).isTrue();
    assertThat(announced).matches(usual::sameSession);
    assertThat(done.shutdown()).contains("node n1 is drained");
  }

  @Test
  void aFilterIsCompiledAndItsEditLeavesTheSessionAlone() {
    BgpPeer tor = spec("tor", "{peerIP: 10.1.0.1, asNumber: 65000, filters: [a, b]}");
    BgpFilter b = filter("b", "{exportV4: [{action: Reject, source: RemotePeers}]}");
    PeerConfig first =
        filtered(tor, filter("a", "{importV4: [{action: Reject}]}"), b).getFirst().session();
    assertThat(first.policy().importPolicy()).isPresent();
    assertThat(first.policy().exportPolicy()).isPresent();
    PeerConfig edited =
        filtered(tor, filter("a", "{importV4: [{action: Accept}]}"), b).getFirst().session();
    assertThat(edited).isNotEqualTo(first).matches(first::sameSession);
    assertThat(filtered(tor, b, filter("a", "{importV4: [{action: Reject}]}")).getFirst().session())
        .as("the order of the resources changes nothing")
        .isEqualTo(first);
  }

  @Test
  void aPeerWhoseFilterCannotBeHadExchangesNoRoute() {
    BgpPeer tor = spec("tor", "{peerIP: 10.1.0.1, asNumber: 65000, filters: [a, b]}");
    for (BgpFilter only :
        List.of(
            filter("b", "{}"), filter("a", "{importV4: [{action: Reject, interface: 'eth*'}]}"))) {
      BgpPlan plan =
          BgpPlan.of(
              me(self), List.of(self), List.of(tor), List.of(only), BgpConfiguration.defaults());
      assertThat(plan.failures()).hasSize(1);
      assertThat(plan.peers().getFirst().session().policy().importPolicy().orElseThrow())
          .isInstanceOf(RejectAll.class);
      assertThat(plan.peers().getFirst().session().policy().exportPolicy().orElseThrow())
          .isInstanceOf(RejectAll.class);
    }
    BgpPlan byInterface =
        BgpPlan.of(
            me(self),
            List.of(self),
            List.of(spec("tor", "{peerIP: 10.1.0.1, asNumber: 65000, filters: [a]}")),
            List.of(filter("a", "{importV4: [{action: Reject, interface: 'eth*'}]}")),
            BgpConfiguration.defaults());
    assertThat(byInterface.failures().getFirst().why()).contains("importV4[0].interface");
  }

  private List<BgpPlan.Peer> filtered(BgpPeer peer, BgpFilter... filters) {
    BgpPlan plan =
        BgpPlan.of(
            me(self), List.of(self), List.of(peer), List.of(filters), BgpConfiguration.defaults());
    assertThat(plan.failures()).isEmpty();
    return plan.peers();
  }

  private static BgpFilter filter(String name, String text) {
    return (BgpFilter)
        ResourceCodec.fromManifest(
                "{apiVersion: wayleave.io/v1, kind: BGPFilter, metadata: {name: "
                    + name
                    + "}, spec: "
                    + text
                    + "}")
            .getFirst();
  }

  private PeerConfig drained(List<BgpPeer> peers, BgpPlan.Drain drain) {
    return BgpPlan.of(me(self, drain), List.of(self), peers, List.of(), BgpConfiguration.defaults())
        .peers()
        .getFirst()
        .session();
  }

  private BgpPlan plan(List<Node> nodes, List<BgpPeer> peers) {
    return BgpPlan.of(me(self), nodes, peers, List.of(), BgpConfiguration.defaults());
  }

  private static BgpConfiguration mesh(boolean on) {
    return new BgpConfiguration(
        Metadata.of("default"),
        new BgpConfiguration.Spec(Optional.of(on), Optional.empty(), Optional.empty()));
  }

  private static BgpPlan.Self me(Node node) {
    return me(node, BgpPlan.Drain.NONE);
  }

  private static BgpPlan.Self me(Node node, BgpPlan.Drain drain) {
    return new BgpPlan.Self(node, ROUTER_ID, List.of(IpAddress.parse("10.0.0.1")), drain);
  }

  private static Node node(String name, String address, Map<String, String> labels) {
    return node(name, address, labels, Optional.empty());
  }

  private static Node reflector(String name, String address) {
    return node(name, address, Map.of("reflector", "yes"), Optional.of(RouterId.parse("10.9.9.9")));
  }

  private static Node node(
      String name, String address, Map<String, String> labels, Optional<RouterId> clusterId) {
    return new Node(
        Metadata.of(name, labels),
        new Node.Spec(
            Optional.of(
                new Node.Bgp(
                    Optional.empty(),
                    Optional.of(address),
                    Optional.empty(),
                    Optional.empty(),
                    clusterId)),
            Optional.empty()));
  }

  private static BgpPeer peer(String name, String address, Optional<String> nodeSelector) {
    return new BgpPeer(
        Metadata.of(name),
        BgpPeer.Spec.at(
            IpAddress.parse(address).toString(), new Asn(65000), Optional.empty(), nodeSelector));
  }

  private static BgpPeer spec(String name, String text) {
    return (BgpPeer)
        ResourceCodec.fromManifest(
                "{apiVersion: wayleave.io/v1, kind: BGPPeer, metadata: {name: "
                    + name
                    + "}, spec: "
                    + text
                    + "}")
            .getFirst();
  }
}
