package io.wayleave.route;

import io.wayleave.linux.Errno;
import io.wayleave.linux.netlink.Link;
import io.wayleave.linux.netlink.NetlinkEvent;
import io.wayleave.linux.netlink.NextHop;
import io.wayleave.linux.netlink.Route;
import io.wayleave.linux.netlink.RouteType;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The part of the kernel's routing that the programmer depends on, in memory. {@link
 * RouteDriverContract} holds it to the real one. It also keeps the events that the kernel would
 * send, and what was written, for tests to look at.
 */
final class MemoryKernel implements TestKernel, RouteDriver {
  private final RouteSettings settings;
  private final Map<Integer, Link> links = new LinkedHashMap<>();
  private final Map<RouteKey, Route> routes = new LinkedHashMap<>();
  private final Set<IpAddress> addresses = new HashSet<>();
  private final List<NetlinkEvent> events = new ArrayList<>();
  private final List<Write> written = new ArrayList<>();
  private Optional<String> failure = Optional.empty();
  private int lastIndex = 1;
  private int dumps;

  MemoryKernel(RouteSettings settings) {
    this.settings = settings;
  }

  @Override
  public RouteDriver driver() {
    return this;
  }

  /** Everything since the last call, as the monitor would give it. */
  List<NetlinkEvent> takeEvents() {
    List<NetlinkEvent> taken = List.copyOf(events);
    events.clear();
    return taken;
  }

  /** Everything since the last call. */
  List<Write> takeWritten() {
    List<Write> taken = List.copyOf(written);
    written.clear();
    return taken;
  }

  int dumps() {
    return dumps;
  }

  /** From now on each call of the driver fails, until {@link Optional#empty}. */
  void failWith(Optional<String> message) {
    failure = message;
  }

  List<Route> own() {
    return routes.values().stream()
        .filter(route -> route.protocol() == settings.protocol())
        .toList();
  }

  @Override
  public int addLink(String name) {
    int index = ++lastIndex;
    put(index, name, true);
    return index;
  }

  @Override
  public void setUp(int interfaceIndex, boolean up) {
    put(interfaceIndex, links.get(interfaceIndex).name(), up);
    if (!up) {
      dropRoutes(interfaceIndex);
    }
  }

  @Override
  public void removeLink(int interfaceIndex) {
    setUp(interfaceIndex, false);
    // A route with several next hops does not survive that one of its interfaces is unregistered.
    routes
        .values()
        .removeIf(
            route ->
                route.nextHops().stream().anyMatch(hop -> hop.interfaceIndex() == interfaceIndex));
    events.add(new NetlinkEvent.LinkRemoved(links.remove(interfaceIndex)));
  }

  @Override
  public void addAddress(int interfaceIndex, IpAddress address, int prefixLength) {
    addresses.add(address);
    Cidr network = Cidr.around(address, prefixLength);
    Route connected =
        Route.unicast(network, Route.PROTOCOL_KERNEL, NextHop.dev(interfaceIndex))
            .withMetric(network.family() == Family.IPV4 ? 0 : 256);
    meddle(connected);
  }

  @Override
  public void meddle(Route route) {
    boolean replaced = routes.put(RouteKey.of(route), route) != null;
    events.add(new NetlinkEvent.RouteChanged(route, replaced));
  }

  @Override
  public void meddleAway(Route route) {
    if (routes.remove(RouteKey.of(route), route)) {
      events.add(new NetlinkEvent.RouteRemoved(route));
    }
  }

  @Override
  public Snapshot dump(Predicate<Route> relevant) throws IOException {
    failIfAsked();
    dumps++;
    return new Snapshot(
        List.copyOf(links.values()), routes.values().stream().filter(relevant).toList());
  }

  @Override
  public List<Route> ownRoutesOn(int interfaceIndex) throws IOException {
    failIfAsked();
    return own().stream()
        .filter(
            route ->
                route.nextHops().stream().anyMatch(hop -> hop.interfaceIndex() == interfaceIndex))
        .toList();
  }

  @Override
  public List<Refusal> write(List<Write> writes) throws IOException {
    failIfAsked();
    List<Refusal> refusals = new ArrayList<>();
    for (Write write : writes) {
      written.add(write);
      Optional<Errno> errno =
          switch (write) {
            case Write.Add(Route route) ->
                invalid(route)
                    .or(
                        () ->
                            routes.putIfAbsent(RouteKey.of(route), route) == null
                                ? Optional.empty()
                                : Optional.of(Errno.EEXIST));
            case Write.Replace(Route route) -> {
              Optional<Errno> invalid = invalid(route);
              if (invalid.isEmpty()) {
                routes.put(RouteKey.of(route), route);
              }
              yield invalid;
            }
            case Write.Delete(Route route) ->
                routes.remove(RouteKey.of(route), route)
                    ? Optional.empty()
                    : Optional.of(Errno.ESRCH);
          };
      errno.ifPresent(number -> refusals.add(new Refusal(write, number, write + ": " + number)));
    }
    return refusals;
  }

  @Override
  public void close() {
    routes.clear();
  }

  private Optional<Errno> invalid(Route route) {
    boolean six = route.family() == Family.IPV6;
    for (NextHop hop : route.nextHops()) {
      Link link = links.get(hop.interfaceIndex());
      if (link == null) {
        return Optional.of(Errno.ENODEV);
      }
      if (!link.up()) {
        return Optional.of(Errno.ENETDOWN);
      }
      if (hop.gateway().map(gateway -> !isOnLink(gateway, link)).orElse(false)) {
        return Optional.of(six ? Errno.EHOSTUNREACH : Errno.ENETUNREACH);
      }
    }
    if (route.preferredSource().map(source -> !addresses.contains(source)).orElse(false)) {
      return Optional.of(Errno.EINVAL);
    }
    return Optional.empty();
  }

  private boolean isOnLink(IpAddress gateway, Link link) {
    return (gateway.family() == Family.IPV6 && gateway.isLinkLocal())
        || routes.values().stream()
            .anyMatch(
                route ->
                    route.type() == RouteType.UNICAST
                        && route.destination().contains(gateway)
                        && route.nextHops().equals(List.of(NextHop.dev(link.index()))));
  }

  /** Silently, as the kernel does it for IPv4. */
  private void dropRoutes(int interfaceIndex) {
    routes
        .values()
        .removeIf(
            route ->
                !route.nextHops().isEmpty()
                    && route.nextHops().stream()
                        .allMatch(
                            hop ->
                                hop.interfaceIndex() == interfaceIndex
                                    || !links.get(hop.interfaceIndex()).up()));
  }

  private void put(int index, String name, boolean up) {
    Link link =
        new Link(
            index, name, up, up, false, 1500, Optional.empty(), "veth", "", 0, OptionalInt.empty());
    links.put(index, link);
    events.add(new NetlinkEvent.LinkChanged(link));
  }

  private void failIfAsked() throws IOException {
    if (failure.isPresent()) {
      throw new IOException(failure.get());
    }
  }
}
