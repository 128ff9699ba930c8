package io.wayleave.bgp.session;

import io.netty.buffer.ByteBuf;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.model.IpAddress;
import java.util.Optional;

/**
 * How connections come about: TCP by Netty, or a wire inside a test. Owned by the {@link Loop}
 * thread, which also makes every callback.
 */
public interface Transport {
  /**
   * Accepts connections there until closed.
   *
   * @throws ListenException when the address cannot be had
   */
  Listening listen(ListenAddress where, Acceptor acceptor) throws ListenException;

  /**
   * Starts to connect. Either {@link Handler#connected} or {@link Handler#closed} follows, later
   * than this call returns.
   *
   * @param source own address to come from, else the kernel's choice
   */
  Attempt dial(IpAddress address, int port, Optional<IpAddress> source, Handler handler);

  /** A bound address. */
  interface Listening {
    /** Connections that were accepted stay. */
    void close();
  }

  /** Decides what becomes of a connection that came in. */
  @FunctionalInterface
  interface Acceptor {
    /**
     * The handler of the connection, which is called with {@link Handler#connected} next; empty
     * closes it at once.
     */
    Optional<Handler> accept(Connection connection);
  }

  /** A dial under way. */
  interface Attempt {
    /** Gives up; the handler is not called any more. */
    void cancel();
  }

  /** What happens to one connection. */
  interface Handler {
    void connected(Connection connection);

    /**
     * Bytes came in. The buffer is the caller's; what is not read is lost.
     *
     * @param bytes never more than the transport reads in one go, 64 KiB
     */
    void received(ByteBuf bytes);

    /** The connection takes bytes again after {@link Connection#isWritable} said no. */
    void writable();

    /**
     * The connection could not be made or is gone, by the other side's doing. Not called after
     * {@link Connection#close}.
     */
    void closed(String reason);
  }

  /** One TCP connection. */
  interface Connection {
    IpAddress localAddress();

    IpAddress remoteAddress();

    int remotePort();

    /** Queues the bytes, whose buffer is given away. */
    void write(ByteBuf bytes);

    /** Sends what is queued. */
    void flush();

    /** Whether what is queued but not taken by the kernel is still little. */
    boolean isWritable();

    /** Sends what is queued and closes; the handler is not called any more. */
    void close();
  }

  /** An address that cannot be listened on; the message names it and says why. */
  final class ListenException extends Exception {
    private static final long serialVersionUID = 1L;

    public ListenException(ListenAddress where, Throwable cause) {
      super("cannot listen on " + where + ": " + cause.getMessage(), cause);
    }
  }
}
