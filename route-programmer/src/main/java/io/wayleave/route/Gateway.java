package io.wayleave.route;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.util.Optional;

/**
 * A router that a learned route names as its next hop: a neighbour, or one that is itself reached
 * by routes, as {@link GatewayResolver} finds it.
 *
 * @param address IPv6 also for IPv4 routes (RFC 8950)
 * @param interfaceName needed for an IPv6 link-local address; else found by the routes to the
 *     address
 */
public record Gateway(IpAddress address, Optional<String> interfaceName) {
  public Gateway {
    requireNonNull(interfaceName, "interfaceName is null");
    if (address.isUnspecified() || address.isMulticast() || address.isLoopback()) {
      throw new InvalidInputException("gateway", address.toString(), "the address of a router");
    }
  }

  public static Gateway of(IpAddress address) {
    return new Gateway(address, Optional.empty());
  }

  public static Gateway of(IpAddress address, String interfaceName) {
    return new Gateway(address, Optional.of(interfaceName));
  }

  @Override
  public String toString() {
    return address + interfaceName.map(name -> "%" + name).orElse("");
  }
}
