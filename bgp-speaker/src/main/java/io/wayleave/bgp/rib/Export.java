package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.wire.Community;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Asn;
import io.wayleave.model.Family;
import java.util.List;
import java.util.Optional;

/**
 * What a peer is told of a best path: nothing, or the attributes and next hop to send. It is equal
 * for peers that are told the same, whose sessions then form an update group; what differs among
 * them, the own address and that no route goes back to where it came from, is not decided here.
 *
 * @param internal an iBGP session
 * @param transit whether learned routes are told at all; see {@link io.wayleave.bgp.PeerConfig}
 * @param ipv4NextHop look of the own next hop of IPv4 routes, when there is one for the session
 * @param ipv6NextHop look of the own next hop of IPv6 routes, when there is one for the session
 */
public record Export(
    boolean internal,
    boolean transit,
    Asn ownAs,
    Optional<OwnNextHop> ipv4NextHop,
    Optional<OwnNextHop> ipv6NextHop) {
  public Export {
    requireNonNull(ownAs, "ownAs is null");
  }

  /** The own next hop of routes of that family. */
  Optional<OwnNextHop> own(Family family) {
    return switch (family) {
      case IPV4 -> ipv4NextHop;
      case IPV6 -> ipv6NextHop;
    };
  }

  /** What is told of a best path of that family; empty when the peer is not told. */
  public Optional<Route> of(Family family, Path best) {
    return switch (best.source()) {
      case PathSource.Local() ->
          forbidden(best.attributes()) || own(family).isEmpty()
              ? Optional.empty()
              : Optional.of(new Route(attributes(best, true), Optional.empty()));
      case PathSource.Peer source -> learned(family, best, source);
    };
  }

  private Optional<Route> learned(Family family, Path best, PathSource.Peer source) {
    if (!transit || forbidden(best.attributes())) {
      return Optional.empty();
    }
    if (internal) {
      // RFC 4271 section 9.2: no route of an internal peer to another one. Section 5.1.3: the next
      // hop of an external route stays.
      return source.internal()
          ? Optional.empty()
          : Optional.of(new Route(attributes(best, false), Optional.of(best.nextHop())));
    }
    return own(family).map(_ -> new Route(attributes(best, false), Optional.empty()));
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
