package io.wayleave.test.policy;

import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.nio.ByteBuffer;
import java.util.OptionalInt;
import java.util.zip.CRC32C;

/**
 * What a flow's first packet carries behind its IP header: a TCP SYN, a datagram, an ICMP request,
 * an SCTP INIT, or a few bytes of another protocol, each with right checksums and with a cookie by
 * which the receiver knows it.
 */
final class RawPacket {
  private static final int COOKIE_BYTES = 4;

  private RawPacket() {}

  static byte[] of(Flow flow, int cookie) {
    return switch (flow.protocol()) {
      case Flow.TCP -> tcpSyn(flow, cookie);
      case Flow.UDP, Flow.UDPLITE -> datagram(flow, cookie);
      case Flow.SCTP -> sctpInit(flow, cookie);
      case Flow.ICMP, Flow.ICMPV6 -> icmp(flow, cookie);
      default -> ByteBuffer.allocate(COOKIE_BYTES).putInt(cookie).array();
    };
  }

  /**
   * The cookie of a packet as a raw socket gives it.
   *
   * @param packet of IPv4 with the IP header, of IPv6 without
   */
  static OptionalInt cookie(Family family, int protocol, ByteBuffer packet) {
    int header = family == Family.IPV4 ? 4 * (packet.get(0) & 0xf) : 0;
    int at = header + cookieOffset(protocol);
    return packet.limit() < at + COOKIE_BYTES
        ? OptionalInt.empty()
        : OptionalInt.of(packet.getInt(at));
  }

  private static int cookieOffset(int protocol) {
    return switch (protocol) {
      case Flow.TCP -> 4;
      case Flow.UDP, Flow.UDPLITE, Flow.ICMP, Flow.ICMPV6 -> 8;
      case Flow.SCTP -> 16;
      default -> 0;
    };
  }

  /** RFC 9293 section 3.1; the sequence number is the cookie. */
  private static byte[] tcpSyn(Flow flow, int cookie) {
    ByteBuffer packet = ByteBuffer.allocate(20);
    packet.putShort((short) flow.sourcePort()).putShort((short) flow.destinationPort());
    packet.putInt(cookie).putInt(0);
    packet.put((byte) 0x50).put((byte) 0x02).putShort((short) 1024);
    packet.putShort(16, checksum(flow, packet.array(), 0));
    return packet.array();
  }

  /** RFC 768, and RFC 3828, where a coverage of 0 is all. */
  private static byte[] datagram(Flow flow, int cookie) {
    ByteBuffer packet = ByteBuffer.allocate(8 + COOKIE_BYTES);
    packet.putShort((short) flow.sourcePort()).putShort((short) flow.destinationPort());
    packet.putShort((short) (flow.protocol() == Flow.UDP ? packet.capacity() : 0));
    packet.putInt(8, cookie);
    packet.putShort(6, checksum(flow, packet.array(), 0));
    return packet.array();
  }

  /** RFC 9260 section 3.3.2; the initiate tag is the cookie. Only an INIT opens an association. */
  private static byte[] sctpInit(Flow flow, int cookie) {
    ByteBuffer packet = ByteBuffer.allocate(32);
    packet.putShort((short) flow.sourcePort()).putShort((short) flow.destinationPort());
    packet.putInt(0).putInt(0);
    packet.put((byte) 1).put((byte) 0).putShort((short) 20);
    packet.putInt(cookie).putInt(65536).putShort((short) 1).putShort((short) 1).putInt(cookie);
    CRC32C crc = new CRC32C();
    crc.update(packet.array());
    packet.putInt(8, Integer.reverseBytes((int) crc.getValue()));
    return packet.array();
  }

  /** RFC 792 and RFC 4443; long enough for a timestamp request. The kernel sums up ICMPv6. */
  private static byte[] icmp(Flow flow, int cookie) {
    ByteBuffer packet = ByteBuffer.allocate(20);
    packet.put((byte) flow.icmpType()).put((byte) flow.icmpCode()).putShort((short) 0);
    packet.putShort((short) cookie).putShort((short) 1).putInt(cookie);
    if (flow.protocol() == Flow.ICMP) {
      packet.putShort(2, folded(sum(packet.array(), 0)));
    }
    return packet.array();
  }

  /** Over the pseudo-header of the family and the packet. */
  private static short checksum(Flow flow, byte[] packet, int start) {
    long sum = sum(flow.source(), start);
    sum = sum(flow.destination(), sum);
    // Connection tracking sums up UDP-Lite with the number of UDP in the pseudo-header (Linux
    // 6.18),
    // and takes a packet with RFC 3828's own sum for an invalid one.
    sum += (flow.protocol() == Flow.UDPLITE ? Flow.UDP : flow.protocol()) + packet.length;
    short folded = folded(sum(packet, sum));
    // A sum of 0 would say that there is none.
    return folded == 0 ? -1 : folded;
  }

  private static long sum(IpAddress address, long start) {
    return sum(address.toBytes(), start);
  }

  private static long sum(byte[] bytes, long start) {
    long sum = start;
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.remaining() >= 2) {
      sum += buffer.getShort() & 0xffff;
    }
    return sum;
  }

  private static short folded(long sum) {
    long folded = sum;
    while (folded >>> 16 != 0) {
      folded = (folded & 0xffff) + (folded >>> 16);
    }
    return (short) ~folded;
  }
}
