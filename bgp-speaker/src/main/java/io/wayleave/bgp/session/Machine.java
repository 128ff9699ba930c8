package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.fsm.Action;
import io.wayleave.bgp.fsm.DownCause;
import io.wayleave.bgp.fsm.Event;
import io.wayleave.bgp.fsm.Fsm;
import io.wayleave.bgp.fsm.FsmSettings;
import io.wayleave.bgp.fsm.FsmTimer;
import io.wayleave.bgp.fsm.Negotiated;
import io.wayleave.bgp.fsm.State;
import io.wayleave.bgp.fsm.Step;
import io.wayleave.bgp.wire.AttributeCache;
import io.wayleave.bgp.wire.BgpDecoder;
import io.wayleave.bgp.wire.BgpEncoder;
import io.wayleave.bgp.wire.BgpMessage;
import io.wayleave.bgp.wire.CodecContext;
import io.wayleave.bgp.wire.DecodeOutcome;
import io.wayleave.bgp.wire.FrameSplitter;
import io.wayleave.bgp.wire.Iana;
import io.wayleave.bgp.wire.OpenCheck;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Runs one {@link Fsm} on one connection: turns bytes and timers into events and does the actions
 * of each step. It decides nothing itself. Owned by the {@link Loop} thread.
 */
final class Machine implements Transport.Handler {
  /** Bytes collected before they are given to the connection. */
  private static final int WRITE_CHUNK = 64 * 1024;

  /** RFC 4271 section 4.4: "MUST NOT be sent more frequently than one per second". */
  private static final Duration LEAST_KEEPALIVE = Duration.ofSeconds(1);

  /** Who dialled the connection; decides collisions. */
  enum Role {
    /** Dials, and takes the peer's connection when it has none. */
    PRIMARY,
    /** Holds a connection of the peer that came while the primary was busy. */
    SECOND
  }

  /** What the machine needs of the peer that it works for. */
  interface Owner {
    /** Where the peer is dialled now. */
    Transport.Target target();

    /** The OPEN to send now. */
    BgpMessage.Open open();

    /**
     * A good OPEN came in.
     *
     * @return whether the connection goes on; false when it lost a collision
     */
    boolean opened(Machine machine, Negotiated negotiated);

    void up(Machine machine, Negotiated negotiated);

    void down(Machine machine, DownCause cause);

    void attemptFailed(Machine machine, DownCause cause);

    /** The machine entered another state. */
    void stateChanged(Machine machine, State former);

    void received(BgpMessage message);

    /**
     * The message is on its way.
     *
     * @param count how many it became on the wire
     */
    void sent(BgpMessage message, int count);

    /** So many UPDATEs, encoded already, are on their way. */
    void sentUpdates(int count);

    /** Attribute sets that were met before, in any session. */
    AttributeCache attributes();

    /** An UPDATE on the established session. */
    void update(BgpMessage.Update update);

    /** A ROUTE-REFRESH on the established session. */
    void refresh(BgpMessage.RouteRefresh refresh);

    /** A fault in what the peer sent, in words, for which the connection ends. */
    void fault(String text);

    /** A fault in what the peer sent, in words; the session goes on. */
    void complaint(String text);

    /** The connection takes bytes again. */
    void writable();
  }

  private final Loop loop;
  private final Transport transport;
  private final Jitter jitter;
  private PeerConfig config;
  private FsmSettings settings;
  private final Owner owner;
  private Role role;
  private final Map<FsmTimer, Timer> timers = new EnumMap<>(FsmTimer.class);
  private final ArrayDeque<Event> events = new ArrayDeque<>();
  private boolean stepping;
  private State state;
  private Optional<Transport.Attempt> attempt = Optional.empty();
  private Optional<Transport.Connection> connection = Optional.empty();
  private boolean dialledByUs;
  // Counts connections that are over.
  private int ended;
  // The beginning of a message whose end has not come yet, and what was read with it.
  private final ByteBuf rest = Unpooled.buffer(0);
  private CodecContext codec = CodecContext.initial();
  private Optional<BgpMessage.Open> sentOpen = Optional.empty();
  private Optional<ByteBuf> outgoing = Optional.empty();
  private boolean flushQueued;
  // RFC 9687: how long the connection may take nothing; absent while that is not watched.
  private Optional<Duration> sendHold = Optional.empty();
  private long written;
  private long takenBefore;

  Machine(
      Loop loop, Transport transport, Jitter jitter, PeerConfig config, Owner owner, Role role) {
    this.loop = requireNonNull(loop, "loop is null");
    this.transport = requireNonNull(transport, "transport is null");
    this.jitter = requireNonNull(jitter, "jitter is null");
    this.config = requireNonNull(config, "config is null");
    this.owner = requireNonNull(owner, "owner is null");
    this.role = requireNonNull(role, "role is null");
    configure(config);
    state = role == Role.SECOND ? Fsm.accepting() : Fsm.initial();
    timers.put(
        FsmTimer.CONNECT_RETRY, new Timer(loop, () -> handle(new Event.ConnectRetryExpired())));
    timers.put(FsmTimer.HOLD, new Timer(loop, () -> handle(new Event.HoldExpired())));
    timers.put(FsmTimer.KEEPALIVE, new Timer(loop, () -> handle(new Event.KeepaliveExpired())));
    timers.put(FsmTimer.SEND_HOLD, new Timer(loop, this::sendHoldOver));
    timers.put(FsmTimer.IDLE_HOLD, new Timer(loop, () -> handle(new Event.IdleHoldExpired())));
  }

  State state() {
    return state;
  }

  Role role() {
    return role;
  }

  /** Whether our dial made the connection. */
  boolean dialledByUs() {
    return dialledByUs;
  }

  Optional<Transport.Connection> connection() {
    return connection;
  }

  /** Goes over to a configuration that {@link PeerConfig#sameSession} allows. */
  void configure(PeerConfig changed) {
    config = changed;
    settings = new FsmSettings(config.passive() || role == Role.SECOND, config.timers());
  }

  /** The second machine's session is up: from now on it dials as configured. */
  void promote() {
    role = Role.PRIMARY;
    configure(config);
  }

  /** Ends everything without a trace: no event, no message. */
  void discard() {
    closeConnection();
    timers.values().forEach(Timer::stop);
  }

  /**
   * Steps with the event. An event that an action causes is taken after all actions of the step
   * that caused it.
   */
  void handle(Event event) {
    events.add(event);
    if (stepping) {
      return;
    }
    stepping = true;
    try {
      while (!events.isEmpty()) {
        State former = state;
        Step step = Fsm.step(settings, state, events.remove(), loop.nanoTime());
        state = step.next();
        step.actions().forEach(this::act);
        if (former.phase() != state.phase()) {
          owner.stateChanged(this, former);
        }
      }
    } finally {
      stepping = false;
    }
  }

  private void act(Action action) {
    switch (action) {
      case Action.Dial() -> dial();
      case Action.SendOpen() -> {
        BgpMessage.Open open = owner.open();
        sentOpen = Optional.of(open);
        send(open);
      }
      case Action.SendKeepalive() -> send(BgpMessage.Keepalive.INSTANCE);
      case Action.SendNotification(BgpMessage.Notification notification) -> send(notification);
      case Action.CloseConnection() -> closeConnection();
      case Action.StartTimer(FsmTimer timer, Duration after) -> {
        if (timer == FsmTimer.SEND_HOLD) {
          sendHold = Optional.of(after);
          watchSending();
        } else {
          timers.get(timer).start(jittered(timer, after));
        }
      }
      case Action.StopTimer(FsmTimer timer) -> timers.get(timer).stop();
      case Action.SessionUp(Negotiated negotiated) -> owner.up(this, negotiated);
      case Action.SessionDown(DownCause cause) -> owner.down(this, cause);
      case Action.AttemptFailed(DownCause cause) -> owner.attemptFailed(this, cause);
    }
  }

  /** RFC 4271 section 10: these two, so that many speakers do not beat in step. */
  private Duration jittered(FsmTimer timer, Duration after) {
    return switch (timer) {
      case CONNECT_RETRY -> jitter.apply(after);
      case KEEPALIVE -> {
        Duration jittered = jitter.apply(after);
        yield jittered.compareTo(LEAST_KEEPALIVE) < 0 ? LEAST_KEEPALIVE : jittered;
      }
      case HOLD, IDLE_HOLD, SEND_HOLD -> after;
    };
  }

  private void dial() {
    attempt = Optional.of(transport.dial(owner.target(), this));
  }

  private void closeConnection() {
    attempt.ifPresent(Transport.Attempt::cancel);
    attempt = Optional.empty();
    connection.ifPresent(
        open -> {
          writeOutgoing(open);
          open.flush();
          open.close();
        });
    forgetConnection();
  }

  private void forgetConnection() {
    attempt = Optional.empty();
    connection = Optional.empty();
    outgoing.ifPresent(ByteBuf::release);
    outgoing = Optional.empty();
    rest.clear();
    codec = CodecContext.initial();
    sentOpen = Optional.empty();
    sendHold = Optional.empty();
    written = 0;
    takenBefore = 0;
    ended++;
  }

  @Override
  public void connected(Transport.Connection made) {
    dialledByUs = attempt.isPresent();
    attempt = Optional.empty();
    connection = Optional.of(made);
    handle(new Event.TcpConnected());
  }

  @Override
  public void closed(String reason) {
    forgetConnection();
    handle(new Event.TcpFailed(reason));
  }

  /**
   * RFC 9687: the timer runs while there is something that the kernel does not take, and begins
   * anew with each octet that it took. What the kernel's own buffer holds is not looked at.
   */
  private void watchSending() {
    if (sendHold.isEmpty() || connection.isEmpty()) {
      return;
    }
    long pending = connection.get().pending();
    long taken = written - pending;
    Timer timer = timers.get(FsmTimer.SEND_HOLD);
    if (pending == 0) {
      timer.stop();
    } else if (taken != takenBefore || !timer.running()) {
      timer.start(sendHold.get());
    }
    takenBefore = taken;
  }

  private void sendHoldOver() {
    long pending = connection.map(Transport.Connection::pending).orElse(0L);
    if (pending > 0 && written - pending == takenBefore) {
      handle(new Event.SendHoldExpired());
    } else {
      watchSending();
    }
  }

  @Override
  public void writable() {
    watchSending();
    owner.writable();
  }

  @Override
  public void received(ByteBuf bytes) {
    if (!rest.isReadable()) {
      split(bytes);
      rest.writeBytes(bytes);
      return;
    }
    rest.writeBytes(bytes);
    split(rest);
    rest.discardReadBytes();
  }

  /** Takes the complete messages; what is left is the beginning of one. */
  private void split(ByteBuf bytes) {
    int from = ended;
    while (true) {
      switch (FrameSplitter.next(bytes, codec.maxReceive())) {
        case FrameSplitter.Frame.Incomplete() -> {
          return;
        }
        case FrameSplitter.Frame.Complete(ByteBuf frame) ->
            outcome(BgpDecoder.decode(frame, codec, owner.attributes()));
        case FrameSplitter.Frame.Bad(DecodeOutcome.Reset reset) -> outcome(reset);
      }
      if (ended != from) {
        // The message ended the connection; what came behind it is nobody's.
        bytes.skipBytes(bytes.readableBytes());
        return;
      }
    }
  }

  private void outcome(DecodeOutcome outcome) {
    switch (outcome) {
      case DecodeOutcome.Decoded(BgpMessage message, List<?> discarded) -> {
        if (!discarded.isEmpty()) {
          owner.complaint("attributes discarded: " + discarded);
        }
        owner.received(message);
        message(message);
      }
      case DecodeOutcome.TreatAsWithdraw(BgpMessage.Update withdrawals, List<?> errors) -> {
        owner.complaint("UPDATE treated as withdraw: " + errors);
        owner.received(withdrawals);
        message(withdrawals);
      }
      case DecodeOutcome.Ignored(String reason) -> owner.complaint("message ignored: " + reason);
      case DecodeOutcome.Reset(Optional<BgpMessage.Notification> answer, String reason) -> {
        owner.fault(reason);
        handle(answer.map(Machine::errorEvent).orElseGet(Machine::brokenNotification));
      }
    }
  }

  private static Event errorEvent(BgpMessage.Notification answer) {
    return switch (answer.code()) {
      case Iana.ERR_HEADER -> new Event.HeaderError(answer);
      case Iana.ERR_OPEN -> new Event.OpenError(answer);
      default -> new Event.UpdateError(answer);
    };
  }

  /**
   * RFC 4271 section 6.4: an error in a NOTIFICATION is not answered. It ended the session all the
   * same; code 0 is no assigned one.
   */
  private static Event brokenNotification() {
    return new Event.NotificationReceived(new BgpMessage.Notification(0, Iana.UNSPECIFIC));
  }

  private void message(BgpMessage message) {
    switch (message) {
      case BgpMessage.Open open -> open(open);
      case BgpMessage.Keepalive() -> handle(new Event.KeepaliveReceived());
      case BgpMessage.Notification notification ->
          handle(new Event.NotificationReceived(notification));
      case BgpMessage.Update update -> {
        handle(new Event.UpdateReceived());
        if (state instanceof State.Established) {
          owner.update(update);
        }
      }
      case BgpMessage.RouteRefresh refresh -> {
        handle(new Event.RouteRefreshReceived());
        if (state instanceof State.Established) {
          owner.refresh(refresh);
        }
      }
    }
  }

  private void open(BgpMessage.Open remote) {
    BgpMessage.Open local = sentOpen.orElseGet(owner::open);
    if (!(state instanceof State.OpenSent)) {
      handle(new Event.OpenReceived(Negotiated.of(local, remote)));
      return;
    }
    Optional<DecodeOutcome.Reset> refusal =
        OpenCheck.check(
            local,
            remote,
            as -> config.remoteAs().accepts(local.as(), as),
            config.remoteAs().toString());
    if (refusal.isPresent()) {
      outcome(refusal.get());
      return;
    }
    Negotiated negotiated = Negotiated.of(local, remote);
    if (owner.opened(this, negotiated)) {
      codec = negotiated.codec();
      handle(new Event.OpenReceived(negotiated));
    } else {
      handle(new Event.CollisionDump());
    }
  }

  /** Whether more may be sent without piling up. */
  boolean canSend() {
    return connection.map(Transport.Connection::isWritable).orElse(false);
  }

  /** Queues the message; it leaves at the end of the loop's turn. */
  void send(BgpMessage message) {
    if (connection.isEmpty()) {
      return;
    }
    ByteBuf out = outgoing.orElseGet(() -> PooledByteBufAllocator.DEFAULT.buffer(4096));
    outgoing = Optional.of(out);
    owner.sent(message, BgpEncoder.encode(message, codec, out));
    if (out.readableBytes() >= WRITE_CHUNK) {
      writeOutgoing(connection.get());
    }
    queueFlush();
  }

  /** Queues whole UPDATE messages, whose buffer is given away, behind what is queued. */
  void sendUpdates(ByteBuf updates, int count) {
    if (connection.isEmpty()) {
      updates.release();
      return;
    }
    writeOutgoing(connection.get());
    written += updates.readableBytes();
    connection.get().write(updates);
    owner.sentUpdates(count);
    queueFlush();
  }

  private void queueFlush() {
    if (!flushQueued) {
      flushQueued = true;
      loop.execute(this::flush);
    }
  }

  private void flush() {
    flushQueued = false;
    connection.ifPresent(
        open -> {
          writeOutgoing(open);
          open.flush();
          watchSending();
        });
  }

  private void writeOutgoing(Transport.Connection open) {
    outgoing.ifPresent(
        out -> {
          written += out.readableBytes();
          open.write(out);
        });
    outgoing = Optional.empty();
  }
}
