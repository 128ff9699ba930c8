package io.wayleave.route;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Where a destination is to be reached, in words that outlive interface indexes. */
public sealed interface RouteTarget {
  RouteSource source();

  /** The metric of its kernel route, where it is not the common one. */
  default OptionalLong metric() {
    return OptionalLong.empty();
  }

  /**
   * A container of this host, on the link behind an interface.
   *
   * @param preferredSource the address this host itself uses to reach it
   */
  record Workload(String interfaceName, Optional<IpAddress> preferredSource)
      implements RouteTarget {
    public Workload {
      requireNonNull(interfaceName, "interfaceName is null");
      requireNonNull(preferredSource, "preferredSource is null");
    }

    @Override
    public RouteSource source() {
      return RouteSource.WORKLOAD;
    }
  }

  /** Nowhere, for the addresses of a block that no longer route takes. */
  record Blackhole() implements RouteTarget {
    @Override
    public RouteSource source() {
      return RouteSource.BLOCK;
    }
  }

  /**
   * One or more routers, all of equal cost.
   *
   * @param metric in place of the common one, 1 to 4294967295: a smaller one wins over routes of
   *     others that the common one would lose to, a larger one stands back
   */
  record Learned(List<Gateway> gateways, Optional<IpAddress> preferredSource, OptionalLong metric)
      implements RouteTarget {
    public Learned {
      gateways = gateways.stream().distinct().toList();
      requireNonNull(preferredSource, "preferredSource is null");
      requireNonNull(metric, "metric is null");
      if (metric.isPresent() && (metric.getAsLong() < 1 || metric.getAsLong() > 0xffff_ffffL)) {
        throw new InvalidInputException(
            "metric", Long.toString(metric.getAsLong()), "1 to 4294967295");
      }
      if (gateways.isEmpty()) {
        throw new InvalidInputException("gateways", "[]", "at least one gateway");
      }
    }

    public static Learned by(Gateway... gateways) {
      return new Learned(List.of(gateways), Optional.empty(), OptionalLong.empty());
    }

    @Override
    public RouteSource source() {
      return RouteSource.LEARNED;
    }
  }
}
