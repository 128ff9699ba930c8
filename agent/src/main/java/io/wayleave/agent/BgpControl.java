package io.wayleave.agent;

import io.wayleave.bgp.BgpSpeaker;
import io.wayleave.bgp.LearnedRoute;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.NextHopSource;
import io.wayleave.bgp.PeerAddress;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.PeerSecurity;
import io.wayleave.bgp.PeerStatus;
import io.wayleave.bgp.RouteListener;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.SpeakerStatus;
import io.wayleave.bgp.StartMode;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Update;
import io.wayleave.model.status.AgentStatus.BgpStatus;
import io.wayleave.model.status.AgentStatus.Failure;
import io.wayleave.model.status.AgentStatus.Peer;
import io.wayleave.route.Gateway;
import io.wayleave.route.RouteService;
import io.wayleave.route.RouteSource;
import io.wayleave.route.RouteTarget;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
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

  /**
   * One socket on it takes the connections of both families; one on 0.0.0.0 would be in its way.
   */
  private static final List<IpAddress> EVERY_ADDRESS = List.of(IpAddress.parse("::"));

  private final NextHopSource nextHops;
  private final RouteListener learned;
  private final Set<Cidr> announced = new HashSet<>();
  private Optional<BgpSpeaker> speaker = Optional.empty();
  // As it was asked for, and with whose addresses; to be gone over to again for other passwords.
  private Optional<Planned> planned = Optional.empty();
  // With what could not be done of it.
  private Optional<BgpPlan> plan = Optional.empty();
  private Optional<SpeakerConfig> configured = Optional.empty();
  // As last read well; a file that is just being written ends no session.
  private final Map<Secret, String> passwords = new HashMap<>();
  // What was last logged of the files that cannot be read.
  private final Map<Secret, String> unread = new HashMap<>();

  BgpControl(RouteService routes) {
    this(new KernelNextHops(routes), toKernel(routes));
  }

  /**
   * For tests that have no kernel routes.
   *
   * @param nextHops how far next hops are
   * @param learned told what to write to the kernel
   */
  BgpControl(NextHopSource nextHops, RouteListener learned) {
    this.nextHops = nextHops;
    this.learned = learned;
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
    planned = Optional.of(new Planned(first, own));
    List<Failure> failures = new ArrayList<>();
    SpeakerConfig config = configuration(first, own, failures);
    BgpSpeaker started = BgpSpeaker.start(config, mode, nextHops, learned);
    announced.forEach(started::originate);
    started.localRoutesInSync();
    speaker = Optional.of(started);
    plan = Optional.of(first.withFailures(failures));
    configured = Optional.of(config);
    log.info(
        "bgp speaker started as={} routerId={} peers={} restarted={}",
        first.asNumber(),
        first.routerId(),
        first.peers().size(),
        mode instanceof StartMode.Restarted);
  }

  /** Hands what a speaker learns to the route service. */
  static RouteListener toKernel(RouteService routes) {
    return new ToKernel(routes);
  }

  boolean started() {
    return speaker.isPresent();
  }

  /** Goes over to another plan; a session that is planned as before is not touched. */
  void apply(BgpPlan changed, List<IpAddress> own) {
    planned = Optional.of(new Planned(changed, own));
    List<Failure> failures = new ArrayList<>();
    SpeakerConfig config = configuration(changed, own, failures);
    plan = Optional.of(changed.withFailures(failures));
    if (!configured.equals(Optional.of(config))) {
      speaker.orElseThrow().apply(config);
      configured = Optional.of(config);
      log.info(
          "bgp configuration changed peers={} mesh=\"{}\"", changed.peers().size(), changed.mesh());
    }
  }

  /** Reads the password files again; the sessions whose password changed begin anew. */
  void readPasswords() {
    if (speaker.isEmpty() || planned.isEmpty()) {
      return;
    }
    Planned asked = planned.get();
    if (asked.plan().peers().stream().anyMatch(peer -> peer.passwordFile().isPresent())) {
      apply(asked.plan(), asked.own());
    }
  }

  private record Planned(BgpPlan plan, List<IpAddress> own) {}

  /** Whose password is in which file. */
  private record Secret(String peer, Path file) {
    /** Absent for a peer that has none. */
    static Optional<Secret> of(BgpPlan.Peer peer) {
      return peer.passwordFile().map(file -> new Secret(peer.name(), Path.of(file)));
    }
  }

  /** What the speaker was told last. */
  Optional<SpeakerConfig> configured() {
    return configured;
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
        peer.address().map(IpAddress::toString).orElseGet(() -> peer.where().toString()),
        peer.asNumber().map(Asn::number).orElse(0L),
        planned.type().title(),
        peer.state().toString(),
        peer.since().truncatedTo(ChronoUnit.SECONDS).toString(),
        info,
        received,
        accepted,
        advertised);
  }

  private SpeakerConfig configuration(BgpPlan plan, List<IpAddress> own, List<Failure> failures) {
    boolean byInterface =
        plan.peers().stream()
            .anyMatch(peer -> peer.session().where() instanceof PeerAddress.OnInterface);
    // A neighbour on a link connects to a link-local address, which is not known beforehand.
    List<ListenAddress> listen =
        (byInterface ? EVERY_ADDRESS : own)
            .stream().map(address -> new ListenAddress(address, plan.listenPort())).toList();
    List<PeerConfig> peers = new ArrayList<>();
    Set<Secret> secrets = new HashSet<>();
    for (BgpPlan.Peer peer : plan.peers()) {
      Optional<Secret> secret = Secret.of(peer);
      secret.ifPresent(secrets::add);
      if (secret.isEmpty()) {
        peers.add(peer.session());
      } else {
        // Without its password the session would be open to strangers, so there is none.
        withPassword(peer.session(), secret.get(), failures).ifPresent(peers::add);
      }
    }
    passwords.keySet().retainAll(secrets);
    unread.keySet().retainAll(secrets);
    return SpeakerConfig.of(plan.routerId(), plan.asNumber())
        .with(
            speaker -> {
              speaker.listen(listen).peers(peers);
              plan.clusterId().ifPresent(speaker::clusterId);
              own.forEach(speaker::nextHop);
            });
  }

  /**
   * With the password in the file, or, while that cannot be read, with the last one that could.
   *
   * @return empty where there never was a password
   */
  private Optional<PeerConfig> withPassword(
      PeerConfig session, Secret secret, List<Failure> failures) {
    try {
      String password = read(secret.file());
      PeerConfig signed = withPassword(session, password);
      passwords.put(secret, password);
      unread.remove(secret);
      return Optional.of(signed);
    } catch (IOException | InvalidInputException e) {
      Optional<String> last = Optional.ofNullable(passwords.get(secret));
      String text =
          "password: "
              + e.getMessage()
              + (last.isPresent() ? "; the one read before it stays in use" : "");
      failures.add(new Failure("peer " + secret.peer(), text));
      if (!text.equals(unread.put(secret, text))) {
        log.warn("bgp password not read peer={} reason=\"{}\"", secret.peer(), text);
      }
      return last.map(password -> withPassword(session, password));
    }
  }

  private static PeerConfig withPassword(PeerConfig session, String password) {
    return session.with(
        signed ->
            signed.security(new PeerSecurity(Optional.of(password), session.security().ttlHops())));
  }

  /** Reads one small file of this host, each time a plan is gone over to and every few seconds. */
  private static String read(Path file) throws IOException {
    try (BufferedReader reader = Files.newBufferedReader(file)) {
      return Optional.ofNullable(reader.readLine()).orElse("");
    } catch (NoSuchFileException e) {
      throw new IOException(file + " does not exist", e);
    }
  }

  /** Hands what the speaker learns to the route programmer; called on the speaker's thread. */
  private record ToKernel(RouteService routes) implements RouteListener {
    @Override
    public void changed(LearnedRoute route) {
      List<Gateway> gateways =
          route.nextHops().stream()
              .map(hop -> new Gateway(hop.address(), hop.interfaceName()))
              .toList();
      OptionalLong metric =
          route.priority().isPresent()
              ? OptionalLong.of(route.priority().getAsInt())
              : OptionalLong.empty();
      submit(
          new Update.Put<>(
              route.prefix(), new RouteTarget.Learned(gateways, Optional.empty(), metric)));
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
