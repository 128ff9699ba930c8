package io.wayleave.bgp.session;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.channel.unix.RawUnixChannelOption;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The socket options of Linux that protect a session and that Netty has no name for.
 *
 * <p>Every segment of ours leaves with TTL 255, so that a peer may check it (RFC 5082 section 3)
 * whether or not we check the peer's.
 */
final class SocketOptions {
  /** Numbers of {@code linux/in.h} and {@code linux/in6.h}. */
  private static final int IPPROTO_IP = 0;

  private static final int IPPROTO_TCP = 6;
  private static final int IPPROTO_IPV6 = 41;

  private static final ChannelOption<Integer> IP_TTL =
      new IntegerUnixChannelOption("IP_TTL", IPPROTO_IP, 2);
  private static final ChannelOption<Integer> IP_MINTTL =
      new IntegerUnixChannelOption("IP_MINTTL", IPPROTO_IP, 21);
  private static final ChannelOption<Integer> IPV6_UNICAST_HOPS =
      new IntegerUnixChannelOption("IPV6_UNICAST_HOPS", IPPROTO_IPV6, 16);
  private static final ChannelOption<Integer> IPV6_MINHOPCOUNT =
      new IntegerUnixChannelOption("IPV6_MINHOPCOUNT", IPPROTO_IPV6, 73);

  private static final int MAX_TTL = 255;

  /**
   * {@code struct tcp_md5sig} of {@code linux/tcp.h}.
   *
   * <pre>
   * sockaddr_storage (128) | flags (1) | prefix length (1) | key length (2) | ifindex (4) | key (80)
   * </pre>
   */
  private static final int MD5SIG_LENGTH = 216;

  private static final int MD5SIG_FLAGS_AT = 128;
  private static final int MD5SIG_FLAG_PREFIX = 1;
  private static final short AF_INET = 2;
  private static final short AF_INET6 = 10;

  private static final ChannelOption<ByteBuffer> TCP_MD5SIG_EXT =
      new RawUnixChannelOption("TCP_MD5SIG_EXT", IPPROTO_TCP, 32, MD5SIG_LENGTH);

  private SocketOptions() {}

  /**
   * Sends with the greatest TTL.
   *
   * @param socket the family that the socket was made with
   */
  static void sendGreatestTtl(Channel channel, Family socket) {
    // An IPv6 socket that carries IPv4 takes the IPv4 option beside its own.
    set(channel, IP_TTL, MAX_TTL);
    if (socket == Family.IPV6) {
      set(channel, IPV6_UNICAST_HOPS, MAX_TTL);
    }
  }

  /** RFC 5082 section 3: a TTL below 255 less the routers between is that of a stranger. */
  static void takeFromHops(Channel channel, Family remote, int hops) {
    takeFromTtl(channel, remote, MAX_TTL + 1 - hops);
  }

  /** Takes back {@link #takeFromHops}. */
  static void takeFromAnywhere(Channel channel, Family remote) {
    takeFromTtl(channel, remote, 0);
  }

  private static void takeFromTtl(Channel channel, Family remote, int least) {
    switch (remote) {
      case IPV4 -> set(channel, IP_MINTTL, least);
      case IPV6 -> set(channel, IPV6_MINHOPCOUNT, least);
    }
  }

  /**
   * Wants the TCP MD5 signature of a prefix's hosts, or with an empty key no more.
   *
   * @param socket the family that the socket was made with
   */
  static void setMd5Key(Channel channel, Family socket, Cidr prefix, String key) {
    byte[] octets = key.getBytes(StandardCharsets.UTF_8);
    ByteBuffer option = ByteBuffer.allocate(MD5SIG_LENGTH).order(ByteOrder.nativeOrder());
    IpAddress address = prefix.address();
    // sockaddr_in: family, port, address; sockaddr_in6: family, port, flow label, address.
    if (socket == Family.IPV4) {
      option.putShort(AF_INET).putShort((short) 0).put(address.toBytes());
    } else {
      option.putShort(AF_INET6).putShort((short) 0).putInt(0).put(inIpv6(address));
    }
    option.position(MD5SIG_FLAGS_AT);
    // The kernel counts the bits of an IPv4 prefix from the IPv4 address on, also on an IPv6
    // socket.
    option
        .put((byte) MD5SIG_FLAG_PREFIX)
        .put((byte) prefix.prefixLength())
        .putShort((short) octets.length)
        .putInt(0)
        .put(octets)
        .rewind();
    set(channel, TCP_MD5SIG_EXT, option);
  }

  /** RFC 4291 section 2.5.5.2: ::ffff:a.b.c.d stands for an IPv4 address. */
  private static byte[] inIpv6(IpAddress address) {
    byte[] octets = address.toBytes();
    if (address.family() == Family.IPV6) {
      return octets;
    }
    byte[] mapped = new byte[16];
    mapped[10] = (byte) 0xff;
    mapped[11] = (byte) 0xff;
    System.arraycopy(octets, 0, mapped, 12, 4);
    return mapped;
  }

  private static <T> void set(Channel channel, ChannelOption<T> option, T value) {
    if (!channel.config().setOption(option, value)) {
      throw new IllegalStateException("socket option " + option.name() + " is not known to Netty");
    }
  }
}
