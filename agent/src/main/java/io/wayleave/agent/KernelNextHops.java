package io.wayleave.agent;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.NextHopSource;
import io.wayleave.model.IpAddress;
import io.wayleave.route.RouteService;
import java.util.Optional;
import java.util.Set;

/**
 * Tells the speaker how far next hops are by the links and routes of this host, as the route
 * service sees them. Both are called on the speaker's thread.
 */
final class KernelNextHops implements NextHopSource {
  private final RouteService routes;
  private Optional<Listener> listener = Optional.empty();

  KernelNextHops(RouteService routes) {
    this.routes = requireNonNull(routes, "routes is null");
  }

  @Override
  public void begin(Listener told) {
    listener = Optional.of(told);
  }

  @Override
  public void watch(Set<IpAddress> nextHops) {
    routes.watchRouters(nextHops, listener.orElseThrow()::found);
  }
}
