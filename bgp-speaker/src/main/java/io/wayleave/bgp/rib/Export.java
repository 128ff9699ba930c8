package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.wire.Community;
import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Asn;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.List;
import java.util.Optional;

/**
 * What one session is told of a best path: nothing, or the attributes and next hop to send.
 * Sessions with equal settings are told the same, so this is also what an update group would share.
 *
 * @param peer name of the peer; a path is not sent back to where it came from
 * @param internal an iBGP session
 * @param transit whether learned routes are told at all; see {@link io.wayleave.bgp.PeerConfig}
 * @param ipv4NextHop own address for IPv4 routes, when there is one for this session
 * @param ipv6NextHop own address for IPv6 routes, when there is one for this session
 */
public record Export(
    String peer,
    boolean internal,
    boolean transit,
    Asn ownAs,
    Optional<IpAddress> ipv4NextHop,
    Optional<IpAddress> ipv6NextHop) {
  public Export {
    requireNonNull(peer, "peer is null");
    requireNonNull(ownAs, "ownAs is null");
  }

  /** What is told of a best path of that family; empty when the peer is not told. */
  public Optional<Route> of(Family family, Path best) {
    Optional<IpAddress> own =
        switch (family) {
          case IPV4 -> ipv4NextHop;
          case IPV6 -> ipv6NextHop;
        };
    return switch (best.source()) {
      case PathSource.Local() ->
          forbidden(best.attributes()) || own.isEmpty()
              ? Optional.empty()
              : Optional.of(new Route(attributes(best, true), NextHop.of(own.get())));
      case PathSource.Peer source -> learned(best, source, own);
    };
  }

  private Optional<Route> learned(Path best, PathSource.Peer source, Optional<IpAddress> own) {
    if (!transit || source.peer().equals(peer) || forbidden(best.attributes())) {
      return Optional.empty();
    }
    if (internal) {
      // RFC 4271 section 9.2: no route of an internal peer to another one. Section 5.1.3: the next
      // hop of an external route stays.
      return source.internal()
          ? Optional.empty()
          : Optional.of(new Route(attributes(best, false), best.nextHop()));
    }
    return own.map(address -> new Route(attributes(best, false), NextHop.of(address)));
  }

  private PathAttributes attributes(Path best, boolean local) {
    PathAttributes.Builder changed = best.attributes().toBuilder();
    if (internal) {
      // Section 5.1.5: LOCAL_PREF "SHALL be included in all UPDATE messages" to internal peers.
      return changed.localPref(best.localPref()).build();
    }
    // Section 5.1.2 b) and 5.1.5; RFC 4456 section 8: reflection does not leave the AS.
    changed
        .asPath(best.attributes().asPath().prepend(ownAs))
        .withoutLocalPref()
        .originatorId(Optional.empty())
        .clusterList(List.of());
    if (!local) {
      // Section 5.1.4: a MED "MUST NOT be propagated to other neighboring ASes".
      changed.withoutMed();
    }
    return changed.build();
  }

  /** RFC 1997. */
  private boolean forbidden(PathAttributes attributes) {
    return attributes.hasCommunity(Community.NO_ADVERTISE)
        || (!internal
            && (attributes.hasCommunity(Community.NO_EXPORT)
                || attributes.hasCommunity(Community.NO_EXPORT_SUBCONFED)));
  }
}
