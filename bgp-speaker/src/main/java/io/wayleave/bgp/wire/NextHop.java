package io.wayleave.bgp.wire;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.Optional;

/**
 * Where a route leads: one address, and for IPv6 perhaps the link-local address of the same router
 * as well (RFC 2545 section 3). Some speakers send {@code ::} as the global address when they have
 * a link-local one only; that stays as received, and {@link #gateway} is right for it.
 */
public record NextHop(IpAddress address, Optional<IpAddress> linkLocal) {
  public NextHop {
    requireNonNull(address, "address is null");
    linkLocal.ifPresent(
        second -> {
          if (address.family() != Family.IPV6
              || second.family() != Family.IPV6
              || !second.isLinkLocal()) {
            throw new IllegalArgumentException(
                second + " is not an IPv6 link-local address beside a global one");
          }
        });
  }

  public static NextHop of(IpAddress address) {
    return new NextHop(address, Optional.empty());
  }

  public static NextHop of(IpAddress global, IpAddress linkLocal) {
    return new NextHop(global, Optional.of(linkLocal));
  }

  /** The address to send packets to: the global one, or the link-local one when that is all. */
  public IpAddress gateway() {
    return address.isUnspecified() ? linkLocal.orElse(address) : address;
  }

  @Override
  public String toString() {
    return linkLocal.map(second -> address + " " + second).orElseGet(address::toString);
  }
}
