package io.wayleave.route;

import io.wayleave.linux.netlink.Route;
import io.wayleave.linux.netlink.RouteType;
import java.util.Locale;

/**
 * Who wants a route, from the most to the least preferred for one destination: a container that
 * runs here is here, whatever the fabric says, and a block of this host is not elsewhere.
 */
public enum RouteSource {
  /** Containers of this host. */
  WORKLOAD,
  /** Address blocks of this host, whose unused addresses must not loop through the fabric. */
  BLOCK,
  /** BGP. */
  LEARNED;

  /** Whose a route in the kernel must be, judged by its form alone: nothing else survives us. */
  static RouteSource of(Route kernel) {
    if (kernel.type() == RouteType.BLACKHOLE) {
      return BLOCK;
    }
    boolean gateway = kernel.nextHops().stream().anyMatch(hop -> hop.gateway().isPresent());
    return gateway ? LEARNED : WORKLOAD;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
