package io.wayleave.bgp.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.timeout.ReadTimeoutHandler;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.ResourceCodec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The admin API: HTTP/1.1 on a Unix socket that only root may open, with JSON unless an answer is
 * {@link Endpoint.Text}. Try {@code curl --unix-socket /run/wayleave/admin.sock
 * http://agent/v1/status}.
 *
 * <p>One event loop reads and writes; answers are computed on virtual threads, because they may
 * wait for the owner of what they show.
 */
public final class AdminServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(AdminServer.class);
  private static final int MAX_REQUEST_BYTES = 64 * 1024;
  private static final int IDLE_SECONDS = 30;

  private final Path socket;
  private final Map<String, Endpoint> endpoints;
  private final EventLoopGroup loop =
      new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
  private final ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();
  private final Channel listener;

  /**
   * Listens at once.
   *
   * @param socket where; a socket file left by a former process is replaced
   * @param endpoints what each path answers
   */
  public AdminServer(Path socket, Map<String, Endpoint> endpoints) throws IOException {
    this.socket = socket;
    this.endpoints = new TreeMap<>(endpoints);
    Files.createDirectories(socket.getParent());
    // Bound where only root can come, and moved to its place when it has its mode.
    Path privately = Files.createTempDirectory(socket.getParent(), ".admin");
    Path bound = privately.resolve("s");
    try {
      listener =
          new ServerBootstrap()
              .group(loop)
              .channel(EpollServerDomainSocketChannel.class)
              .childHandler(
                  new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                      channel
                          .pipeline()
                          .addLast(
                              new ReadTimeoutHandler(IDLE_SECONDS),
                              new HttpServerCodec(),
                              new HttpObjectAggregator(MAX_REQUEST_BYTES),
                              new Handler());
                    }
                  })
              .bind(new DomainSocketAddress(bound.toFile()))
              .syncUninterruptibly()
              .channel();
      Files.setPosixFilePermissions(bound, PosixFilePermissions.fromString("rw-------"));
      Files.move(
          bound, socket, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException | RuntimeException e) {
      close();
      throw new IOException(
          "cannot listen on the admin socket " + socket + ": " + e.getMessage(), e);
    } finally {
      Files.deleteIfExists(bound);
      Files.deleteIfExists(privately);
    }
  }

  @Override
  public void close() {
    if (loop.isShuttingDown()) {
      return;
    }
    if (listener != null) {
      listener.close().syncUninterruptibly();
    }
    workers.shutdownNow();
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    try {
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      log.warn("admin socket not removed path={}", socket, e);
    }
  }

  private final class Handler extends SimpleChannelInboundHandler<FullHttpRequest> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
      boolean keepAlive = HttpUtil.isKeepAlive(request);
      if (!request.decoderResult().isSuccess()) {
        respond(
            context,
            HttpResponseStatus.BAD_REQUEST,
            error("the request is not well-formed HTTP"),
            false);
        return;
      }
      QueryStringDecoder target = new QueryStringDecoder(request.uri());
      String path = target.path();
      Endpoint endpoint = endpoints.get(path);
      if (endpoint == null) {
        respond(
            context,
            HttpResponseStatus.NOT_FOUND,
            error(
                "path "
                    + path
                    + " does not exist; there are: "
                    + String.join(", ", endpoints.keySet())),
            keepAlive);
        return;
      }
      if (!request.method().name().equals(endpoint.method())) {
        respond(
            context,
            HttpResponseStatus.METHOD_NOT_ALLOWED,
            error("method " + request.method() + " is not allowed; allowed: " + endpoint.method()),
            keepAlive);
        return;
      }
      Map<String, String> parameters = new TreeMap<>();
      target.parameters().forEach((name, values) -> parameters.put(name, values.getLast()));
      workers.execute(() -> answer(context, path, endpoint, parameters, keepAlive));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      log.debug("admin connection ended cause={}", cause.toString());
      var _ = context.close();
    }
  }

  private static void answer(
      ChannelHandlerContext context,
      String path,
      Endpoint endpoint,
      Map<String, String> parameters,
      boolean keepAlive) {
    try {
      respond(context, HttpResponseStatus.OK, endpoint.answer().apply(parameters), keepAlive);
    } catch (InvalidInputException e) {
      respond(context, HttpResponseStatus.BAD_REQUEST, error(e.getMessage()), keepAlive);
    } catch (RuntimeException e) {
      log.warn("admin request failed path={}", path, e);
      respond(context, HttpResponseStatus.INTERNAL_SERVER_ERROR, error(e.toString()), keepAlive);
    }
  }

  private static Map<String, String> error(String text) {
    return Map.of("error", text);
  }

  private static void respond(
      ChannelHandlerContext context, HttpResponseStatus status, Object body, boolean keepAlive) {
    ByteBuf content;
    String type = HttpHeaderValues.APPLICATION_JSON.toString();
    try {
      if (body instanceof Endpoint.Text(String contentType, String text)) {
        content = Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
        type = contentType;
      } else {
        content = Unpooled.wrappedBuffer(ResourceCodec.jsonMapper().writeValueAsBytes(body));
      }
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("an answer must be writable as JSON: " + body.getClass(), e);
    }
    FullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, content);
    response.headers().set(HttpHeaderNames.CONTENT_TYPE, type);
    response.headers().set(HttpHeaderNames.CONTENT_LENGTH, content.readableBytes());
    if (keepAlive) {
      context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
    } else {
      response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
      context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
    }
  }
}
