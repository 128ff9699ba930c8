package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.PeerStatus;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.fsm.Negotiated;
import io.wayleave.bgp.rib.Export;
import io.wayleave.bgp.rib.Import;
import io.wayleave.bgp.rib.LocRib;
import io.wayleave.bgp.rib.Member;
import io.wayleave.bgp.rib.OwnNextHop;
import io.wayleave.bgp.rib.Path;
import io.wayleave.bgp.rib.PathSource;
import io.wayleave.bgp.rib.PeerPaths;
import io.wayleave.bgp.rib.UpdateGroups;
import io.wayleave.bgp.wire.AddressFamily;
import io.wayleave.bgp.wire.BgpMessage;
import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.PrefixList;
import io.wayleave.bgp.wire.WeakInterner;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.time.Duration;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A session while it is Established: what was agreed, where the peer's routes go to, and the
 * membership in an update group that tells it ours. Nothing of it outlives the session. Owned by
 * the {@link Loop} thread.
 */
final class Session implements Member.Sink {
  private final Machine machine;
  private final Negotiated negotiated;
  private final PathSource.Peer source;
  // Of routes that come in now.
  private final Map<Family, PathSource.Peer> sources = new EnumMap<>(Family.class);
  private final Set<Family> saidEndOfRib = EnumSet.noneOf(Family.class);
  private final UpdateGroups groups;
  private final Member member;
  // Prefixes that come with the same attributes share a path, whatever message they come in.
  private final WeakInterner<Path> paths = new WeakInterner<>();

  /** The peer is told everything from the next turn on. */
  Session(
      Machine machine,
      Negotiated negotiated,
      PathSource.Peer source,
      UpdateGroups groups,
      PeerConfig peer,
      SpeakerConfig speaker) {
    this.machine = requireNonNull(machine, "machine is null");
    this.negotiated = requireNonNull(negotiated, "negotiated is null");
    this.source = requireNonNull(source, "source is null");
    this.groups = requireNonNull(groups, "groups is null");
    for (Family family : Family.values()) {
      sources.put(family, source);
    }
    Map<Family, NextHop> ownNextHops = ownNextHops(speaker);
    member =
        groups.join(
            source.peer(),
            this,
            exportOf(peer, speaker, ownNextHops),
            negotiated.codec(),
            negotiated.families(),
            ownNextHops);
  }

  Negotiated negotiated() {
    return negotiated;
  }

  PathSource.Peer source() {
    return source;
  }

  /** The peer has sent all of the family for the first time. */
  void endOfRib(Family family) {
    saidEndOfRib.add(family);
  }

  /**
   * Whether the peer may mark a refresh of the family now. RFC 7313 section 4: one that knows
   * graceful restart not before its End-of-RIB.
   */
  boolean mayRefresh(Family family) {
    return negotiated.codec().enhancedRouteRefresh()
        && (negotiated.peerGracefulRestart().isEmpty() || saidEndOfRib.contains(family));
  }

  /** Routes of the family that come from now on are told apart from those before. */
  void newGeneration(Family family, int generation) {
    sources.put(family, source.withGeneration(generation));
  }

  /** The session is over. */
  void end() {
    groups.leave(member);
  }

  /** The rules of export may be others: each route is looked at again, and what differs is sent. */
  void exportAgain(PeerConfig peer, SpeakerConfig speaker) {
    Map<Family, NextHop> ownNextHops = ownNextHops(speaker);
    groups.change(member, exportOf(peer, speaker, ownNextHops), ownNextHops);
  }

  /** Takes what the peer tells. */
  void learn(BgpMessage.Update update, LocRib rib, Import rules, ReceivedPrefixes received) {
    for (BgpMessage.Unreach unreach : update.unreach()) {
      PrefixList prefixes = unreach.prefixes();
      Family family = prefixes.family();
      PeerPaths mine = received.paths(family);
      for (int i = 0; i < prefixes.size(); i++) {
        rib.remove(
            family,
            prefixes.high(i),
            prefixes.low(i),
            prefixes.length(i),
            source,
            prefixes.pathId(i),
            mine);
      }
    }
    for (BgpMessage.Reach reach : update.reach()) {
      learn(reach, rib, rules, received.paths(reach.prefixes().family()));
    }
  }

  private void learn(BgpMessage.Reach reach, LocRib rib, Import rules, PeerPaths mine) {
    PrefixList prefixes = reach.prefixes();
    Path path = pathOf(reach, prefixes.isEmpty() ? 0 : prefixes.pathId(0), rules);
    for (int i = 0; i < prefixes.size(); i++) {
      if (prefixes.pathId(i) != path.pathId()) {
        path = pathOf(reach, prefixes.pathId(i), rules);
      }
      Path judged =
          rules.looksAtPrefixes() ? paths.intern(rules.judged(path, prefixes.get(i))) : path;
      rib.put(
          prefixes.family(), prefixes.high(i), prefixes.low(i), prefixes.length(i), judged, mine);
    }
  }

  private Path pathOf(BgpMessage.Reach reach, int pathId, Import rules) {
    return paths.intern(
        rules.received(
            sources.get(reach.prefixes().family()), pathId, reach.attributes(), reach.nextHop()));
  }

  /**
   * RFC 2918 section 4: everything of the family again, with the next turn. Between marks where
   * they were agreed (RFC 7313 section 4.2).
   */
  void resend(Family family) {
    groups.resend(member, family);
  }

  private void sendRefresh(Family family, BgpMessage.RouteRefresh.Subtype subtype) {
    machine.send(new BgpMessage.RouteRefresh(AddressFamily.unicast(family), subtype));
  }

  /** Asks for everything again, where the peer can do so. */
  void requestRefresh() {
    if (negotiated.routeRefresh()) {
      for (Family family : negotiated.families()) {
        machine.send(BgpMessage.RouteRefresh.request(AddressFamily.unicast(family)));
      }
    }
  }

  // ---- Member.Sink

  @Override
  public boolean canSend() {
    return machine.canSend();
  }

  @Override
  public ByteBuf buffer(int octets) {
    return PooledByteBufAllocator.DEFAULT.directBuffer(octets);
  }

  @Override
  public void send(ByteBuf updates, int messages) {
    machine.sendUpdates(updates, messages);
  }

  @Override
  public void sendEndOfRib(Family family) {
    machine.send(BgpMessage.Update.endOfRib(AddressFamily.unicast(family)));
  }

  @Override
  public boolean marksRefreshes() {
    return negotiated.codec().enhancedRouteRefresh();
  }

  @Override
  public void sendBeginOfRefresh(Family family) {
    sendRefresh(family, BgpMessage.RouteRefresh.Subtype.BEGIN);
  }

  @Override
  public void sendEndOfRefresh(Family family) {
    sendRefresh(family, BgpMessage.RouteRefresh.Subtype.END);
  }

  // ---- for people

  /** Octets of UPDATEs that wait for the connection to take them. */
  long queuedOctets() {
    return member.lag() + machine.connection().map(Transport.Connection::pending).orElse(0L);
  }

  int advertised(Family family) {
    return groups.sentTo(member, family);
  }

  void forEachAdvertised(Family family, int from, int to, UpdateGroups.Visitor visitor) {
    groups.forEachSentTo(member, family, from, to, visitor);
  }

  PeerStatus.Established status(Duration uptime) {
    return new PeerStatus.Established(
        source.routerId(),
        source.localAddress(),
        negotiated.holdTime(),
        negotiated.keepaliveInterval(),
        uptime,
        List.copyOf(negotiated.families()),
        negotiated.codec().fourOctetAs(),
        negotiated.routeRefresh(),
        negotiated.peerGracefulRestart().isPresent(),
        queuedOctets(),
        negotiated.local().capabilities(),
        negotiated.remote().capabilities());
  }

  // ---- rules

  private Export exportOf(
      PeerConfig peer, SpeakerConfig speaker, Map<Family, NextHop> ownNextHops) {
    return new Export(
        negotiated.internal(),
        speaker.asNumber(),
        peer.localAs(),
        speaker.effectiveClusterId(),
        Export.Rules.of(peer.policy()),
        negotiated.codec().ipv4OverIpv6(),
        peer.addPath().send(),
        Optional.ofNullable(ownNextHops.get(Family.IPV4)).map(OwnNextHop::of),
        Optional.ofNullable(ownNextHops.get(Family.IPV6)).map(OwnNextHop::of));
  }

  /**
   * Next hops that are ours: the session's own address for its family (RFC 4271 section 5.1.3), the
   * configured one for the other family, as the session has no address of that. IPv4 routes may
   * have the session's IPv6 address where that was agreed (RFC 8950), and must on a link that has
   * nothing but link-local addresses.
   */
  private Map<Family, NextHop> ownNextHops(SpeakerConfig speaker) {
    IpAddress own = source.localAddress();
    Map<Family, NextHop> hops = new EnumMap<>(Family.class);
    speaker.ipv4NextHop().ifPresent(address -> hops.put(Family.IPV4, NextHop.of(address)));
    speaker.ipv6NextHop().ifPresent(address -> hops.put(Family.IPV6, NextHop.of(address)));
    boolean linkLocal = own.family() == Family.IPV6 && own.isLinkLocal();
    // On a link without global addresses alone, for all that RFC 2545 section 3 wants a global one
    // beside it: the node's own is on another link, and BIRD refuses a next hop that is not on
    // this.
    hops.put(own.family(), NextHop.of(own));
    if (own.family() == Family.IPV6
        && negotiated.codec().ipv4OverIpv6()
        && (linkLocal || speaker.ipv4NextHop().isEmpty())) {
      hops.put(Family.IPV4, hops.get(Family.IPV6));
    }
    hops.keySet().retainAll(negotiated.families());
    return hops;
  }
}
