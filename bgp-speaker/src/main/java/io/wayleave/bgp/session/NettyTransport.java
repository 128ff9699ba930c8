package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Optional;
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
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(loop.eventLoop())
            .channel(EpollServerSocketChannel.class)
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
    ChannelFuture bind =
        server.bind(new InetSocketAddress(where.address().toInetAddress(), where.port()));
    if (!bind.isSuccess()) {
      var _ = server.close();
      throw new ListenException(
          where,
          bind.isDone() ? bind.cause() : new IllegalStateException("not on the loop's thread"));
    }
    return () -> {
      var _ = server.close();
    };
  }

  @Override
  public Attempt dial(IpAddress address, int port, Optional<IpAddress> source, Handler handler) {
    Bootstrap bootstrap =
        new Bootstrap()
            .group(loop.eventLoop())
            .channel(EpollSocketChannel.class)
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.SO_REUSEADDR, true)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MILLIS)
            .option(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
            .option(ChannelOption.RECVBUF_ALLOCATOR, receiveBuffers());
    Wire wire = Wire.dialled(handler);
    bootstrap.handler(wire);
    source.ifPresent(own -> bootstrap.localAddress(own.toInetAddress(), 0));
    ChannelFuture connect = bootstrap.connect(new InetSocketAddress(address.toInetAddress(), port));
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
    public IpAddress remoteAddress() {
      return IpAddress.of(((InetSocketAddress) open().remoteAddress()).getAddress());
    }

    @Override
    public int remotePort() {
      return ((InetSocketAddress) open().remoteAddress()).getPort();
    }

    @Override
    public void write(ByteBuf bytes) {
      var _ = open().write(bytes, open().voidPromise());
    }

    @Override
    public void flush() {
      open().flush();
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
