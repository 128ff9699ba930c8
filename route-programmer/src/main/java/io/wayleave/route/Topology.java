package io.wayleave.route;

import io.wayleave.linux.netlink.Link;
import io.wayleave.linux.netlink.NextHop;
import io.wayleave.linux.netlink.Route;
import io.wayleave.linux.netlink.RouteType;
import io.wayleave.linux.netlink.Scope;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The interfaces of the host and the networks that are on their links: what is needed to turn a
 * name or the address of a router into an interface index. NOT thread safe.
 */
final class Topology {
  private final Map<Integer, Link> links = new HashMap<>();
  private final Map<String, Integer> indexes = new HashMap<>();
  private final Set<Route> onLink = new HashSet<>();
  // Routes of others by which routers that are not on a link may be reached.
  private final Map<RouteKey, Route> ways = new HashMap<>();

  /** An interface index, or why there is none. */
  sealed interface Resolution {
    record Found(int interfaceIndex) implements Resolution {}

    record Missing(String reason) implements Resolution {}
  }

  void clear() {
    links.clear();
    indexes.clear();
    onLink.clear();
    ways.clear();
  }

  /** Returns what was known of it before. */
  Optional<Link> put(Link link) {
    Optional<Link> before = remove(link.index());
    links.put(link.index(), link);
    indexes.put(link.name(), link.index());
    return before;
  }

  Optional<Link> remove(int index) {
    Optional<Link> before = Optional.ofNullable(links.remove(index));
    before.ifPresent(link -> indexes.remove(link.name(), index));
    return before;
  }

  boolean addOnLink(Route route) {
    return onLink.add(route);
  }

  boolean removeOnLink(Route route) {
    return onLink.remove(route);
  }

  /** The kernel drops the routes of an interface that goes down, and does not tell. */
  boolean removeOnLink(Collection<Integer> interfaceIndexes) {
    boolean lost =
        ways.values()
            .removeIf(
                route ->
                    route.nextHops().stream()
                        .allMatch(hop -> interfaceIndexes.contains(hop.interfaceIndex())));
    boolean offLink =
        onLink.removeIf(
            route -> interfaceIndexes.contains(route.nextHops().getFirst().interfaceIndex()));
    return lost || offLink;
  }

  /**
   * A route of another that is relevant for a router.
   *
   * @return false when there is one already that this one does not replace: then only the kernel
   *     knows what is true now
   */
  boolean putWay(Route route, boolean replaced) {
    Route known = ways.put(RouteKey.of(route), route);
    return known == null || replaced || known.equals(route);
  }

  /** False as with {@link #putWay}. */
  boolean removeWay(Route route) {
    RouteKey key = RouteKey.of(route);
    return ways.remove(key, route) || !ways.containsKey(key);
  }

  Resolution interfaceNamed(String name) {
    Integer index = indexes.get(name);
    if (index == null) {
      return new Resolution.Missing("interface " + name + " does not exist");
    }
    if (!links.get(index).up()) {
      return new Resolution.Missing("interface " + name + " is down");
    }
    return new Resolution.Found(index);
  }

  /** The routes of others that a packet to this address could take, in no order. */
  List<Route> routesTo(IpAddress address) {
    return Stream.concat(onLink.stream(), ways.values().stream())
        .filter(route -> route.destination().contains(address))
        .toList();
  }

  /** Whether the address is on a link that is up. */
  boolean isNeighbour(IpAddress address) {
    return onLink.stream()
        .anyMatch(
            route ->
                route.destination().contains(address)
                    && isUp(route.nextHops().getFirst().interfaceIndex()));
  }

  /** Whether just this network is on a link. */
  boolean hasOnLink(Cidr network) {
    return onLink.stream().anyMatch(route -> route.destination().equals(network));
  }

  /** A copy. */
  Set<Cidr> onLinkNetworks() {
    return onLink.stream().map(Route::destination).collect(Collectors.toUnmodifiableSet());
  }

  /** Whether a route of somebody else says that a network is on a link. */
  static boolean isOnLink(Route route) {
    if (route.type() != RouteType.UNICAST || route.nextHops().size() != 1) {
      return false;
    }
    NextHop hop = route.nextHops().getFirst();
    Cidr destination = route.destination();
    boolean linkLocal = destination.family() == Family.IPV6 && destination.address().isLinkLocal();
    boolean direct = route.family() == Family.IPV6 || route.scope().number() >= Scope.LINK.number();
    return hop.gateway().isEmpty()
        && hop.interfaceIndex() != 0
        && direct
        // Each interface has fe80::/64, which tells nothing.
        && !linkLocal
        && !destination.address().isMulticast();
  }

  /** Whether a route of somebody else leads to a router and on from there. */
  static boolean isWay(Route route) {
    return route.type() == RouteType.UNICAST && !route.nextHops().isEmpty() && !isOnLink(route);
  }

  boolean isUp(int interfaceIndex) {
    Link link = links.get(interfaceIndex);
    return link != null && link.up();
  }
}
