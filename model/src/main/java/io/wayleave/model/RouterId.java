package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/**
 * A BGP identifier: 32 bits, not zero, unique in its AS and written like an IPv4 address, though it
 * need not be one (RFC 6286). Ordered as an unsigned number, as collision detection and the choice
 * of best path want it.
 */
public record RouterId(int bits) implements Comparable<RouterId> {
  public RouterId {
    if (bits == 0) {
      throw new InvalidInputException("", "0.0.0.0", "a router id other than 0.0.0.0");
    }
  }

  @JsonCreator
  public static RouterId parse(String text) {
    IpAddress address;
    try {
      address = IpAddress.parse(text);
    } catch (InvalidInputException e) {
      throw (InvalidInputException) refusal(text).initCause(e);
    }
    if (address.family() != Family.IPV4) {
      throw refusal(text);
    }
    return new RouterId(address.ipv4Bits());
  }

  @Override
  public int compareTo(RouterId other) {
    return Integer.compareUnsigned(bits, other.bits);
  }

  @Override
  @JsonValue
  public String toString() {
    return IpAddress.ofIpv4(bits).toString();
  }

  private static InvalidInputException refusal(String text) {
    return new InvalidInputException("", text, "a router id such as 10.0.0.1");
  }
}
