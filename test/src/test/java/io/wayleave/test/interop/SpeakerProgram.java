package io.wayleave.test.interop;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.wayleave.bgp.AddPath;
import io.wayleave.bgp.BfdSettings;
import io.wayleave.bgp.BgpSpeaker;
import io.wayleave.bgp.GracefulRestart;
import io.wayleave.bgp.LearnedRoute;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.MaxPrefixes;
import io.wayleave.bgp.Origination;
import io.wayleave.bgp.PeerAddress;
import io.wayleave.bgp.PeerAs;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.PeerSecurity;
import io.wayleave.bgp.PeerStatus;
import io.wayleave.bgp.RouteListener;
import io.wayleave.bgp.RouteQuery;
import io.wayleave.bgp.RouteStatus;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.StartMode;
import io.wayleave.bgp.Timers;
import io.wayleave.bgp.fsm.Phase;
import io.wayleave.bgp.wire.Community;
import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.RouterId;
import io.wayleave.test.interop.Setup.Option;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Our speaker as a process of its own, in a network namespace: configured by a {@link Setup}, asked
 * by lines on its input, each answered by one line of JSON. It has no more of the speaker than what
 * {@link BgpSpeaker} offers to the programs that we ship.
 */
final class SpeakerProgram {
  private static final String PEER = "peer";

  private final BgpSpeaker speaker;
  private final Kept kept = new Kept();

  private SpeakerProgram(Setup setup) {
    speaker =
        BgpSpeaker.start(
            configuration(setup),
            setup.has(Option.RESTARTED)
                ? new StartMode.Restarted(EnumSet.allOf(Family.class))
                : new StartMode.Fresh(),
            kept);
    for (Route route : setup.announced()) {
      List<Community> communities = route.communities().stream().map(Community::parse).toList();
      OptionalLong med =
          route.med().isPresent() ? OptionalLong.of(route.med().get()) : OptionalLong.empty();
      speaker.originate(Cidr.parse(route.prefix()), new Origination(communities, med));
    }
    speaker.localRoutesInSync();
  }

  public static void main(String[] arguments) throws IOException {
    Setup setup =
        ResourceCodec.jsonMapper().readValue(Files.readString(Path.of(arguments[0])), Setup.class);
    SpeakerProgram program = new SpeakerProgram(setup);
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(program.answer(line));
    }
    program.speaker.close();
  }

  private String answer(String line) throws JsonProcessingException {
    int blank = line.indexOf(' ');
    String command = blank < 0 ? line : line.substring(0, blank);
    String argument = blank < 0 ? "" : line.substring(blank + 1);
    Object answer = "";
    switch (command) {
      case "session" -> answer = session();
      case "received" -> answer = received(argument.isEmpty() ? PEER : argument);
      case "sent" -> answer = sent(argument.isEmpty() ? PEER : argument);
      case "updates" -> answer = peer(PEER).counters().updatesReceived();
      case "established" -> answer = peer(PEER).counters().established();
      case "stale" -> answer = peer(PEER).staleFamilies();
      case "changes" -> answer = kept.changes();
      case "refresh" -> speaker.refresh(PEER);
      case "shutdown" -> speaker.shutdown(argument);
      case "leave" -> speaker.closeForRestart();
      case "status" -> answer = speaker.status().toString();
      default -> throw new IllegalArgumentException("no command " + line);
    }
    return ResourceCodec.jsonMapper().writeValueAsString(answer);
  }

  static SpeakerConfig configuration(Setup setup) {
    SpeakerConfig config =
        SpeakerConfig.of(RouterId.parse(setup.routerId()), Asn.of(setup.asn()))
            .withListen(
                new ListenAddress(
                    IpAddress.parse(setup.has(Option.UNNUMBERED) ? "::" : setup.address()), 179));
    if (setup.has(Option.GRACEFUL_RESTART)) {
      config =
          config.withGracefulRestart(
              GracefulRestart.DEFAULT.withRestartTime(
                  Duration.ofSeconds(
                      Long.parseLong(setup.value(Option.GRACEFUL_RESTART).orElseThrow()))));
    }
    List<PeerConfig> peers = new ArrayList<>();
    for (Setup.Neighbor neighbor : setup.neighbors()) {
      peers.add(peer(setup, neighbor));
    }
    return config.withPeers(peers);
  }

  private static PeerConfig peer(Setup setup, Setup.Neighbor neighbor) {
    PeerAddress where =
        setup.has(Option.UNNUMBERED)
            ? new PeerAddress.OnInterface(Link.INTERFACE)
            : new PeerAddress.Host(IpAddress.parse(neighbor.address()));
    PeerConfig peer =
        PeerConfig.of(
                neighbor.main() ? PEER : "more-" + neighbor.address(),
                where,
                new PeerAs.Exact(Asn.of(neighbor.asn())))
            .withTransit(setup.has(Option.MORE_PEERS))
            .withTimers(
                Timers.DEFAULT
                    .withHoldTime(Duration.ofSeconds(Setup.HOLD_SECONDS))
                    .withConnectRetry(Duration.ofSeconds(1))
                    .withIdleHold(Duration.ofMillis(500), Duration.ofSeconds(1)));
    return peer.with(
        changed -> {
          changed.extendedMessages(setup.has(Option.EXTENDED_MESSAGES));
          if (!setup.has(Option.UNNUMBERED)) {
            changed.sourceAddress(IpAddress.parse(setup.address()));
          }
          changed.security(
              new PeerSecurity(
                  neighbor.main() ? setup.value(Option.MD5) : Optional.empty(),
                  neighbor.main() && setup.has(Option.GTSM)
                      ? OptionalInt.of(1)
                      : OptionalInt.empty()));
          if (setup.has(Option.ADD_PATH)) {
            changed.addPath(new AddPath(true, AddPath.ALL));
          }
          if (setup.has(Option.BFD) && neighbor.main()) {
            changed.bfd(
                Optional.of(new BfdSettings(Duration.ofMillis(100), Duration.ofMillis(100), 3)));
          }
          changed.policy(
              peer.policy()
                  .with(
                      policy -> {
                        policy.reflectorClient(setup.has(Option.REFLECTOR));
                        setup
                            .value(Option.MAX_PREFIXES)
                            .ifPresent(
                                limit -> {
                                  for (Family family : Family.values()) {
                                    policy.maxPrefixes(
                                        family,
                                        new MaxPrefixes(
                                            Integer.parseInt(limit),
                                            MaxPrefixes.DEFAULT_WARN_PERCENT,
                                            new MaxPrefixes.Shutdown(Optional.empty())));
                                  }
                                });
                      }));
        });
  }

  private PeerStatus peer(String name) {
    return speaker.status().peers().stream()
        .filter(peer -> peer.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private SessionFacts session() {
    PeerStatus peer = peer(PEER);
    Set<String> reasons = new TreeSet<>();
    peer.whyDown().ifPresent(reasons::add);
    peer.lastError().ifPresent(event -> reasons.add(event.text()));
    peer.lastNotificationReceived().ifPresent(event -> reasons.add("received " + event.text()));
    peer.lastNotificationSent().ifPresent(event -> reasons.add("sent " + event.text()));
    Set<Capability> heard = EnumSet.noneOf(Capability.class);
    peer.established().ifPresent(up -> up.peerCapabilities().forEach(text -> add(heard, text)));
    return new SessionFacts(
        peer.state() == Phase.ESTABLISHED,
        peer.asNumber().map(Asn::number).orElse(0L),
        Set.of(),
        heard,
        new TreeSet<>(reasons));
  }

  private static void add(Set<Capability> into, String text) {
    String name = text.substring(0, text.indexOf('['));
    switch (name) {
      case "MultiProtocol" -> into.add(text.contains("ipv6") ? Capability.IPV6 : Capability.IPV4);
      case "RouteRefresh" -> into.add(Capability.ROUTE_REFRESH);
      case "EnhancedRouteRefresh" -> into.add(Capability.ENHANCED_REFRESH);
      case "FourOctetAs" -> into.add(Capability.FOUR_OCTET_AS);
      case "GracefulRestart" -> into.add(Capability.GRACEFUL_RESTART);
      case "AddPath" -> into.add(Capability.ADD_PATH);
      case "ExtendedMessage" -> into.add(Capability.EXTENDED_MESSAGE);
      case "ExtendedNextHop" -> into.add(Capability.EXTENDED_NEXT_HOP);
      default -> {}
    }
  }

  private Set<Route> received(String name) {
    Set<Route> routes = new TreeSet<>();
    for (RouteStatus status : read(new RouteQuery.Received(name))) {
      for (RouteStatus.PathStatus path : status.paths()) {
        routes.add(route(status.prefix(), path.nextHop(), path.attributes()));
      }
    }
    return routes;
  }

  private Set<Route> sent(String name) {
    return read(new RouteQuery.Advertised(name)).stream()
        .map(
            told -> {
              RouteStatus.PathStatus path = told.paths().getFirst();
              return route(told.prefix(), path.nextHop(), path.attributes());
            })
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private List<RouteStatus> read(RouteQuery.View view) {
    List<RouteStatus> routes = new ArrayList<>();
    Optional<RouteQuery.Cursor> from = Optional.of(RouteQuery.Cursor.START);
    while (from.isPresent()) {
      RouteQuery.Slice slice =
          speaker.routes(new RouteQuery(view, Optional.empty()), from.get(), 1000);
      routes.addAll(slice.routes());
      from = slice.next();
    }
    return routes;
  }

  private static Route route(Cidr prefix, Optional<NextHop> nextHop, PathAttributes attributes) {
    Route route =
        Route.to(prefix.toString())
            .nextHop(nextHop.map(hop -> hop.gateway().toString()).orElse(""))
            .asPath(attributes.asPath().toString())
            .origin(attributes.origin().toString().toLowerCase(Locale.ROOT))
            .med(attributes.med().orElse(0))
            .localPref(
                attributes.localPref().isPresent()
                    ? Optional.of(attributes.localPref().getAsLong())
                    : Optional.empty());
    for (var community : attributes.communities()) {
      route = route.community(community.toString());
    }
    for (var community : attributes.extendedCommunities()) {
      route = route.extended(community.toString());
    }
    for (var community : attributes.largeCommunities()) {
      route = route.large(community.toString());
    }
    return route.reflected(
        attributes.originatorId().map(Object::toString).orElse(""),
        attributes.clusterList().stream().map(Object::toString).collect(Collectors.joining(" ")));
  }

  /** Every change to the learned routes that an owner would be told, in order. */
  private static final class Kept implements RouteListener {
    private final List<String> changes = new ArrayList<>();

    synchronized List<String> changes() {
      return List.copyOf(changes);
    }

    @Override
    public synchronized void changed(LearnedRoute route) {
      changes.add("+" + route.prefix());
    }

    @Override
    public synchronized void removed(Cidr prefix) {
      changes.add("-" + prefix);
    }

    @Override
    public synchronized void converged() {
      changes.add("converged");
    }
  }
}
