package io.wayleave.bgp;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Everything a speaker is told. Immutable; a change is a new one given to {@link BgpSpeaker#apply}.
 *
 * @param routerId BGP identifier. A change of it or of {@code asNumber} restarts every session, as
 *     they are in each OPEN; one of {@code gracefulRestart} restarts those in whose OPEN it shows:
 *     never one of its waits, and its restart time only with peers that have none of their own.
 *     Nothing else restarts sessions, but what differs for a peer may restart that peer's
 * @param asNumber own AS
 * @param clusterId what stands for this route reflector in CLUSTER_LIST (RFC 4456 section 7), the
 *     router id when absent
 * @param listen where connections are accepted; empty for a speaker that only dials
 * @param ipv4NextHop own IPv4 address for IPv4 routes told over an IPv6 session
 * @param ipv6NextHop own IPv6 address for IPv6 routes told over an IPv4 session; without it such
 *     routes are not told there. A session of the route's own family uses its own local address
 * @param peers at most one with the same name or address
 */
public record SpeakerConfig(
    RouterId routerId,
    Asn asNumber,
    Optional<RouterId> clusterId,
    List<ListenAddress> listen,
    Optional<IpAddress> ipv4NextHop,
    Optional<IpAddress> ipv6NextHop,
    GracefulRestart gracefulRestart,
    PathSelection pathSelection,
    List<PeerConfig> peers) {
  public SpeakerConfig {
    requireNonNull(routerId, "routerId is null");
    requireNonNull(asNumber, "asNumber is null");
    requireNonNull(clusterId, "clusterId is null");
    requireNonNull(gracefulRestart, "gracefulRestart is null");
    requireNonNull(pathSelection, "pathSelection is null");
    listen = List.copyOf(listen);
    peers = List.copyOf(peers);
    requireFamily("ipv4NextHop", ipv4NextHop, Family.IPV4);
    requireFamily("ipv6NextHop", ipv6NextHop, Family.IPV6);
    Set<String> names = new HashSet<>();
    Set<PeerAddress> places = new HashSet<>();
    for (int i = 0; i < peers.size(); i++) {
      PeerConfig peer = peers.get(i);
      if (!names.add(peer.name())) {
        throw new InvalidInputException(
            "peers[" + i + "].name", peer.name(), "a name that no other peer has");
      }
      if (!places.add(placeOf(peer))) {
        throw new InvalidInputException(
            "peers[" + i + "].address",
            peer.where().toString(),
            "an address that no other peer has");
      }
    }
    for (int i = 0; i < peers.size(); i++) {
      checkRangePasswords("peers[" + i + "].md5Password", peers.get(i), peers);
    }
  }

  /** The kernel wants the signature of all hosts of a prefix that has a key, without exceptions. */
  private static void checkRangePasswords(String field, PeerConfig peer, List<PeerConfig> all) {
    if (peer.security().md5Password().isPresent()) {
      return;
    }
    peer.host()
        .flatMap(
            address ->
                all.stream()
                    .filter(other -> other.security().md5Password().isPresent())
                    .filter(other -> contains(other.where(), address))
                    .findFirst())
        .ifPresent(
            range -> {
              throw new InvalidInputException(
                  field,
                  "none",
                  "a password, as "
                      + peer.where()
                      + " is in the range of a peer"
                      + " that has one, "
                      + range.name());
            });
  }

  private static boolean contains(PeerAddress where, IpAddress address) {
    return where instanceof PeerAddress.Range(Cidr range, int _) && range.contains(address);
  }

  /** What must be unique: of a range the range, whatever its limit. */
  private static PeerAddress placeOf(PeerConfig peer) {
    return peer.where() instanceof PeerAddress.Range(var range, int _)
        ? new PeerAddress.Range(range, 1)
        : peer.where();
  }

  /** A speaker that listens nowhere and has no peers, with every default. */
  public static SpeakerConfig of(RouterId routerId, Asn asNumber) {
    return new SpeakerConfig(
        routerId,
        asNumber,
        Optional.empty(),
        List.of(),
        Optional.empty(),
        Optional.empty(),
        GracefulRestart.DEFAULT,
        PathSelection.DEFAULT,
        List.of());
  }

  /** The route reflector's name in CLUSTER_LIST. */
  public RouterId effectiveClusterId() {
    return clusterId.orElse(routerId);
  }

  /** This with some fields changed. */
  public SpeakerConfig with(Consumer<Builder> change) {
    Builder builder = new Builder(this);
    change.accept(builder);
    return builder.build();
  }

  public SpeakerConfig withListen(ListenAddress... addresses) {
    return with(speaker -> speaker.listen(List.of(addresses)));
  }

  /** Sets the next hop of the address's family. */
  public SpeakerConfig withNextHop(IpAddress own) {
    return with(speaker -> speaker.nextHop(own));
  }

  public SpeakerConfig withGracefulRestart(GracefulRestart changed) {
    return with(speaker -> speaker.gracefulRestart(changed));
  }

  public SpeakerConfig withPathSelection(PathSelection changed) {
    return with(speaker -> speaker.pathSelection(changed));
  }

  public SpeakerConfig withPeers(List<PeerConfig> changed) {
    return with(speaker -> speaker.peers(changed));
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

  /** Fields of a configuration to come. NOT thread safe. */
  public static final class Builder {
    private RouterId routerId;
    private Asn asNumber;
    private Optional<RouterId> clusterId;
    private List<ListenAddress> listen;
    private Optional<IpAddress> ipv4NextHop;
    private Optional<IpAddress> ipv6NextHop;
    private GracefulRestart gracefulRestart;
    private PathSelection pathSelection;
    private List<PeerConfig> peers;

    private Builder(SpeakerConfig from) {
      routerId = from.routerId;
      asNumber = from.asNumber;
      clusterId = from.clusterId;
      listen = from.listen;
      ipv4NextHop = from.ipv4NextHop;
      ipv6NextHop = from.ipv6NextHop;
      gracefulRestart = from.gracefulRestart;
      pathSelection = from.pathSelection;
      peers = from.peers;
    }

    public Builder routerId(RouterId value) {
      routerId = value;
      return this;
    }

    public Builder asNumber(Asn value) {
      asNumber = value;
      return this;
    }

    public Builder clusterId(RouterId value) {
      clusterId = Optional.of(value);
      return this;
    }

    public Builder listen(List<ListenAddress> value) {
      listen = value;
      return this;
    }

    /** Sets the next hop of the address's family. */
    public Builder nextHop(IpAddress own) {
      switch (own.family()) {
        case IPV4 -> ipv4NextHop = Optional.of(own);
        case IPV6 -> ipv6NextHop = Optional.of(own);
      }
      return this;
    }

    public Builder gracefulRestart(GracefulRestart value) {
      gracefulRestart = value;
      return this;
    }

    public Builder pathSelection(PathSelection value) {
      pathSelection = value;
      return this;
    }

    public Builder peers(List<PeerConfig> value) {
      peers = value;
      return this;
    }

    private SpeakerConfig build() {
      return new SpeakerConfig(
          routerId,
          asNumber,
          clusterId,
          listen,
          ipv4NextHop,
          ipv6NextHop,
          gracefulRestart,
          pathSelection,
          peers);
    }
  }
}
