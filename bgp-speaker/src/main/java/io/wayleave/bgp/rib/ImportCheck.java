package io.wayleave.bgp.rib;

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
 * @param ownAddresses that a next hop must not be, the session's local address aside
 */
public record ImportCheck(Asn ownAs, RouterId ownId, Set<IpAddress> ownAddresses) {
  public Optional<Rejection> check(
      PathSource.Peer source, PathAttributes attributes, NextHop nextHop) {
    if (attributes.asPath().contains(ownAs)) {
      return Optional.of(Rejection.AS_LOOP);
    }
    if (attributes.originatorId().filter(ownId::equals).isPresent()) {
      return Optional.of(Rejection.ORIGINATOR_LOOP);
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
