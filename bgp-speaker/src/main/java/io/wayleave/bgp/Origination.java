package io.wayleave.bgp;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.wire.Community;
import io.wayleave.bgp.wire.LargeCommunity;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What is said of a route that this speaker originates, beside its prefix. Origin is always IGP.
 *
 * @param med told to external and internal peers
 * @param nextHop told instead of each session's own address; a session that cannot carry it, as an
 *     IPv6 one to a peer that has not agreed to IPv6 next hops, says its own
 */
public record Origination(
    List<Community> communities,
    List<LargeCommunity> largeCommunities,
    OptionalLong med,
    Optional<IpAddress> nextHop) {
  public static final Origination PLAIN = new Origination(List.of(), OptionalLong.empty());

  public Origination {
    communities = List.copyOf(communities);
    largeCommunities = List.copyOf(largeCommunities);
    requireNonNull(med, "med is null");
    requireNonNull(nextHop, "nextHop is null");
    nextHop.ifPresent(
        address -> {
          if (address.isUnspecified() || address.isLinkLocal() || address.isMulticast()) {
            throw new InvalidInputException(
                "nextHop", address.toString(), "the global address of a router");
          }
        });
  }

  /** With the next hop of each session. */
  public Origination(List<Community> communities, OptionalLong med) {
    this(communities, List.of(), med, Optional.empty());
  }
}
