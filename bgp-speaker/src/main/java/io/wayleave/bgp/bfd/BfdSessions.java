package io.wayleave.bgp.bfd;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.BfdSettings;
import io.wayleave.linux.Packet;
import io.wayleave.linux.PacketSocket;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Many sessions: finds the one that a packet belongs to, steps it, does its actions, and knows
 * which is due next. No sockets and no clock of its own. One thread owns it; only {@link #status}
 * may be called by others.
 */
final class BfdSessions {
  private static final Logger log = LoggerFactory.getLogger(BfdSessions.class);

  /** Where packets go out. */
  interface Network {
    Line open(BfdEndpoint endpoint) throws IOException;
  }

  /** The way out of one session, with a source port of its own (RFC 5881 section 4). */
  interface Line extends AutoCloseable {
    void send(byte[] packet) throws IOException;

    @Override
    void close();
  }

  private final Network network;
  private final BfdListener listener;
  private final RandomGenerator random;
  private final Map<BfdEndpoint, Session> byEndpoint = new ConcurrentHashMap<>();
  // Those that say goodbye too.
  private final Map<Integer, Session> byDiscriminator = new HashMap<>();
  private final TreeSet<Session> due =
      new TreeSet<>(
          Comparator.comparing((Session session) -> session, Session::compareTime)
              .thenComparingInt(session -> session.state.discriminator()));
  private long discarded;

  BfdSessions(Network network, BfdListener listener, RandomGenerator random) {
    this.network = requireNonNull(network, "network is null");
    this.listener = requireNonNull(listener, "listener is null");
    this.random = requireNonNull(random, "random is null");
  }

  private static final class Session {
    final BfdEndpoint endpoint;
    final LongAdder sent = new LongAdder();
    final LongAdder received = new LongAdder();
    // Volatile for status() only.
    volatile BfdSettings settings;
    volatile BfdState state;
    volatile Optional<String> problem = Optional.empty();
    Optional<Line> line = Optional.empty();
    // It is being removed, and until then tells the peer so.
    OptionalLong endsAt = OptionalLong.empty();
    // As the set of due sessions knows it.
    long wakeAt;

    Session(BfdEndpoint endpoint, BfdSettings settings, BfdState state) {
      this.endpoint = endpoint;
      this.settings = settings;
      this.state = state;
    }

    static int compareTime(Session a, Session b) {
      return Long.compare(a.wakeAt - b.wakeAt, 0);
    }

    BfdStatus status() {
      BfdState now = state;
      return new BfdStatus(
          endpoint,
          now.phase(),
          now.diagnostic(),
          now.remote().phase(),
          now.remote().diagnostic(),
          now.discriminator(),
          now.remote().discriminator(),
          Duration.ofNanos(now.sendInterval() * 1_000),
          Duration.ofNanos(now.detectionTime() * 1_000),
          now.remote().multiplier(),
          sent.sum(),
          received.sum(),
          problem);
    }
  }

  /** Begins to watch a path, or changes how one is watched. */
  void put(BfdEndpoint endpoint, BfdSettings settings, long now) {
    Session known = byEndpoint.get(endpoint);
    if (known == null) {
      Session made = new Session(endpoint, settings, BfdMachine.initial(settings, fresh(), now));
      byEndpoint.put(endpoint, made);
      byDiscriminator.put(made.state.discriminator(), made);
      schedule(made);
    } else if (!known.settings.equals(settings)) {
      known.settings = settings;
      step(known, new BfdEvent.Reconfigured(), now);
    }
  }

  /**
   * Ends a session. The peer is told that it is on purpose, for as long as it may take to hear it
   * (RFC 5880 section 6.8.16).
   */
  void remove(BfdEndpoint endpoint, long now) {
    Session session = byEndpoint.remove(endpoint);
    if (session == null) {
      return;
    }
    if (session.state.remote().discriminator() == 0) {
      forget(session);
      return;
    }
    step(session, new BfdEvent.Disabled(), now);
    long patience = session.settings.multiplier() * session.state.sendInterval() * 1_000;
    due.remove(session);
    session.endsAt = OptionalLong.of(now + patience);
    schedule(session);
  }

  /** RFC 5880 section 6.8.16: takes a session down administratively, or lets it work again. */
  void enable(BfdEndpoint endpoint, boolean enabled, long now) {
    Session session = byEndpoint.get(endpoint);
    if (session != null) {
      step(session, enabled ? new BfdEvent.Enabled() : new BfdEvent.Disabled(), now);
    }
  }

  /** Tells every peer that its session ends on purpose, and forgets all. */
  void close(long now) {
    byEndpoint.clear();
    for (Session session : List.copyOf(byDiscriminator.values())) {
      if (session.state.remote().discriminator() != 0) {
        step(session, new BfdEvent.Disabled(), now);
      }
      forget(session);
    }
  }

  /** A datagram came in on port 3784. */
  void received(Packet packet, long now) {
    // RFC 5881 section 5: without authentication, everything with another value is discarded.
    if (packet.hopLimit() != PacketSocket.HOP_LIMIT) {
      discard(packet, "TTL or hop limit " + packet.hopLimit() + " in place of 255");
      return;
    }
    switch (BfdPacket.decode(packet.payload())) {
      case BfdPacket.Decoding.Discarded(String reason) -> discard(packet, reason);
      case BfdPacket.Decoding.Good(BfdPacket control) -> {
        Optional<Session> session = find(packet, control);
        if (session.isEmpty()) {
          discard(packet, "no session for it");
          return;
        }
        session.get().received.increment();
        step(session.get(), new BfdEvent.Received(control), now);
      }
    }
  }

  /** RFC 5880 section 6.3 and RFC 5881 section 3. */
  private Optional<Session> find(Packet packet, BfdPacket control) {
    if (control.yourDiscriminator() != 0) {
      return Optional.ofNullable(byDiscriminator.get(control.yourDiscriminator()));
    }
    for (Session session : byEndpoint.values()) {
      BfdEndpoint endpoint = session.endpoint;
      if (endpoint.peer().equals(packet.source())
          && (endpoint.interfaceIndex() == 0
              || endpoint.interfaceIndex() == packet.interfaceIndex())
          && endpoint.local().map(packet.destination()::equals).orElse(true)) {
        return Optional.of(session);
      }
    }
    return Optional.empty();
  }

  private void discard(Packet packet, String reason) {
    discarded++;
    log.debug("bfd packet discarded from={} reason={}", packet.source(), reason);
  }

  /** Packets that belonged to no session or were not well formed. */
  long discarded() {
    return discarded;
  }

  /** Does what is due. */
  void time(long now) {
    while (!due.isEmpty() && now - due.first().wakeAt >= 0) {
      Session session = due.first();
      if (session.endsAt.isPresent() && now - session.endsAt.getAsLong() >= 0) {
        forget(session);
      } else {
        step(session, new BfdEvent.Time(), now);
      }
    }
  }

  /** When {@link #time} is to be called; empty when nothing will be due by itself. */
  OptionalLong wakeAt() {
    return due.isEmpty() ? OptionalLong.empty() : OptionalLong.of(due.first().wakeAt);
  }

  /** Each session that is wanted. Thread safe. */
  List<BfdStatus> status() {
    List<BfdStatus> statuses = new ArrayList<>();
    byEndpoint.values().forEach(session -> statuses.add(session.status()));
    statuses.sort(
        Comparator.comparing((BfdStatus status) -> status.endpoint().peer())
            .thenComparingInt(status -> status.endpoint().interfaceIndex()));
    return statuses;
  }

  Optional<BfdStatus> status(BfdEndpoint endpoint) {
    return Optional.ofNullable(byEndpoint.get(endpoint)).map(Session::status);
  }

  private void step(Session session, BfdEvent event, long now) {
    due.remove(session);
    BfdStep step =
        BfdMachine.step(session.settings, session.state, event, now, random.nextDouble());
    session.state = step.next();
    schedule(session);
    for (BfdAction action : step.actions()) {
      switch (action) {
        case BfdAction.Send(BfdPacket packet) -> send(session, packet);
        case BfdAction.Changed changed -> changed(session, changed);
      }
    }
  }

  private void schedule(Session session) {
    OptionalLong at = session.state.wakeAt();
    if (session.endsAt.isPresent()
        && (at.isEmpty() || at.getAsLong() - session.endsAt.getAsLong() > 0)) {
      at = session.endsAt;
    }
    if (at.isPresent()) {
      session.wakeAt = at.getAsLong();
      due.add(session);
    }
  }

  private void send(Session session, BfdPacket packet) {
    try {
      if (session.line.isEmpty()) {
        session.line = Optional.of(network.open(session.endpoint));
      }
      session.line.get().send(packet.encode());
      session.sent.increment();
      if (session.problem.isPresent()) {
        log.info("bfd sends again peer={}", session.endpoint);
        session.problem = Optional.empty();
      }
    } catch (IOException e) {
      // The next packet tries again, and the peer notices the silence.
      Optional<String> problem = Optional.of(String.valueOf(e.getMessage()));
      if (!session.problem.equals(problem)) {
        log.warn("bfd cannot send peer={} error={}", session.endpoint, e.getMessage());
        session.problem = problem;
      }
    }
  }

  private void changed(Session session, BfdAction.Changed changed) {
    log.info(
        "bfd state peer={} from={} to={} reason={} peerState={} peerReason={}",
        session.endpoint,
        changed.former(),
        changed.phase(),
        changed.diagnostic(),
        changed.remote().phase(),
        changed.remote().diagnostic());
    if (byEndpoint.get(session.endpoint) != session) {
      // Nobody wants it any more.
      return;
    }
    if (changed.phase() == BfdPhase.UP) {
      listener.up(session.endpoint);
    } else if (changed.former() == BfdPhase.UP) {
      boolean onPurpose =
          changed.phase() == BfdPhase.ADMIN_DOWN || changed.remote().phase() == BfdPhase.ADMIN_DOWN;
      if (onPurpose) {
        listener.adminDown(session.endpoint);
      } else {
        listener.down(session.endpoint, changed.diagnostic(), changed.remote().independent());
      }
    }
  }

  private void forget(Session session) {
    due.remove(session);
    byDiscriminator.remove(session.state.discriminator());
    session.line.ifPresent(Line::close);
    session.line = Optional.empty();
  }

  /** Random, so that packets of a former life of this process meet no session (section 6.3). */
  private int fresh() {
    while (true) {
      int candidate = random.nextInt();
      if (candidate != 0 && !byDiscriminator.containsKey(candidate)) {
        return candidate;
      }
    }
  }
}
