package io.wayleave.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.util.Objects.requireNonNull;

import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * A socket for packets between neighbours: everything goes out with a hop limit (TTL) of 255, and
 * each packet that comes in says by which interface and with which hop limit it came. It never
 * blocks; wait for {@link #fd} with a {@link Poller}.
 *
 * <p>It stays in the network namespace of the thread that opened it. NOT thread safe: one thread
 * owns it.
 */
public final class PacketSocket implements AutoCloseable {
  /** Only a packet that no router forwarded arrives with it (RFC 5082 section 3). */
  public static final int HOP_LIMIT = 255;

  private static final int SOCK_DGRAM = 2;
  private static final int IPPROTO_IP = 0;
  private static final int IPPROTO_IPV6 = 41;
  private static final int IPPROTO_ICMPV6 = 58;
  private static final int IP_TOS = 1;
  private static final int IP_TTL = 2;
  private static final int IP_PKTINFO = 8;
  private static final int IP_RECVTTL = 12;
  private static final int IPV6_UNICAST_HOPS = 16;
  private static final int IPV6_MULTICAST_HOPS = 18;
  private static final int IPV6_MULTICAST_LOOP = 19;
  private static final int IPV6_ADD_MEMBERSHIP = 20;
  private static final int IPV6_DROP_MEMBERSHIP = 21;
  private static final int IPV6_V6ONLY = 26;
  private static final int IPV6_RECVPKTINFO = 49;
  private static final int IPV6_PKTINFO = 50;
  private static final int IPV6_RECVHOPLIMIT = 51;
  private static final int IPV6_HOPLIMIT = 52;
  private static final int IPV6_TCLASS = 67;
  private static final int ICMPV6_FILTER = 1;
  private static final int ICMPV6_FILTER_BYTES = 32;

  /** Class selector 6, "network control" (RFC 4594 section 3.2), as an octet. */
  private static final int NETWORK_CONTROL = 0xc0;

  private static final int PAYLOAD_BYTES = 2048;
  private static final int CONTROL_BYTES = 256;
  private static final int SOCKADDR_IN_BYTES = 16;
  private static final int SOCKADDR_IN6_BYTES = 28;

  // struct msghdr
  private static final long MSG_NAME = 0;
  private static final long MSG_NAMELEN = 8;
  private static final long MSG_IOV = 16;
  private static final long MSG_IOVLEN = 24;
  private static final long MSG_CONTROL = 32;
  private static final long MSG_CONTROLLEN = 40;
  private static final long MSG_FLAGS = 48;
  private static final long MSGHDR_BYTES = 56;

  // struct cmsghdr
  private static final long CMSG_LEVEL = 8;
  private static final long CMSG_TYPE = 12;
  private static final long CMSG_DATA = 16;

  private static final int IN_PKTINFO_BYTES = 12;
  private static final int IN6_PKTINFO_BYTES = 20;

  private final Fd fd;
  private final Family family;
  // Automatic: the owner's thread may still be in a call when another one closes.
  private final Arena arena = Arena.ofAuto();
  private final MemorySegment name = arena.allocate(SOCKADDR_IN6_BYTES, 8);
  private final MemorySegment payload = arena.allocate(PAYLOAD_BYTES, 8);
  private final MemorySegment control = arena.allocate(CONTROL_BYTES, 8);
  private final MemorySegment vector = arena.allocate(16, 8);
  private final MemorySegment header = arena.allocate(MSGHDR_BYTES, 8);

  private PacketSocket(Fd fd, Family family) {
    this.fd = fd;
    this.family = family;
    vector.set(ADDRESS, 0, payload);
    header.set(ADDRESS, MSG_NAME, name);
    header.set(ADDRESS, MSG_IOV, vector);
    header.set(JAVA_LONG, MSG_IOVLEN, 1);
    header.set(ADDRESS, MSG_CONTROL, control);
  }

  /**
   * UDP on all addresses of one family.
   *
   * @param port own port
   * @throws SystemCallException EADDRINUSE when the port is taken
   */
  public static PacketSocket udp(Family family, int port) throws IOException {
    PacketSocket socket = open(family, SOCK_DGRAM, 0, "open a UDP socket");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment any = arena.allocate(addressBytes(family), 8);
      address(any, family, Optional.empty(), port, 0);
      check(
          Libc.bind(socket.fd.number(), any),
          "bind UDP port " + port + " of " + (family == Family.IPV4 ? "0.0.0.0" : "[::]"));
      return socket;
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /**
   * Raw ICMPv6. The kernel makes and checks the checksum; own multicasts do not come back.
   *
   * @param types the message types to receive, others are left to the kernel
   */
  public static PacketSocket icmpv6(int... types) throws IOException {
    PacketSocket socket =
        open(Family.IPV6, Libc.SOCK_RAW, IPPROTO_ICMPV6, "open a raw ICMPv6 socket");
    try (Arena arena = Arena.ofConfined()) {
      // A bit that is set keeps the type out; the words are in host order (linux/icmpv6.h).
      MemorySegment filter = arena.allocate(ICMPV6_FILTER_BYTES, 4);
      filter.fill((byte) 0xff);
      for (int type : types) {
        long word = (type >>> 5) * 4L;
        filter.set(JAVA_INT, word, filter.get(JAVA_INT, word) & ~(1 << (type & 31)));
      }
      int number = socket.fd.number();
      check(
          Libc.setsockopt(number, IPPROTO_ICMPV6, ICMPV6_FILTER, filter), "filter ICMPv6 messages");
      socket.set(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
      return socket;
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  private static PacketSocket open(Family family, int type, int protocol, String asked)
      throws IOException {
    requireNonNull(family, "family is null");
    int domain = family == Family.IPV4 ? Libc.AF_INET : Libc.AF_INET6;
    PacketSocket socket =
        new PacketSocket(
            Fd.ofResult(
                Libc.socket(domain, type | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, protocol),
                asked),
            family);
    try {
      switch (family) {
        case IPV4 -> {
          socket.set(IPPROTO_IP, IP_PKTINFO, 1);
          socket.set(IPPROTO_IP, IP_RECVTTL, 1);
          socket.set(IPPROTO_IP, IP_TTL, HOP_LIMIT);
          socket.set(IPPROTO_IP, IP_TOS, NETWORK_CONTROL);
        }
        case IPV6 -> {
          if (type == SOCK_DGRAM) {
            socket.set(IPPROTO_IPV6, IPV6_V6ONLY, 1);
          }
          socket.set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
          socket.set(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
          socket.set(IPPROTO_IPV6, IPV6_UNICAST_HOPS, HOP_LIMIT);
          socket.set(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, HOP_LIMIT);
          socket.set(IPPROTO_IPV6, IPV6_TCLASS, NETWORK_CONTROL);
        }
      }
      return socket;
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /** To wait for, still owned by this. */
  public Fd fd() {
    return fd;
  }

  /** Receives what is sent to an IPv6 group on one interface; false when it does already. */
  public boolean join(IpAddress group, int interfaceIndex) throws IOException {
    int result = membership(IPV6_ADD_MEMBERSHIP, group, interfaceIndex);
    if (result == -Errno.EADDRINUSE.number()) {
      return false;
    }
    check(result, "join " + group + " on interface " + interfaceIndex);
    return true;
  }

  /** Undoes {@link #join}; false when there was nothing to undo. */
  public boolean leave(IpAddress group, int interfaceIndex) throws IOException {
    int result = membership(IPV6_DROP_MEMBERSHIP, group, interfaceIndex);
    if (result == -Errno.EADDRNOTAVAIL.number() || result == -Errno.ENODEV.number()) {
      return false;
    }
    check(result, "leave " + group + " on interface " + interfaceIndex);
    return true;
  }

  private int membership(int option, IpAddress group, int interfaceIndex) throws IOException {
    try (Arena local = Arena.ofConfined()) {
      MemorySegment request = local.allocate(20, 4);
      copy(group, request, 0);
      request.set(JAVA_INT, 16, interfaceIndex);
      return Libc.setsockopt(fd.number(), IPPROTO_IPV6, option, request);
    }
  }

  /**
   * Sends one packet.
   *
   * @param port 0 where the protocol has no ports
   * @param interfaceIndex by which it must leave, 0 lets the routes choose
   * @param source own address to send from; empty lets the kernel choose
   * @throws SystemCallException what the kernel has against it; EAGAIN when its buffer is full
   */
  public void send(
      byte[] bytes, IpAddress to, int port, int interfaceIndex, Optional<IpAddress> source)
      throws IOException {
    if (bytes.length > PAYLOAD_BYTES) {
      throw new IllegalArgumentException("a payload of " + bytes.length + " bytes");
    }
    MemorySegment.copy(bytes, 0, payload, JAVA_BYTE, 0, bytes.length);
    vector.set(JAVA_LONG, 8, bytes.length);
    address(name, family, Optional.of(to), port, interfaceIndex);
    header.set(JAVA_INT, MSG_NAMELEN, addressBytes(family));
    int infoBytes = family == Family.IPV4 ? IN_PKTINFO_BYTES : IN6_PKTINFO_BYTES;
    control.asSlice(0, CMSG_DATA + 24).fill((byte) 0);
    control.set(JAVA_LONG, 0, CMSG_DATA + infoBytes);
    switch (family) {
      case IPV4 -> {
        control.set(JAVA_INT, CMSG_LEVEL, IPPROTO_IP);
        control.set(JAVA_INT, CMSG_TYPE, IP_PKTINFO);
        control.set(JAVA_INT, CMSG_DATA, interfaceIndex);
        source.ifPresent(own -> copy(own, control, CMSG_DATA + 4));
      }
      case IPV6 -> {
        control.set(JAVA_INT, CMSG_LEVEL, IPPROTO_IPV6);
        control.set(JAVA_INT, CMSG_TYPE, IPV6_PKTINFO);
        source.ifPresent(own -> copy(own, control, CMSG_DATA));
        control.set(JAVA_INT, CMSG_DATA + 16, interfaceIndex);
      }
    }
    header.set(JAVA_LONG, MSG_CONTROLLEN, CMSG_DATA + 8L * ((infoBytes + 7) / 8));
    header.set(JAVA_INT, MSG_FLAGS, 0);
    long sent = Libc.sendmsg(fd.number(), header, Libc.MSG_NOSIGNAL);
    if (sent < 0) {
      throw new SystemCallException("send to " + to, (int) -sent);
    }
  }

  /** The next packet that is there; one that is too long for this is left out. */
  public Optional<Packet> receive() throws IOException {
    while (true) {
      vector.set(JAVA_LONG, 8, PAYLOAD_BYTES);
      header.set(JAVA_INT, MSG_NAMELEN, SOCKADDR_IN6_BYTES);
      header.set(JAVA_LONG, MSG_CONTROLLEN, CONTROL_BYTES);
      header.set(JAVA_INT, MSG_FLAGS, 0);
      long count = Libc.recvmsg(fd.number(), header, 0);
      if (count < 0) {
        switch (Errno.of((int) -count)) {
          case EAGAIN -> {
            return Optional.empty();
          }
          case EINTR -> {}
          default -> throw new SystemCallException("receive a packet", (int) -count);
        }
        continue;
      }
      int flags = header.get(JAVA_INT, MSG_FLAGS);
      if ((flags & (Libc.MSG_TRUNC | Libc.MSG_CTRUNC)) == 0) {
        return Optional.of(packet((int) count));
      }
    }
  }

  private Packet packet(int count) {
    byte[] bytes = new byte[count];
    MemorySegment.copy(payload, JAVA_BYTE, 0, bytes, 0, count);
    int port = Short.toUnsignedInt(Short.reverseBytes(name.get(JAVA_SHORT, 2)));
    IpAddress source = address(name, family == Family.IPV4 ? 4 : 8);
    IpAddress destination = family == Family.IPV4 ? IpAddress.ofIpv4(0) : IpAddress.ofIpv6(0, 0);
    int interfaceIndex = 0;
    int hopLimit = 0;
    long length = header.get(JAVA_LONG, MSG_CONTROLLEN);
    long at = 0;
    while (at + CMSG_DATA <= length) {
      long size = control.get(JAVA_LONG, at);
      if (size < CMSG_DATA) {
        break;
      }
      int level = control.get(JAVA_INT, at + CMSG_LEVEL);
      int type = control.get(JAVA_INT, at + CMSG_TYPE);
      long data = at + CMSG_DATA;
      if (level == IPPROTO_IP && type == IP_PKTINFO) {
        interfaceIndex = control.get(JAVA_INT, data);
        destination = address(control, data + 8);
      } else if (level == IPPROTO_IPV6 && type == IPV6_PKTINFO) {
        destination = address(control, data);
        interfaceIndex = control.get(JAVA_INT, data + 16);
      } else if ((level == IPPROTO_IP && type == IP_TTL)
          || (level == IPPROTO_IPV6 && type == IPV6_HOPLIMIT)) {
        hopLimit = control.get(JAVA_INT, data);
      }
      at += (size + 7) & ~7L;
    }
    return new Packet(bytes, source, port, destination, interfaceIndex, hopLimit);
  }

  @Override
  public void close() {
    fd.close();
  }

  private void set(int level, int option, int value) throws IOException {
    check(
        Libc.setsockopt(fd.number(), level, option, value),
        "set option " + option + " of protocol " + level + " to " + value);
  }

  private static int addressBytes(Family family) {
    return family == Family.IPV4 ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_BYTES;
  }

  /** struct sockaddr_in or sockaddr_in6. */
  private static void address(
      MemorySegment into, Family family, Optional<IpAddress> address, int port, int scope) {
    into.asSlice(0, addressBytes(family)).fill((byte) 0);
    into.set(JAVA_SHORT, 0, (short) (family == Family.IPV4 ? Libc.AF_INET : Libc.AF_INET6));
    into.set(JAVA_SHORT.withOrder(ByteOrder.BIG_ENDIAN), 2, (short) port);
    address.ifPresent(known -> copy(known, into, family == Family.IPV4 ? 4 : 8));
    // The kernel wants the scope exactly where the address has one.
    if (family == Family.IPV6 && address.isPresent() && needsScope(address.get())) {
      into.set(JAVA_INT, 24, scope);
    }
  }

  private static boolean needsScope(IpAddress address) {
    return address.isLinkLocal() || address.isMulticast();
  }

  private IpAddress address(MemorySegment from, long offset) {
    byte[] bytes = new byte[family.bytes()];
    MemorySegment.copy(from, JAVA_BYTE, offset, bytes, 0, bytes.length);
    return IpAddress.ofBytes(bytes);
  }

  private static void copy(IpAddress address, MemorySegment into, long offset) {
    byte[] bytes = address.toBytes();
    MemorySegment.copy(bytes, 0, into, JAVA_BYTE, offset, bytes.length);
  }

  private static void check(int result, String asked) throws SystemCallException {
    if (result < 0) {
      throw new SystemCallException(asked, -result);
    }
  }
}
