package io.wayleave.linux.netlink;

import io.wayleave.linux.ClosedFdException;
import io.wayleave.linux.Errno;
import io.wayleave.linux.Fd;
import io.wayleave.linux.Libc;
import io.wayleave.linux.Poller;
import io.wayleave.linux.SystemCallException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * A netlink socket that the kernel sends messages to that nobody asked for.
 *
 * <p>One thread owns it and calls {@link #poll}. {@link #wakeUp} and {@link #close} may be called
 * from any thread.
 */
final class Notifications implements AutoCloseable {
  static final int DEFAULT_RECEIVE_BUFFER_BYTES = 8 << 20;

  private static final int BUFFER_BYTES = 64 * 1024;

  private final Fd socket;
  private final Poller poller;
  private final byte[] inputBytes = new byte[BUFFER_BYTES];

  private Notifications(Fd socket, Poller poller) {
    this.socket = socket;
    this.poller = poller;
  }

  /**
   * Listens to multicast groups, in the network namespace of the calling thread.
   *
   * @param receiveBufferBytes how much the kernel keeps for a slow reader before it drops messages
   */
  static Notifications open(int protocol, int[] groups, int receiveBufferBytes) throws IOException {
    Fd socket = NetlinkSocket.openConnected(protocol);
    try {
      for (int group : groups) {
        check(
            Libc.setsockopt(
                socket.number(), RtNetlink.SOL_NETLINK, RtNetlink.NETLINK_ADD_MEMBERSHIP, group),
            "listen to netlink group " + group);
      }
      return of(socket, receiveBufferBytes);
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /** Takes over a socket. */
  static Notifications of(Fd socket, int receiveBufferBytes) throws IOException {
    int number = socket.number();
    int forced = Libc.setsockopt(number, Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, receiveBufferBytes);
    if (forced < 0) {
      // Without CAP_NET_ADMIN the system's limit holds; a smaller buffer overflows earlier.
      check(
          Libc.setsockopt(number, Libc.SOL_SOCKET, Libc.SO_RCVBUF, receiveBufferBytes),
          "set a netlink socket's buffer to " + receiveBufferBytes + " bytes");
    }
    return new Notifications(socket, Poller.open());
  }

  Fd fd() {
    return socket;
  }

  /**
   * Waits for messages and hands over those that are there.
   *
   * @param timeout longest wait; zero only looks
   * @param more asked before each datagram whether to go on
   * @param datagrams takes each datagram; what it is given is valid during the call only
   * @param losses takes the reason when messages were lost; those after them continue
   * @throws ClosedFdException when this is closed
   */
  void poll(
      Duration timeout,
      BooleanSupplier more,
      Consumer<MessageReader> datagrams,
      Consumer<String> losses)
      throws IOException {
    int number = socket.acquire();
    try {
      poller.await(List.of(socket), timeout);
      if (socket.isClosed()) {
        throw new ClosedFdException();
      }
      drain(number, more, datagrams, losses);
    } finally {
      socket.release();
    }
  }

  /** Ends the current or the next wait of {@link #poll}. */
  void wakeUp() {
    poller.wakeUp();
  }

  @Override
  public void close() {
    socket.close();
    poller.close();
  }

  private void drain(
      int number, BooleanSupplier more, Consumer<MessageReader> datagrams, Consumer<String> losses)
      throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment input = arena.allocate(BUFFER_BYTES, 4);
      while (more.getAsBoolean()) {
        long count = Libc.recv(number, input, Libc.MSG_DONTWAIT | Libc.MSG_TRUNC);
        if (count >= 0) {
          if (count > BUFFER_BYTES) {
            losses.accept("an event of " + count + " bytes is too long");
            continue;
          }
          MemorySegment.copy(input, ValueLayout.JAVA_BYTE, 0, inputBytes, 0, (int) count);
          datagrams.accept(new MessageReader(inputBytes, (int) count));
          continue;
        }
        switch (Errno.of((int) -count)) {
          case EINTR -> {}
          case ENOBUFS ->
              losses.accept("ENOBUFS: the kernel dropped events, the reader was too slow");
          case EAGAIN -> {
            return;
          }
          default -> throw new SystemCallException("receive netlink events", (int) -count);
        }
      }
    }
  }

  private static void check(int result, String asked) throws SystemCallException {
    if (result < 0) {
      throw new SystemCallException(asked, -result);
    }
  }
}
