package io.wayleave.datastore.etcd;

import io.etcd.jetcd.api.AuthGrpc;
import io.etcd.jetcd.api.AuthenticateRequest;
import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientStreamTracer;
import io.grpc.ForwardingClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.wayleave.datastore.DatastoreException;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.DatastoreRefusedException;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.DatastoreUrl;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.OutcomeUnknownException;
import io.wayleave.datastore.SnapshotExpiredException;
import io.wayleave.model.InvalidInputException;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One gRPC channel to all members of an etcd cluster, and what every call needs: the token of an
 * authenticated user, the deadline, the repetition that is safe, and exceptions by meaning. Thread
 * safe; all I/O is on one daemon thread, {@code etcd}, and nothing blocks there.
 */
final class EtcdConnection implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EtcdConnection.class);

  private static final Metadata.Key<String> TOKEN =
      Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER);

  /** Asks a member to refuse when it has lost its leader, rather than to wait. */
  private static final Metadata.Key<String> HAS_LEADER =
      Metadata.Key.of("hasleader", Metadata.ASCII_STRING_MARSHALLER);

  /** A listing page of large values; etcd itself limits requests to 1.5 MiB, not answers. */
  private static final int MAX_ANSWER_BYTES = 256 << 20;

  private static final Duration FIRST_PAUSE = Duration.ofMillis(20);
  private static final Duration LONGEST_PAUSE = Duration.ofMillis(500);

  /** Whether sending a request a second time changes nothing more. */
  enum Repetition {
    /** A read, or a write whose repetition has no effect. */
    SAFE,
    /** Once it may have arrived, a repetition could find its own effect and report a conflict. */
    UNSAFE
  }

  /** Refusals that the calls of this client meet, and the codes that etcd itself gives them. */
  private static final Map<String, Status.Code> PROXIED =
      Map.of(
          "required revision has been compacted", Status.Code.OUT_OF_RANGE,
          "required revision is a future revision", Status.Code.OUT_OF_RANGE,
          "requested lease not found", Status.Code.NOT_FOUND,
          "permission denied", Status.Code.PERMISSION_DENIED,
          "request is too large", Status.Code.INVALID_ARGUMENT,
          "database space exceeded", Status.Code.RESOURCE_EXHAUSTED);

  private final DatastoreUrl url;
  private final DatastoreOptions options;
  private final EventLoopGroup eventLoop;
  private final ManagedChannel channel;
  private volatile Optional<String> token = Optional.empty();
  private volatile boolean authenticationOff;

  EtcdConnection(DatastoreUrl url, DatastoreOptions options) {
    this.url = url;
    this.options = options;
    Optional<SslContext> tls = url.tls() ? Optional.of(tls(options)) : Optional.empty();
    this.eventLoop =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("etcd", true), NioIoHandler.newFactory());
    NettyChannelBuilder builder =
        NettyChannelBuilder.forTarget(EndpointResolver.target(url.endpoints()))
            .eventLoopGroup(eventLoop)
            .channelType(NioSocketChannel.class)
            .directExecutor()
            .defaultLoadBalancingPolicy("round_robin")
            // A dead member is noticed by an unanswered ping. etcd refuses pings more often than
            // each 5 s, and those without a call in progress.
            .keepAliveTime(10, TimeUnit.SECONDS)
            .keepAliveTimeout(5, TimeUnit.SECONDS)
            .maxInboundMessageSize(MAX_ANSWER_BYTES)
            // Repetition is decided here, where it is known what is safe.
            .disableRetry()
            .intercept(new Headers());
    tls.ifPresentOrElse(builder::sslContext, builder::usePlaintext);
    this.channel = builder.build();
  }

  DatastoreUrl url() {
    return url;
  }

  /** A stream that the caller runs; it ends with the connection. */
  <Q, A> ClientCall<Q, A> open(MethodDescriptor<Q, A> method) {
    return channel.newCall(method, CallOptions.DEFAULT);
  }

  /** Tries to connect now, and not when gRPC's growing pause is over. */
  void hurry() {
    channel.resetConnectBackoff();
  }

  /**
   * The token is no longer accepted, or not yet there: gets a new one when a user is configured.
   */
  void authenticate(Deadline deadline) {
    if (options.user().isEmpty() || authenticationOff) {
      return;
    }
    AuthenticateRequest request =
        AuthenticateRequest.newBuilder()
            .setName(options.user().orElseThrow())
            .setPassword(options.password().orElseThrow())
            .build();
    try {
      token =
          Optional.of(
              attempts(
                      "authentication",
                      AuthGrpc.getAuthenticateMethod(),
                      request,
                      Repetition.SAFE,
                      deadline,
                      false)
                  .getToken());
    } catch (DatastoreRefusedException e) {
      if (e.getMessage().contains("authentication is not enabled")) {
        log.warn("etcd authentication is off, user ignored user={}", options.user().orElseThrow());
        authenticationOff = true;
        return;
      }
      throw e;
    }
  }

  /**
   * Sends a request and waits for the answer.
   *
   * @param what the call as the words of an error message, such as {@code get of nodes/a}
   */
  <Q, A> A call(
      String what,
      MethodDescriptor<Q, A> method,
      Q request,
      Repetition repetition,
      Deadline deadline) {
    if (token.isEmpty()) {
      authenticate(deadline);
    }
    return attempts(what, method, request, repetition, deadline, true);
  }

  private <Q, A> A attempts(
      String what,
      MethodDescriptor<Q, A> method,
      Q request,
      Repetition repetition,
      Deadline deadline,
      boolean mayAuthenticate) {
    Duration pause = FIRST_PAUSE;
    boolean reauthenticated = false;
    while (true) {
      SentTracer sent = new SentTracer();
      try {
        return ClientCalls.blockingUnaryCall(
            channel,
            method,
            CallOptions.DEFAULT
                .withDeadlineAfter(
                    attemptTime(repetition, deadline).toNanos(), TimeUnit.NANOSECONDS)
                .withStreamTracerFactory(sent),
            request);
      } catch (StatusRuntimeException e) {
        Status status = withCode(e.getStatus());
        if (mayAuthenticate && isTokenRefused(status) && !reauthenticated) {
          reauthenticated = true;
          authenticate(deadline);
          continue;
        }
        boolean maybeDone = sent.maybeSent() && !isCertainlyNotDone(status);
        boolean mayRepeat = repetition == Repetition.SAFE || !maybeDone;
        if (!isPassing(status)
            || !mayRepeat
            || Thread.currentThread().isInterrupted()
            || channel.isShutdown()
            || deadline.remaining().compareTo(pause) <= 0) {
          throw translate(what, status, maybeDone && repetition == Repetition.UNSAFE, deadline);
        }
        hurry();
        LockSupport.parkNanos(pause.toNanos());
        pause =
            pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0
                ? LONGEST_PAUSE
                : pause.multipliedBy(2);
      }
    }
  }

  /**
   * etcd's proxy hands a member's refusal on without its code: what would never succeed would look
   * like an answer that was lost.
   */
  private static Status withCode(Status status) {
    String description = status.getDescription();
    if (status.getCode() != Status.Code.UNKNOWN || description == null) {
      return status;
    }
    return PROXIED.entrySet().stream()
        .filter(refusal -> description.contains(refusal.getKey()))
        .findFirst()
        .map(
            refusal ->
                Status.fromCode(refusal.getValue())
                    .withDescription(description)
                    .withCause(status.getCause()))
        .orElse(status);
  }

  /** With several members, a read that one of them does not answer leaves time to ask another. */
  private Duration attemptTime(Repetition repetition, Deadline deadline) {
    Duration remaining = deadline.remaining();
    if (repetition == Repetition.UNSAFE || url.endpoints().size() == 1) {
      return remaining;
    }
    Duration share = deadline.timeout().dividedBy(3);
    return share.compareTo(remaining) < 0 ? share : remaining;
  }

  /** Whether another attempt, or another member, may succeed. */
  private static boolean isPassing(Status status) {
    return isOverloaded(status) || isPassing(status.getCode());
  }

  private static boolean isPassing(Status.Code code) {
    return switch (code) {
      case UNAVAILABLE, DEADLINE_EXCEEDED, INTERNAL, UNKNOWN, ABORTED, CANCELLED -> true;
      case OK,
          INVALID_ARGUMENT,
          NOT_FOUND,
          ALREADY_EXISTS,
          PERMISSION_DENIED,
          RESOURCE_EXHAUSTED,
          FAILED_PRECONDITION,
          OUT_OF_RANGE,
          UNIMPLEMENTED,
          DATA_LOSS,
          UNAUTHENTICATED ->
          false;
    };
  }

  /** So a member answers that has many requests to catch up with; a full disk has the same code. */
  private static boolean isOverloaded(Status status) {
    return status.getCode() == Status.Code.RESOURCE_EXHAUSTED
        && status.getDescription() != null
        && status.getDescription().startsWith("etcdserver: too many requests");
  }

  /** Refusals that etcd gives before it proposes a request to the cluster. */
  private static boolean isCertainlyNotDone(Status status) {
    return !isPassing(status)
        || isOverloaded(status)
        || (status.getDescription() != null
            && status.getDescription().startsWith("etcdserver: no leader"));
  }

  static boolean isTokenRefused(Status status) {
    String description = status.getDescription() == null ? "" : status.getDescription();
    return description.contains("invalid auth token")
        || description.contains("revision of auth store is old")
        // A member answers so to a call without any token.
        || description.contains("user name is empty");
  }

  private DatastoreException translate(
      String what, Status status, boolean outcomeUnknown, Deadline deadline) {
    String where = what + " at " + url;
    StatusRuntimeException cause = status.asRuntimeException();
    if (isOverloaded(status)) {
      return new DatastoreUnavailableException(where + " failed: " + reason(status), cause);
    }
    return switch (status.getCode()) {
      case UNAVAILABLE, DEADLINE_EXCEEDED, INTERNAL, UNKNOWN, ABORTED, CANCELLED -> {
        String reason =
            status.getCode() == Status.Code.DEADLINE_EXCEEDED
                ? "no answer within " + deadline
                : reason(status) + hint(status);
        yield outcomeUnknown
            ? new OutcomeUnknownException(where + ": outcome unknown, " + reason, cause)
            : new DatastoreUnavailableException(where + " failed: " + reason, cause);
      }
      case OUT_OF_RANGE -> new SnapshotExpiredException(where + ": " + reason(status), cause);
      case UNIMPLEMENTED ->
          new DatastoreRefusedException(where + " refused: this is no etcd v3 server", cause);
      case OK,
          INVALID_ARGUMENT,
          NOT_FOUND,
          ALREADY_EXISTS,
          PERMISSION_DENIED,
          RESOURCE_EXHAUSTED,
          FAILED_PRECONDITION,
          DATA_LOSS,
          UNAUTHENTICATED ->
          new DatastoreRefusedException(where + " refused: " + reason(status), cause);
    };
  }

  /** gRPC cannot know what a server means that ends each connection at once. */
  private String hint(Status status) {
    String reason = reason(status);
    // Which of the two depends on whether it had read our first bytes.
    boolean ended =
        reason.startsWith("Network closed for unknown reason")
            || reason.contains("Connection reset");
    return !url.tls() && ended
        ? "; a server that wants TLS does so, and etcds:// is right then"
        : "";
  }

  /** The innermost cause: gRPC's own words for a refused connection or handshake say little. */
  static String reason(Status status) {
    Throwable cause = status.getCause();
    while (cause != null && cause.getCause() != null) {
      cause = cause.getCause();
    }
    String description = status.getDescription() == null ? "" : status.getDescription();
    if (cause != null && cause.getMessage() != null && !description.contains(cause.getMessage())) {
      return description.isEmpty()
          ? cause.getMessage()
          : description + " (" + cause.getMessage() + ")";
    }
    return description.isEmpty() ? status.getCode().toString() : description;
  }

  private static SslContext tls(DatastoreOptions options) {
    try {
      SslContextBuilder builder = GrpcSslContexts.forClient();
      if (options.caFile().isPresent()) {
        builder.trustManager(readable("caFile", options.caFile().get()));
      }
      if (options.certificateFile().isPresent()) {
        builder.keyManager(
            readable("certificateFile", options.certificateFile().get()),
            readable("keyFile", options.keyFile().orElseThrow()));
      }
      return builder.build();
    } catch (SSLException | IllegalArgumentException e) {
      if (e instanceof InvalidInputException refusal) {
        throw refusal;
      }
      Throwable root = e.getCause() == null ? e : e.getCause();
      InvalidInputException refusal =
          new InvalidInputException(
              "tls",
              options.caFile().map(Path::toString).orElse("")
                  + options.certificateFile().map(file -> " " + file).orElse("")
                  + options.keyFile().map(file -> " " + file).orElse(""),
              "PEM certificates and an unencrypted PKCS#8 PEM key (" + root.getMessage() + ")");
      refusal.initCause(e);
      throw refusal;
    }
  }

  private static File readable(String field, Path file) {
    if (!Files.isReadable(file)) {
      throw new InvalidInputException(field, file.toString(), "a file that can be read");
    }
    return file.toFile();
  }

  @Override
  public void close() {
    channel.shutdownNow();
    var _ = eventLoop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }

  /** Adds the user's token and the leader requirement to each call. */
  private final class Headers implements ClientInterceptor {
    @Override
    public <Q, A> ClientCall<Q, A> interceptCall(
        MethodDescriptor<Q, A> method, CallOptions callOptions, Channel next) {
      return new ForwardingClientCall.SimpleForwardingClientCall<>(
          next.newCall(method, callOptions)) {
        @Override
        public void start(Listener<A> listener, Metadata headers) {
          headers.put(HAS_LEADER, "true");
          // A member refuses even the request for a new token when it comes with an old one.
          if (!method.equals(AuthGrpc.getAuthenticateMethod())) {
            token.ifPresent(value -> headers.put(TOKEN, value));
          }
          super.start(listener, headers);
        }
      };
    }
  }

  /** Notes whether a request was handed to a connection, after which it may have arrived. */
  private static final class SentTracer extends ClientStreamTracer.Factory {
    private volatile boolean handedOver;

    boolean maybeSent() {
      return handedOver;
    }

    @Override
    public ClientStreamTracer newClientStreamTracer(
        ClientStreamTracer.StreamInfo info, Metadata headers) {
      return new ClientStreamTracer() {
        @Override
        public void streamCreated(Attributes transportAttributes, Metadata streamHeaders) {
          handedOver = true;
        }
      };
    }
  }
}
