package io.wayleave.agent;

import io.wayleave.model.Asn;
import io.wayleave.model.BgpConfiguration;
import io.wayleave.model.BgpPeer;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Node;
import io.wayleave.model.RouterId;
import io.wayleave.model.status.AgentStatus.Failure;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Whom this node speaks BGP with, derived from the resources alone: the same resources give the
 * same plan, whatever order they came in.
 *
 * @param asNumber this node's AS
 * @param routerId this node's BGP identifier
 * @param listenPort TCP port to listen on
 * @param mesh whether every node peers with every other, and why, for people to read
 * @param peers sorted by name
 * @param failures peers that cannot be had, and why
 */
record BgpPlan(
    Asn asNumber,
    RouterId routerId,
    int listenPort,
    String mesh,
    List<Peer> peers,
    List<Failure> failures) {

  /** No resource's name has a colon, so no BGPPeer can be taken for a peer of the mesh. */
  static final String MESH_PREFIX = "mesh:";

  static final int DEFAULT_PORT = 179;
  static final int DEFAULT_KEEPALIVE_SECONDS = 30;
  static final int DEFAULT_RESTART_SECONDS = 120;

  /** Where a peer comes from, as {@code netctl node status} names it. */
  enum PeerType {
    MESH("node-to-node mesh"),
    GLOBAL("global"),
    NODE_SPECIFIC("node specific");

    private final String title;

    PeerType(String title) {
      this.title = title;
    }

    String title() {
      return title;
    }
  }

  /**
   * One session.
   *
   * @param name unique: the BGPPeer's name, or {@code mesh:<node>}
   * @param keepaliveSeconds a third of the hold time
   * @param restartSeconds how long the peer shall keep our routes while we restart
   */
  record Peer(
      String name,
      PeerType type,
      IpAddress address,
      int port,
      Asn asNumber,
      int keepaliveSeconds,
      int restartSeconds) {
    int holdSeconds() {
      return 3 * keepaliveSeconds;
    }
  }

  /**
   * Makes the plan of one node.
   *
   * @param self this node as its resource says
   * @param selfRouterId the identifier where the resource names none
   * @param nodes every node, this one included or not
   * @param bgpPeers every BGPPeer of the fabric
   * @param configuration the fabric's settings
   */
  static BgpPlan of(
      Node self,
      RouterId selfRouterId,
      Collection<Node> nodes,
      Collection<BgpPeer> bgpPeers,
      BgpConfiguration configuration) {
    Optional<Node.Bgp> selfBgp = self.spec().bgp();
    Asn fabricAsn = configuration.spec().asNumber().orElse(BgpConfiguration.DEFAULT_ASN);
    int listenPort = configuration.spec().listenPort().orElse(DEFAULT_PORT);
    List<Failure> failures = new ArrayList<>();
    Map<IpAddress, Peer> byAddress = new HashMap<>();

    // Of several peers with one address the first by name is taken, on every node alike.
    bgpPeers.stream()
        .sorted(Comparator.comparing(BgpPeer::name))
        .filter(peer -> peer.appliesTo(self.name(), self.metadata().labels()))
        .map(BgpPlan::configuredPeer)
        .forEach(peer -> add(peer, self, byAddress, failures));

    boolean meshOn = configuration.spec().nodeToNodeMeshEnabled().orElse(bgpPeers.isEmpty());
    if (meshOn) {
      nodes.stream()
          .sorted(Comparator.comparing(Node::name))
          .filter(node -> !node.name().equals(self.name()))
          .forEach(
              node -> {
                Optional<IpAddress> address = commonFamilyAddress(self, node);
                if (address.isEmpty()) {
                  failures.add(
                      new Failure(
                          "mesh peer " + node.name(),
                          "the two nodes have no address of the same family"));
                  return;
                }
                Asn asn = node.spec().bgp().flatMap(Node.Bgp::asNumber).orElse(fabricAsn);
                Peer peer =
                    new Peer(
                        MESH_PREFIX + node.name(),
                        PeerType.MESH,
                        address.get(),
                        listenPort,
                        asn,
                        DEFAULT_KEEPALIVE_SECONDS,
                        DEFAULT_RESTART_SECONDS);
                add(peer, self, byAddress, failures);
              });
    }
    List<Peer> peers =
        byAddress.values().stream().sorted(Comparator.comparing(Peer::name)).toList();
    return new BgpPlan(
        selfBgp.flatMap(Node.Bgp::asNumber).orElse(fabricAsn),
        selfBgp.flatMap(Node.Bgp::routerID).orElse(selfRouterId),
        listenPort,
        meshText(configuration, bgpPeers.size()),
        peers,
        List.copyOf(failures));
  }

  private static Peer configuredPeer(BgpPeer peer) {
    BgpPeer.Spec spec = peer.spec();
    return new Peer(
        peer.name(),
        spec.node().isPresent() || spec.nodeSelector().isPresent()
            ? PeerType.NODE_SPECIFIC
            : PeerType.GLOBAL,
        spec.address(),
        spec.port(),
        spec.asNumber(),
        spec.keepaliveTime().orElse(DEFAULT_KEEPALIVE_SECONDS),
        spec.maxRestartTime().orElse(DEFAULT_RESTART_SECONDS));
  }

  private static void add(
      Peer peer, Node self, Map<IpAddress, Peer> byAddress, List<Failure> failures) {
    if (own(self, peer.address())) {
      if (peer.type() != PeerType.MESH) {
        failures.add(
            new Failure("peer " + peer.name(), peer.address() + " is this node's own address"));
      }
      return;
    }
    Peer other = byAddress.putIfAbsent(peer.address(), peer);
    if (other != null) {
      failures.add(
          new Failure(
              "peer " + peer.name(),
              peer.address() + " is also the address of peer " + other.name() + ", which is used"));
    }
  }

  private static boolean own(Node self, IpAddress address) {
    Optional<Node.Bgp> bgp = self.spec().bgp();
    return bgp.flatMap(Node.Bgp::ipv4).equals(Optional.of(address))
        || bgp.flatMap(Node.Bgp::ipv6).equals(Optional.of(address));
  }

  private static Optional<IpAddress> commonFamilyAddress(Node self, Node other) {
    Optional<Node.Bgp> mine = self.spec().bgp();
    Optional<Node.Bgp> theirs = other.spec().bgp();
    if (mine.flatMap(Node.Bgp::ipv4).isPresent() && theirs.flatMap(Node.Bgp::ipv4).isPresent()) {
      return theirs.flatMap(Node.Bgp::ipv4);
    }
    if (mine.flatMap(Node.Bgp::ipv6).isPresent()) {
      return theirs.flatMap(Node.Bgp::ipv6);
    }
    return Optional.empty();
  }

  private static String meshText(BgpConfiguration configuration, int peers) {
    Optional<Boolean> wanted = configuration.spec().nodeToNodeMeshEnabled();
    if (wanted.isPresent()) {
      return (wanted.get() ? "on" : "off") + ": nodeToNodeMeshEnabled is " + wanted.get();
    }
    return peers == 0
        ? "on: there is no BGPPeer"
        : "off: there " + (peers == 1 ? "is 1 BGPPeer" : "are " + peers + " BGPPeers");
  }
}
