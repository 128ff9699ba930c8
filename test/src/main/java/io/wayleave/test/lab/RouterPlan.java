package io.wayleave.test.lab;

import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a router of the lab does, whatever daemon does it.
 *
 * @param networks interfaces whose connected networks it announces
 * @param overriddenAs the AS that the rack's hosts share: taken out of what they are told, so that
 *     they do not see their own AS in it
 * @param restartsGracefully whether its neighbours are to keep its routes while its daemon is
 *     restarted (RFC 4724), as BIRD can. Not where there is another router that may take over
 */
record RouterPlan(
    String name,
    String namespace,
    Asn asn,
    IpAddress routerId,
    List<Neighbor> neighbors,
    List<Network> networks,
    Optional<Asn> overriddenAs,
    boolean restartsGracefully) {
  static final int HOLD_SECONDS = 9;
  static final int KEEPALIVE_SECONDS = 3;

  RouterPlan {
    neighbors = List.copyOf(neighbors);
    networks = List.copyOf(networks);
  }

  /** A connected network that is announced. */
  record Network(String link, Cidr ipv4, Cidr ipv6) {}

  /** The other side of a BGP session. */
  sealed interface Neighbor {
    String name();
  }

  /** Another router: it is believed all that it says. */
  record Fabric(String name, IpAddress address, Asn asn) implements Neighbor {}

  /** A host: it connects, the router never does, and it is believed only containers' addresses. */
  record HostPeer(String name, IpAddress address, Asn asn) implements Neighbor {}

  /** A host at the other end of the link of that name, of whatever address and AS. */
  record LinkPeer(String name) implements Neighbor {}

  /** The neighbours that are hosts. */
  List<Neighbor> hosts() {
    return neighbors.stream().filter(n -> !(n instanceof Fabric)).toList();
  }

  Neighbor neighbor(String neighbor) {
    return neighbors.stream()
        .filter(n -> n.name().equals(neighbor))
        .findFirst()
        .orElseThrow(() -> new LabException(name + " has no session with " + neighbor));
  }

  static RouterPlan ofSpine(Topology topology) {
    List<Neighbor> neighbors = new ArrayList<>();
    for (Topology.Tor tor : topology.tors()) {
      neighbors.add(new Fabric(tor.name(), tor.uplink4(), tor.asn()));
    }
    return new RouterPlan(
        "spine",
        topology.spineNamespace(),
        Topology.SPINE_AS,
        topology.tors().getFirst().spine4(),
        neighbors,
        topology.shape().hasSegment()
            ? List.of()
            : List.of(new Network("etcd", Cidr.parse("10.90.0.0/24"), Cidr.parse("fd90::/64"))),
        Optional.empty(),
        false);
  }

  static RouterPlan of(Topology topology, Topology.Tor tor) {
    boolean unnumbered = topology.shape().links() == Shape.Links.UNNUMBERED;
    List<Neighbor> neighbors = new ArrayList<>();
    neighbors.add(new Fabric("spine", tor.spine4(), Topology.SPINE_AS));
    for (Topology.Host host : topology.hosts(tor.rack())) {
      neighbors.add(
          unnumbered
              ? new LinkPeer(host.name())
              : new HostPeer(host.name(), Topology.address(host, tor), host.asn()));
    }
    return new RouterPlan(
        tor.name(),
        tor.namespace(),
        tor.asn(),
        tor.uplink4(),
        neighbors,
        unnumbered ? List.of() : List.of(new Network("rack", tor.network4(), tor.network6())),
        topology.shape().hostAs() == Shape.HostAs.RACK
            ? Optional.of(topology.hosts(tor.rack()).getFirst().asn())
            : Optional.empty(),
        topology.shape().torsPerRack() == 1);
  }
}
