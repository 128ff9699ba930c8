package io.wayleave.bgp.wire;

import io.wayleave.model.Family;
import java.util.Optional;

/**
 * An address family and subsequent address family (RFC 4760). Peers may name any pair in their
 * capabilities; routes are decoded for the two constants only.
 */
public record AddressFamily(int afi, int safi) {
  public static final AddressFamily IPV4_UNICAST =
      new AddressFamily(Iana.AFI_IPV4, Iana.SAFI_UNICAST);
  public static final AddressFamily IPV6_UNICAST =
      new AddressFamily(Iana.AFI_IPV6, Iana.SAFI_UNICAST);

  public AddressFamily {
    if (afi < 0 || afi > 0xffff || safi < 0 || safi > 0xff) {
      throw new IllegalArgumentException(
          "AFI " + afi + " or SAFI " + safi + " is out of range: 0 to 65535 and 0 to 255");
    }
  }

  /** The unicast family of these addresses. */
  public static AddressFamily unicast(Family family) {
    return switch (family) {
      case IPV4 -> IPV4_UNICAST;
      case IPV6 -> IPV6_UNICAST;
    };
  }

  /** The family of its prefixes when this codec can read and write them. */
  public Optional<Family> unicastFamily() {
    if (equals(IPV4_UNICAST)) {
      return Optional.of(Family.IPV4);
    }
    return equals(IPV6_UNICAST) ? Optional.of(Family.IPV6) : Optional.empty();
  }

  @Override
  public String toString() {
    return unicastFamily()
        .map(
            family ->
                switch (family) {
                  case IPV4 -> "ipv4-unicast";
                  case IPV6 -> "ipv6-unicast";
                })
        .orElseGet(() -> "afi-" + afi + "-safi-" + safi);
  }
}
