package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.BfdSettings;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.NextHopSource;
import io.wayleave.bgp.Origination;
import io.wayleave.bgp.PeerAddress;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.RouteListener;
import io.wayleave.bgp.ScopedAddress;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.StartMode;
import io.wayleave.bgp.bfd.BfdEndpoint;
import io.wayleave.bgp.bfd.BfdStatus;
import io.wayleave.bgp.bfd.Diagnostic;
import io.wayleave.bgp.rib.BestPath;
import io.wayleave.bgp.rib.Candidates;
import io.wayleave.bgp.rib.ImportCheck;
import io.wayleave.bgp.rib.LocRib;
import io.wayleave.bgp.rib.NextHopMetric;
import io.wayleave.bgp.rib.UpdateGroups;
import io.wayleave.bgp.wire.AttributeCache;
import io.wayleave.bgp.wire.BgpMessage;
import io.wayleave.bgp.wire.Notifications;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A speaker without its thread: peers, tables, listeners and the turn that moves routes between
 * them. Everything, the constructor aside, runs on the {@link Loop} thread.
 *
 * <p>One turn decides a bounded number of changed prefixes, hands each change to the sessions and
 * to the route listener, lets each session send as much as its connection takes, and queues the
 * next turn behind whatever else the thread has to do. So a flood of routes neither starves timers
 * nor lets one slow peer hold back another.
 */
public final class SpeakerCore implements Peer.Context, Surroundings.Events {
  private static final Logger log = LoggerFactory.getLogger(SpeakerCore.class);

  /** Prefixes decided in one turn: a few milliseconds. */
  private static final int PREFIXES_PER_TURN = 10_000;

  /** Longest time that a turn lets others collect. */
  private static final Duration MAX_PAUSE = Duration.ofMillis(5);

  private static final Duration LISTEN_RETRY = Duration.ofSeconds(5);

  private final Loop loop;
  private final Transport transport;
  private final Jitter jitter;
  private final StartMode mode;
  private final NextHopSource nextHopSource;
  private final NextHops nextHops;
  private final NextHopMetric metric;
  private final LocRib rib;
  private final UpdateGroups groups;
  private final AttributeCache attributes = new AttributeCache();
  private final RouteDelivery delivery;
  private final boolean listening;
  private final LocalRoutes localRoutes;
  private final Listeners listeners;
  private final Surroundings surroundings;
  private final PeerTable peers;
  private SpeakerConfig config;
  private ImportCheck importCheck;
  private Convergence convergence;
  private final Timer deadlineTimer;
  private boolean converged;
  private boolean localInSync;
  private Optional<Loop.Scheduled> turn = Optional.empty();
  private long nextTurnNanos;
  private boolean peersChanged;
  private boolean closed;

  /** Nothing happens before {@link #start}. */
  public SpeakerCore(
      Loop loop,
      Transport transport,
      RandomGenerator random,
      SpeakerConfig config,
      StartMode mode,
      NextHopSource nextHopSource,
      RouteListener listener,
      Surroundings surroundings) {
    this(
        loop,
        transport,
        random,
        config,
        mode,
        nextHopSource,
        listener,
        surroundings,
        UpdateGroups.Limits.DEFAULT);
  }

  /** For tests that want to meet the limits sooner. */
  SpeakerCore(
      Loop loop,
      Transport transport,
      RandomGenerator random,
      SpeakerConfig config,
      StartMode mode,
      NextHopSource nextHopSource,
      RouteListener listener,
      Surroundings surroundings,
      UpdateGroups.Limits limits) {
    this.loop = requireNonNull(loop, "loop is null");
    this.transport = requireNonNull(transport, "transport is null");
    this.config = requireNonNull(config, "config is null");
    this.mode = requireNonNull(mode, "mode is null");
    this.nextHopSource = requireNonNull(nextHopSource, "nextHopSource is null");
    nextHops = new NextHops(nextHopSource);
    metric = nextHopSource.equals(NextHopSource.ALL_CONNECTED) ? NextHopMetric.CONNECTED : nextHops;
    peers = new PeerTable(this);
    jitter = new Jitter(random);
    deadlineTimer = new Timer(loop, this::requestTurn);
    boolean restarted = mode instanceof StartMode.Restarted;
    rib = new LocRib(new BestPath(config.pathSelection(), metric), restarted);
    groups = new UpdateGroups(rib, limits);
    this.surroundings = requireNonNull(surroundings, "surroundings is null");
    delivery = new RouteDelivery(listener, this::interfaceOf);
    listening = !listener.equals(RouteListener.NONE);
    localRoutes = new LocalRoutes(rib);
    listeners = new Listeners(loop, transport, LISTEN_RETRY, this::accept);
    importCheck = importCheckOf(config);
    convergence = new Convergence(List.of(), List.of(), config.gracefulRestart(), loop.nanoTime());
    nextTurnNanos = loop.nanoTime();
  }

  public void start() {
    // By whether they are ranges.
    Map<Boolean, List<String>> expected =
        config.peers().stream()
            .filter(peer -> peer.shutdown().isEmpty())
            .collect(
                Collectors.partitioningBy(
                    peer -> peer.where() instanceof PeerAddress.Range,
                    Collectors.mapping(PeerConfig::name, Collectors.toList())));
    convergence =
        new Convergence(
            expected.get(false), expected.get(true), config.gracefulRestart(), loop.nanoTime());
    surroundings.begin(this);
    nextHopSource.begin(told -> loop.execute(() -> nextHopsFound(told)));
    listeners.apply(config.listen());
    peers.apply(config.peers(), _ -> PeerTable.SpeakerChange.NONE);
    listeners.secure(peers.md5Keys(), peers.ttlHops());
    log.info(
        "bgp speaker started id={} as={} peers={} mode={}",
        config.routerId(),
        config.asNumber(),
        config.peers().size(),
        mode);
    requestTurn();
  }

  /** Goes over to another configuration; only what differs is touched. */
  public void apply(SpeakerConfig changed) {
    SpeakerConfig former = config;
    if (closed || changed.equals(former)) {
      return;
    }
    config = changed;
    ImportCheck formerCheck = importCheck;
    importCheck = importCheckOf(changed);
    if (!changed.pathSelection().equals(former.pathSelection())) {
      rib.setBestPath(new BestPath(changed.pathSelection(), metric));
    }
    listeners.apply(changed.listen());
    peers.apply(changed.peers(), peer -> changeOf(former, changed, peer));
    if (!importCheck.equals(formerCheck)) {
      peers.all().forEach(Peer::importAgain);
    }
    listeners.secure(peers.md5Keys(), peers.ttlHops());
    requestTurn();
  }

  /** What the change of all but the peers means for this one, as it is configured now. */
  private PeerTable.SpeakerChange changeOf(
      SpeakerConfig former, SpeakerConfig changed, PeerConfig peer) {
    // Our AS is in routes and decides what is internal also where OPEN has another one (local AS).
    boolean openDiffers =
        !changed.asNumber().equals(former.asNumber())
            || !OpenOffer.of(changed, peer, mode, converged)
                .equals(OpenOffer.of(former, peer, mode, converged));
    if (openDiffers) {
      return PeerTable.SpeakerChange.OPEN;
    }
    boolean exportDiffers =
        !changed.ipv4NextHop().equals(former.ipv4NextHop())
            || !changed.ipv6NextHop().equals(former.ipv6NextHop())
            || !changed.effectiveClusterId().equals(former.effectiveClusterId());
    return exportDiffers ? PeerTable.SpeakerChange.EXPORT : PeerTable.SpeakerChange.NONE;
  }

  /**
   * A router was heard on an interface: the peer configured by that interface, if there is one, is
   * at this link-local address from now on. Told again of the same address, nothing happens.
   */
  @Override
  public void neighbourFound(String interfaceName, ScopedAddress address) {
    if (!closed) {
      peers.neighbourFound(interfaceName, address);
      listeners.secure(peers.md5Keys(), peers.ttlHops());
    }
  }

  /** The router on an interface, or the interface itself, is gone. */
  @Override
  public void neighbourLost(String interfaceName) {
    if (!closed) {
      peers.neighbourLost(interfaceName);
      listeners.secure(peers.md5Keys(), peers.ttlHops());
    }
  }

  @Override
  public void pathDown(BfdEndpoint endpoint, Diagnostic diagnostic, boolean independent) {
    for (Peer peer : List.copyOf(peers.all())) {
      if (!closed && peer.path().filter(endpoint::equals).isPresent()) {
        peer.pathDown(diagnostic, independent);
      }
    }
  }

  private void nextHopsFound(Map<IpAddress, OptionalLong> told) {
    nextHops.found(told);
    requestTurn();
  }

  /** Has watched what the peers of now need. */
  private void watchSurroundings() {
    Set<String> interfaces = new HashSet<>();
    for (PeerConfig peer : config.peers()) {
      if (peer.where() instanceof PeerAddress.OnInterface(String name)
          && peer.shutdown().isEmpty()) {
        interfaces.add(name);
      }
    }
    Map<BfdEndpoint, BfdSettings> paths = new HashMap<>();
    for (Peer peer : peers.all()) {
      peer.path().ifPresent(path -> paths.put(path, peer.config().bfd().orElseThrow()));
    }
    surroundings.watchInterfaces(interfaces);
    surroundings.watchPaths(paths);
  }

  private Optional<String> interfaceOf(String peer) {
    return peers
        .find(peer)
        .flatMap(
            known ->
                known.config().where() instanceof PeerAddress.OnInterface(String name)
                    ? Optional.of(name)
                    : Optional.empty());
  }

  /** Originates the route, in place of what was originated for the prefix before. */
  public void originate(Cidr prefix, Origination origination) {
    localRoutes.originate(prefix, origination);
    requestTurn();
  }

  public void withdraw(Cidr prefix) {
    localRoutes.withdraw(prefix);
    requestTurn();
  }

  /** Every route that was to be originated at start has been; End-of-RIB may be sent. */
  public void localRoutesInSync() {
    localInSync = true;
    requestTurn();
  }

  /** Asks the peer to send its routes again. */
  public void refresh(String peer) {
    peer(peer).requestRefresh();
  }

  /** Ends the peer's session with Cease/Administrative Reset; it comes back by itself. */
  public void clear(String peer, String text) {
    peer(peer).restart(Notifications.reset(text));
  }

  /** Says Cease/Administrative Shutdown to every peer and ends. */
  public void shutdown(String text) {
    close(peer -> peer.stop(Notifications.shutdown(text)));
  }

  /** Closes every connection without a word and ends; peers keep our routes (RFC 4724). */
  public void closeForRestart() {
    close(Peer::closeForRestart);
  }

  private void close(Consumer<Peer> farewell) {
    if (closed) {
      return;
    }
    closed = true;
    listeners.close();
    peers.all().forEach(farewell);
    log.info("bgp speaker closed id={}", config.routerId());
  }

  private Optional<Transport.Handler> accept(Transport.Connection connection) {
    return closed ? Optional.empty() : peers.accept(connection);
  }

  @Override
  public void requestTurn() {
    if (turn.isEmpty() && !closed) {
      Duration wait = Duration.ofNanos(Math.max(0, nextTurnNanos - loop.nanoTime()));
      turn = Optional.of(loop.schedule(wait, this::turn));
    }
  }

  @Override
  public void requestTurnNow() {
    turn.ifPresent(Loop.Scheduled::cancel);
    turn = Optional.empty();
    nextTurnNanos = loop.nanoTime();
    requestTurn();
  }

  private void turn() {
    turn = Optional.empty();
    if (closed) {
      return;
    }
    long began = loop.nanoTime();
    if (peersChanged) {
      peersChanged = false;
      watchSurroundings();
    }
    convergence.expire(loop.nanoTime());
    convergence.untilNextDeadline(loop.nanoTime()).ifPresent(deadlineTimer::start);
    if (convergence.selectionDone() && rib.deferring()) {
      log.info("bgp selection deferral over");
      rib.release();
    }
    Set<IpAddress> moved = nextHops.takeChanged();
    if (!moved.isEmpty()) {
      rib.decideAgain(moved);
    }
    boolean more = rib.process(PREFIXES_PER_TURN, this::selected);
    nextHops.ask(rib::nextHops);
    if (!more && convergence.done()) {
      nextHops.endSettling();
    }
    // A choice that waits for news of a next hop is not made yet.
    boolean decided = !more && nextHops.settled();
    boolean complete = localInSync && !rib.deferring() && decided;
    boolean unsent = groups.transmit(complete);
    if (more || unsent) {
      requestTurnNow();
    } else {
      // Behind the flushes that the turn has queued.
      loop.execute(() -> turnOver(began));
    }
    if (decided && convergence.done() && !converged) {
      converged = true;
      log.info("bgp converged");
      delivery.converged();
    }
  }

  /**
   * What comes in for as long as the turn took is taken together by the next one: a turn that tells
   * hundreds of peers costs the same for one UPDATE and for a hundred.
   */
  private void turnOver(long began) {
    long now = loop.nanoTime();
    nextTurnNanos = now + Math.min(now - began, MAX_PAUSE.toNanos());
  }

  private void selected(Family family, int id, Candidates selection) {
    groups.selected(family, id, selection);
    if (listening) {
      delivery.selected(rib.prefixes(family).prefix(id), selection);
    }
  }

  // ---- Peer.Context

  @Override
  public Loop loop() {
    return loop;
  }

  @Override
  public Transport transport() {
    return transport;
  }

  @Override
  public Jitter jitter() {
    return jitter;
  }

  @Override
  public LocRib rib() {
    return rib;
  }

  @Override
  public UpdateGroups groups() {
    return groups;
  }

  @Override
  public AttributeCache attributes() {
    return attributes;
  }

  @Override
  public ImportCheck importCheck() {
    return importCheck;
  }

  @Override
  public SpeakerConfig config() {
    return config;
  }

  @Override
  public void quiet(Peer peer) {
    peers.quiet(peer);
  }

  @Override
  public void peersChanged() {
    peersChanged = true;
    requestTurn();
  }

  @Override
  public Optional<BfdStatus> path(Peer peer) {
    return peer.path().flatMap(surroundings::path);
  }

  @Override
  public Convergence convergence() {
    return convergence;
  }

  @Override
  public BgpMessage.Open open(PeerConfig peer) {
    return OpenOffer.of(config, peer, mode, converged);
  }

  private static ImportCheck importCheckOf(SpeakerConfig config) {
    Set<IpAddress> own = new HashSet<>();
    config.ipv4NextHop().ifPresent(own::add);
    config.ipv6NextHop().ifPresent(own::add);
    config.listen().stream()
        .map(ListenAddress::address)
        .filter(address -> !address.isUnspecified())
        .forEach(own::add);
    return new ImportCheck(
        Set.of(config.asNumber()), config.routerId(), config.effectiveClusterId(), own);
  }

  // ---- for the status report

  Peer peer(String name) {
    return peers.get(name);
  }

  List<Peer> peers() {
    return List.copyOf(peers.all());
  }

  boolean converged() {
    return converged;
  }

  Listeners listeners() {
    return listeners;
  }

  int originated() {
    return localRoutes.size();
  }
}
