package io.wayleave.test.policy;

import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.Optional;

/**
 * The first packet of a flow, and what is at its ends.
 *
 * @param protocol its number
 * @param sourcePort 0 when the protocol has none
 * @param destinationPort 0 when the protocol has none
 * @param icmpType of ICMP and ICMPv6, else 0
 * @param icmpCode of ICMP and ICMPv6, else 0
 */
record Flow(
    Place from,
    IpAddress source,
    Place to,
    IpAddress destination,
    int protocol,
    int sourcePort,
    int destinationPort,
    int icmpType,
    int icmpCode) {
  static final int ICMP = 1;
  static final int TCP = 6;
  static final int UDP = 17;
  static final int ICMPV6 = 58;
  static final int SCTP = 132;
  static final int UDPLITE = 136;

  /** What is at one end. */
  sealed interface Place {
    /** The container's interface with the endpoint of that name. */
    record Container(String endpoint) implements Place {}

    /**
     * The host itself.
     *
     * @param hostEndpoint name of the one of the interface that the packet comes or goes by
     */
    record Host(String node, Optional<String> hostEndpoint) implements Place {}

    /** Neither. */
    record Outside() implements Place {}
  }

  Family family() {
    return source.family();
  }

  static boolean hasPorts(int protocol) {
    return protocol == TCP || protocol == UDP || protocol == SCTP || protocol == UDPLITE;
  }

  boolean isIcmp() {
    return protocol == ICMP || protocol == ICMPV6;
  }
}
