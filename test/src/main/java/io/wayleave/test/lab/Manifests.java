package io.wayleave.test.lab;

import java.util.ArrayList;
import java.util.List;

/** The resources that make a lab's agents a fabric. */
final class Manifests {
  /** Of the nodes that reflect routes. */
  static final String REFLECTOR_LABEL = "route-reflector";

  private Manifests() {}

  /** The pool, and whatever peers the shape has. */
  static String fabric(Topology topology) {
    List<String> resources = new ArrayList<>();
    resources.add(
        """
        apiVersion: wayleave.io/v1
        kind: IPPool
        metadata:
          name: containers
        spec:
          cidr: %s
          blockSize: 26
        """
            .formatted(Topology.POOL));
    resources.addAll(
        switch (topology.shape()) {
          case ONE_TOR, RACK_AS -> perTor(topology, "");
          // One address of the host cannot be where connections to both switches come from.
          case TWO_TORS -> perTor(topology, "  sourceAddress: None\n");
          case ONE_AS -> perTor(topology, "  numAllowedLocalASNumbers: 1\n");
          case UNNUMBERED ->
              topology.tors(1).stream().map(Topology.Tor::hostLink).map(Manifests::onLink).toList();
          case MESH -> List.of();
          case REFLECTORS -> List.of(reflectors(), meshOff());
        });
    return String.join("---\n", resources);
  }

  /** For each switch a peer that the nodes of its rack select by their label. */
  private static List<String> perTor(Topology topology, String more) {
    return topology.tors().stream()
        .map(
            tor ->
                """
                apiVersion: wayleave.io/v1
                kind: BGPPeer
                metadata:
                  name: %s
                spec:
                  nodeSelector: rack == "%d"
                  peerIP: %s
                  asNumber: %d
                  keepaliveTime: %d
                """
                        .formatted(
                            tor.name(),
                            tor.rack(),
                            tor.gateway4(),
                            tor.asn().number(),
                            RouterPlan.KEEPALIVE_SECONDS)
                    + more)
        .toList();
  }

  /** The same for all nodes: whoever is at the other end of the link. */
  private static String onLink(String link) {
    return """
    apiVersion: wayleave.io/v1
    kind: BGPPeer
    metadata:
      name: %1$s
    spec:
      interface: %1$s
      keepaliveTime: %2$d
    """
        .formatted(link, RouterPlan.KEEPALIVE_SECONDS);
  }

  private static String reflectors() {
    return """
    apiVersion: wayleave.io/v1
    kind: BGPPeer
    metadata:
      name: reflectors
    spec:
      nodeSelector: all()
      peerSelector: has(%s)
      keepaliveTime: %d
    """
        .formatted(REFLECTOR_LABEL, RouterPlan.KEEPALIVE_SECONDS);
  }

  private static String meshOff() {
    return """
    apiVersion: wayleave.io/v1
    kind: BGPConfiguration
    metadata:
      name: default
    spec:
      nodeToNodeMeshEnabled: false
    """;
  }
}
