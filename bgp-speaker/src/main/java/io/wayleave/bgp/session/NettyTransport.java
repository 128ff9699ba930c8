package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.util.ReferenceCountUtil;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.PeerSecurity;
import io.wayleave.bgp.ScopedAddress;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * TCP by Netty on epoll, on the one thread of a {@link NettyLoop}.
 *
 * <p>Reads at most a few buffers of 64 KiB of one connection before the others get their turn.
 * Writes pile up to 256 KiB before {@link Connection#isWritable} says no.
 */
public final class NettyTransport implements Transport {
  private static final Logger log = LoggerFactory.getLogger(NettyTransport.class);

  private static final int READ_CHUNK = 64 * 1024;
  private static final int READS_PER_TURN = 4;
  private static final WriteBufferWaterMark WATER_MARK =
      new WriteBufferWaterMark(64 * 1024, 256 * 1024);
  private static final int CONNECT_TIMEOUT_MILLIS = 5_000;

  /** How long the peer may take to read our last words before the socket is closed. */
  private static final long LINGER_MILLIS = 1_000;

  private final NettyLoop loop;

  public NettyTransport(NettyLoop loop) {
    this.loop = requireNonNull(loop, "loop is null");
  }

  @Override
  public Listening listen(ListenAddress where, Acceptor acceptor) throws ListenException {
    Family family = where.address().family();
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(loop.eventLoop())
            .channelFactory(() -> new EpollServerSocketChannel(socketFamily(family)))
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
            .childOption(ChannelOption.RECVBUF_ALLOCATOR, receiveBuffers())
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    channel.pipeline().addLast(Wire.accepted(channel, acceptor));
                  }
                });
    // Step by step and not by bootstrap.bind(), which would bind in a later task: on the loop's own
    // thread both steps are done when they return.
    Channel server = bootstrap.register().channel();
    try {
      // Inherited by what is accepted; the SYN-ACK needs it before anything is.
      SocketOptions.sendGreatestTtl(server, family);
    } catch (ChannelException e) {
      var _ = server.close();
      throw new ListenException(where, e);
    }
    ChannelFuture bind =
        server.bind(new InetSocketAddress(where.address().toInetAddress(), where.port()));
    if (!bind.isSuccess()) {
      var _ = server.close();
      throw new ListenException(
          where,
          bind.isDone() ? bind.cause() : new IllegalStateException("not on the loop's thread"));
    }
    return new Bound(where, server);
  }

  private static SocketProtocolFamily socketFamily(Family family) {
    return switch (family) {
      case IPV4 -> SocketProtocolFamily.INET;
      case IPV6 -> SocketProtocolFamily.INET6;
    };
  }

  @Override
  public Attempt dial(Target target, Handler handler) {
    Wire wire = Wire.dialled(handler);
    EpollSocketChannel channel;
    try {
      channel = dialling(target);
    } catch (ChannelException e) {
      loop.execute(() -> wire.failed(reason(e)));
      return wire::forget;
    }
    Bootstrap bootstrap =
        new Bootstrap()
            .group(loop.eventLoop())
            .channelFactory(() -> channel)
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.SO_REUSEADDR, true)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MILLIS)
            .option(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
            .option(ChannelOption.RECVBUF_ALLOCATOR, receiveBuffers());
    bootstrap.handler(wire);
    target.source().ifPresent(own -> bootstrap.localAddress(own.toInetAddress(), 0));
    ChannelFuture connect =
        bootstrap.connect(new InetSocketAddress(inetAddress(target.address()), target.port()));
    var _ =
        connect.addListener(
            done -> {
              if (!done.isSuccess()) {
                wire.failed(reason(done.cause()));
              }
            });
    return () -> {
      wire.forget();
      var _ = connect.channel().close();
    };
  }

  /** A socket with what must be set before the SYN goes out. */
  private static EpollSocketChannel dialling(Target target) {
    Family family = target.address().address().family();
    EpollSocketChannel channel = new EpollSocketChannel(socketFamily(family));
    try {
      SocketOptions.sendGreatestTtl(channel, family);
      PeerSecurity security = target.security();
      security.ttlHops().ifPresent(hops -> SocketOptions.takeFromHops(channel, family, hops));
      Cidr remote = target.address().address().toCidr();
      security
          .md5Password()
          .ifPresent(key -> SocketOptions.setMd5Key(channel, family, remote, key));
      return channel;
    } catch (ChannelException e) {
      channel.unsafe().closeForcibly();
      throw e;
    }
  }

  private static InetAddress inetAddress(ScopedAddress address) {
    if (address.interfaceIndex() == 0) {
      return address.address().toInetAddress();
    }
    try {
      return Inet6Address.getByAddress(null, address.address().toBytes(), address.interfaceIndex());
    } catch (UnknownHostException e) {
      throw new IllegalStateException("16 octets are an address", e);
    }
  }

  private static ScopedAddress scopedAddress(InetAddress address) {
    IpAddress plain = IpAddress.of(address);
    return plain.isLinkLocal() && address instanceof Inet6Address scoped
        ? new ScopedAddress(plain, scoped.getScopeId())
        : ScopedAddress.of(plain);
  }

  /** A listening socket and the keys that it has. */
  private static final class Bound implements Listening {
    private final ListenAddress where;
    private final Channel server;
    private final Map<Cidr, String> keys = new HashMap<>();
    private final Map<Family, OptionalInt> ttlHops = new EnumMap<>(Family.class);

    Bound(ListenAddress where, Channel server) {
      this.where = where;
      this.server = server;
    }

    @Override
    public void setKeys(Map<Cidr, String> wanted) throws ListenException {
      Family family = where.address().family();
      try {
        for (Cidr prefix : List.copyOf(keys.keySet())) {
          if (!wanted.containsKey(prefix)) {
            SocketOptions.setMd5Key(server, family, prefix, "");
            keys.remove(prefix);
          }
        }
        for (Map.Entry<Cidr, String> entry : wanted.entrySet()) {
          Cidr prefix = entry.getKey();
          boolean reachesHere = family == Family.IPV6 || prefix.family() == Family.IPV4;
          if (reachesHere && !entry.getValue().equals(keys.get(prefix))) {
            SocketOptions.setMd5Key(server, family, prefix, entry.getValue());
            keys.put(prefix, entry.getValue());
          }
        }
      } catch (ChannelException e) {
        throw new ListenException(where, e);
      }
    }

    @Override
    public void setTtlHops(Family remote, OptionalInt hops) throws ListenException {
      boolean reachesHere = where.address().family() == Family.IPV6 || remote == Family.IPV4;
      if (!reachesHere || hops.equals(ttlHops.getOrDefault(remote, OptionalInt.empty()))) {
        return;
      }
      try {
        // What is accepted inherits it, before its peer's own number is known.
        hops.ifPresentOrElse(
            most -> SocketOptions.takeFromHops(server, remote, most),
            () -> SocketOptions.takeFromAnywhere(server, remote));
        ttlHops.put(remote, hops);
      } catch (ChannelException e) {
        throw new ListenException(where, e);
      }
    }

    @Override
    public void close() {
      var _ = server.close();
    }
  }

  private static AdaptiveRecvByteBufAllocator receiveBuffers() {
    AdaptiveRecvByteBufAllocator buffers =
        new AdaptiveRecvByteBufAllocator(1024, 8 * 1024, READ_CHUNK);
    buffers.maxMessagesPerRead(READS_PER_TURN);
    return buffers;
  }

  private static String reason(Throwable cause) {
    return Optional.ofNullable(cause.getMessage()).orElseGet(() -> cause.getClass().getName());
  }

  /** One channel: turns Netty's callbacks into those of a {@link Handler}. */
  private static final class Wire extends ChannelInboundHandlerAdapter implements Connection {
    private final Optional<Acceptor> acceptor;
    // Empty once nobody is to be told any more.
    private Optional<Handler> handler;
    private Optional<Channel> channel;
    private Optional<String> lastError = Optional.empty();
    // Octets written since the last flush.
    private long unflushed;

    private Wire(
        Optional<Channel> channel, Optional<Acceptor> acceptor, Optional<Handler> handler) {
      this.channel = channel;
      this.acceptor = acceptor;
      this.handler = handler;
    }

    static Wire accepted(Channel channel, Acceptor acceptor) {
      return new Wire(Optional.of(channel), Optional.of(acceptor), Optional.empty());
    }

    static Wire dialled(Handler handler) {
      return new Wire(Optional.empty(), Optional.empty(), Optional.of(handler));
    }

    void forget() {
      handler = Optional.empty();
    }

    void failed(String reason) {
      Optional<Handler> told = handler;
      forget();
      told.ifPresent(to -> to.closed(reason));
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
      channel = Optional.of(context.channel());
      acceptor.ifPresent(decider -> handler = decider.accept(this));
      if (handler.isEmpty()) {
        var _ = context.close();
        return;
      }
      handler.get().connected(this);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      try {
        handler.ifPresent(to -> to.received((ByteBuf) message));
      } finally {
        ReferenceCountUtil.release(message);
      }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
      if (context.channel().isWritable()) {
        handler.ifPresent(Handler::writable);
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      failed(lastError.orElse("closed by the peer"));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      if (!(cause instanceof IOException)) {
        log.error("bgp connection failed remote={}", context.channel().remoteAddress(), cause);
      }
      lastError = Optional.of(reason(cause));
      var _ = context.close();
    }

    private Channel open() {
      return channel.orElseThrow(() -> new IllegalStateException("not connected yet"));
    }

    @Override
    public IpAddress localAddress() {
      return IpAddress.of(((InetSocketAddress) open().localAddress()).getAddress());
    }

    @Override
    public ScopedAddress remoteAddress() {
      return scopedAddress(((InetSocketAddress) open().remoteAddress()).getAddress());
    }

    @Override
    public void setTtlHops(int hops) {
      SocketOptions.takeFromHops(open(), remoteAddress().address().family(), hops);
    }

    @Override
    public int remotePort() {
      return ((InetSocketAddress) open().remoteAddress()).getPort();
    }

    @Override
    public void write(ByteBuf bytes) {
      unflushed += bytes.readableBytes();
      var _ = open().write(bytes, open().voidPromise());
    }

    @Override
    public void flush() {
      unflushed = 0;
      open().flush();
    }

    /**
     * Counted octet by octet: Netty's own count has something on top for each buffer, and of one
     * that is half written all.
     */
    @Override
    public long pending() {
      ChannelOutboundBuffer queue = open().unsafe().outboundBuffer();
      if (queue == null) {
        return 0;
      }
      long[] octets = {unflushed};
      try {
        queue.forEachFlushedMessage(
            message -> {
              octets[0] += ((ByteBuf) message).readableBytes();
              return true;
            });
      } catch (Exception e) {
        throw new IllegalStateException("counting does not fail", e);
      }
      return octets[0];
    }

    @Override
    public boolean isWritable() {
      return open().isWritable();
    }

    /**
     * Closes our direction and reads on until the peer closes too: a plain close with unread bytes
     * would reset the connection, and the peer would lose our NOTIFICATION.
     */
    @Override
    public void close() {
      forget();
      Channel closing = open();
      closing.flush();
      if (!(closing instanceof DuplexChannel duplex) || !closing.isActive()) {
        var _ = closing.close();
        return;
      }
      var _ = duplex.shutdownOutput();
      var _ = closing.eventLoop().schedule(this::closeNow, LINGER_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void closeNow() {
      var _ = open().close();
    }
  }
}
