package io.wayleave.test.lab;

import io.wayleave.model.Asn;
import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * What a router of the lab does, whatever daemon does it.
 *
 * @param networks interfaces whose connected networks it announces
 */
record RouterPlan(
    String name,
    String namespace,
    Asn asn,
    IpAddress routerId,
    List<Neighbor> neighbors,
    List<Network> networks) {
  static final int HOLD_SECONDS = 9;
  static final int KEEPALIVE_SECONDS = 3;

  RouterPlan {
    neighbors = List.copyOf(neighbors);
    networks = List.copyOf(networks);
  }

  /** A connected network that is announced. */
  record Network(String link, String ipv4, String ipv6) {}

  /** The other side of a BGP session. */
  sealed interface Neighbor {
    String name();

    IpAddress address();

    Asn asn();
  }

  /** Another router: it is believed all that it says. */
  record Fabric(String name, IpAddress address, Asn asn) implements Neighbor {}

  /** A host: it connects, the router never does, and it is believed only containers' addresses. */
  record HostPeer(String name, IpAddress address, Asn asn) implements Neighbor {}

  static RouterPlan ofSpine(Topology topology) {
    List<Neighbor> neighbors = new ArrayList<>();
    for (Topology.Tor tor : topology.tors()) {
      neighbors.add(new Fabric(tor.name(), tor.uplink4(), tor.asn()));
    }
    return new RouterPlan(
        "spine",
        topology.spineNamespace(),
        Topology.SPINE_AS,
        topology.spineAddress(1),
        neighbors,
        List.of(new Network("etcd", "10.90.0.0/24", "fd90::/64")));
  }

  static RouterPlan of(Topology topology, Topology.Tor tor) {
    List<Neighbor> neighbors = new ArrayList<>();
    neighbors.add(new Fabric("spine", topology.spineAddress(tor.rack()), Topology.SPINE_AS));
    for (Topology.Host host : topology.hosts(tor.rack())) {
      neighbors.add(new HostPeer(host.name(), host.ipv4(), host.asn()));
    }
    return new RouterPlan(
        tor.name(),
        tor.namespace(),
        tor.asn(),
        tor.uplink4(),
        neighbors,
        List.of(
            new Network("rack", "10.90." + tor.rack() + ".0/24", "fd90:" + tor.rack() + "::/64")));
  }
}
