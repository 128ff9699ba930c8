package io.wayleave.bgp.unnumbered;

/**
 * Hears which routers are at the other ends of the watched links, on the thread of {@link
 * NeighbourDiscovery}: it must not block. For one interface, found comes first, and then the same
 * neighbour is silent, lost, or first silent and then lost, before found comes again.
 */
public interface NeighbourListener {
  void found(LinkNeighbour neighbour);

  /**
   * It has not advertised itself in time. It may be restarting and still forward: what is known of
   * it by other means stays true, and another router may take its place.
   */
  void silent(LinkNeighbour neighbour);

  /** Its interface is down, gone, or not watched any more. */
  void lost(LinkNeighbour neighbour, String reason);
}
