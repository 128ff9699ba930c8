package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Asn;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.util.Optional;
import java.util.Set;

/**
 * Whether a received route can be used at all (RFC 4271 section 9.1.2, first paragraphs). What is
 * not checked: that an external peer's next hop lies on a network shared with it (section 5.1.3),
 * as the speaker does not know the host's interfaces; and that the AS path starts with the peer's
 * AS (section 6.3, optional), as route servers leave themselves out.
 *
 * @param ownAs every AS that is ours towards somebody
 * @param clusterId as a route reflector
 * @param ownAddresses that a next hop must not be, the session's local address aside
 */
public record ImportCheck(
    Set<Asn> ownAs, RouterId ownId, RouterId clusterId, Set<IpAddress> ownAddresses) {
  public ImportCheck {
    ownAs = Set.copyOf(ownAs);
    requireNonNull(ownId, "ownId is null");
    requireNonNull(clusterId, "clusterId is null");
    ownAddresses = Set.copyOf(ownAddresses);
  }

  /**
   * Why the route cannot be used, if it cannot.
   *
   * @param allowedOwnAs how often an own AS may be in the AS path
   */
  public Optional<Rejection> check(
      PathSource.Peer source, PathAttributes attributes, NextHop nextHop, int allowedOwnAs) {
    for (Asn own : ownAs) {
      if (attributes.asPath().count(own) > allowedOwnAs) {
        return Optional.of(Rejection.AS_LOOP);
      }
    }
    if (attributes.originatorId().filter(ownId::equals).isPresent()) {
      return Optional.of(Rejection.ORIGINATOR_LOOP);
    }
    for (IpAddress cluster : attributes.clusterList()) {
      if (cluster.ipv4Bits() == clusterId.bits()) {
        return Optional.of(Rejection.CLUSTER_LOOP);
      }
    }
    IpAddress gateway = nextHop.gateway();
    if (gateway.equals(source.localAddress()) || ownAddresses.contains(gateway)) {
      return Optional.of(Rejection.NEXT_HOP_IS_SELF);
    }
    // A loopback address leads nowhere, unless the session itself runs on this host's loopback.
    if (gateway.isUnspecified()
        || gateway.isMulticast()
        || (gateway.isLoopback() && !source.address().isLoopback())) {
      return Optional.of(Rejection.NEXT_HOP_INVALID);
    }
    return Optional.empty();
  }
}
