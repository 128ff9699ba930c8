package io.wayleave.bgp.unnumbered;

/**
 * Hears which routers are at the other ends of the watched links, on the thread of {@link
 * NeighbourDiscovery}: it must not block. For one interface, found and lost take turns.
 */
public interface NeighbourListener {
  void found(LinkNeighbour neighbour);

  /** It is silent for too long, or its interface is down or gone. */
  void lost(LinkNeighbour neighbour, String reason);
}
