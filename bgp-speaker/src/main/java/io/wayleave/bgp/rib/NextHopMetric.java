package io.wayleave.bgp.rib;

import io.wayleave.model.IpAddress;
import java.util.OptionalLong;

/**
 * How far away a next hop is (RFC 4271 section 9.1.2.1). Called on the speaker's thread for each
 * decision between several paths: must answer from memory.
 */
@FunctionalInterface
public interface NextHopMetric {
  /** Every next hop is a neighbour, as on a host whose peers are its ToRs or its own segment. */
  NextHopMetric CONNECTED = _ -> OptionalLong.of(0);

  /** Cost of the inner route to the address, 0 when it is connected; empty when there is no way. */
  OptionalLong metric(IpAddress nextHop);

  /** Whether it is not known yet how far it is; {@link #metric} is empty as long as that is so. */
  default boolean isAwaited(IpAddress nextHop) {
    return false;
  }

  /** How far the path's next hop is; what is on the link of the session needs no way. */
  default OptionalLong of(Path path) {
    return path.isOnLinkOfSession() ? OptionalLong.of(0) : metric(path.nextHop().gateway());
  }
}
