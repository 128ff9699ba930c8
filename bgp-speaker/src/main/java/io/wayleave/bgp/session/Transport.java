package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.PeerSecurity;
import io.wayleave.bgp.ScopedAddress;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

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
   */
  Attempt dial(Target target, Handler handler);

  /**
   * Where and how to connect.
   *
   * @param source own address to come from, else the kernel's choice
   * @param security in force from the first segment on
   */
  record Target(
      ScopedAddress address, int port, Optional<IpAddress> source, PeerSecurity security) {
    public Target {
      requireNonNull(address, "address is null");
      requireNonNull(source, "source is null");
      requireNonNull(security, "security is null");
    }
  }

  /** A bound address. */
  interface Listening {
    /**
     * Connections from these prefixes need the TCP MD5 signature with this key (RFC 2385), the
     * longest prefix that fits; others must have none. Connections that are there keep theirs.
     *
     * @throws ListenException when the kernel refuses
     */
    void setKeys(Map<Cidr, String> keys) throws ListenException;

    /**
     * Connections from addresses of this family are taken only of hosts at most that many hops away
     * (RFC 5082): of others not even the SYN is answered. With none everybody is heard.
     *
     * @throws ListenException when the kernel refuses
     */
    void setTtlHops(Family remote, OptionalInt hops) throws ListenException;

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

    ScopedAddress remoteAddress();

    int remotePort();

    /**
     * From now on takes segments only of a sender at most that many hops away (RFC 5082). For
     * connections that came in: those that were dialled do so from the first segment on.
     */
    void setTtlHops(int hops);

    /** Queues the bytes, whose buffer is given away. */
    void write(ByteBuf bytes);

    /** Sends what is queued. */
    void flush();

    /** Octets that are queued and not taken by the kernel. */
    long pending();

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
