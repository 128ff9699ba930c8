package io.wayleave.bgp.wire;

import io.wayleave.model.IpAddress;

/** An extended community of RFC 4360: 64 bits, not interpreted here beyond its text. */
public record ExtendedCommunity(long bits) {
  /**
   * Route target and route origin as people write them, with an AS number or an IPv4 address before
   * the colon (RFC 4360 section 3, RFC 5668); hexadecimal digits for all others.
   */
  @Override
  public String toString() {
    int type = (int) (bits >>> 56) & 0xff;
    int subtype = (int) (bits >>> 48) & 0xff;
    String kind =
        switch (subtype) {
          case 2 -> "rt:";
          case 3 -> "ro:";
          default -> "";
        };
    if (!kind.isEmpty() && type == 0) {
      return kind + (bits >>> 32 & 0xffff) + ":" + (bits & 0xffff_ffffL);
    }
    if (!kind.isEmpty() && type == 1) {
      return kind + IpAddress.ofIpv4((int) (bits >>> 16)) + ":" + (bits & 0xffff);
    }
    if (!kind.isEmpty() && type == 2) {
      return kind + (bits >>> 16 & 0xffff_ffffL) + ":" + (bits & 0xffff);
    }
    return String.format("0x%016x", bits);
  }
}
