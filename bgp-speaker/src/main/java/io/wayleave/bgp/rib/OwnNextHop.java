package io.wayleave.bgp.rib;

import io.wayleave.bgp.wire.NextHop;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;

/**
 * What a session's own next hop looks like in a message. Sessions of one look can share their
 * messages: each puts its own address in the same place.
 */
public enum OwnNextHop {
  IPV4(NextHop.of(IpAddress.ofIpv4(0))),
  IPV6(NextHop.of(IpAddress.ofIpv6(0, 0))),
  /** A global and a link-local address (RFC 2545 section 3). */
  IPV6_AND_LINK_LOCAL(
      NextHop.of(IpAddress.ofIpv6(0, 0), IpAddress.ofIpv6(0xfe80_0000_0000_0000L, 0)));

  @SuppressWarnings("ImmutableEnumChecker") // A record of immutable values.
  private final NextHop placeholder;

  OwnNextHop(NextHop placeholder) {
    this.placeholder = placeholder;
  }

  /** Of the same size as every next hop that looks so. */
  NextHop placeholder() {
    return placeholder;
  }

  public static OwnNextHop of(NextHop nextHop) {
    if (nextHop.address().family() == Family.IPV4) {
      return IPV4;
    }
    return nextHop.linkLocal().isPresent() ? IPV6_AND_LINK_LOCAL : IPV6;
  }

  /** The octets that go into the place. */
  static byte[] bytes(NextHop nextHop) {
    byte[] address = nextHop.address().toBytes();
    if (nextHop.linkLocal().isEmpty()) {
      return address;
    }
    byte[] both = new byte[32];
    System.arraycopy(address, 0, both, 0, 16);
    System.arraycopy(nextHop.linkLocal().get().toBytes(), 0, both, 16, 16);
    return both;
  }
}
