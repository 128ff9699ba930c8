package io.wayleave.agent;

import io.wayleave.bgp.AddPath;
import io.wayleave.bgp.BfdSettings;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.LocalAs;
import io.wayleave.bgp.MaxPrefixes;
import io.wayleave.bgp.NextHopMode;
import io.wayleave.bgp.PeerAddress;
import io.wayleave.bgp.PeerAs;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.PeerPolicy;
import io.wayleave.bgp.PeerSecurity;
import io.wayleave.bgp.Timers;
import io.wayleave.bgp.filter.FilterPolicy;
import io.wayleave.bgp.filter.RejectAll;
import io.wayleave.model.Asn;
import io.wayleave.model.BgpConfiguration;
import io.wayleave.model.BgpFilter;
import io.wayleave.model.BgpPeer;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Node;
import io.wayleave.model.RouterId;
import io.wayleave.model.status.AgentStatus.Failure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Whom this node speaks BGP with, derived from the resources alone: the same resources give the
 * same plan, whatever order they came in.
 *
 * <p>Two nodes have one session, whatever asks for it: the mesh or a {@code peerSelector}. Its name
 * and its OPEN are the same for both, so that going over from the mesh to route reflectors leaves
 * the sessions that stay untouched.
 *
 * @param asNumber this node's AS
 * @param routerId this node's BGP identifier
 * @param clusterId present when this node is a route reflector
 * @param listenPort TCP port to listen on
 * @param mesh whether every node peers with every other, and why, for people to read
 * @param peers sorted by name
 * @param failures peers that cannot be had, and why
 */
record BgpPlan(
    Asn asNumber,
    RouterId routerId,
    Optional<RouterId> clusterId,
    int listenPort,
    String mesh,
    List<Peer> peers,
    List<Failure> failures) {

  /** No resource's name has a colon, so no BGPPeer can be taken for a node. */
  static final String NODE_PREFIX = "node:";

  static final int DEFAULT_KEEPALIVE_SECONDS = 30;
  static final int DEFAULT_RESTART_SECONDS = 120;

  /** Where a peer comes from, as {@code netctl node status} names it. */
  enum PeerType {
    MESH("node-to-node mesh"),
    GLOBAL("global"),
    NODE_SPECIFIC("node specific"),
    SELECTED_NODE("selected node");

    private final String title;

    PeerType(String title) {
      this.title = title;
    }

    String title() {
      return title;
    }
  }

  /** How far this node has been taken out of service. */
  enum Drain {
    /** In service. */
    NONE,
    /** Peers are told that our routes are about to go (RFC 8326), and still send traffic. */
    ANNOUNCED,
    /** Every session is administratively down. */
    DONE
  }

  /**
   * This node.
   *
   * @param node as its resource says
   * @param routerId the identifier where the resource names none
   * @param addresses the node's own, at most one of each family
   */
  record Self(Node node, RouterId routerId, List<IpAddress> addresses, Drain drain) {
    Optional<IpAddress> address(Family family) {
      return addresses.stream().filter(own -> own.family() == family).findFirst();
    }

    boolean has(IpAddress address) {
      Optional<Node.Bgp> bgp = node.spec().bgp();
      return addresses.contains(address)
          || bgp.flatMap(Node.Bgp::ipv4).equals(Optional.of(address))
          || bgp.flatMap(Node.Bgp::ipv6).equals(Optional.of(address));
    }
  }

  /**
   * One session.
   *
   * @param session named by the BGPPeer, or {@code node:<name>}
   * @param passwordFile holds the password that {@code session} is still without
   */
  record Peer(PeerType type, PeerConfig session, Optional<String> passwordFile) {
    String name() {
      return session.name();
    }
  }

  /**
   * Makes the plan of one node.
   *
   * @param nodes every node, this one included or not
   * @param bgpPeers every BGPPeer of the fabric
   * @param filters every BGPFilter of the fabric
   * @param configuration the fabric's settings
   */
  static BgpPlan of(
      Self self,
      Collection<Node> nodes,
      Collection<BgpPeer> bgpPeers,
      Collection<BgpFilter> filters,
      BgpConfiguration configuration) {
    return new Planner(self, filters, configuration).plan(nodes, bgpPeers);
  }

  /** This with more peers that cannot be had. */
  BgpPlan withFailures(List<Failure> more) {
    List<Failure> all = new ArrayList<>(failures);
    all.addAll(more);
    return new BgpPlan(asNumber, routerId, clusterId, listenPort, mesh, peers, List.copyOf(all));
  }

  /** What is known while a plan is made. */
  private static final class Planner {
    private final Self self;
    private final Asn fabricAsn;
    private final Asn ownAsn;
    private final int listenPort;
    private final BgpConfiguration configuration;
    private final Map<String, BgpFilter.Spec> filters;
    private final List<Failure> failures = new ArrayList<>();
    private final Map<PeerAddress, Peer> peers = new HashMap<>();

    Planner(Self self, Collection<BgpFilter> filters, BgpConfiguration configuration) {
      this.self = self;
      this.filters = filters.stream().collect(Collectors.toMap(BgpFilter::name, BgpFilter::spec));
      this.configuration = configuration;
      fabricAsn = configuration.spec().asNumber().orElse(BgpConfiguration.DEFAULT_ASN);
      ownAsn = self.node().spec().bgp().flatMap(Node.Bgp::asNumber).orElse(fabricAsn);
      listenPort = configuration.spec().listenPort().orElse(ListenAddress.BGP_PORT);
    }

    BgpPlan plan(Collection<Node> nodes, Collection<BgpPeer> bgpPeers) {
      List<Node> others =
          nodes.stream()
              .filter(node -> !node.name().equals(self.node().name()))
              .sorted(Comparator.comparing(Node::name))
              .toList();
      // Of several peers with one address the first by name is taken, on every node alike.
      List<BgpPeer> sorted = bgpPeers.stream().sorted(Comparator.comparing(BgpPeer::name)).toList();
      for (BgpPeer peer : sorted) {
        if (peer.spec().peerSelector().isPresent()) {
          selectedNodes(peer, others);
        } else if (appliesTo(peer, self.node())) {
          add(configured(peer));
        }
      }
      if (configuration.spec().nodeToNodeMeshEnabled().orElse(bgpPeers.isEmpty())) {
        others.forEach(node -> addNode(node, PeerType.MESH, Optional.empty()));
      }
      Optional<Node.Bgp> bgp = self.node().spec().bgp();
      return new BgpPlan(
          ownAsn,
          bgp.flatMap(Node.Bgp::routerID).orElse(self.routerId()),
          bgp.flatMap(Node.Bgp::routeReflectorClusterID),
          listenPort,
          meshText(configuration, bgpPeers.size()),
          peers.values().stream().sorted(Comparator.comparing(Peer::name)).toList(),
          List.copyOf(failures));
    }

    /** A session is wanted by both its ends, so that one resource makes it on both nodes. */
    private void selectedNodes(BgpPeer peer, List<Node> others) {
      for (Node other : others) {
        boolean wanted =
            (appliesTo(peer, self.node()) && peer.selectsAsPeer(other.metadata().labels()))
                || (appliesTo(peer, other) && peer.selectsAsPeer(self.node().metadata().labels()));
        if (wanted) {
          addNode(other, PeerType.SELECTED_NODE, Optional.of(peer));
        }
      }
    }

    private static boolean appliesTo(BgpPeer peer, Node node) {
      return peer.appliesTo(node.name(), node.metadata().labels());
    }

    private void addNode(Node node, PeerType type, Optional<BgpPeer> by) {
      Optional<IpAddress> address = commonFamilyAddress(self.node(), node);
      if (address.isEmpty()) {
        failures.add(
            new Failure(
                "peer " + NODE_PREFIX + node.name(),
                "the two nodes have no address of the same family"));
        return;
      }
      Asn asn = node.spec().bgp().flatMap(Node.Bgp::asNumber).orElse(fabricAsn);
      PeerConfig session =
          session(
              PeerConfig.of(NODE_PREFIX + node.name(), address.get(), asn).withPort(listenPort),
              by);
      // A reflector serves the nodes that are none (RFC 4456 section 5).
      boolean client =
          node.spec().bgp().flatMap(Node.Bgp::routeReflectorClusterID).isEmpty()
              && isReflectorFor(asn);
      add(
          new Peer(
              type,
              session.withPolicy(rules -> rules.reflectorClient(client)),
              by.flatMap(peer -> peer.spec().password()).map(BgpPeer.Password::file)));
    }

    private Peer configured(BgpPeer peer) {
      BgpPeer.Spec spec = peer.spec();
      PeerAddress where =
          spec.address()
              .<PeerAddress>map(PeerAddress.Host::new)
              .orElseGet(() -> new PeerAddress.OnInterface(spec.interfaceName().orElseThrow()));
      PeerAs as = spec.asNumber().<PeerAs>map(PeerAs.Exact::new).orElseGet(PeerAs.External::new);
      boolean client = spec.asNumber().map(this::isReflectorFor).orElse(false);
      PeerConfig session =
          session(PeerConfig.of(peer.name(), where, as).withPort(spec.port()), Optional.of(peer));
      return new Peer(
          spec.node().isPresent() || spec.nodeSelector().isPresent()
              ? PeerType.NODE_SPECIFIC
              : PeerType.GLOBAL,
          session.withPolicy(rules -> rules.reflectorClient(client)),
          spec.password().map(BgpPeer.Password::file));
    }

    private boolean isReflectorFor(Asn peer) {
      return peer.equals(ownAsn)
          && self.node().spec().bgp().flatMap(Node.Bgp::routeReflectorClusterID).isPresent();
    }

    /** The settings of a BGPPeer, or the defaults. */
    private PeerConfig session(PeerConfig plain, Optional<BgpPeer> by) {
      Optional<BgpPeer.Spec> spec = by.map(BgpPeer::spec);
      int keepalive = spec.flatMap(BgpPeer.Spec::keepaliveTime).orElse(DEFAULT_KEEPALIVE_SECONDS);
      int restart = spec.flatMap(BgpPeer.Spec::maxRestartTime).orElse(DEFAULT_RESTART_SECONDS);
      boolean ownSource =
          spec.flatMap(BgpPeer.Spec::sourceAddress)
              .map(BgpPeer.SourceAddress.UseNodeIP::equals)
              .orElse(true);
      OptionalInt ttlHops =
          spec.flatMap(BgpPeer.Spec::ttlSecurity).map(OptionalInt::of).orElse(OptionalInt.empty());
      return plain.with(
          peer -> {
            peer.families(families(plain))
                .restartTime(Duration.ofSeconds(restart))
                .gracefulRestart(spec.flatMap(BgpPeer.Spec::gracefulRestart).orElse(true))
                .passive(spec.flatMap(BgpPeer.Spec::passive).orElse(false))
                .addPath(
                    spec.flatMap(BgpPeer.Spec::addPath).map(Planner::addPath).orElse(AddPath.OFF))
                .timers(Timers.DEFAULT.withHoldTime(Duration.ofSeconds(3L * keepalive)))
                .security(new PeerSecurity(Optional.empty(), ttlHops))
                .bfd(spec.flatMap(BgpPeer.Spec::bfd).map(Planner::bfd))
                .shutdown(
                    self.drain() == Drain.DONE
                        ? Optional.of("node " + self.node().name() + " is drained")
                        : Optional.empty())
                .policy(policy(by));
            spec.flatMap(BgpPeer.Spec::localASNumber)
                .ifPresent(as -> peer.localAs(new LocalAs(as, true)));
            plain
                .host()
                .filter(_ -> ownSource)
                .flatMap(address -> self.address(address.family()))
                .ifPresent(peer::sourceAddress);
          });
    }

    /** A family is offered when the node has an address of it to be the next hop. */
    private Set<Family> families(PeerConfig plain) {
      EnumSet<Family> families = EnumSet.copyOf(plain.families());
      self.addresses().forEach(own -> families.add(own.family()));
      return families;
    }

    private PeerPolicy policy(Optional<BgpPeer> by) {
      Optional<BgpPeer.Spec> spec = by.map(BgpPeer::spec);
      NextHopMode nextHop =
          switch (spec.flatMap(BgpPeer.Spec::nextHopMode).orElse(BgpPeer.NextHop.Auto)) {
            case Auto -> NextHopMode.STANDARD;
            case Self -> NextHopMode.SELF;
            case Keep -> NextHopMode.KEEP;
          };
      return PeerPolicy.DEFAULT.with(
          rules -> {
            rules
                .nextHop(nextHop)
                .gracefulShutdown(self.drain() != Drain.NONE)
                .requirePolicy(spec.flatMap(BgpPeer.Spec::requirePolicy).orElse(false))
                .allowOwnAs(spec.flatMap(BgpPeer.Spec::numAllowedLocalASNumbers).orElse(0));
            by.ifPresent(peer -> filter(peer, rules));
            spec.flatMap(BgpPeer.Spec::maxPrefixes)
                .ifPresent(
                    limit -> {
                      for (Family family : Family.values()) {
                        rules.maxPrefixes(family, maxPrefixes(limit));
                      }
                    });
          });
    }

    /**
     * Without one of its filters a peer would be told, and believed, too much: then no route passes
     * in either direction. The session stays, so that mending the filter mends the routes.
     */
    private void filter(BgpPeer peer, PeerPolicy.Builder rules) {
      List<FilterPolicy.Named> named = new ArrayList<>();
      for (String name : peer.spec().filters()) {
        Optional.ofNullable(filters.get(name))
            .ifPresentOrElse(
                spec -> named.add(new FilterPolicy.Named(name, spec)),
                () -> refuseAll(peer, rules, "filter \"" + name + "\", which does not exist"));
      }
      if (named.size() < peer.spec().filters().size()) {
        return;
      }
      try {
        FilterPolicy.ofImport(named, peer.spec().interfaceName()).ifPresent(rules::importPolicy);
        FilterPolicy.ofExport(named).ifPresent(rules::exportPolicy);
      } catch (InvalidInputException e) {
        refuseAll(peer, rules, e.getMessage());
      }
    }

    private void refuseAll(BgpPeer peer, PeerPolicy.Builder rules, String reason) {
      Failure failure = new Failure("peer " + peer.name(), reason);
      // One BGPPeer may be the sessions with many nodes.
      if (!failures.contains(failure)) {
        failures.add(failure);
      }
      rules.importPolicy(new RejectAll(reason)).exportPolicy(new RejectAll(reason));
    }

    private static AddPath addPath(BgpPeer.AddPath paths) {
      return new AddPath(paths.receive().orElse(false), paths.send().orElse(AddPath.OFF.send()));
    }

    private static BfdSettings bfd(BgpPeer.Bfd bfd) {
      return new BfdSettings(
          bfd.transmitMilliseconds().map(Duration::ofMillis).orElse(BfdSettings.DEFAULT.transmit()),
          bfd.receiveMilliseconds().map(Duration::ofMillis).orElse(BfdSettings.DEFAULT.receive()),
          bfd.multiplier().orElse(BfdSettings.DEFAULT.multiplier()));
    }

    private static MaxPrefixes maxPrefixes(BgpPeer.MaxPrefixes limit) {
      return new MaxPrefixes(
          limit.limit(),
          limit.warnAtPercent().orElse(MaxPrefixes.DEFAULT_WARN_PERCENT),
          new MaxPrefixes.Shutdown(limit.restartSeconds().map(Duration::ofSeconds)));
    }

    private void add(Peer peer) {
      Optional<IpAddress> address = peer.session().host();
      if (address.filter(self::has).isPresent()) {
        if (peer.type() != PeerType.MESH) {
          failures.add(
              new Failure("peer " + peer.name(), address.get() + " is this node's own address"));
        }
        return;
      }
      PeerAddress where = peer.session().where();
      Peer other = peers.putIfAbsent(where, peer);
      // The session of two nodes may be asked for more than once.
      if (other != null && !other.name().equals(peer.name())) {
        failures.add(
            new Failure(
                "peer " + peer.name(),
                where + " is also the address of peer " + other.name() + ", which is used"));
      }
    }
  }

  private static Optional<IpAddress> commonFamilyAddress(Node self, Node other) {
    Optional<Node.Bgp> mine = self.spec().bgp();
    Optional<Node.Bgp> theirs = other.spec().bgp();
    if (mine.flatMap(Node.Bgp::ipv4).isPresent() && theirs.flatMap(Node.Bgp::ipv4).isPresent()) {
      return theirs.flatMap(Node.Bgp::ipv4);
    }
    if (mine.flatMap(Node.Bgp::ipv6).isPresent()) {
      return theirs.flatMap(Node.Bgp::ipv6);
    }
    return Optional.empty();
  }

  private static String meshText(BgpConfiguration configuration, int peers) {
    Optional<Boolean> wanted = configuration.spec().nodeToNodeMeshEnabled();
    if (wanted.isPresent()) {
      return (wanted.get() ? "on" : "off") + ": nodeToNodeMeshEnabled is " + wanted.get();
    }
    return peers == 0
        ? "on: there is no BGPPeer"
        : "off: there " + (peers == 1 ? "is 1 BGPPeer" : "are " + peers + " BGPPeers");
  }
}
