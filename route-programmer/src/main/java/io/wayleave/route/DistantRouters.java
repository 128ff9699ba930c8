package io.wayleave.route;

import io.wayleave.linux.netlink.Route;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import java.util.HashSet;
import java.util.Set;

/**
 * The next hops that are no neighbours, as those of a mesh across routed racks. Routes of others
 * are looked at only as far as they lead to one of these. NOT thread safe.
 */
final class DistantRouters {
  private Set<IpAddress> routers = Set.of();
  // Every destination that one of them lies in, so that a look costs one probe.
  private final Set<Cidr> around = new HashSet<>();

  /** What became of the set. */
  enum Change {
    NONE,
    FEWER,
    /** There are routers whose way is not known yet. */
    MORE
  }

  Change update(Set<Gateway> inUse, Topology topology) {
    Set<IpAddress> now = new HashSet<>();
    for (Gateway gateway : inUse) {
      if (gateway.interfaceName().isEmpty() && !topology.isNeighbour(gateway.address())) {
        now.add(gateway.address());
      }
    }
    if (now.equals(routers)) {
      return Change.NONE;
    }
    boolean more = !routers.containsAll(now);
    routers = now;
    around.clear();
    for (IpAddress router : now) {
      for (int length = router.family().bits(); length >= 0; length--) {
        around.add(Cidr.around(router, length));
      }
    }
    return more ? Change.MORE : Change.FEWER;
  }

  /** Whether one of them lies there. */
  boolean isAround(Cidr destination) {
    return around.contains(destination);
  }

  /** Whether the route of somebody else may lead to one of them. */
  boolean isWay(Route route) {
    return around.contains(route.destination()) && Topology.isWay(route);
  }
}
