package io.wayleave.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.wayleave.model.InvalidInputException;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A connected Unix stream socket that carries frames: four bytes of length (big endian), that many
 * bytes, and file descriptors beside them (SCM_RIGHTS). Every wait has an end.
 *
 * <p>One thread may receive while another sends; {@link #close} from any thread wakes both. Use
 * platform threads.
 */
public final class UnixConnection implements AutoCloseable {
  private static final int LENGTH_BYTES = 4;
  // struct msghdr and struct cmsghdr of 64-bit Linux.
  private static final long MSGHDR_SIZE = 56;
  private static final long MSG_IOV = 16;
  private static final long MSG_IOVLEN = 24;
  private static final long MSG_CONTROL = 32;
  private static final long MSG_CONTROLLEN = 40;
  private static final long MSG_FLAGS = 48;
  private static final long CMSG_LEVEL = 8;
  private static final long CMSG_TYPE = 12;
  private static final long CMSG_DATA = 16;
  private static final int RECEIVE_CHUNK = 64 * 1024;

  private static final Duration CONNECT_RETRY = Duration.ofMillis(2);

  private final Fd fd;
  private final PeerCredentials peer;

  private UnixConnection(Fd fd, PeerCredentials peer) {
    this.fd = fd;
    this.peer = peer;
  }

  static UnixConnection of(Fd socket) throws IOException {
    try {
      return new UnixConnection(socket, credentials(socket));
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  public static UnixConnection connect(Path path, Duration timeout) throws IOException {
    Deadline deadline = Deadline.in(timeout);
    Fd fd = UnixServer.openSocket();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = UnixServer.address(arena, path);
      while (true) {
        int result = Libc.connect(fd.number(), address);
        if (result >= 0) {
          return of(fd);
        }
        // EAGAIN: the server's backlog is full. There is nothing to poll for; ask again.
        if (Errno.of(-result) != Errno.EAGAIN && Errno.of(-result) != Errno.EINTR) {
          throw new SystemCallException("connect to " + path, -result);
        }
        if (!deadline.pause(CONNECT_RETRY)) {
          throw new SocketTimeoutException("connect to " + path + ": not within " + timeout);
        }
      }
    } catch (IOException | RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  public PeerCredentials peer() {
    return peer;
  }

  /**
   * Receives one frame.
   *
   * @param maxBytes longest frame that is accepted; a longer one is refused before it is read
   * @param maxDescriptors most descriptors that are accepted with it
   * @throws InvalidInputException when the frame is too long or has too many descriptors
   * @throws EOFException when the peer closed before the end of the frame
   * @throws SocketTimeoutException when it did not come in time
   */
  public Frame receive(int maxBytes, int maxDescriptors, Duration timeout) throws IOException {
    Deadline deadline = Deadline.in(timeout);
    List<Fd> received = new ArrayList<>();
    int number = fd.acquire();
    try (Arena arena = Arena.ofConfined()) {
      Receiver receiver = new Receiver(arena, number, deadline, maxDescriptors, received);
      byte[] length = receiver.fill(new byte[LENGTH_BYTES], "length");
      long size = Integer.toUnsignedLong(ByteBuffer.wrap(length).getInt());
      if (size > maxBytes) {
        throw new InvalidInputException(
            "frame", size + " bytes", "a frame of at most " + maxBytes + " bytes");
      }
      byte[] bytes = receiver.fill(new byte[(int) size], "frame of " + size + " bytes");
      return new Frame(bytes, received);
    } catch (IOException | RuntimeException e) {
      received.forEach(Fd::close);
      throw e;
    } finally {
      fd.release();
    }
  }

  /**
   * Sends one frame. The descriptors are copied into the peer; they stay open and owned here.
   *
   * @throws SocketTimeoutException when the peer did not take it in time; the connection is then of
   *     no more use
   */
  public void send(byte[] bytes, List<Fd> descriptors, Duration timeout) throws IOException {
    byte[] frame =
        ByteBuffer.allocate(LENGTH_BYTES + bytes.length).putInt(bytes.length).put(bytes).array();
    sendRaw(frame, descriptors, timeout);
  }

  /** Sends bytes as they are; a test can so send what is no frame. */
  void sendRaw(byte[] bytes, List<Fd> descriptors, Duration timeout) throws IOException {
    Deadline deadline = Deadline.in(timeout);
    List<Fd> pinned = new ArrayList<>();
    int number = fd.acquire();
    try (Arena arena = Arena.ofConfined()) {
      for (Fd descriptor : descriptors) {
        descriptor.acquire();
        pinned.add(descriptor);
      }
      MemorySegment whole = arena.allocate(bytes.length);
      MemorySegment.copy(bytes, 0, whole, JAVA_BYTE, 0, bytes.length);
      MemorySegment control = rights(arena, pinned);
      long sent = 0;
      while (sent < whole.byteSize()) {
        // The descriptors go with the first bytes only.
        MemorySegment header =
            header(arena, whole.asSlice(sent), sent == 0 ? control : MemorySegment.NULL);
        long count = Libc.sendmsg(number, header, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT);
        if (count >= 0) {
          sent += count;
          continue;
        }
        switch (Errno.of((int) -count)) {
          case EINTR -> {}
          case EAGAIN -> {
            if (!deadline.await(number, Libc.POLLOUT)) {
              throw new SocketTimeoutException(
                  "send a frame: only "
                      + sent
                      + " of "
                      + bytes.length
                      + " bytes were taken within "
                      + timeout);
            }
            failIfClosed();
          }
          default -> {
            failIfClosed();
            throw new SystemCallException(
                "send a frame of " + bytes.length + " bytes", (int) -count);
          }
        }
      }
    } finally {
      pinned.forEach(Fd::release);
      fd.release();
    }
  }

  @Override
  public void close() {
    fd.close();
  }

  private void failIfClosed() throws ClosedFdException {
    if (fd.isClosed()) {
      throw new ClosedFdException();
    }
  }

  /** Reads of one frame, which collect descriptors wherever they arrive in it. */
  private final class Receiver {
    private final int number;
    private final Deadline deadline;
    private final int maxDescriptors;
    private final List<Fd> received;
    private final MemorySegment buffer;
    private final MemorySegment control;
    private final MemorySegment header;

    Receiver(Arena arena, int number, Deadline deadline, int maxDescriptors, List<Fd> received) {
      this.number = number;
      this.deadline = deadline;
      this.maxDescriptors = maxDescriptors;
      this.received = received;
      this.buffer = arena.allocate(RECEIVE_CHUNK);
      this.control = arena.allocate(controlSpace(Math.max(1, maxDescriptors)), 8);
      this.header = header(arena, buffer, control);
    }

    byte[] fill(byte[] into, String what) throws IOException {
      int filled = 0;
      while (filled < into.length) {
        int count = receiveSome(Math.min(RECEIVE_CHUNK, into.length - filled), what);
        if (count == 0) {
          throw new EOFException("the peer closed after " + filled + " bytes of the " + what);
        }
        MemorySegment.copy(buffer, JAVA_BYTE, 0, into, filled, count);
        filled += count;
      }
      return into;
    }

    private int receiveSome(int atMost, String what) throws IOException {
      while (true) {
        header.get(ADDRESS, MSG_IOV).reinterpret(16).set(JAVA_LONG, 8, atMost);
        header.set(JAVA_LONG, MSG_CONTROLLEN, control.byteSize());
        header.set(JAVA_INT, MSG_FLAGS, 0);
        long count = Libc.recvmsg(number, header, Libc.MSG_CMSG_CLOEXEC | Libc.MSG_DONTWAIT);
        if (count >= 0) {
          takeDescriptors();
          return (int) count;
        }
        switch (Errno.of((int) -count)) {
          case EINTR -> {}
          case EAGAIN -> {
            if (!deadline.await(number, Libc.POLLIN)) {
              throw new SocketTimeoutException(
                  "receive the " + what + ": not complete within " + deadline.timeout());
            }
            failIfClosed();
          }
          default -> {
            failIfClosed();
            throw new SystemCallException("receive the " + what, (int) -count);
          }
        }
      }
    }

    /** Everything the kernel installed is owned before anything can be refused. */
    private void takeDescriptors() {
      long end = header.get(JAVA_LONG, MSG_CONTROLLEN);
      long at = 0;
      while (at + CMSG_DATA <= end) {
        long length = control.get(JAVA_LONG, at);
        if (control.get(JAVA_INT, at + CMSG_LEVEL) == Libc.SOL_SOCKET
            && control.get(JAVA_INT, at + CMSG_TYPE) == Libc.SCM_RIGHTS) {
          for (long data = at + CMSG_DATA; data + 4 <= at + length; data += 4) {
            received.add(Fd.of(control.get(JAVA_INT, data)));
          }
        }
        at += align(length);
      }
      boolean truncated = (header.get(JAVA_INT, MSG_FLAGS) & Libc.MSG_CTRUNC) != 0;
      if (truncated || received.size() > maxDescriptors) {
        throw new InvalidInputException(
            "descriptors",
            truncated ? "more than " + maxDescriptors : Integer.toString(received.size()),
            "at most " + maxDescriptors + " with a frame");
      }
    }
  }

  private static MemorySegment header(Arena arena, MemorySegment bytes, MemorySegment control) {
    MemorySegment iov = arena.allocate(16, 8);
    iov.set(ADDRESS, 0, bytes);
    iov.set(JAVA_LONG, 8, bytes.byteSize());
    MemorySegment header = arena.allocate(MSGHDR_SIZE, 8);
    header.set(ADDRESS, MSG_IOV, iov);
    header.set(JAVA_LONG, MSG_IOVLEN, 1);
    header.set(ADDRESS, MSG_CONTROL, control);
    header.set(JAVA_LONG, MSG_CONTROLLEN, control.byteSize());
    return header;
  }

  private static MemorySegment rights(Arena arena, List<Fd> descriptors) throws IOException {
    if (descriptors.isEmpty()) {
      return MemorySegment.NULL;
    }
    MemorySegment control = arena.allocate(controlSpace(descriptors.size()), 8);
    control.set(JAVA_LONG, 0, CMSG_DATA + 4L * descriptors.size());
    control.set(JAVA_INT, CMSG_LEVEL, Libc.SOL_SOCKET);
    control.set(JAVA_INT, CMSG_TYPE, Libc.SCM_RIGHTS);
    for (int i = 0; i < descriptors.size(); i++) {
      control.set(JAVA_INT, CMSG_DATA + 4L * i, descriptors.get(i).number());
    }
    return control;
  }

  private static long controlSpace(int descriptors) {
    return align(CMSG_DATA + 4L * descriptors);
  }

  private static long align(long length) {
    return (length + 7) & ~7L;
  }

  private static PeerCredentials credentials(Fd socket) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ucred = arena.allocate(12, 4);
      int result = Libc.getsockopt(socket.number(), Libc.SOL_SOCKET, Libc.SO_PEERCRED, ucred);
      if (result < 0) {
        throw new SystemCallException("ask who the peer is", -result);
      }
      return new PeerCredentials(
          ucred.get(JAVA_INT, 0), ucred.get(JAVA_INT, 4), ucred.get(JAVA_INT, 8));
    }
  }
}
