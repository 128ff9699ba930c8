package io.wayleave.linux.netlink;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.util.Comparator;
import java.util.Optional;

/**
 * One way of a route: an interface, a gateway, or both.
 *
 * @param interfaceIndex 0 lets the kernel find the interface of the gateway
 * @param gateway of the route's family, or IPv6 for an IPv4 route (RFC 8950)
 * @param weight 1 to 256, its share among the next hops of the route
 * @param onlink takes the gateway for directly reachable without a look at the routes
 */
public record NextHop(int interfaceIndex, Optional<IpAddress> gateway, int weight, boolean onlink) {
  static final Comparator<NextHop> ORDER =
      Comparator.comparing(
              (NextHop hop) -> hop.gateway().orElse(null),
              Comparator.nullsFirst(Comparator.naturalOrder()))
          .thenComparingInt(NextHop::interfaceIndex)
          .thenComparingInt(NextHop::weight);

  public NextHop {
    requireNonNull(gateway, "gateway is null");
    if (weight < 1 || weight > 256) {
      throw new InvalidInputException("weight", Integer.toString(weight), "a weight of 1 to 256");
    }
    if (interfaceIndex <= 0 && gateway.isEmpty()) {
      throw new InvalidInputException("nextHop", "", "an interface, a gateway, or both");
    }
  }

  /** The destination is on the link itself. */
  public static NextHop dev(int interfaceIndex) {
    return new NextHop(interfaceIndex, Optional.empty(), 1, false);
  }

  public static NextHop via(IpAddress gateway) {
    return new NextHop(0, Optional.of(gateway), 1, false);
  }

  public static NextHop via(IpAddress gateway, int interfaceIndex) {
    return new NextHop(interfaceIndex, Optional.of(gateway), 1, false);
  }

  public NextHop withWeight(int share) {
    return new NextHop(interfaceIndex, gateway, share, onlink);
  }

  public NextHop withOnlink() {
    return new NextHop(interfaceIndex, gateway, weight, true);
  }

  String describe(NetlinkRequest.InterfaceNames names) {
    StringBuilder text = new StringBuilder();
    gateway.ifPresent(address -> text.append("via ").append(address));
    if (interfaceIndex != 0) {
      text.append(text.isEmpty() ? "dev " : " dev ").append(names.of(interfaceIndex));
    }
    return text.append(onlink ? " onlink" : "").toString();
  }

  @Override
  public String toString() {
    return describe(NetlinkRequest.InterfaceNames.NONE) + (weight == 1 ? "" : " weight " + weight);
  }
}
