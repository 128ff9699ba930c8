package io.wayleave.linux.netlink;

import io.wayleave.model.IpAddress;
import io.wayleave.model.Protocol;
import java.nio.ByteBuffer;
import java.util.Optional;

/** Who a packet is from and to, by its first bytes. Pure. */
final class PacketHeaders {
  private static final int IPV4_HEADER = 20;
  private static final int IPV6_HEADER = 40;
  private static final int FRAGMENT_OFFSET = 0x1fff;
  private static final int ECHO = 8;
  private static final int ECHO_REPLY = 0;
  private static final int ECHO_V6 = 128;
  private static final int ECHO_REPLY_V6 = 129;

  // IANA "Protocol Numbers": extension headers of RFC 8200 section 4.
  private static final int HOP_BY_HOP = 0;
  private static final int ROUTING = 43;
  private static final int FRAGMENT = 44;
  private static final int DESTINATION_OPTIONS = 60;

  private PacketHeaders() {}

  /**
   * Empty when it is no IP packet or not even its addresses are there. Where ports are missing,
   * because they were not copied or this is a later fragment, the tuple has none.
   *
   * @param packet from its IP header on; in network order
   */
  static Optional<FlowTuple> tuple(ByteBuffer packet) {
    if (packet.limit() < IPV4_HEADER) {
      return Optional.empty();
    }
    return switch (u8(packet, 0) >>> 4) {
      case 4 -> ipv4(packet);
      case 6 -> packet.limit() < IPV6_HEADER ? Optional.empty() : ipv6(packet);
      default -> Optional.empty();
    };
  }

  private static Optional<FlowTuple> ipv4(ByteBuffer packet) {
    int protocol = u8(packet, 9);
    boolean first = (packet.getShort(6) & FRAGMENT_OFFSET) == 0;
    int header = (u8(packet, 0) & 0xf) * 4;
    return tuple(
        IpAddress.ofIpv4(packet.getInt(12)),
        IpAddress.ofIpv4(packet.getInt(16)),
        protocol,
        first ? detail(packet, header, protocol) : new FlowTuple.Nothing());
  }

  private static Optional<FlowTuple> ipv6(ByteBuffer packet) {
    int next = u8(packet, 6);
    int at = IPV6_HEADER;
    boolean first = true;
    boolean copied = true;
    while (copied && isExtension(next)) {
      if (at + 8 > packet.limit()) {
        copied = false;
      } else {
        int following = u8(packet, at);
        if (next == FRAGMENT) {
          first = (packet.getShort(at + 2) & 0xfff8) == 0;
          at += 8;
        } else {
          at += 8 + 8 * u8(packet, at + 1);
        }
        next = following;
      }
    }
    return tuple(
        IpAddress.ofIpv6(packet.getLong(8), packet.getLong(16)),
        IpAddress.ofIpv6(packet.getLong(24), packet.getLong(32)),
        next,
        first && copied ? detail(packet, at, next) : new FlowTuple.Nothing());
  }

  private static boolean isExtension(int next) {
    return next == HOP_BY_HOP || next == ROUTING || next == FRAGMENT || next == DESTINATION_OPTIONS;
  }

  private static Optional<FlowTuple> tuple(
      IpAddress source, IpAddress destination, int protocol, FlowTuple.Detail detail) {
    return protocol == 0
        ? Optional.empty()
        : Optional.of(new FlowTuple(source, destination, new Protocol(protocol), detail));
  }

  private static FlowTuple.Detail detail(ByteBuffer packet, int at, int number) {
    Protocol protocol = new Protocol(Math.max(number, 1));
    if (protocol.hasPorts() && at + 4 <= packet.limit()) {
      return new FlowTuple.Ports(u16(packet, at), u16(packet, at + 2));
    }
    boolean icmp = protocol.equals(Protocol.ICMP) || protocol.equals(Protocol.ICMPV6);
    if (icmp && at + 2 <= packet.limit()) {
      int type = u8(packet, at);
      boolean echo =
          protocol.equals(Protocol.ICMP)
              ? type == ECHO || type == ECHO_REPLY
              : type == ECHO_V6 || type == ECHO_REPLY_V6;
      int id = echo && at + 6 <= packet.limit() ? u16(packet, at + 4) : 0;
      return new FlowTuple.Icmp(type, u8(packet, at + 1), id);
    }
    return new FlowTuple.Nothing();
  }

  private static int u8(ByteBuffer packet, int at) {
    return packet.get(at) & 0xff;
  }

  private static int u16(ByteBuffer packet, int at) {
    return packet.getShort(at) & 0xffff;
  }
}
