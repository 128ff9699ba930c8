package io.wayleave.bgp.session;

import io.wayleave.bgp.AddPath;
import io.wayleave.bgp.LocalAs;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.StartMode;
import io.wayleave.bgp.wire.AddressFamily;
import io.wayleave.bgp.wire.BgpMessage;
import io.wayleave.bgp.wire.Capability;
import io.wayleave.model.Family;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** What a peer is offered in OPEN. A function of the configuration and of how far a restart is. */
final class OpenOffer {
  private OpenOffer() {}

  /**
   * The OPEN for a peer as of now.
   *
   * @param converged whether the restart, if there was one, is over
   */
  static BgpMessage.Open of(
      SpeakerConfig speaker, PeerConfig peer, StartMode mode, boolean converged) {
    List<Capability> capabilities = new ArrayList<>();
    for (Family family : peer.families()) {
      capabilities.add(new Capability.MultiProtocol(AddressFamily.unicast(family)));
    }
    capabilities.add(new Capability.RouteRefresh());
    capabilities.add(new Capability.EnhancedRouteRefresh());
    if (peer.extendedMessages()) {
      capabilities.add(new Capability.ExtendedMessage());
    }
    if (peer.ipv4OverIpv6() && peer.families().contains(Family.IPV4)) {
      capabilities.add(
          new Capability.ExtendedNextHop(
              List.of(Capability.ExtendedNextHop.Encoding.IPV4_OVER_IPV6)));
    }
    AddPath addPath = peer.addPath();
    if (addPath.receive() || addPath.sends()) {
      capabilities.add(
          new Capability.AddPath(
              peer.families().stream()
                  .map(
                      family ->
                          new Capability.AddPath.Direction(
                              AddressFamily.unicast(family), addPath.receive(), addPath.sends()))
                  .toList()));
    }
    if (speaker.gracefulRestart().enabled() && peer.gracefulRestart()) {
      capabilities.add(gracefulRestart(speaker, peer, mode, converged));
    }
    return BgpMessage.Open.of(
        peer.localAs().map(LocalAs::asNumber).orElse(speaker.asNumber()),
        (int) peer.timers().holdTime().toSeconds(),
        speaker.routerId(),
        capabilities);
  }

  /**
   * R until the restart is over. F for what survived the restart; once everything is in the
   * dataplane, a session that comes back finds it preserved, as losing a session removes nothing.
   */
  private static Capability.GracefulRestart gracefulRestart(
      SpeakerConfig speaker, PeerConfig peer, StartMode mode, boolean converged) {
    List<Capability.GracefulRestart.RestartFamily> families = new ArrayList<>();
    for (Family family : peer.families()) {
      boolean preserved =
          converged
              || (mode instanceof StartMode.Restarted(Set<Family> survived)
                  && survived.contains(family));
      families.add(
          new Capability.GracefulRestart.RestartFamily(AddressFamily.unicast(family), preserved));
    }
    return new Capability.GracefulRestart(
        mode instanceof StartMode.Restarted && !converged,
        speaker.gracefulRestart().notification(),
        (int) peer.restartTime().orElse(speaker.gracefulRestart().restartTime()).toSeconds(),
        families);
  }
}
