package io.wayleave.bgp;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Asn;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Everything a speaker is told. Immutable; a change is a new one given to {@link BgpSpeaker#apply}.
 *
 * @param routerId BGP identifier. A change of it, of {@code asNumber} or of {@code gracefulRestart}
 *     restarts every session, because they are in each OPEN; nothing else does
 * @param asNumber own AS
 * @param listen where connections are accepted; empty for a speaker that only dials
 * @param ipv4NextHop own IPv4 address for IPv4 routes told over an IPv6 session
 * @param ipv6NextHop own IPv6 address for IPv6 routes told over an IPv4 session; without it such
 *     routes are not told there. A session of the route's own family uses its own local address
 * @param peers at most one with the same name or address
 */
public record SpeakerConfig(
    RouterId routerId,
    Asn asNumber,
    List<ListenAddress> listen,
    Optional<IpAddress> ipv4NextHop,
    Optional<IpAddress> ipv6NextHop,
    GracefulRestart gracefulRestart,
    PathSelection pathSelection,
    List<PeerConfig> peers) {
  public SpeakerConfig {
    requireNonNull(routerId, "routerId is null");
    requireNonNull(asNumber, "asNumber is null");
    requireNonNull(gracefulRestart, "gracefulRestart is null");
    requireNonNull(pathSelection, "pathSelection is null");
    listen = List.copyOf(listen);
    peers = List.copyOf(peers);
    requireFamily("ipv4NextHop", ipv4NextHop, Family.IPV4);
    requireFamily("ipv6NextHop", ipv6NextHop, Family.IPV6);
    Set<String> names = new HashSet<>();
    Set<IpAddress> addresses = new HashSet<>();
    for (int i = 0; i < peers.size(); i++) {
      PeerConfig peer = peers.get(i);
      if (!names.add(peer.name())) {
        throw new InvalidInputException(
            "peers[" + i + "].name", peer.name(), "a name that no other peer has");
      }
      if (!addresses.add(peer.address())) {
        throw new InvalidInputException(
            "peers[" + i + "].address",
            peer.address().toString(),
            "an address that no other peer has");
      }
    }
  }

  /** A speaker that listens nowhere and has no peers, with every default. */
  public static SpeakerConfig of(RouterId routerId, Asn asNumber) {
    return new SpeakerConfig(
        routerId,
        asNumber,
        List.of(),
        Optional.empty(),
        Optional.empty(),
        GracefulRestart.DEFAULT,
        PathSelection.DEFAULT,
        List.of());
  }

  public SpeakerConfig withListen(ListenAddress... addresses) {
    return new SpeakerConfig(
        routerId,
        asNumber,
        List.of(addresses),
        ipv4NextHop,
        ipv6NextHop,
        gracefulRestart,
        pathSelection,
        peers);
  }

  /** Sets the next hop of the address's family. */
  public SpeakerConfig withNextHop(IpAddress own) {
    return switch (own.family()) {
      case IPV4 ->
          new SpeakerConfig(
              routerId,
              asNumber,
              listen,
              Optional.of(own),
              ipv6NextHop,
              gracefulRestart,
              pathSelection,
              peers);
      case IPV6 ->
          new SpeakerConfig(
              routerId,
              asNumber,
              listen,
              ipv4NextHop,
              Optional.of(own),
              gracefulRestart,
              pathSelection,
              peers);
    };
  }

  public SpeakerConfig withGracefulRestart(GracefulRestart changed) {
    return new SpeakerConfig(
        routerId, asNumber, listen, ipv4NextHop, ipv6NextHop, changed, pathSelection, peers);
  }

  public SpeakerConfig withPathSelection(PathSelection changed) {
    return new SpeakerConfig(
        routerId, asNumber, listen, ipv4NextHop, ipv6NextHop, gracefulRestart, changed, peers);
  }

  public SpeakerConfig withPeers(List<PeerConfig> changed) {
    return new SpeakerConfig(
        routerId,
        asNumber,
        listen,
        ipv4NextHop,
        ipv6NextHop,
        gracefulRestart,
        pathSelection,
        changed);
  }

  /** This with one more peer. */
  public SpeakerConfig withPeer(PeerConfig added) {
    List<PeerConfig> more = new ArrayList<>(peers);
    more.add(added);
    return withPeers(more);
  }

  private static void requireFamily(String field, Optional<IpAddress> address, Family family) {
    address.ifPresent(
        given -> {
          if (given.family() != family) {
            throw new InvalidInputException(field, given.toString(), "an address of " + family);
          }
        });
  }
}
