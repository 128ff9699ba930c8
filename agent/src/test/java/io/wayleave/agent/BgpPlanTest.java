package io.wayleave.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Asn;
import io.wayleave.model.BgpConfiguration;
import io.wayleave.model.BgpPeer;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Metadata;
import io.wayleave.model.Node;
import io.wayleave.model.RouterId;
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
    assertThat(plan.peers()).extracting(BgpPlan.Peer::name).containsExactly("mesh:n2", "mesh:n3");
    assertThat(plan.peers()).allMatch(peer -> peer.asNumber().equals(BgpConfiguration.DEFAULT_ASN));
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
    assertThat(BgpPlan.of(self, ROUTER_ID, nodes, peers, mesh(true)).peers())
        .extracting(BgpPlan.Peer::name)
        .containsExactly("mesh:n2", "tor");
    assertThat(BgpPlan.of(self, ROUTER_ID, nodes, List.of(), mesh(false)).peers()).isEmpty();
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
    assertThat(plan.peers().getFirst().holdSeconds()).isEqualTo(90);
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
    BgpPlan first = BgpPlan.of(self, ROUTER_ID, nodes, peers, mesh(true));
    assertThat(first.failures()).hasSize(3);
    Random random = new Random(3);
    for (int i = 0; i < 50; i++) {
      Collections.shuffle(nodes, random);
      Collections.shuffle(peers, random);
      assertThat(BgpPlan.of(self, ROUTER_ID, nodes, peers, mesh(true))).isEqualTo(first);
    }
  }

  private BgpPlan plan(List<Node> nodes, List<BgpPeer> peers) {
    return BgpPlan.of(self, ROUTER_ID, nodes, peers, BgpConfiguration.defaults());
  }

  private static BgpConfiguration mesh(boolean on) {
    return new BgpConfiguration(
        Metadata.of("default"),
        new BgpConfiguration.Spec(Optional.of(on), Optional.empty(), Optional.empty()));
  }

  private static Node node(String name, String address, Map<String, String> labels) {
    return new Node(
        Metadata.of(name, labels),
        new Node.Spec(
            Optional.of(
                new Node.Bgp(
                    Optional.empty(), Optional.of(address), Optional.empty(), Optional.empty()))));
  }

  private static BgpPeer peer(String name, String address, Optional<String> nodeSelector) {
    return new BgpPeer(
        Metadata.of(name),
        new BgpPeer.Spec(
            Optional.empty(),
            nodeSelector,
            IpAddress.parse(address).toString(),
            new Asn(65000),
            Optional.empty(),
            Optional.empty()));
  }
}
