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
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The interfaces of the host and the networks that are on their links: what is needed to turn a
 * name or the address of a router into an interface index. NOT thread safe.
 */
final class Topology {
  private final Map<Integer, Link> links = new HashMap<>();
  private final Map<String, Integer> indexes = new HashMap<>();
  private final Set<Route> onLink = new HashSet<>();

  /** An interface index, or why there is none. */
  sealed interface Resolution {
    record Found(int interfaceIndex) implements Resolution {}

    record Missing(String reason) implements Resolution {}
  }

  void clear() {
    links.clear();
    indexes.clear();
    onLink.clear();
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
    return onLink.removeIf(
        route -> interfaceIndexes.contains(route.nextHops().getFirst().interfaceIndex()));
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

  /** The interface behind which the router is, as the kernel would find it. */
  Resolution resolve(Gateway gateway) {
    if (gateway.interfaceName().isPresent()) {
      return interfaceNamed(gateway.interfaceName().get());
    }
    IpAddress address = gateway.address();
    if (address.family() == Family.IPV6 && address.isLinkLocal()) {
      return new Resolution.Missing(
          "next hop " + address + " is link-local and comes without an interface");
    }
    Optional<Route> best = Optional.empty();
    for (Route route : onLink) {
      if (route.destination().contains(address)
          && isUp(route)
          && best.map(other -> isBetter(route, other)).orElse(true)) {
        best = Optional.of(route);
      }
    }
    return best.<Resolution>map(
            route -> new Resolution.Found(route.nextHops().getFirst().interfaceIndex()))
        .orElseGet(
            () ->
                new Resolution.Missing(
                    "next hop " + address + " is not on a network of this host's links"));
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

  private boolean isUp(Route route) {
    Link link = links.get(route.nextHops().getFirst().interfaceIndex());
    return link != null && link.up();
  }

  private static boolean isBetter(Route route, Route other) {
    int length = route.destination().prefixLength();
    int otherLength = other.destination().prefixLength();
    return length > otherLength || (length == otherLength && route.metric() < other.metric());
  }
}
