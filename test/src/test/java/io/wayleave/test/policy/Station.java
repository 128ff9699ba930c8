package io.wayleave.test.policy;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.wayleave.linux.Errno;
import io.wayleave.linux.Fd;
import io.wayleave.linux.Libc;
import io.wayleave.linux.NetworkNamespace;
import io.wayleave.linux.SystemCallException;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * Sends first packets of flows from one namespace, and sees which arrive there: raw sockets, which
 * get what the namespace's packet filter lets in. Nothing listens; what the kernel answers is real.
 * NOT thread safe, but for {@link #send}, which works on a thread inside the namespace.
 */
final class Station implements AutoCloseable {
  static final List<Integer> PROTOCOLS_V4 =
      List.of(Flow.ICMP, Flow.TCP, Flow.UDP, Flow.SCTP, Flow.UDPLITE, 99, 253);
  static final List<Integer> PROTOCOLS_V6 =
      List.of(Flow.ICMPV6, Flow.TCP, Flow.UDP, Flow.SCTP, Flow.UDPLITE, 99, 253);

  /** linux/in.h and linux/in6.h. */
  private static final int IPPROTO_IP = 0;

  private static final int IP_TRANSPARENT = 19;
  private static final int IPPROTO_IPV6 = 41;
  private static final int IPV6_TRANSPARENT = 75;

  private static final int LARGEST_PACKET = 2048;

  private final NetworkNamespace namespace;
  private final List<Ear> ears = new ArrayList<>();
  private final Arena arena = Arena.ofShared();
  private final MemorySegment buffer = arena.allocate(LARGEST_PACKET);

  private record Ear(Family family, int protocol, Fd socket) {}

  private Station(NetworkNamespace namespace) {
    this.namespace = namespace;
  }

  static Station open(String name) throws IOException {
    Station station = new Station(NetworkNamespace.ofName(name));
    try {
      station.namespace.run(
          () -> {
            for (int protocol : PROTOCOLS_V4) {
              station.ears.add(new Ear(Family.IPV4, protocol, socket(Family.IPV4, protocol)));
            }
            for (int protocol : PROTOCOLS_V6) {
              station.ears.add(new Ear(Family.IPV6, protocol, socket(Family.IPV6, protocol)));
            }
            return null;
          });
      return station;
    } catch (IOException | RuntimeException e) {
      station.close();
      throw e;
    }
  }

  /** Sends one packet for each flow, from the flow's source address. */
  void send(Map<Integer, Flow> flows) throws IOException {
    namespace.run(
        () -> {
          for (Map.Entry<Integer, Flow> entry : flows.entrySet()) {
            send(entry.getValue(), RawPacket.of(entry.getValue(), entry.getKey()));
          }
          return null;
        });
  }

  /** The cookies of what has arrived since the last call. */
  Set<Integer> arrived() throws IOException {
    Set<Integer> cookies = new TreeSet<>();
    for (Ear ear : ears) {
      while (true) {
        long length = Libc.recv(ear.socket.number(), buffer, Libc.MSG_DONTWAIT);
        if (length < 0) {
          Errno errno = Errno.of((int) -length);
          if (errno != Errno.EAGAIN) {
            throw new SystemCallException("receive", (int) -length);
          }
          break;
        }
        ByteBuffer packet = buffer.asSlice(0, length).asByteBuffer();
        OptionalInt cookie = RawPacket.cookie(ear.family, ear.protocol, packet);
        cookie.ifPresent(cookies::add);
      }
    }
    return cookies;
  }

  @Override
  public void close() {
    ears.forEach(ear -> ear.socket.close());
    namespace.close();
    arena.close();
  }

  private static void send(Flow flow, byte[] packet) throws IOException {
    try (Fd socket = socket(flow.family(), flow.protocol());
        Arena local = Arena.ofConfined()) {
      boolean v4 = flow.family() == Family.IPV4;
      // From any address, also one that is not there.
      check(
          Libc.setsockopt(
              socket.number(),
              v4 ? IPPROTO_IP : IPPROTO_IPV6,
              v4 ? IP_TRANSPARENT : IPV6_TRANSPARENT,
              1),
          "send from any address");
      check(Libc.bind(socket.number(), address(local, flow.source())), "bind to " + flow.source());
      check(
          Libc.connect(socket.number(), address(local, flow.destination())),
          "connect to " + flow.destination());
      long sent =
          Libc.send(socket.number(), local.allocateFrom(JAVA_BYTE, packet), Libc.MSG_DONTWAIT);
      // The host's own filter says no at once, for packets that it would send itself.
      if (sent < 0 && Errno.of((int) -sent) != Errno.EPERM) {
        throw new SystemCallException("send " + flow, (int) -sent);
      }
    }
  }

  private static Fd socket(Family family, int protocol) throws IOException {
    return Fd.ofSocket(
        check(
            Libc.socket(
                family == Family.IPV4 ? Libc.AF_INET : Libc.AF_INET6,
                Libc.SOCK_RAW | Libc.SOCK_CLOEXEC,
                protocol),
            "open a raw socket of protocol " + protocol));
  }

  /** struct sockaddr_in or sockaddr_in6, without a port. */
  private static MemorySegment address(Arena arena, IpAddress address) {
    boolean v4 = address.family() == Family.IPV4;
    MemorySegment segment = arena.allocate(v4 ? 16 : 28, 4);
    segment.set(JAVA_SHORT, 0, (short) (v4 ? Libc.AF_INET : Libc.AF_INET6));
    byte[] bytes = address.toBytes();
    MemorySegment.copy(bytes, 0, segment, JAVA_BYTE, v4 ? 4 : 8, bytes.length);
    return segment;
  }

  private static int check(int result, String asked) throws SystemCallException {
    if (result < 0) {
      throw new SystemCallException(asked, -result);
    }
    return result;
  }
}
