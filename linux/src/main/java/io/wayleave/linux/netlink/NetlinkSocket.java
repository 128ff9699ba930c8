package io.wayleave.linux.netlink;

import io.wayleave.linux.Errno;
import io.wayleave.linux.Fd;
import io.wayleave.linux.Libc;
import io.wayleave.linux.NetworkNamespace;
import io.wayleave.linux.SystemCallException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * A netlink socket for requests and their answers, of the routing family; {@link Ipsets} and {@link
 * Conntrack} hold one of netfilter's. It belongs for its whole life to the network namespace that
 * it was opened in, whatever thread uses it.
 *
 * <p>NOT thread safe: one thread at a time. Opening costs some microseconds, so each owner has its
 * own. It hears no notifications; that is {@link NetlinkMonitor}.
 */
public final class NetlinkSocket implements AutoCloseable {
  private static final int RECEIVE_BUFFER_BYTES = 1 << 20;
  private static final int BUFFER_BYTES = 64 * 1024;
  private static final int BATCH_BYTES = 48 * 1024;
  private static final int LARGEST_BATCH = 512;
  // What one error answer with its text takes of the receive buffer, by the kernel's counting.
  private static final int ANSWER_BYTES = 2048;
  private static final int DUMP_ATTEMPTS = 10;
  private static final int ANSWER_TIMEOUT_SECONDS = 10;
  private static final long SOCKADDR_SIZE = 12;
  private static final long SOCKADDR_PORT = 4;

  private final Fd fd;
  private final int portId;
  private final int batchLimit;
  // Shared, because the socket may be made by one thread and owned by another.
  private final Arena arena = Arena.ofShared();
  private final MemorySegment output = arena.allocate(BUFFER_BYTES, 4);
  private final MemorySegment input = arena.allocate(BUFFER_BYTES, 4);
  private final byte[] inputBytes = new byte[BUFFER_BYTES];
  private final MessageWriter writer = new MessageWriter();
  private int sequence;
  private int interruptedDumps;

  /** A request of a batch that the kernel refused, and why. */
  public record Failure(NetlinkRequest request, NetlinkException reason) {}

  /** Makes a value of one message; empty for a message that is none. */
  @FunctionalInterface
  interface Decoder<T> extends Function<MessageReader, Optional<T>> {}

  private NetlinkSocket(Fd fd, int portId, int batchLimit) {
    this.fd = fd;
    this.portId = portId;
    this.batchLimit = batchLimit;
  }

  /** In the network namespace of the calling thread. */
  public static NetlinkSocket open() throws IOException {
    return open(RtNetlink.NETLINK_ROUTE);
  }

  /** Of a given netlink family, in the network namespace of the calling thread. */
  static NetlinkSocket open(int protocol) throws IOException {
    Fd fd = openConnected(protocol);
    try (Arena arena = Arena.ofConfined()) {
      int number = fd.number();
      Libc.setsockopt(number, RtNetlink.SOL_NETLINK, RtNetlink.NETLINK_CAP_ACK, 1);
      Libc.setsockopt(number, RtNetlink.SOL_NETLINK, RtNetlink.NETLINK_EXT_ACK, 1);
      Libc.setsockopt(number, RtNetlink.SOL_NETLINK, RtNetlink.NETLINK_GET_STRICT_CHK, 1);
      Libc.setsockopt(number, Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES);
      MemorySegment timeout = arena.allocate(16, 8);
      timeout.set(ValueLayout.JAVA_LONG, 0, ANSWER_TIMEOUT_SECONDS);
      check(
          Libc.setsockopt(number, Libc.SOL_SOCKET, Libc.SO_RCVTIMEO, timeout),
          "set a netlink socket's timeout");
      MemorySegment size = arena.allocate(ValueLayout.JAVA_INT);
      check(
          Libc.getsockopt(number, Libc.SOL_SOCKET, Libc.SO_RCVBUF, size),
          "ask for a netlink socket's buffer");
      int batchLimit =
          Math.clamp(size.get(ValueLayout.JAVA_INT, 0) / ANSWER_BYTES, 1, LARGEST_BATCH);
      return new NetlinkSocket(fd, portOf(fd), batchLimit);
    } catch (IOException | RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  /** In a given network namespace. */
  public static NetlinkSocket open(NetworkNamespace namespace) throws IOException {
    return namespace.run(NetlinkSocket::open);
  }

  public Links links() {
    return new Links(this);
  }

  public Addresses addresses() {
    return new Addresses(this);
  }

  public Routes routes() {
    return new Routes(this);
  }

  public Neighbours neighbours() {
    return new Neighbours(this);
  }

  /** The kernel's number of this socket; notifications of what it asked for bear it. */
  public int portId() {
    return portId;
  }

  /**
   * Executes one request.
   *
   * @throws NetlinkException when the kernel refuses it
   */
  public void execute(NetlinkRequest request) throws IOException {
    List<Failure> failures = executeAll(List.of(request));
    if (!failures.isEmpty()) {
      throw failures.getFirst().reason();
    }
  }

  /**
   * Executes requests in their order, hundreds with each system call. One that fails does not stop
   * those after it.
   *
   * @return those that failed, in order; empty when all succeeded. When the kernel's answers were
   *     lost, all whose outcome is unknown are among them, with ENOBUFS.
   * @throws IOException when the socket itself fails
   */
  public List<Failure> executeAll(List<NetlinkRequest> requests) throws IOException {
    List<Failure> failures = new ArrayList<>();
    int from = 0;
    while (from < requests.size()) {
      int first = sequence + 1;
      int to = from;
      int lastStart = 0;
      writer.clear();
      while (to < requests.size() && to - from < batchLimit) {
        int before = writer.size();
        requests.get(to).write(writer, 0, first + (to - from));
        if (writer.size() > BATCH_BYTES && to > from) {
          writer.truncate(before);
          break;
        }
        lastStart = before;
        to++;
      }
      sequence += to - from;
      // Refusals are always answered; success only where it is asked for, here for the last one.
      writer.addFlags(lastStart, RtNetlink.NLM_F_ACK);
      executeBatch(requests.subList(from, to), first, failures);
      from = to;
    }
    return failures;
  }

  /** For notifications that come to a socket that asked for them. */
  Fd fd() {
    return fd;
  }

  @Override
  public void close() {
    if (!fd.isClosed()) {
      fd.close();
      arena.close();
    }
  }

  /** Asks for what exists, again as often as it changed meanwhile. */
  <T> List<T> dump(NetlinkRequest request, Decoder<T> decoder) throws IOException {
    for (int attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      List<T> entries = new ArrayList<>();
      if (dumpOnce(request, decoder, entries)) {
        return entries;
      }
      interruptedDumps++;
    }
    throw new NetlinkException(
        request.toString(),
        Errno.EINTR.number(),
        "it changed during each of " + DUMP_ATTEMPTS + " attempts to read it");
  }

  /** How many dumps the kernel called inconsistent (NLM_F_DUMP_INTR) and were asked for again. */
  int interruptedDumps() {
    return interruptedDumps;
  }

  /** Asks for one thing. */
  <T> Optional<T> query(NetlinkRequest request, Decoder<T> decoder) throws IOException {
    int asked = ++sequence;
    writer.clear();
    request.write(writer, RtNetlink.NLM_F_ACK, asked);
    transmit(request);
    Optional<T> answer = Optional.empty();
    while (true) {
      MessageReader reader = receive(request, 0);
      while (reader.next()) {
        if (reader.sequence() != asked) {
          continue;
        }
        if (reader.type() == RtNetlink.NLMSG_ERROR) {
          int error = -reader.u32(0);
          if (error != 0) {
            throw refusal(request, reader, error);
          }
          return answer;
        }
        Optional<T> decoded = decoder.apply(reader);
        if (decoded.isPresent()) {
          answer = decoded;
        }
      }
    }
  }

  private <T> boolean dumpOnce(NetlinkRequest request, Decoder<T> decoder, List<T> into)
      throws IOException {
    int asked = ++sequence;
    writer.clear();
    request.write(writer, RtNetlink.NLM_F_DUMP, asked);
    transmit(request);
    boolean consistent = true;
    while (true) {
      MessageReader reader = receive(request, 0);
      while (reader.next()) {
        if (reader.sequence() != asked) {
          continue;
        }
        consistent &= (reader.flags() & RtNetlink.NLM_F_DUMP_INTR) == 0;
        switch (reader.type()) {
          case RtNetlink.NLMSG_ERROR, RtNetlink.NLMSG_DONE -> {
            int error = reader.payloadSize() >= 4 ? -reader.u32(0) : 0;
            if (error != 0) {
              throw refusal(request, reader, error);
            }
            return consistent;
          }
          default -> decoder.apply(reader).ifPresent(into::add);
        }
      }
    }
  }

  private void executeBatch(List<NetlinkRequest> requests, int first, List<Failure> failures)
      throws IOException {
    int last = first + requests.size() - 1;
    // Texts are made after all answers are read, because a text may need a question of its own.
    List<Refusal> refusals = new ArrayList<>();
    int known = first - 1;
    boolean lost = false;
    transmit(requests.getLast());
    while (known != last) {
      MessageReader reader;
      try {
        reader = receive(requests.getLast(), lost ? Libc.MSG_DONTWAIT : 0);
      } catch (NetlinkException e) {
        boolean drained = lost && e.errno() == Errno.EAGAIN;
        if (e.errno() != Errno.ENOBUFS && !drained) {
          throw e;
        }
        lost = true;
        if (drained) {
          break;
        }
        continue;
      }
      while (reader.next()) {
        int index = reader.sequence() - first;
        if (reader.type() != RtNetlink.NLMSG_ERROR || index < 0 || index >= requests.size()) {
          continue;
        }
        known = reader.sequence();
        int error = -reader.u32(0);
        if (error != 0) {
          refusals.add(new Refusal(index, error, kernelText(reader)));
        }
      }
    }
    if (lost) {
      addUnknown(refusals, requests.size());
    }
    for (Refusal refusal : refusals) {
      NetlinkRequest request = requests.get(refusal.index());
      failures.add(
          new Failure(
              request,
              new NetlinkException(
                  request.describe(this::interfaceName), refusal.error(), refusal.kernelText())));
    }
  }

  private record Refusal(int index, int error, String kernelText) {}

  private static void addUnknown(List<Refusal> refusals, int count) {
    Set<Integer> answered = new HashSet<>();
    refusals.forEach(refusal -> answered.add(refusal.index()));
    for (int index = 0; index < count; index++) {
      if (!answered.contains(index)) {
        refusals.add(
            new Refusal(
                index,
                Errno.ENOBUFS.number(),
                "answers of the kernel were lost, so it is not known whether it was done"));
      }
    }
    refusals.sort(Comparator.comparingInt(Refusal::index));
  }

  private void transmit(NetlinkRequest request) throws IOException {
    int size = writer.size();
    if (size > BUFFER_BYTES) {
      throw new IllegalArgumentException(
          request + ": a message of " + size + " bytes; at most " + BUFFER_BYTES + " are possible");
    }
    MemorySegment.copy(writer.array(), 0, output, ValueLayout.JAVA_BYTE, 0, size);
    while (true) {
      long sent = Libc.send(fd.number(), output.asSlice(0, size), 0);
      if (sent >= 0) {
        return;
      }
      if (sent != -Errno.EINTR.number()) {
        throw new NetlinkException(request.toString(), (int) -sent, "the request was not sent");
      }
    }
  }

  private MessageReader receive(NetlinkRequest request, int flags) throws IOException {
    while (true) {
      long count = Libc.recv(fd.number(), input, flags | Libc.MSG_TRUNC);
      if (count > BUFFER_BYTES) {
        throw new IOException(
            request + ": the kernel's answer of " + count + " bytes is longer than any expected");
      }
      if (count >= 0) {
        MemorySegment.copy(input, ValueLayout.JAVA_BYTE, 0, inputBytes, 0, (int) count);
        return new MessageReader(inputBytes, (int) count);
      }
      if (count != -Errno.EINTR.number()) {
        throw new NetlinkException(request.toString(), (int) -count, "no answer was received");
      }
    }
  }

  private NetlinkException refusal(NetlinkRequest request, MessageReader reader, int error) {
    return new NetlinkException(request.toString(), error, kernelText(reader));
  }

  /** The text of an extended acknowledgement, which follows the echo of the request's header. */
  private static String kernelText(MessageReader reader) {
    if ((reader.flags() & RtNetlink.NLM_F_ACK_TLVS) == 0) {
      return "";
    }
    int echoed = 0;
    if (reader.type() == RtNetlink.NLMSG_ERROR) {
      boolean capped = (reader.flags() & RtNetlink.NLM_F_CAPPED) != 0;
      echoed = capped ? RtNetlink.HEADER_SIZE : reader.u32(4);
    }
    MessageReader.Attributes attributes = reader.attributes(4 + RtNetlink.align(echoed));
    while (attributes.next()) {
      if (attributes.type() == RtNetlink.NLMSGERR_ATTR_MSG) {
        return attributes.text();
      }
    }
    return "";
  }

  private String interfaceName(int index) {
    try {
      return links().find(index).map(Link::name).orElse("#" + index);
    } catch (IOException e) {
      // Only a text for another error; the number has to do.
      return "#" + index;
    }
  }

  static Fd openConnected(int protocol) throws IOException {
    int socket = Libc.socket(Libc.AF_NETLINK, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, protocol);
    if (socket < 0) {
      throw new SystemCallException("open a netlink socket", -socket);
    }
    // Not "ofSocket": netlink knows no shutdown.
    Fd fd = Fd.of(socket);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment kernel = arena.allocate(SOCKADDR_SIZE, 4);
      kernel.set(ValueLayout.JAVA_SHORT, 0, (short) Libc.AF_NETLINK);
      // Connected to port 0: only the kernel may send to it, so an answer cannot be forged.
      check(Libc.connect(socket, kernel), "connect a netlink socket to the kernel");
      return fd;
    } catch (IOException | RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  private static int portOf(Fd fd) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(SOCKADDR_SIZE, 4);
      check(Libc.getsockname(fd.number(), address), "ask for a netlink socket's port");
      return address.get(ValueLayout.JAVA_INT, SOCKADDR_PORT);
    }
  }

  private static void check(int result, String asked) throws SystemCallException {
    if (result < 0) {
      throw new SystemCallException(asked, -result);
    }
  }
}
