package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.LocalAs;
import io.wayleave.bgp.MaxPrefixes;
import io.wayleave.bgp.PeerAs;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.PeerStatus;
import io.wayleave.bgp.ScopedAddress;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.bfd.BfdEndpoint;
import io.wayleave.bgp.bfd.BfdStatus;
import io.wayleave.bgp.bfd.Diagnostic;
import io.wayleave.bgp.fsm.Collision;
import io.wayleave.bgp.fsm.DownCause;
import io.wayleave.bgp.fsm.Event;
import io.wayleave.bgp.fsm.Negotiated;
import io.wayleave.bgp.fsm.Phase;
import io.wayleave.bgp.fsm.State;
import io.wayleave.bgp.rib.Import;
import io.wayleave.bgp.rib.ImportCheck;
import io.wayleave.bgp.rib.LocRib;
import io.wayleave.bgp.rib.PathSource;
import io.wayleave.bgp.rib.PeerPaths;
import io.wayleave.bgp.rib.UpdateGroups;
import io.wayleave.bgp.wire.AddressFamily;
import io.wayleave.bgp.wire.AttributeCache;
import io.wayleave.bgp.wire.BgpMessage;
import io.wayleave.bgp.wire.Iana;
import io.wayleave.bgp.wire.Notifications;
import io.wayleave.model.Asn;
import io.wayleave.model.Family;
import java.time.Duration;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One configured peer over all its sessions: the machine that dials, the one that holds a second
 * connection while both sides' cross, the routes kept over a restart, and the session that is up.
 * Owned by the {@link Loop} thread.
 */
final class Peer implements Machine.Owner, HeldConnection.Owner {
  private static final Logger log = LoggerFactory.getLogger(Peer.class);

  /**
   * A connection of the peer that comes this soon after the session is up crossed with it on the
   * way and does not mean that the peer has restarted.
   */
  private static final Duration CROSSING = Duration.ofSeconds(1);

  /** What all peers of a speaker share. */
  interface Context {
    Loop loop();

    Transport transport();

    Jitter jitter();

    LocRib rib();

    UpdateGroups groups();

    AttributeCache attributes();

    ImportCheck importCheck();

    /** The OPEN for this peer as of now. */
    BgpMessage.Open open(PeerConfig peer);

    SpeakerConfig config();

    Convergence convergence();

    /** The peer has no connection and keeps no routes. */
    void quiet(Peer peer);

    /** Peers came, went, or are elsewhere or configured otherwise now. */
    void peersChanged();

    /** The path to the peer that BFD watches, if it does. */
    Optional<BfdStatus> path(Peer peer);

    /** Tables or queues changed: take a turn soon. */
    void requestTurn();

    /** A connection takes more: take a turn without waiting for others to come along. */
    void requestTurnNow();
  }

  private final Context context;
  private final PeerLog history;
  private final StaleRoutes staleRoutes = new StaleRoutes();
  private final Timer staleTimer;
  private Optional<ScopedAddress> address;
  private PeerConfig config;
  private Machine primary;
  private Optional<Machine> second = Optional.empty();
  private Optional<HeldConnection> held = Optional.empty();
  private Optional<Session> session = Optional.empty();
  private long sessionUpNanos;
  private int generation;
  // The first one of the session that is up or was last.
  private int sessionGeneration;
  // The last one of each family: the session's first, or that of the last refresh in it.
  private final Map<Family, Integer> generations = new EnumMap<>(Family.class);
  private final Refreshes refreshes;
  private Import rules;
  private final ReceivedPrefixes received = new ReceivedPrefixes();
  // A limit ended the session, and nothing but a person lets it begin again.
  private boolean heldByLimit;
  // What the log was not told yet, as it has been told as much a moment ago.
  private final Map<Family, ReceivedPrefixes.Level> unsaid = new EnumMap<>(Family.class);

  /**
   * Nothing happens before {@link #start}.
   *
   * @param address empty as long as nobody was heard on the peer's interface
   * @param lines for what the peer makes us log; those of a range have one together
   */
  Peer(Context context, PeerConfig config, Optional<ScopedAddress> address, LineLimit lines) {
    this.context = requireNonNull(context, "context is null");
    this.config = requireNonNull(config, "config is null");
    this.address = requireNonNull(address, "address is null");
    history = new PeerLog(context.loop(), config.name(), lines);
    staleTimer = new Timer(context.loop(), this::staleTimeOver);
    refreshes = new Refreshes(context.loop(), this::refreshOver);
    rules = importRules();
    primary = newMachine(Machine.Role.PRIMARY);
  }

  PeerConfig config() {
    return config;
  }

  Optional<ScopedAddress> address() {
    return address;
  }

  Optional<Session> session() {
    return session;
  }

  /** Begins, where the peer is wanted and it is known where it is. */
  void start() {
    heldByLimit = false;
    if (address.isPresent() && config.shutdown().isEmpty()) {
      primary.handle(new Event.Start());
    }
  }

  /** From now on the peer is there, or, with no address, nowhere. */
  void moveTo(Optional<ScopedAddress> changed) {
    stop(Notifications.reset("the neighbour on " + config.where() + " is another or gone"));
    address = changed;
    start();
  }

  /** What BFD is to watch, while the peer is wanted and it is known where it is. */
  Optional<BfdEndpoint> path() {
    if (config.bfd().isEmpty() || config.shutdown().isPresent()) {
      return Optional.empty();
    }
    return address.map(
        where -> new BfdEndpoint(where.address(), where.interfaceIndex(), config.sourceAddress()));
  }

  /**
   * BFD lost the path. A peer whose BFD dies with its control plane may be restarting, which cannot
   * be told from a broken path: where graceful restart was agreed on, the connection counts as lost
   * and routes are kept for the restart time (RFC 5882 section 4.3.2). Else the path is what failed
   * and nothing is kept.
   */
  void pathDown(Diagnostic diagnostic, boolean independent) {
    if (session.isEmpty()) {
      return;
    }
    log.info("bgp path down peer={} reason=\"{}\"", config.name(), diagnostic);
    if (!independent && session.get().negotiated().peerGracefulRestart().isPresent()) {
      primary.handle(new Event.TcpFailed("BFD session down: " + diagnostic));
    } else {
      // RFC 9384 section 3.
      primary.handle(
          new Event.AutomaticStop(
              Notifications.cease(Iana.CEASE_BFD_DOWN), new Event.Comeback.Damped()));
    }
  }

  /**
   * Whether there is no connection, nothing that will make one, and no route kept. A peer that is
   * held down by a limit is not quiet: one of a range would come back at once as a new peer.
   */
  boolean isQuiet() {
    return session.isEmpty()
        && second.isEmpty()
        && held.isEmpty()
        && staleRoutes.families().isEmpty()
        && switch (primary.state()) {
          case State.Idle(int _, boolean held) -> !held && !heldByLimit;
          case State.Active(int _) -> true;
          case State.Connect(int _) -> false;
          case State.OpenSent(int _) -> false;
          case State.OpenConfirm(int _, Negotiated _) -> false;
          case State.Established(int _, Negotiated _, long _) -> false;
        };
  }

  /** Ends the session with that Cease, drops what the peer said, and does not come back. */
  void stop(BgpMessage.Notification cease) {
    end(cease);
    drop(staleRoutes.giveUp().drop());
    staleTimer.stop();
  }

  /**
   * Ends the session with that Cease and begins anew. Both sides keep the routes meanwhile where
   * RFC 8538 was agreed on (its section 4).
   */
  void restart(BgpMessage.Notification cease) {
    end(cease);
    start();
  }

  private void end(BgpMessage.Notification cease) {
    heldByLimit = false;
    discardHeld();
    Event.Stop stop = new Event.Stop(cease);
    second.ifPresent(machine -> machine.handle(stop));
    primary.handle(stop);
  }

  /** Goes away without a word, so that the peer keeps our routes (RFC 4724). */
  void closeForRestart() {
    discardHeld();
    second.ifPresent(Machine::discard);
    second = Optional.empty();
    primary.handle(new Event.StopForRestart());
  }

  /**
   * Takes another configuration of the same peer. Only a difference that is in OPEN, or in how the
   * connection is made, restarts the session.
   */
  void apply(PeerConfig changed) {
    PeerConfig former = config;
    config = changed;
    if (changed.equals(former)) {
      return;
    }
    boolean limitedAlike = changed.policy().maxPrefixes().equals(former.policy().maxPrefixes());
    if (!limitedAlike) {
      received.forgetLevels();
      unsaid.clear();
    }
    if (former.sameSession(changed)) {
      primary.configure(changed);
      second.ifPresent(machine -> machine.configure(changed));
      boolean dialledAlike =
          changed.port() == former.port()
              && changed.passive() == former.passive()
              && changed.timers().equals(former.timers());
      if (session.isEmpty() && !(dialledAlike && limitedAlike)) {
        // Nothing to lose: what is waited for now may never come under the new rules.
        primary.discard();
        beginAnew();
      }
    } else {
      endFor(former);
      beginAnew();
    }
    importAgain();
    exportAgain();
  }

  private void beginAnew() {
    discardHeld();
    primary = newMachine(Machine.Role.PRIMARY);
    start();
  }

  /** Ends the session, and with it what must not outlive the former configuration. */
  private void endFor(PeerConfig former) {
    if (config.shutdown().isPresent()) {
      stop(Notifications.shutdown(config.shutdown().get()));
    } else if (config.remoteAs().equals(former.remoteAs())) {
      end(Notifications.cease(Iana.CEASE_OTHER_CONFIGURATION_CHANGE));
    } else {
      // Another speaker is at this address, or is to be: it does not take over these routes, and
      // this one is not to keep ours, so it is told what is final (RFC 8538 section 5.1).
      stop(Notifications.cease(Iana.CEASE_PEER_DECONFIGURED));
    }
  }

  /** The rules of import may have changed: if so, each route of the peer is judged again. */
  void importAgain() {
    Import changed = importRules();
    if (!changed.equals(rules)) {
      rules = changed;
      for (Family family : Family.values()) {
        context.rib().replaceAll(family, received.paths(family), this::isMine, rules::again);
      }
    }
    checkLimits();
    context.requestTurn();
  }

  private Import importRules() {
    ImportCheck check = context.importCheck();
    Set<Asn> ownAs = new HashSet<>(check.ownAs());
    config.localAs().ifPresent(local -> ownAs.add(local.asNumber()));
    return new Import(
        new ImportCheck(ownAs, check.ownId(), check.clusterId(), check.ownAddresses()),
        config.policy());
  }

  /** RFC 4271 section 6.7: too many prefixes may end the session. */
  private void checkLimits() {
    Map<Family, MaxPrefixes> limits = config.policy().maxPrefixes();
    for (Family family : Family.values()) {
      received
          .changed(family, limits)
          .ifPresent(
              level -> {
                switch (level) {
                  case GOOD, NEAR -> sayLevel(family, level);
                  case ABOVE -> exceeded(family, limits.get(family));
                }
              });
    }
  }

  /** No fault of the peer keeps this out of the log; a level that changes often is said later. */
  private void sayLevel(Family family, ReceivedPrefixes.Level level) {
    if (!history.admitsOwn("prefix limit " + level + " " + family)) {
      unsaid.put(family, level);
      return;
    }
    unsaid.remove(family);
    switch (level) {
      case GOOD -> log.info("bgp prefix limit not near peer={} family={}", config.name(), family);
      case NEAR -> warnOfLimit("near", family);
      case ABOVE -> warnOfLimit("exceeded", family);
    }
  }

  private void warnOfLimit(String what, Family family) {
    log.warn(
        "bgp prefix limit {} peer={} family={} count={} limit={}",
        what,
        config.name(),
        family,
        received.count(family),
        config.policy().maxPrefixes().get(family).limit());
  }

  /** The log takes lines again. */
  void sayUnsaid() {
    Map.copyOf(unsaid).forEach(this::sayLevel);
  }

  private void exceeded(Family family, MaxPrefixes limit) {
    String text = family + ": " + received.count(family) + " prefixes; allowed: " + limit.limit();
    switch (limit.excess()) {
      case MaxPrefixes.Warn() -> sayLevel(family, ReceivedPrefixes.Level.ABOVE);
      case MaxPrefixes.Shutdown(Optional<Duration> restartAfter) -> {
        // RFC 4486 section 4: the Cease says which limit it was.
        history.fault(text);
        unsaid.remove(family);
        if (history.admitsOwn("prefix limit exceeded " + family)) {
          log.warn("bgp fault peer={} reason=\"{}\"", config.name(), text);
        }
        BgpMessage.Notification cease =
            Notifications.maximumPrefixes(AddressFamily.unicast(family), limit.limit());
        Event.Comeback comeback =
            restartAfter
                .<Event.Comeback>map(Event.Comeback.After::new)
                .orElseGet(Event.Comeback.Never::new);
        if (session.isPresent()) {
          heldByLimit = restartAfter.isEmpty();
          primary.handle(new Event.AutomaticStop(cease, comeback));
        } else {
          // Kept ones of an earlier session alone are too many.
          drop(staleRoutes.giveUp().drop());
          staleTimer.stop();
          tellIfQuiet();
        }
      }
    }
  }

  /** The rules of export changed: each route is looked at again, and what differs is sent. */
  void exportAgain() {
    session.ifPresent(up -> up.exportAgain(config, context.config()));
    context.requestTurn();
  }

  /** A connection of the peer came in; empty when it is not wanted now. */
  Optional<Transport.Handler> accept(Transport.Connection connection) {
    if (config.shutdown().isPresent()) {
      return Optional.of(new Farewell(Notifications.shutdown(config.shutdown().get())));
    }
    config.security().ttlHops().ifPresent(connection::setTtlHops);
    return switch (primary.state()) {
      case State.Idle(int _, boolean held) -> {
        String why = held ? "waiting after a failure" : "stopped";
        if (history.admits("connection refused " + why)) {
          log.info("bgp connection refused peer={} reason=\"{}\"", config.name(), why);
        }
        yield Optional.empty();
      }
      case State.Active(int _) -> Optional.of(primary);
      case State.Connect(int _) -> Optional.of(hold());
      case State.OpenSent(int _) -> Optional.of(primary.dialledByUs() ? hold() : newSecond());
      case State.OpenConfirm(int _, Negotiated _) -> Optional.of(newSecond());
      case State.Established(int _, Negotiated _, long _) -> Optional.of(newSecond());
    };
  }

  private HeldConnection hold() {
    discardHeld();
    HeldConnection connection = new HeldConnection(context.loop(), this);
    held = Optional.of(connection);
    return connection;
  }

  private void discardHeld() {
    held.ifPresent(HeldConnection::discard);
    held = Optional.empty();
  }

  /** Our own connection, or what is known of the held one, has come further. */
  private void settleHeld() {
    if (held.isEmpty()) {
      return;
    }
    switch (primary.state()) {
      case State.Connect(int _) -> {}
      case State.OpenSent(int _) -> {
        // RFC 4271 section 6.8: one that is in OpenSent may be looked at where the peer is known.
        // Not told that it has lost, the peer may wait for this one as we do for the other.
        boolean lost =
            held.get()
                .open()
                .map(open -> Negotiated.of(open(), open))
                .filter(this::ours)
                .isPresent();
        if (lost) {
          handOver(new Farewell(Notifications.cease(Iana.CEASE_CONNECTION_COLLISION)));
        }
      }
      case State.Idle(int _, boolean _) -> handOver(newSecond());
      case State.Active(int _) -> handOver(primary);
      case State.OpenConfirm(int _, Negotiated _) -> handOver(newSecond());
      case State.Established(int _, Negotiated _, long _) -> handOver(newSecond());
    }
  }

  private void handOver(Transport.Handler to) {
    HeldConnection connection = held.orElseThrow();
    held = Optional.empty();
    connection.handOver(to);
  }

  @Override
  public void openKnown(HeldConnection connection) {
    settleHeld();
  }

  @Override
  public void waited(HeldConnection connection) {
    handOver(primary.state() instanceof State.Active ? primary : newSecond());
  }

  @Override
  public void gone(HeldConnection connection) {
    held = held.filter(one -> one != connection);
    tellIfQuiet();
  }

  private Machine newSecond() {
    // The peer has given up a connection that it dialled before this one.
    second.ifPresent(Machine::discard);
    Machine machine = newMachine(Machine.Role.SECOND);
    second = Optional.of(machine);
    return machine;
  }

  private Machine newMachine(Machine.Role role) {
    return new Machine(context.loop(), context.transport(), context.jitter(), config, this, role);
  }

  private ScopedAddress knownAddress() {
    return address.orElseThrow(
        () -> new IllegalStateException(config.name() + " has no address and is not started"));
  }

  // ---- Machine.Owner

  @Override
  public Transport.Target target() {
    return new Transport.Target(
        knownAddress(), config.port(), config.sourceAddress(), config.security());
  }

  @Override
  public BgpMessage.Open open() {
    return context.open(config);
  }

  @Override
  public boolean opened(Machine machine, Negotiated negotiated) {
    Optional<Machine> rival = machine == primary ? second : Optional.of(primary);
    return rival.map(other -> survives(machine, negotiated, other)).orElse(true);
  }

  /** RFC 4271 section 6.8, with the exception of RFC 4724 section 5. */
  private boolean survives(Machine machine, Negotiated negotiated, Machine other) {
    return switch (other.state()) {
      // Not known yet whether it will get as far; if it does, its OPEN is compared with this one.
      case State.Idle(int _, boolean _) -> true;
      case State.Connect(int _) -> true;
      case State.Active(int _) -> true;
      case State.OpenSent(int _) -> true;
      case State.OpenConfirm(int _, Negotiated _) -> {
        boolean wins = wins(machine, negotiated);
        if (wins || machine.dialledByUs() == other.dialledByUs()) {
          other.handle(new Event.CollisionDump());
          yield true;
        }
        yield false;
      }
      case State.Established(int _, Negotiated old, long _) -> {
        // A peer that restarts graceful comes back before we notice that it was away: the old
        // session is dead, and its routes are kept as if its connection had been lost.
        boolean crossed = context.loop().nanoTime() - sessionUpNanos < CROSSING.toNanos();
        if (!crossed && old.peerGracefulRestart().isPresent() && !machine.dialledByUs()) {
          other.handle(new Event.TcpFailed("the peer opened a new connection"));
          yield true;
        }
        yield false;
      }
    };
  }

  private boolean wins(Machine machine, Negotiated negotiated) {
    return ours(negotiated) == machine.dialledByUs();
  }

  /** Whether of two connections the one that we have dialled stays. */
  private boolean ours(Negotiated negotiated) {
    return switch (Collision.winner(
        negotiated.local().bgpId(),
        negotiated.local().as(),
        negotiated.remote().bgpId(),
        negotiated.remote().as())) {
      case DIALLED_BY_US -> true;
      case DIALLED_BY_PEER -> false;
    };
  }

  @Override
  public void up(Machine machine, Negotiated negotiated) {
    promote(machine);
    sessionUpNanos = context.loop().nanoTime();
    history.up();
    Transport.Connection connection = machine.connection().orElseThrow();
    PathSource.Peer source =
        new PathSource.Peer(
            config.name(),
            knownAddress().address(),
            connection.localAddress(),
            negotiated.remote().as(),
            negotiated.internal(),
            negotiated.remote().bgpId(),
            config.policy().reflectorClient(),
            ++generation);
    sessionGeneration = generation;
    for (Family family : Family.values()) {
      generations.put(family, generation);
    }
    Session up =
        new Session(machine, negotiated, source, context.groups(), config, context.config());
    session = Optional.of(up);
    apply(staleRoutes.up(negotiated, context.config().gracefulRestart()));
    context.convergence().established(config.name(), negotiated, sessionUpNanos);
    log.info(
        "bgp session established peer={} address={} as={} id={} hold={}s families={}",
        config.name(),
        knownAddress(),
        negotiated.remote().as(),
        negotiated.remote().bgpId(),
        negotiated.holdTime().toSeconds(),
        negotiated.families());
    context.requestTurn();
  }

  /** The machine whose session is up is the primary one from now on; the other is not needed. */
  private void promote(Machine machine) {
    Optional<Machine> loser = machine == primary ? second : Optional.of(primary);
    primary = machine;
    second = Optional.empty();
    machine.promote();
    loser.ifPresent(
        other -> {
          switch (other.state()) {
            case State.OpenSent(int _) -> other.handle(new Event.CollisionDump());
            case State.OpenConfirm(int _, Negotiated _) -> other.handle(new Event.CollisionDump());
            case State.Idle(int _, boolean _) -> {}
            case State.Connect(int _) -> {}
            case State.Active(int _) -> {}
            case State.Established(int _, Negotiated _, long _) -> {}
          }
          other.discard();
        });
  }

  @Override
  public void down(Machine machine, DownCause cause) {
    Session ended = session.orElseThrow();
    session = Optional.empty();
    ended.end();
    refreshes.clear();
    history.down(cause);
    log.info("bgp session down peer={} reason=\"{}\"", config.name(), cause.describe());
    apply(staleRoutes.down(cause, ended.negotiated()));
    // RFC 4724 section 4.2: what was stale already when the session was lost again goes.
    for (Family family : staleRoutes.families()) {
      var _ = context.rib().removeAll(family, received.paths(family), olderThan(sessionGeneration));
    }
    checkLimits();
    context.convergence().lost(config.name(), context.loop().nanoTime());
    context.requestTurn();
  }

  @Override
  public void attemptFailed(Machine machine, DownCause cause) {
    boolean collision =
        cause instanceof DownCause.NotificationSent(BgpMessage.Notification sent)
            && sent.code() == Iana.ERR_CEASE
            && sent.subcode() == Iana.CEASE_CONNECTION_COLLISION;
    if (!collision && history.failed(cause)) {
      log.info("bgp attempt failed peer={} reason=\"{}\"", config.name(), cause.describe());
    }
  }

  @Override
  public void stateChanged(Machine machine, State former) {
    if (machine == primary) {
      history.entered();
      if (held.isPresent()) {
        // After the step that is being done.
        context.loop().execute(this::settleHeld);
      }
    }
    log.debug(
        "bgp state peer={} role={} from={} to={}",
        config.name(),
        machine.role(),
        former.phase(),
        machine.state().phase());
    boolean over =
        switch (machine.state()) {
          case State.Idle(int _, boolean _) -> true;
          case State.Active(int _) -> true;
          case State.Connect(int _) -> false;
          case State.OpenSent(int _) -> false;
          case State.OpenConfirm(int _, Negotiated _) -> false;
          case State.Established(int _, Negotiated _, long _) -> false;
        };
    if (over && second.filter(machine::equals).isPresent()) {
      machine.discard();
      second = Optional.empty();
    }
    tellIfQuiet();
  }

  private void tellIfQuiet() {
    if (isQuiet()) {
      context.quiet(this);
    }
  }

  @Override
  public void received(BgpMessage message) {
    history.received(message);
  }

  @Override
  public void sent(BgpMessage message, int count) {
    history.sent(message, count);
  }

  @Override
  public void sentUpdates(int count) {
    history.sentUpdates(count);
  }

  @Override
  public AttributeCache attributes() {
    return context.attributes();
  }

  @Override
  public void fault(String text) {
    history.fault(text);
    warn(text);
  }

  @Override
  public void complaint(String text) {
    history.complaint(text);
    warn(text);
  }

  private void warn(String fault) {
    if (history.admits(fault)) {
      log.warn("bgp fault peer={} reason=\"{}\"", config.name(), fault);
    }
  }

  @Override
  public void update(BgpMessage.Update update) {
    Session up = session.orElseThrow();
    update.endOfRib().flatMap(AddressFamily::unicastFamily).ifPresent(this::endOfRib);
    up.learn(update, context.rib(), rules, received);
    checkLimits();
    context.requestTurn();
  }

  private void endOfRib(Family family) {
    if (history.admitsOwn("end of rib " + family)) {
      log.info("bgp end of rib peer={} family={}", config.name(), family);
    }
    session.ifPresent(up -> up.endOfRib(family));
    apply(staleRoutes.endOfRib(family));
    context.convergence().endOfRib(config.name(), family);
    context.requestTurn();
  }

  @Override
  public void refresh(BgpMessage.RouteRefresh refresh) {
    Optional<Family> family =
        refresh
            .family()
            .unicastFamily()
            .filter(named -> session.filter(up -> up.negotiated().has(named)).isPresent());
    if (family.isEmpty()) {
      return;
    }
    switch (refresh.subtype()) {
      case REQUEST -> session.orElseThrow().resend(family.get());
      case BEGIN -> refreshBegins(family.get());
      case END -> {
        if (refreshes.end(family.get())) {
          refreshOver(family.get());
        }
      }
    }
    context.requestTurn();
  }

  /** RFC 7313 section 4.2: from now on the peer tells everything of the family again. */
  private void refreshBegins(Family family) {
    Session up = session.orElseThrow();
    if (!up.mayRefresh(family)) {
      // RFC 7313 section 4 asks for the log.
      complaint("begin of a refresh of " + family + " that is not expected now, ignored");
      return;
    }
    generations.put(family, ++generation);
    up.newGeneration(family, generation);
    refreshes.begin(family, context.config().gracefulRestart().staleTime());
  }

  /** RFC 7313 section 4.2: what was not told again since the beginning is gone. */
  private void refreshOver(Family family) {
    if (history.admitsOwn("refresh over " + family)) {
      log.info("bgp refresh over peer={} family={}", config.name(), family);
    }
    drop(family, olderThan(generations.get(family)));
    context.requestTurn();
  }

  @Override
  public void writable() {
    context.requestTurnNow();
  }

  // ---- routes

  /** Asks the peer for all its routes again. */
  void requestRefresh() {
    session.ifPresent(Session::requestRefresh);
  }

  private void apply(StaleRoutes.Verdict verdict) {
    drop(verdict.drop());
    verdict.timer().ifPresent(staleTimer::start);
    if (staleRoutes.families().isEmpty()) {
      staleTimer.stop();
    }
  }

  /** Removes this peer's routes of those families that are not of the session that is up. */
  private void drop(Set<Family> families) {
    for (Family family : families) {
      drop(family, session.isPresent() ? olderThan(sessionGeneration) : this::isMine);
    }
    context.requestTurn();
  }

  private void drop(Family family, Predicate<PathSource> which) {
    int removed = context.rib().removeAll(family, received.paths(family), which);
    if (removed > 0 && history.admitsOwn("routes dropped " + family)) {
      log.info("bgp routes dropped peer={} family={} count={}", config.name(), family, removed);
    }
  }

  private boolean isMine(PathSource source) {
    return source instanceof PathSource.Peer peer && peer.peer().equals(config.name());
  }

  private Predicate<PathSource> olderThan(int current) {
    return source ->
        source instanceof PathSource.Peer peer
            && peer.peer().equals(config.name())
            && peer.generation() < current;
  }

  private void staleTimeOver() {
    log.info("bgp stale time over peer={}", config.name());
    apply(staleRoutes.giveUp());
    tellIfQuiet();
  }

  /** Whether the path is kept over a restart of its peer, or not told again in a refresh. */
  boolean isStale(Family family, PathSource.Peer source) {
    if (refreshes.families().contains(family)) {
      return olderThan(generations.get(family)).test(source);
    }
    return staleRoutes.families().contains(family)
        && (session.isEmpty() || olderThan(sessionGeneration).test(source));
  }

  // ---- status

  PeerStatus status() {
    Set<Family> families = EnumSet.copyOf(config.families());
    Map<Family, PeerStatus.Prefixes> prefixes = new EnumMap<>(Family.class);
    for (Family family : families) {
      PeerPaths of = received.paths(family);
      int advertised = session.map(up -> up.advertised(family)).orElse(0);
      prefixes.put(family, new PeerStatus.Prefixes(of.known(), of.usable(), advertised));
    }
    Phase phase = furthest().phase();
    Optional<Asn> remoteAs = session.map(up -> up.source().asn()).or(this::configuredAs);
    return new PeerStatus(
        config.name(),
        config.where(),
        address.map(ScopedAddress::address),
        remoteAs,
        remoteAs.filter(ownAs()::equals).isPresent(),
        phase,
        history.since(),
        session.map(up -> up.status(Duration.ofNanos(context.loop().nanoTime() - sessionUpNanos))),
        session.isPresent() ? Optional.empty() : Optional.of(whyDown(phase)),
        history.lastError(),
        history.lastNotificationSent(),
        history.lastNotificationReceived(),
        history.counters(),
        prefixes,
        List.copyOf(staleRoutes.families()),
        context.path(this));
  }

  private String whyDown(Phase phase) {
    if (config.shutdown().isPresent()) {
      String text = config.shutdown().get();
      return "administratively down" + (text.isEmpty() ? "" : ": " + text);
    }
    return address.isEmpty() ? "no router was heard on " + config.where() : history.whyDown(phase);
  }

  /** The AS that we are in towards this peer. */
  private Asn ownAs() {
    return config.localAs().map(LocalAs::asNumber).orElse(context.config().asNumber());
  }

  /** The peer's AS, as far as it is known without a session. */
  private Optional<Asn> configuredAs() {
    return switch (config.remoteAs()) {
      case PeerAs.Exact(Asn asNumber) -> Optional.of(asNumber);
      case PeerAs.Internal() -> Optional.of(ownAs());
      case PeerAs.External() -> Optional.empty();
    };
  }

  private State furthest() {
    State one = primary.state();
    return second
        .map(Machine::state)
        .filter(other -> other.phase().compareTo(one.phase()) > 0)
        .orElse(one);
  }

  void forEachAdvertised(Family family, int from, int to, UpdateGroups.Visitor visitor) {
    session.ifPresent(up -> up.forEachAdvertised(family, from, to, visitor));
  }

  /** Whether our dial made the connection of the session. */
  boolean dialledByUs() {
    return primary.dialledByUs();
  }
}
