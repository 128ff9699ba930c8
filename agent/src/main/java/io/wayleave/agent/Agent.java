package io.wayleave.agent;

import io.wayleave.agent.ClosedPolicies.Stored;
import io.wayleave.bgp.StartMode;
import io.wayleave.bgp.admin.AdminServer;
import io.wayleave.bgp.admin.BgpAdmin;
import io.wayleave.bgp.admin.Endpoint;
import io.wayleave.cni.CniOptions;
import io.wayleave.cni.CniServer;
import io.wayleave.cni.IpamEndpointStore;
import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreUrl;
import io.wayleave.datastore.Datastores;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.PresenceKeeper;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Syncer;
import io.wayleave.datastore.zookeeper.EmbeddedServer;
import io.wayleave.ipam.GarbageCollector;
import io.wayleave.ipam.Ipam;
import io.wayleave.ipam.IpamOptions;
import io.wayleave.linux.netlink.Link;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.linux.netlink.Route;
import io.wayleave.linux.netlink.RouteFilter;
import io.wayleave.model.BgpConfiguration;
import io.wayleave.model.BgpFilter;
import io.wayleave.model.BgpPeer;
import io.wayleave.model.Family;
import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.GlobalNetworkSet;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import io.wayleave.model.Kind;
import io.wayleave.model.NetworkPolicy;
import io.wayleave.model.NetworkSet;
import io.wayleave.model.Node;
import io.wayleave.model.Profile;
import io.wayleave.model.Resource;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.RouterId;
import io.wayleave.model.Tier;
import io.wayleave.model.Update;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.SubjectSelector;
import io.wayleave.model.status.AgentStatus.GarbageStatus;
import io.wayleave.model.status.Presence;
import io.wayleave.policy.PolicyConfig;
import io.wayleave.policy.PolicyEngine;
import io.wayleave.policy.dataplane.IptablesBackend;
import io.wayleave.route.RouteService;
import io.wayleave.route.RouteSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The daemon of a host. Everything is wired here, by constructor, in the order in which it must
 * work:
 *
 * <pre>
 *                 datastore ── syncers ──┐                        BGP peers
 *                     │                  ▼                            │
 *  CNI launcher ─▶ CniServer ─▶ HostDataplane ─▶ core thread ──▶ BgpControl ◀─▶ speaker
 *                     │              │         (FabricView,           │ learned routes
 *                   Ipam             │          LocalNetwork)         ▼
 *                                    ▼               └─ local ─▶ RouteService ─▶ kernel routes
 *                               PolicyEngine ─▶ ipsets, iptables
 * </pre>
 *
 * <p>At start it first drops unknown interfaces, then waits for the datastore, adopts what an
 * earlier agent left in the kernel, and only then speaks BGP and takes containers. Closing leaves
 * routes and policy where they are and asks the peers to keep ours.
 */
final class Agent implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Agent.class);
  private static final Duration REGISTRATION_PAUSE = Duration.ofSeconds(1);
  private static final Duration ROUTE_RETRY = Duration.ofSeconds(5);
  private static final Duration PASSWORD_CHECK = Duration.ofSeconds(5);
  private static final int FRAME_SECONDS = 30;

  private static final Duration PRESENCE_TIME_TO_LIVE = Duration.ofSeconds(10);

  private final AgentConfig configuration;
  private final Instant since = Instant.now().truncatedTo(ChronoUnit.SECONDS);
  // Opened by the starting thread and by the core, closed by the shutdown hook.
  private final Object openLock = new Object();
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private boolean closing;
  private final CompletableFuture<Void> ready = new CompletableFuture<>();

  private final boolean restarted;
  private final PolicyEngine policy;
  private final RouteService routes;
  private final Datastore datastore;
  private final Syncer<String, Node> nodeSyncer;
  private final CoreThread core;

  // Owned by the core thread.
  private final FabricView fabric = new FabricView();
  private final LocalNetwork network;
  private final BgpControl bgp;
  private final OwnBlocks blocks;
  private final Draining draining;
  private Optional<NodeAddresses> addresses = Optional.empty();
  private Optional<Node> registered = Optional.empty();
  private Step step = Step.WAITING;

  // Written by the core thread, read by others.
  private volatile Map<String, String> nodeLabels;
  private volatile int mtu = 1500;
  private volatile String notReady = "the datastore has not answered yet";

  /** How far the start has come. */
  private enum Step {
    WAITING,
    REGISTERING,
    ADOPTING,
    RUNNING
  }

  private Agent(AgentConfig configuration, Consumer<Throwable> onDeath) throws IOException {
    this.configuration = configuration;
    this.nodeLabels = configuration.labels();
    String name = configuration.nodeName();
    try {
      restarted = hasRoutesOfAnEarlierAgent();
      policy = open(PolicyEngine.start(policyConfig(configuration), onDeath));
      // First of all: before the host forwards, unknown interfaces of ours pass nothing.
      awaitFrame(policy);
      Forwarding.enable();
      routes = open(RouteService.start(RouteSettings.DEFAULT, onDeath));
      core = open(new CoreThread());
      bgp = new BgpControl(routes);
      open(() -> core.ask(this::closeBgp).join());
      network = new LocalNetwork(name, core, routes, bgp);
      blocks = new OwnBlocks(name, core, routes, this::evaluate);
      draining = new Draining(core::after, this::evaluate);
      Datastores.embeddedDirectory(configuration.datastore())
          .ifPresent(directory -> open(EmbeddedServer.start(directory, onDeath)));
      datastore =
          open(Datastores.open(configuration.datastore(), configuration.datastoreOptions()));
      log.info(
          "agent starts node={} version={} datastore={} restarted={}",
          name,
          version(),
          datastore.description(),
          restarted);

      ResourceStore resources = new ResourceStore(datastore);
      nodeSyncer = follow(resources, Node.class, fabric::onNode);
      follow(resources, BgpPeer.class, fabric::onPeer);
      follow(resources, BgpFilter.class, fabric::onFilter);
      follow(resources, BgpConfiguration.class, fabric::onConfiguration);
      follow(resources, IpPool.class, this::onPool);
      followPolicies();
      Ipam ipam = new Ipam(datastore, name, () -> nodeLabels, IpamOptions.defaults());
      open(ipam.follow(blocks));
      core.every(ROUTE_RETRY, network::retry);
      core.every(PASSWORD_CHECK, bgp::readPasswords);

      CniServer cni =
          open(
              CniServer.start(
                  cniOptions(configuration, () -> mtu),
                  new IpamEndpointStore(ipam),
                  new HostDataplane(core, network, policy),
                  new ReadyWhenRunning(ready, () -> notReady)));
      Optional<GarbageCollection> garbage = startCollecting(ipam, cni.containers());
      Supplier<Optional<GarbageStatus>> collected = () -> garbage.map(GarbageCollection::status);
      StatusReport report =
          new StatusReport(this::snapshot, routes, policy, datastore, nodeSyncer, collected);
      Map<String, Endpoint> endpoints = new TreeMap<>(new BgpAdmin(report::speaker).endpoints());
      endpoints.put("/metrics", GarbageMetrics.after(endpoints.get("/metrics"), collected));
      endpoints.put("/v1/status", Endpoint.get(report::status));
      endpoints.put("/v1/routes", Endpoint.get(report::routes));
      PacketWatch packets = open(new PacketWatch(() -> policy.status().rules().keySet()));
      endpoints.put("/v1/policy/packets", Endpoint.get(packets::answer));
      endpoints.put("/v1/policy/counters", Endpoint.get(policy::counters));
      endpoints.put("/v1/datastore", Endpoint.get(configuration::datastoreAccess));
      open(new AdminServer(configuration.adminSocket(), endpoints));
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  private Optional<GarbageCollection> startCollecting(
      Ipam ipam, GarbageCollector.Containers containers) {
    if (configuration.gcIntervalSeconds() == 0) {
      return Optional.empty();
    }
    Duration grace = Duration.ofSeconds(configuration.gcGraceSeconds());
    return Optional.of(
        open(
            new GarbageCollection(
                    datastore,
                    new GarbageCollector(datastore, ipam, containers, grace, System::nanoTime),
                    configuration.nodeName(),
                    this::endpointsWithoutInterface,
                    ready::isDone,
                    Duration.ofSeconds(configuration.gcIntervalSeconds()),
                    InstantSource.system())
                .start()));
  }

  /** The endpoints of this node whose interface is gone; not on the core thread. */
  private List<String> endpointsWithoutInterface() throws IOException, InterruptedException {
    try (NetlinkSocket netlink = NetlinkSocket.open()) {
      // Endpoints first: one that comes between the two has its interface, or is being made.
      Map<String, WorkloadEndpoint> endpoints = core.ask(network::storedEndpoints).get();
      Set<String> interfaces =
          netlink.links().list().stream().map(Link::name).collect(Collectors.toSet());
      return endpoints.values().stream()
          .filter(endpoint -> !interfaces.contains(endpoint.spec().interfaceName()))
          .map(WorkloadEndpoint::name)
          .toList();
    } catch (ExecutionException e) {
      throw new IOException(e.getCause().getMessage(), e.getCause());
    }
  }

  /**
   * Starts everything, and returns before the datastore has answered.
   *
   * @param onDeath called when a part has ended for good by a defect: the process must end too, so
   *     that its supervisor starts it anew; the dataplane stays
   */
  static Agent start(AgentConfig configuration, Consumer<Throwable> onDeath) throws IOException {
    return new Agent(configuration, onDeath);
  }

  /**
   * Stops in the reverse order of the start. Routes and policy stay in the kernel, and peers are
   * asked by silence to keep ours (RFC 4724): the next agent adopts them.
   */
  @Override
  public void close() {
    while (true) {
      AutoCloseable part;
      synchronized (openLock) {
        closing = true;
        part = opened.poll();
      }
      if (part == null) {
        break;
      }
      closeQuietly(part);
    }
    log.info("agent stopped node={}", configuration.nodeName());
  }

  /** Remembers what is to be closed; what comes when the agent is stopping is closed at once. */
  private <T extends AutoCloseable> T open(T part) {
    synchronized (openLock) {
      if (!closing) {
        opened.push(part);
        return part;
      }
    }
    closeQuietly(part);
    return part;
  }

  private static void closeQuietly(AutoCloseable part) {
    try {
      part.close();
    } catch (Exception e) {
      log.warn("a part did not close cleanly part={}", part.getClass().getSimpleName(), e);
    }
  }

  private Void closeBgp() {
    bgp.closeForRestart();
    return null;
  }

  private <R extends Resource> Syncer<String, R> follow(
      ResourceStore resources, Class<R> type, Consumer<Update<String, R>> onCore) {
    return open(resources.follow(type, new OnCore<>(onCore)));
  }

  /** Hands everything to the core thread, in order, and lets it act when a batch has come. */
  private final class OnCore<R> implements Syncer.Listener<String, R> {
    private final Consumer<Update<String, R>> consumer;

    OnCore(Consumer<Update<String, R>> consumer) {
      this.consumer = consumer;
    }

    @Override
    public void onUpdate(Update<String, R> update) {
      core.execute(() -> consumer.accept(update));
    }

    @Override
    public void onBatchEnd() {
      core.execute(Agent.this::evaluate);
    }

    @Override
    public void onInvalid(String key, String reason) {
      core.execute(() -> fabric.onInvalid(key, reason));
    }

    @Override
    public void onInvalidGone(String key) {
      core.execute(() -> fabric.onInvalidGone(key));
    }
  }

  /** Everything that policy depends on. */
  private void followPolicies() {
    follow(WorkloadEndpoint.class, network::onUpdate);
    follow(HostEndpoint.class, _ -> {});
    follow(Profile.class, _ -> {});
    follow(NetworkSet.class, _ -> {});
    follow(GlobalNetworkSet.class, _ -> {});
    follow(Tier.class, _ -> {});
    follow(NetworkPolicy.class, _ -> {});
    follow(GlobalNetworkPolicy.class, _ -> {});
  }

  /**
   * Follows a kind that policy depends on.
   *
   * @param other who else is told on the core thread; what cannot be read is as gone to it
   */
  private <R extends Resource> void follow(Class<R> type, Consumer<Update<String, R>> other) {
    Kind kind = Kind.of(type);
    open(
        Syncer.start(
            kind.plural(),
            datastore,
            ResourceStore.prefix(kind),
            new ClosedPolicies<>(
                type, (key, reason) -> core.execute(() -> fabric.onInvalid(key, reason))),
            new OnCore<>(
                (Update<String, Stored<R>> update) -> {
                  switch (update) {
                    case Update.Put<String, Stored<R>>(String id, Stored.Known<R>(R put)) -> {
                      policy.on(kind, new Update.Put<>(id, put));
                      other.accept(new Update.Put<>(id, put));
                      fabric.onValid(kind, id);
                    }
                    case Update.Put<String, Stored<R>>(
                            String id,
                            Stored.Unreadable<R>(SubjectSelector closes, String why)) -> {
                      policy.onUnreadable(kind, id, closes, why);
                      other.accept(new Update.Delete<>(id));
                    }
                    case Update.Delete<String, Stored<R>>(String id) -> {
                      policy.on(kind, new Update.Delete<>(id));
                      other.accept(new Update.Delete<>(id));
                      fabric.onValid(kind, id);
                    }
                    case Update.InSync<String, Stored<R>>() -> {
                      policy.on(kind, new Update.InSync<>());
                      other.accept(new Update.InSync<>());
                      fabric.inSync(kind);
                    }
                  }
                })));
  }

  private void onPool(Update<String, IpPool> update) {
    fabric.onPool(update);
    network.onPools(fabric.pools());
  }

  /** Takes the next step of the start, or goes over to what has changed. */
  private void evaluate() {
    if (!fabric.outstanding().isEmpty() || !blocks.inSync()) {
      return;
    }
    switch (step) {
      case WAITING -> register();
      case REGISTERING, ADOPTING -> {}
      case RUNNING -> {
        Node self = self();
        nodeLabels = self.metadata().labels();
        draining.update(self.draining());
        bgp.apply(plan(self), ownAddresses());
      }
    }
  }

  private void register() {
    step = Step.REGISTERING;
    notReady = "the node is not registered in the datastore yet";
    List<NodeAddresses.Target> peers = peerTargets();
    var _ =
        CompletableFuture.supplyAsync(
                () -> detectAndRegister(peers), task -> Thread.ofVirtual().start(task))
            .whenComplete((found, error) -> core.execute(() -> onRegistered(found, error)));
  }

  private void onRegistered(Registered found, Throwable error) {
    if (error == null) {
      adopt(found);
      return;
    }
    Throwable cause = error.getCause() == null ? error : error.getCause();
    notReady = "the node could not be registered: " + cause.getMessage();
    log.warn("node not registered, trying again reason=\"{}\"", cause.getMessage());
    core.after(
        REGISTRATION_PAUSE,
        () -> {
          step = Step.WAITING;
          evaluate();
        });
  }

  /** What detection and registration found. */
  private record Registered(NodeAddresses addresses, Node node) {}

  /** Asks name servers, the kernel and the datastore; not on the core thread. */
  private Registered detectAndRegister(List<NodeAddresses.Target> peers) {
    List<NodeAddresses.Target> targets = new ArrayList<>(datastoreTargets());
    targets.addAll(peers);
    try (NetlinkSocket netlink = NetlinkSocket.open()) {
      NodeAddresses found = NodeAddresses.detect(configuration, targets, netlink);
      return new Registered(found, NodeRegistration.register(configuration, found, datastore));
    } catch (IOException e) {
      throw new IllegalStateException(e.getMessage(), e);
    }
  }

  private void adopt(Registered found) {
    step = Step.ADOPTING;
    addresses = Optional.of(found.addresses());
    registered = Optional.of(found.node());
    mtu = found.addresses().mtu();
    nodeLabels = found.node().metadata().labels();
    found
        .addresses()
        .describe()
        .forEach(
            address ->
                log.info(
                    "node address chosen address={} interface={} reason=\"{}\"",
                    address.address(),
                    address.interfaceName(),
                    address.reason()));
    PresenceKeeper presence =
        open(
            PresenceKeeper.keep(
                datastore,
                Keys.presence(configuration.nodeName()),
                presence(),
                PRESENCE_TIME_TO_LIVE,
                state -> log.info("presence changed state={}", state)));
    policy.listen(
        new PolicyReports(
            configuration.nodeName(), version(), configuration.hostSettings(), presence));
    settle();
  }

  /** Brings the kernel up to date, then speaks BGP; again after a pause when either fails. */
  private void settle() {
    notReady = "the kernel's routes and policy are being brought up to date";
    var _ =
        CompletableFuture.allOf(
                network.start(ownAddresses()), policy.settled().toCompletableFuture())
            .whenComplete((_, error) -> core.execute(() -> onSettled(error)));
  }

  private void onSettled(Throwable error) {
    if (error != null) {
      settleLater("the kernel could not be brought up to date: ", error);
      return;
    }
    StartMode mode =
        restarted ? new StartMode.Restarted(EnumSet.allOf(Family.class)) : new StartMode.Fresh();
    draining.begin(self().draining());
    try {
      bgp.start(plan(self()), ownAddresses(), mode);
    } catch (RuntimeException e) {
      settleLater("BGP could not be started: ", e);
      return;
    }
    step = Step.RUNNING;
    notReady = "";
    ready.complete(null);
    log.info("agent ready node={} endpoints={}", configuration.nodeName(), network.endpointCount());
  }

  private void settleLater(String what, Throwable error) {
    Throwable cause = error.getCause() == null ? error : error.getCause();
    notReady = what + cause.getMessage();
    log.error("start not finished, trying again: {}", notReady, error);
    core.after(REGISTRATION_PAUSE, this::settle);
  }

  /** This node as the datastore has it; as it was registered when somebody deleted it. */
  private Node self() {
    return fabric.node(configuration.nodeName()).or(() -> registered).orElseThrow();
  }

  private BgpPlan plan(Node self) {
    return BgpPlan.of(
        new BgpPlan.Self(self, defaultRouterId(), ownAddresses(), draining.phase()),
        fabric.nodes(),
        fabric.peers(),
        fabric.filters(),
        fabric.configuration());
  }

  /** The IPv4 address, or a number made from the name where there is none (RFC 6286 allows any). */
  private RouterId defaultRouterId() {
    return addresses
        .flatMap(NodeAddresses::ipv4)
        .map(chosen -> new RouterId(chosen.address().ipv4Bits()))
        .orElseGet(() -> new RouterId(configuration.nodeName().hashCode() | 1));
  }

  private List<IpAddress> ownAddresses() {
    List<IpAddress> own = new ArrayList<>();
    addresses.flatMap(NodeAddresses::ipv4).ifPresent(chosen -> own.add(chosen.address()));
    addresses.flatMap(NodeAddresses::ipv6).ifPresent(chosen -> own.add(chosen.address()));
    return own;
  }

  /** The datastore's members, which the node must reach first of all. */
  private List<NodeAddresses.Target> datastoreTargets() {
    List<NodeAddresses.Target> targets = new ArrayList<>();
    if (Datastores.embeddedDirectory(configuration.datastore()).isPresent()) {
      return targets;
    }
    for (DatastoreUrl.Endpoint endpoint :
        DatastoreUrl.parse(configuration.datastore()).endpoints()) {
      try {
        for (InetAddress address : InetAddress.getAllByName(endpoint.host())) {
          targets.add(new NodeAddresses.Target("the datastore", IpAddress.of(address)));
        }
      } catch (UnknownHostException e) {
        log.warn("datastore's name not found host={}", endpoint.host());
      }
    }
    return targets;
  }

  /** The peers meant for this node. */
  private List<NodeAddresses.Target> peerTargets() {
    Map<String, String> labels =
        fabric
            .node(configuration.nodeName())
            .map(node -> node.metadata().labels())
            .orElse(configuration.labels());
    return fabric.peers().stream()
        .sorted(Comparator.comparing(BgpPeer::name))
        .filter(peer -> peer.appliesTo(configuration.nodeName(), labels))
        .flatMap(
            peer ->
                peer.spec().address().stream()
                    .map(address -> new NodeAddresses.Target("BGP peer " + peer.name(), address)))
        .toList();
  }

  private byte[] presence() {
    try {
      return ResourceCodec.jsonMapper()
          .writeValueAsBytes(new Presence(version(), since.toString()));
    } catch (IOException e) {
      throw new IllegalStateException("a record of two texts can always be written", e);
    }
  }

  /** The core's part of the status. */
  private CompletableFuture<StatusReport.CorePart> snapshot() {
    return core.ask(
        () ->
            new StatusReport.CorePart(
                configuration.nodeName(),
                version(),
                since.toString(),
                notReady,
                addresses.map(NodeAddresses::describe).orElse(List.of()),
                fabric.outstanding().isEmpty() && blocks.inSync(),
                bgp.view(),
                fabric.invalid(),
                network.endpointCount()));
  }

  static String version() {
    return Optional.ofNullable(Agent.class.getPackage().getImplementationVersion())
        .orElse("unpackaged");
  }

  private static boolean hasRoutesOfAnEarlierAgent() throws IOException {
    try (NetlinkSocket netlink = NetlinkSocket.open()) {
      for (Family family : Family.values()) {
        List<Route> found =
            netlink.routes().list(RouteFilter.mainTable(family).ofProtocol(RouteSettings.PROTOCOL));
        if (!found.isEmpty()) {
          return true;
        }
      }
      return false;
    }
  }

  private static void awaitFrame(PolicyEngine policy) throws IOException {
    try {
      policy.framed().toCompletableFuture().get(FRAME_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new IOException(
          "the packet filter could not be set up within "
              + FRAME_SECONDS
              + " s: "
              + policy.status().lastError().orElse("no answer from iptables"),
          e);
    } catch (ExecutionException e) {
      throw new IOException(
          "the packet filter could not be set up: " + e.getCause().getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while the packet filter was set up", e);
    }
  }

  private static PolicyConfig policyConfig(AgentConfig configuration) {
    PolicyConfig usual =
        PolicyConfig.of(configuration.nodeName()).withHost(configuration.hostRules());
    return switch (configuration.iptablesBackend()) {
      case auto -> usual;
      case nft -> usual.withBackend(IptablesBackend.NFT);
      case legacy -> usual.withBackend(IptablesBackend.LEGACY);
    };
  }

  private static CniOptions cniOptions(
      AgentConfig configuration, java.util.function.IntSupplier defaultMtu) {
    CniOptions usual =
        CniOptions.of(
            configuration.nodeName(),
            configuration.agentSocket(),
            configuration.stateDir().resolve("spool"),
            defaultMtu);
    return new CniOptions(
        usual.node(),
        usual.socket(),
        usual.spoolDir(),
        usual.defaultMtu(),
        Duration.ofSeconds(configuration.addTimeoutSeconds()),
        usual.delTimeout(),
        usual.settleInterval());
  }
}
