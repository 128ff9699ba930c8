package io.wayleave.bgp;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;

/**
 * Where a packet to a neighbour goes: an address, and for an IPv6 link-local one the interface,
 * without which it means nothing (RFC 4007).
 *
 * @param interfaceIndex of the kernel, for a link-local IPv6 address; else 0
 */
public record ScopedAddress(IpAddress address, int interfaceIndex) {
  public ScopedAddress {
    requireNonNull(address, "address is null");
    boolean scoped = address.family() == Family.IPV6 && address.isLinkLocal();
    if (scoped != interfaceIndex > 0) {
      throw new InvalidInputException(
          "interfaceIndex",
          Integer.toString(interfaceIndex),
          scoped ? "the index of an interface, for " + address : "0, for " + address);
    }
  }

  /** An address that needs no interface beside it. */
  public static ScopedAddress of(IpAddress address) {
    return new ScopedAddress(address, 0);
  }

  /** The address, with the index behind {@code %} where there is one. */
  @Override
  public String toString() {
    return interfaceIndex == 0 ? address.toString() : address + "%" + interfaceIndex;
  }
}
