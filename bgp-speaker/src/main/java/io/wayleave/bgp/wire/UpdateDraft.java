package io.wayleave.bgp.wire;

import io.wayleave.model.Asn;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * An UPDATE while its attributes are read one by one: mutable, used by one decoding and thrown
 * away. A row of the table writes here only after it found its value good, but for MP_REACH_NLRI,
 * whose prefixes are wanted even when its next hop is bad.
 */
final class UpdateDraft {
  Optional<Origin> origin = Optional.empty();
  Optional<AsPath> asPath = Optional.empty();
  Optional<NextHop> nextHop = Optional.empty();
  OptionalLong med = OptionalLong.empty();
  OptionalLong localPref = OptionalLong.empty();
  boolean atomicAggregate;
  Optional<Aggregator> aggregator = Optional.empty();
  List<Community> communities = List.of();
  Optional<RouterId> originatorId = Optional.empty();
  List<IpAddress> clusterList = List.of();
  List<ExtendedCommunity> extendedCommunities = List.of();
  List<LargeCommunity> largeCommunities = List.of();
  Optional<AsPath> as4Path = Optional.empty();
  Optional<Aggregator> as4Aggregator = Optional.empty();
  final List<UnknownAttribute> unknown = new ArrayList<>();
  final EnumSet<PathAttribute> partial = EnumSet.noneOf(PathAttribute.class);

  Optional<NextHop> mpNextHop = Optional.empty();
  Optional<PrefixList> mpReach = Optional.empty();
  Optional<PrefixList> mpUnreach = Optional.empty();

  /** All attributes together, when they are known already. */
  Optional<PathAttributes> set = Optional.empty();

  /** MP_REACH_NLRI had prefixes of a family that the session does not exchange. */
  boolean foreignReach;

  /** Origin and path must be there. */
  PathAttributes toAttributes() {
    mergeAs4();
    PathAttributes.Builder builder =
        PathAttributes.builder(origin.orElseThrow(), asPath.orElseThrow())
            .atomicAggregate(atomicAggregate)
            .aggregator(aggregator)
            .communities(communities)
            .originatorId(originatorId)
            .clusterList(clusterList)
            .extendedCommunities(extendedCommunities)
            .largeCommunities(largeCommunities)
            .unknown(unknown);
    med.ifPresent(builder::med);
    localPref.ifPresent(builder::localPref);
    partial.forEach(builder::partial);
    return builder.build();
  }

  /** RFC 6793 section 4.2.3: what an old speaker passed on is put together again. */
  private void mergeAs4() {
    if (aggregator.isPresent() && as4Aggregator.isPresent()) {
      if (aggregator.get().as().number() != Asn.AS_TRANS) {
        // An old speaker made a new aggregate on the way: both AS4 attributes are stale.
        return;
      }
      aggregator = as4Aggregator;
    }
    if (as4Path.isPresent()) {
      asPath = Optional.of(As4Merge.merge(asPath.orElseThrow(), as4Path.get()));
    }
  }
}
