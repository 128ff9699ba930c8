package io.wayleave.test.lab;

/** The resources that make a lab's agents a fabric. */
final class Manifests {
  private Manifests() {}

  /** The pool, and for each rack a peer that its nodes select by their label. */
  static String fabric(Topology topology) {
    StringBuilder text = new StringBuilder();
    text.append(
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
    for (Topology.Tor tor : topology.tors()) {
      text.append(
          """
          ---
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
                  RouterPlan.KEEPALIVE_SECONDS));
    }
    return text.toString();
  }
}
