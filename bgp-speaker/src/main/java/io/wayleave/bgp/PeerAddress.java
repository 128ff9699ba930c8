package io.wayleave.bgp;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;

/** Where the speaker finds a peer. */
public sealed interface PeerAddress {

  /**
   * One address, dialled, and the only one that the peer's connections come from. An IPv6
   * link-local address is refused: it means nothing without an interface, see {@link OnInterface}.
   */
  record Host(IpAddress address) implements PeerAddress {
    public Host {
      requireNonNull(address, "address is null");
      if (address.isUnspecified() || address.isMulticast()) {
        throw new InvalidInputException("address", address.toString(), "the address of one host");
      }
      if (address.family() == Family.IPV6 && address.isLinkLocal()) {
        throw new InvalidInputException(
            "address", address.toString(), "an address that needs no interface beside it");
      }
    }

    @Override
    public String toString() {
      return address.toString();
    }
  }

  /**
   * The one router at the other end of a link, found by its router advertisements and spoken to by
   * its link-local address ("unnumbered").
   */
  record OnInterface(String interfaceName) implements PeerAddress {
    /** IFNAMSIZ of the kernel, without the closing zero. */
    private static final int MAX_NAME = 15;

    public OnInterface {
      requireNonNull(interfaceName, "interfaceName is null");
      if (interfaceName.isEmpty()
          || interfaceName.length() > MAX_NAME
          || interfaceName.chars().anyMatch(c -> c <= ' ' || c == '/' || c > '~')) {
        throw new InvalidInputException(
            "interface", interfaceName, "the name of a network interface, 1 to 15 characters");
      }
    }

    @Override
    public String toString() {
      return interfaceName;
    }
  }

  /**
   * Any address of a range that has no peer of its own ("dynamic neighbours"): never dialled, a
   * peer comes to be with its connection and goes with its session.
   *
   * @param limit how many such peers there may be at once
   */
  record Range(Cidr range, int limit) implements PeerAddress {
    public Range {
      requireNonNull(range, "range is null");
      if (limit < 1 || limit > 5000) {
        throw new InvalidInputException("limit", Integer.toString(limit), "1 to 5000");
      }
    }

    @Override
    public String toString() {
      return range.toString();
    }
  }
}
