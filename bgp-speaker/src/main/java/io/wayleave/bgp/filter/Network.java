package io.wayleave.bgp.filter;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;

/** A network as bits and mask, so that a look whether an address lies in it allocates nothing. */
record Network(Cidr cidr, long highMask, long lowMask) {
  static Network of(Cidr cidr) {
    int length = cidr.prefixLength();
    return switch (cidr.family()) {
      case IPV4 -> new Network(cidr, 0, ones(length + 32) & 0xffff_ffffL);
      case IPV6 -> new Network(cidr, ones(Math.min(length, 64)), ones(Math.max(length - 64, 0)));
    };
  }

  /** That many leading ones of 64 bits. */
  private static long ones(int count) {
    return count == 0 ? 0 : -1L << (64 - count);
  }

  Family family() {
    return cidr.family();
  }

  int length() {
    return cidr.prefixLength();
  }

  /** For an address of the same family. */
  boolean contains(IpAddress address) {
    return (address.high() & highMask) == cidr.address().high()
        && (address.low() & lowMask) == cidr.address().low();
  }
}
