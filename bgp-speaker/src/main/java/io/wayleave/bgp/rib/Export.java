package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.LocalAs;
import io.wayleave.bgp.NextHopMode;
import io.wayleave.bgp.PeerPolicy;
import io.wayleave.bgp.RoutePolicy;
import io.wayleave.bgp.RoutePolicy.RouteOrigin;
import io.wayleave.bgp.wire.AsPath;
import io.wayleave.bgp.wire.Community;
import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a peer is told of a path: nothing, or the attributes and next hop to send. It is equal for
 * peers that are told the same, whose sessions then form an update group; what differs among them,
 * the own address and that no route goes back to where it came from, is not decided here.
 *
 * <p>In three steps: {@link #admit} for the path, {@link #judge} for the prefix where there is a
 * policy, {@link #finish} for the attributes that came out of it.
 *
 * @param internal an iBGP session
 * @param ownAs the speaker's AS
 * @param localAs the AS that we are in towards the peer, where it is another
 * @param clusterId as a route reflector
 * @param rules those of the peer's policy that concern export
 * @param ipv4OverIpv6 IPv4 routes may have an IPv6 next hop (RFC 8950)
 * @param addPaths how many paths to a prefix are told; {@link io.wayleave.bgp.AddPath#ALL} for all
 * @param ipv4NextHop look of the own next hop of IPv4 routes, when there is one for the session
 * @param ipv6NextHop look of the own next hop of IPv6 routes, when there is one for the session
 */
public record Export(
    boolean internal,
    Asn ownAs,
    Optional<LocalAs> localAs,
    RouterId clusterId,
    Rules rules,
    boolean ipv4OverIpv6,
    int addPaths,
    Optional<OwnNextHop> ipv4NextHop,
    Optional<OwnNextHop> ipv6NextHop) {
  public Export {
    requireNonNull(ownAs, "ownAs is null");
    requireNonNull(localAs, "localAs is null");
    requireNonNull(clusterId, "clusterId is null");
    requireNonNull(rules, "rules is null");
  }

  /** What of a {@link PeerPolicy} concerns export. */
  public record Rules(
      boolean transit,
      Optional<RoutePolicy> policy,
      boolean requirePolicy,
      NextHopMode nextHop,
      boolean reflectorClient,
      boolean gracefulShutdown) {
    public static Rules of(PeerPolicy policy) {
      return new Rules(
          policy.transit(),
          policy.exportPolicy(),
          policy.requirePolicy(),
          policy.nextHop(),
          policy.reflectorClient(),
          policy.gracefulShutdown());
    }
  }

  /** The own next hop of routes of that family. */
  Optional<OwnNextHop> own(Family family) {
    return switch (family) {
      case IPV4 -> ipv4NextHop;
      case IPV6 -> ipv6NextHop;
    };
  }

  /** What is told of a path of that family, without regard to the prefix. */
  Optional<Route> of(Family family, Path path) {
    return admit(path).flatMap(attributes -> finish(family, path, attributes));
  }

  /** The attributes that a policy sees; empty when the peer is not told of the path. */
  Optional<PathAttributes> admit(Path path) {
    if (!internal && rules.requirePolicy() && rules.policy().isEmpty()) {
      return Optional.empty(); // RFC 8212 section 2
    }
    boolean told =
        switch (path.source()) {
          case PathSource.Local() -> true;
          case PathSource.Peer source -> passesOn(source);
        };
    if (!told || forbidden(path.attributes())) {
      return Optional.empty();
    }
    if (internal) {
      return Optional.of(path.attributes());
    }
    PathAttributes.Builder changed = path.attributes().toBuilder().withoutLocalPref();
    if (!path.isLocal()) {
      // RFC 4271 section 5.1.4: a MED "MUST NOT be propagated to other neighboring ASes".
      changed.withoutMed();
    }
    return Optional.of(changed.build());
  }

  /** Whether routes from there are told at all. */
  private boolean passesOn(PathSource.Peer source) {
    if (internal && source.internal()) {
      // RFC 4271 section 9.2: no route of an internal peer to another one, but for reflection, RFC
      // 4456 section 6: from a client to all, from others to clients.
      return source.client() || rules.reflectorClient();
    }
    return rules.transit();
  }

  boolean looksAtPrefixes() {
    return rules.policy().isPresent();
  }

  /** What the policy makes of the attributes for that prefix; empty when it rejects the route. */
  Optional<PathAttributes> judge(Cidr prefix, Path path, PathAttributes attributes) {
    if (rules.policy().isEmpty()) {
      return Optional.of(attributes);
    }
    RouteOrigin origin =
        path.isLocal()
            ? RouteOrigin.LOCAL
            : path.isInternal() ? RouteOrigin.INTERNAL : RouteOrigin.EXTERNAL;
    RoutePolicy.Verdict verdict =
        rules
            .policy()
            .get()
            .judge(new RoutePolicy.Subject(prefix, attributes, path.nextHop(), origin, internal));
    return switch (verdict) {
      case RoutePolicy.Verdict.Accept(PathAttributes changed, var _) -> Optional.of(changed);
      case RoutePolicy.Verdict.Reject(String _) -> Optional.empty();
    };
  }

  /** What is told; empty when there is no next hop to tell. */
  Optional<Route> finish(Family family, Path path, PathAttributes judged) {
    Optional<NextHop> kept = keptNextHop(family, path);
    if (kept.isEmpty() && own(family).isEmpty()) {
      return Optional.empty();
    }
    PathAttributes.Builder changed = judged.toBuilder();
    if (internal) {
      // RFC 4271 section 5.1.5: LOCAL_PREF "SHALL be included in all UPDATE messages" to internal
      // peers. RFC 8326 section 4.1: 0 when the session is about to end.
      changed.localPref(
          rules.gracefulShutdown() ? 0 : judged.localPref().orElse(Path.DEFAULT_LOCAL_PREF));
      reflect(path, judged, changed);
    } else {
      // Section 5.1.2 b) and 5.1.5; RFC 4456 section 8: reflection does not leave the AS. RFC 5065
      // section 5.3: neither do confederation segments.
      changed
          .asPath(prepended(judged.asPath().withoutConfederations()))
          .withoutLocalPref()
          .originatorId(Optional.empty())
          .clusterList(List.of());
      if (rules.gracefulShutdown() && !judged.hasCommunity(Community.GRACEFUL_SHUTDOWN)) {
        changed.communities(with(judged.communities(), Community.GRACEFUL_SHUTDOWN));
      }
    }
    return Optional.of(new Route(changed.build(), kept));
  }

  /** RFC 4456 section 8: who brought the route into the AS, and which clusters it went through. */
  private void reflect(Path path, PathAttributes judged, PathAttributes.Builder changed) {
    if (path.source() instanceof PathSource.Peer source && source.internal()) {
      List<IpAddress> clusters = new ArrayList<>(judged.clusterList());
      clusters.addFirst(IpAddress.ofIpv4(clusterId.bits()));
      changed
          .originatorId(Optional.of(judged.originatorId().orElse(source.routerId())))
          .clusterList(clusters);
    }
  }

  private AsPath prepended(AsPath path) {
    if (localAs.isEmpty()) {
      return path.prepend(ownAs);
    }
    AsPath ours = localAs.get().replace() ? path : path.prepend(ownAs);
    return ours.prepend(localAs.get().asNumber());
  }

  /**
   * The received next hop where it stays (RFC 4271 section 5.1.3), and that of an own route where
   * it has one, which is unspecified else; empty for the session's own one. A link-local address
   * means nothing beyond its link (RFC 2545 section 2).
   */
  private Optional<NextHop> keptNextHop(Family family, Path path) {
    boolean keeps =
        path.isLocal()
            || switch (rules.nextHop()) {
              case STANDARD -> internal;
              case SELF -> false;
              case KEEP -> true;
            };
    IpAddress address = path.nextHop().address();
    boolean fits = address.family() == family || (address.family() == Family.IPV6 && ipv4OverIpv6);
    return keeps && fits && !address.isUnspecified() && !address.isLinkLocal()
        ? Optional.of(NextHop.of(address))
        : Optional.empty();
  }

  private static List<Community> with(List<Community> communities, Community added) {
    List<Community> more = new ArrayList<>(communities);
    more.add(added);
    return more;
  }

  /** RFC 1997. */
  private boolean forbidden(PathAttributes attributes) {
    return attributes.hasCommunity(Community.NO_ADVERTISE)
        || (!internal
            && (attributes.hasCommunity(Community.NO_EXPORT)
                || attributes.hasCommunity(Community.NO_EXPORT_SUBCONFED)));
  }
}
