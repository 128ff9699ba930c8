package io.wayleave.bgp;

import io.wayleave.model.IpAddress;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Knows how far next hops are (RFC 4271 section 9.1.2.1): the seam to whoever knows this host's
 * routes, which the speaker does not. A link-local next hop that was told on its own link is never
 * asked for.
 */
public interface NextHopSource {
  /**
   * Every next hop is a neighbour: for a speaker beside which nobody looks after the kernel's
   * routes.
   */
  NextHopSource ALL_CONNECTED =
      new NextHopSource() {
        @Override
        public void begin(Listener listener) {}

        @Override
        public void watch(Set<IpAddress> nextHops) {}
      };

  /** Takes what there is to tell, from any thread. */
  interface Listener {
    /**
     * How far these watched next hops are now: the cost of the inner route, 0 on a link of this
     * host, empty when there is no way.
     */
    void found(Map<IpAddress, OptionalLong> distances);
  }

  /** Called once, before everything else. */
  void begin(Listener listener);

  /**
   * From now on just these are of interest. Each that was not before must be told of, since no path
   * by it is used until then, and each whose distance changes. Called on the speaker's thread: must
   * not block.
   */
  void watch(Set<IpAddress> nextHops);
}
