package io.wayleave.agent;

import io.wayleave.bgp.BgpSpeaker;
import io.wayleave.bgp.LearnedRoute;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.PeerStatus;
import io.wayleave.bgp.RouteListener;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.SpeakerStatus;
import io.wayleave.bgp.StartMode;
import io.wayleave.bgp.Timers;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Update;
import io.wayleave.model.status.AgentStatus.BgpStatus;
import io.wayleave.model.status.AgentStatus.Failure;
import io.wayleave.model.status.AgentStatus.Peer;
import io.wayleave.route.Gateway;
import io.wayleave.route.RouteService;
import io.wayleave.route.RouteSource;
import io.wayleave.route.RouteTarget;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent's use of the BGP speaker: the plan of sessions becomes its configuration, announcements
 * become originated routes, and what it learns becomes routes of the kernel.
 *
 * <p>NOT thread safe; owned by the core thread. The speaker itself starts once the dataplane has
 * been adopted and the datastore is in sync, so that the first thing peers hear is complete.
 */
final class BgpControl implements LocalNetwork.Announcer {
  private static final Logger log = LoggerFactory.getLogger(BgpControl.class);

  private final RouteService routes;
  private final Set<Cidr> announced = new HashSet<>();
  private Optional<BgpSpeaker> speaker = Optional.empty();
  private Optional<BgpPlan> plan = Optional.empty();
  private Optional<SpeakerConfig> configured = Optional.empty();

  BgpControl(RouteService routes) {
    this.routes = routes;
  }

  @Override
  public void announce(Cidr address) {
    announced.add(address);
    speaker.ifPresent(running -> running.originate(address));
  }

  @Override
  public void withdraw(Cidr address) {
    announced.remove(address);
    speaker.ifPresent(running -> running.withdraw(address));
  }

  /** Starts the speaker; everything to announce at start has been announced. */
  void start(BgpPlan first, List<IpAddress> own, StartMode mode) {
    SpeakerConfig config = configuration(first, own);
    BgpSpeaker started = BgpSpeaker.start(config, mode, new ToKernel(routes));
    announced.forEach(started::originate);
    started.localRoutesInSync();
    speaker = Optional.of(started);
    plan = Optional.of(first);
    configured = Optional.of(config);
    log.info(
        "bgp speaker started as={} routerId={} peers={} restarted={}",
        first.asNumber(),
        first.routerId(),
        first.peers().size(),
        mode instanceof StartMode.Restarted);
  }

  boolean started() {
    return speaker.isPresent();
  }

  /** Goes over to another plan; a session that is planned as before is not touched. */
  void apply(BgpPlan changed, List<IpAddress> own) {
    if (plan.equals(Optional.of(changed))) {
      return;
    }
    SpeakerConfig config = configuration(changed, own);
    plan = Optional.of(changed);
    if (!configured.equals(Optional.of(config))) {
      speaker.orElseThrow().apply(config);
      configured = Optional.of(config);
      log.info(
          "bgp configuration changed peers={} mesh=\"{}\"", changed.peers().size(), changed.mesh());
    }
  }

  /** Ends the sessions in the way that lets peers keep our routes (RFC 4724). */
  void closeForRestart() {
    speaker.ifPresent(BgpSpeaker::closeForRestart);
    speaker = Optional.empty();
  }

  /**
   * The speaker and its plan, for {@link View#describe} on another thread: it waits for an answer.
   */
  Optional<View> view() {
    return speaker.flatMap(running -> plan.map(current -> new View(running, current)));
  }

  /** What is shown of BGP. */
  record Shown(BgpStatus status, List<Failure> failures) {}

  /** A speaker that runs, and what it was told. */
  record View(BgpSpeaker speaker, BgpPlan plan) {
    /** Blocks for the speaker's answer; never call it on the core thread. */
    Shown describe() {
      SpeakerStatus status = speaker.status();
      Map<String, BgpPlan.Peer> planned =
          plan.peers().stream().collect(Collectors.toMap(BgpPlan.Peer::name, peer -> peer));
      List<Peer> peers =
          status.peers().stream()
              .filter(peer -> planned.containsKey(peer.name()))
              .map(peer -> BgpControl.describe(peer, planned.get(peer.name())))
              .toList();
      List<Failure> failures = new ArrayList<>(plan.failures());
      status.listenErrors().forEach(error -> failures.add(new Failure("bgp listen", error)));
      return new Shown(
          new BgpStatus(
              status.routerId().toString(), status.asNumber().number(), plan.mesh(), peers),
          failures);
    }
  }

  private static Peer describe(PeerStatus peer, BgpPlan.Peer planned) {
    long received = 0;
    long accepted = 0;
    long advertised = 0;
    for (PeerStatus.Prefixes prefixes : peer.prefixes().values()) {
      received += prefixes.received();
      accepted += prefixes.accepted();
      advertised += prefixes.advertised();
    }
    String info =
        peer.established()
            .map(
                up ->
                    "hold "
                        + up.holdTime().toSeconds()
                        + " s, "
                        + up.families().stream()
                            .map(Family::toString)
                            .sorted()
                            .collect(Collectors.joining("+"))
                        + (up.gracefulRestart() ? ", graceful restart" : ""))
            .or(peer::whyDown)
            .orElse("");
    return new Peer(
        peer.name(),
        peer.address().toString(),
        planned.asNumber().number(),
        planned.type().title(),
        peer.state().toString(),
        peer.since().truncatedTo(ChronoUnit.SECONDS).toString(),
        info,
        received,
        accepted,
        advertised);
  }

  private static SpeakerConfig configuration(BgpPlan plan, List<IpAddress> own) {
    Map<Family, IpAddress> ownByFamily = new TreeMap<>();
    own.forEach(address -> ownByFamily.put(address.family(), address));
    List<ListenAddress> listen =
        ownByFamily.values().stream()
            .map(address -> new ListenAddress(address, plan.listenPort()))
            .toList();
    List<PeerConfig> peers =
        plan.peers().stream().map(peer -> configuration(peer, ownByFamily)).toList();
    return SpeakerConfig.of(plan.routerId(), plan.asNumber())
        .with(
            speaker -> {
              speaker.listen(listen).peers(peers);
              ownByFamily.values().forEach(speaker::nextHop);
            });
  }

  private static PeerConfig configuration(BgpPlan.Peer peer, Map<Family, IpAddress> own) {
    // A family is offered when the node has an address of it to be the next hop.
    Set<Family> families = EnumSet.of(peer.address().family());
    families.addAll(own.keySet());
    return PeerConfig.of(peer.name(), peer.address(), peer.asNumber())
        .with(
            session -> {
              session
                  .port(peer.port())
                  .families(families)
                  .restartTime(Duration.ofSeconds(peer.restartSeconds()))
                  .timers(Timers.DEFAULT.withHoldTime(Duration.ofSeconds(peer.holdSeconds())));
              Optional.ofNullable(own.get(peer.address().family()))
                  .ifPresent(session::sourceAddress);
            });
  }

  /** Hands what the speaker learns to the route programmer; called on the speaker's thread. */
  private record ToKernel(RouteService routes) implements RouteListener {
    @Override
    public void changed(LearnedRoute route) {
      List<Gateway> gateways = route.nextHops().stream().map(Gateway::of).toList();
      submit(new Update.Put<>(route.prefix(), new RouteTarget.Learned(gateways, Optional.empty())));
    }

    @Override
    public void removed(Cidr prefix) {
      submit(new Update.Delete<>(prefix));
    }

    @Override
    public void converged() {
      submit(new Update.InSync<>());
      log.info("bgp converged");
    }

    private void submit(Update<Cidr, RouteTarget> update) {
      routes
          .submit(RouteSource.LEARNED, update)
          .exceptionally(
              error -> {
                log.warn("learned route not taken update={}", update, error);
                return Optional.empty();
              });
    }
  }
}
