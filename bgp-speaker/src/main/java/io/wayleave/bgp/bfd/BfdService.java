package io.wayleave.bgp.bfd;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.BfdSettings;
import io.wayleave.linux.Errno;
import io.wayleave.linux.Fd;
import io.wayleave.linux.Packet;
import io.wayleave.linux.PacketLoop;
import io.wayleave.linux.PacketSocket;
import io.wayleave.linux.SystemCallException;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * BFD for direct neighbours, on a thread of its own so that it keeps time whatever the tables do.
 * Every method may be called from any thread and returns at once; what it asks for happens soon.
 *
 * <p>It stays in the network namespace of the thread that starts it. Nothing is opened before the
 * first session. A port that another BFD daemon has is reported in {@link BfdStatus#problem} and
 * tried again.
 */
public final class BfdService implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(BfdService.class);

  /** RFC 5881 section 4. */
  static final int CONTROL_PORT = 3784;

  static final int FIRST_SOURCE_PORT = 49152;
  static final int LAST_SOURCE_PORT = 65535;

  private static final int PORT_ATTEMPTS = 64;
  // So that a flood on the port does not keep our own packets back.
  private static final int PACKETS_PER_TURN = 512;
  private static final Duration RETRY = Duration.ofSeconds(2);

  private final RandomGenerator random = new SecureRandom();
  private final BfdSessions sessions;
  private final PacketLoop loop;

  // Of the thread.
  private final Set<Family> wanted = EnumSet.noneOf(Family.class);
  private final Map<Family, PacketSocket> receivers = new EnumMap<>(Family.class);
  private OptionalLong retryAt = OptionalLong.empty();
  private volatile Optional<String> problem = Optional.empty();

  private BfdService(BfdListener listener) throws IOException {
    sessions = new BfdSessions(this::openLine, listener, random);
    loop = PacketLoop.start("wayleave-bfd", new Work());
  }

  /** In the network namespace of the calling thread. */
  public static BfdService start(BfdListener listener) throws IOException {
    return new BfdService(requireNonNull(listener, "listener is null"));
  }

  /** Watches a path, or changes how it is watched; nothing happens when nothing is new. */
  public void put(BfdEndpoint endpoint, BfdSettings settings) {
    requireNonNull(settings, "settings is null");
    Family family = endpoint.peer().family();
    loop.execute(
        () -> {
          if (wanted.add(family)) {
            openReceivers();
          }
          sessions.put(endpoint, settings, System.nanoTime());
        });
  }

  /** Watches the path no more; the peer learns that this is on purpose. No listener is called. */
  public void remove(BfdEndpoint endpoint) {
    requireNonNull(endpoint, "endpoint is null");
    loop.execute(() -> sessions.remove(endpoint, System.nanoTime()));
  }

  /** Takes a session down administratively; the peer must not take it for a failure. */
  public void disable(BfdEndpoint endpoint) {
    requireNonNull(endpoint, "endpoint is null");
    loop.execute(() -> sessions.enable(endpoint, false, System.nanoTime()));
  }

  /** Undoes {@link #disable}. */
  public void enable(BfdEndpoint endpoint) {
    requireNonNull(endpoint, "endpoint is null");
    loop.execute(() -> sessions.enable(endpoint, true, System.nanoTime()));
  }

  /** All sessions, by peer. */
  public List<BfdStatus> status() {
    return sessions.status().stream().map(this::withProblem).toList();
  }

  /** One session, when there is one. */
  public Optional<BfdStatus> status(BfdEndpoint endpoint) {
    return sessions.status(endpoint).map(this::withProblem);
  }

  private BfdStatus withProblem(BfdStatus status) {
    Optional<String> receiving = problem;
    return status.problem().isPresent() || receiving.isEmpty()
        ? status
        : status.withProblem(receiving.get());
  }

  /**
   * Ends all sessions, each with a last packet that says that it is on purpose: a peer that only
   * loses us by a planned restart does not take the path for broken. Waits for the thread.
   */
  @Override
  public void close() {
    loop.close();
  }

  private final class Work implements PacketLoop.Work {
    @Override
    public List<Fd> readable() {
      return receivers.values().stream().map(PacketSocket::fd).toList();
    }

    @Override
    public OptionalLong wakeAt() {
      OptionalLong next = sessions.wakeAt();
      boolean retryFirst =
          retryAt.isPresent() && (next.isEmpty() || retryAt.getAsLong() - next.getAsLong() < 0);
      return retryFirst ? retryAt : next;
    }

    @Override
    public void turn() throws IOException {
      if (retryAt.isPresent() && System.nanoTime() - retryAt.getAsLong() >= 0) {
        openReceivers();
      }
      // Before the timers: after a pause of this process, what waits in the sockets shows that the
      // peers were there meanwhile.
      for (PacketSocket socket : receivers.values()) {
        drain(socket);
      }
      sessions.time(System.nanoTime());
    }

    @Override
    public void end() {
      sessions.close(System.nanoTime());
      receivers.values().forEach(PacketSocket::close);
    }
  }

  private void drain(PacketSocket socket) throws IOException {
    ArrayDeque<Packet> packets = new ArrayDeque<>();
    while (packets.size() < PACKETS_PER_TURN) {
      Optional<Packet> packet = socket.receive();
      if (packet.isEmpty()) {
        break;
      }
      packets.add(packet.get());
    }
    long now = System.nanoTime();
    packets.forEach(packet -> sessions.received(packet, now));
  }

  private void openReceivers() {
    retryAt = OptionalLong.empty();
    Optional<String> trouble = Optional.empty();
    for (Family family : wanted) {
      if (receivers.containsKey(family)) {
        continue;
      }
      try {
        receivers.put(family, PacketSocket.udp(family, CONTROL_PORT));
      } catch (IOException e) {
        trouble = Optional.of(String.valueOf(e.getMessage()));
        retryAt = OptionalLong.of(System.nanoTime() + RETRY.toNanos());
      }
    }
    if (!trouble.equals(problem)) {
      problem = trouble;
      trouble.ifPresentOrElse(
          text -> log.error("bfd cannot receive error={}", text), () -> log.info("bfd receives"));
    }
  }

  private BfdSessions.Line openLine(BfdEndpoint endpoint) throws IOException {
    PacketSocket socket = openSource(endpoint.peer().family());
    IpAddress peer = endpoint.peer();
    return new BfdSessions.Line() {
      @Override
      public void send(byte[] packet) throws IOException {
        socket.send(packet, peer, CONTROL_PORT, endpoint.interfaceIndex(), endpoint.local());
      }

      @Override
      public void close() {
        socket.close();
      }
    };
  }

  /** RFC 5881 section 4: one of these ports for all packets of a session, and unique. */
  private PacketSocket openSource(Family family) throws IOException {
    for (int attempt = 1; ; attempt++) {
      int port = random.nextInt(FIRST_SOURCE_PORT, LAST_SOURCE_PORT + 1);
      try {
        return PacketSocket.udp(family, port);
      } catch (SystemCallException e) {
        if (e.errno() != Errno.EADDRINUSE || attempt == PORT_ATTEMPTS) {
          throw e;
        }
      }
    }
  }
}
