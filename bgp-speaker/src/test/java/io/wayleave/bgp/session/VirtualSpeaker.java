package io.wayleave.bgp.session;

import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.NextHopSource;
import io.wayleave.bgp.Origination;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.PeerStatus;
import io.wayleave.bgp.RouteQuery;
import io.wayleave.bgp.RouteStatus;
import io.wayleave.bgp.SlicedRoutes;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.StartMode;
import io.wayleave.bgp.fsm.Phase;
import io.wayleave.bgp.rib.UpdateGroups;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/** A speaker on a host of a {@link VirtualNetwork}. */
final class VirtualSpeaker {
  final VirtualNetwork.Host host;
  final SpeakerCore core;
  final RouteRecorder routes = new RouteRecorder();
  final FakeSurroundings surroundings = new FakeSurroundings();

  private VirtualSpeaker(
      VirtualNetwork.Host host,
      SpeakerConfig config,
      StartMode mode,
      NextHopSource nextHops,
      UpdateGroups.Limits limits) {
    this.host = host;
    core =
        new SpeakerCore(
            host,
            host,
            new SplittableRandom(7),
            config,
            mode,
            nextHops,
            routes,
            surroundings,
            limits);
  }

  /** Starts a speaker whose router id is the host's address. */
  static VirtualSpeaker start(VirtualNetwork.Host host, SpeakerConfig config, StartMode mode) {
    return start(host, config, mode, NextHopSource.ALL_CONNECTED);
  }

  /** Starts a speaker that asks how far next hops are. */
  static VirtualSpeaker start(
      VirtualNetwork.Host host, SpeakerConfig config, StartMode mode, NextHopSource nextHops) {
    VirtualSpeaker speaker =
        new VirtualSpeaker(host, config, mode, nextHops, UpdateGroups.Limits.DEFAULT);
    speaker.core.start();
    return speaker;
  }

  /** Starts a speaker whose peers may lag behind each other by that many octets. */
  static VirtualSpeaker start(VirtualNetwork.Host host, SpeakerConfig config, int maxLag) {
    VirtualSpeaker speaker =
        new VirtualSpeaker(
            host,
            config,
            new StartMode.Fresh(),
            NextHopSource.ALL_CONNECTED,
            new UpdateGroups.Limits(maxLag, maxLag / 4, maxLag));
    speaker.core.start();
    return speaker;
  }

  static VirtualSpeaker start(VirtualNetwork.Host host, SpeakerConfig config) {
    return start(host, config, new StartMode.Fresh());
  }

  /** A configuration that listens on the address, which is the router id too. */
  static SpeakerConfig config(String address, int as, PeerConfig... peers) {
    return SpeakerConfig.of(RouterId.parse(address), Asn.of(as))
        .withListen(new ListenAddress(IpAddress.parse(address), ListenAddress.BGP_PORT))
        .withPeers(List.of(peers));
  }

  static PeerConfig peer(String address, int as) {
    return PeerConfig.of(address, IpAddress.parse(address), Asn.of(as));
  }

  void originate(String... prefixes) {
    for (String prefix : prefixes) {
      core.originate(Cidr.parse(prefix), Origination.PLAIN);
    }
  }

  /** Originates and says that this is all. */
  VirtualSpeaker inSync(String... prefixes) {
    originate(prefixes);
    core.localRoutesInSync();
    return this;
  }

  void withdraw(String prefix) {
    core.withdraw(Cidr.parse(prefix));
  }

  PeerStatus status(String peer) {
    return new StatusReport(core)
        .speaker().peers().stream()
            .filter(one -> one.name().equals(peer))
            .findFirst()
            .orElseThrow();
  }

  boolean established(String peer) {
    return status(peer).state() == Phase.ESTABLISHED;
  }

  List<String> advertised(String peer) {
    return read(new RouteQuery.Advertised(peer)).stream()
        .map(route -> route.prefix().toString())
        .toList();
  }

  List<RouteStatus> table() {
    return read(new RouteQuery.All());
  }

  /** In the order of the prefixes. */
  private List<RouteStatus> read(RouteQuery.View view) {
    return SlicedRoutes.of(
        new RouteQuery(view, Optional.empty()),
        new RouteReader(core, new StatusReport(core))::slice);
  }
}
