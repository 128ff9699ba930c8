package io.wayleave.route;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.route.GatewayResolver.Way;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Routers that somebody wants to know the distance of, whether a route leads to them yet or not,
 * and what is still to be told of them. NOT thread safe.
 */
final class WatchedRouters {
  private final GatewayResolver resolver;
  private final Set<Gateway> gateways = new HashSet<>();
  // As it was found last; empty for one that there is no way to.
  private final Map<IpAddress, OptionalLong> distances = new HashMap<>();
  private final Map<IpAddress, OptionalLong> news = new HashMap<>();

  WatchedRouters(GatewayResolver resolver) {
    this.resolver = requireNonNull(resolver, "resolver is null");
  }

  /** From now on just these; one that was not watched before is told of in any case. */
  void watch(Set<IpAddress> routers) {
    gateways.clear();
    distances.keySet().retainAll(routers);
    news.keySet().retainAll(routers);
    for (IpAddress router : routers) {
      try {
        gateways.add(Gateway.of(router));
      } catch (InvalidInputException e) {
        // No router has such an address, so there is no way to it.
        found(router, OptionalLong.empty());
      }
    }
  }

  Set<Gateway> gateways() {
    return gateways;
  }

  /** Looks for all of them again. */
  void lookAgain() {
    for (Gateway gateway : gateways) {
      found(
          gateway.address(),
          switch (resolver.resolve(gateway)) {
            case Way.By by -> OptionalLong.of(by.distance());
            case Way.None _ -> OptionalLong.empty();
          });
    }
  }

  private void found(IpAddress router, OptionalLong distance) {
    if (!distance.equals(distances.put(router, distance))) {
      news.put(router, distance);
    }
  }

  /** What changed since this was asked for last. */
  Map<IpAddress, OptionalLong> takeNews() {
    Map<IpAddress, OptionalLong> taken = Map.copyOf(news);
    news.clear();
    return taken;
  }
}
