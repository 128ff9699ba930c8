package io.wayleave.bgp.filter;

import io.wayleave.bgp.RoutePolicy.Verdict;
import io.wayleave.bgp.wire.AsPath;
import io.wayleave.bgp.wire.Community;
import io.wayleave.bgp.wire.LargeCommunity;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Asn;
import io.wayleave.model.BgpCommunity;
import io.wayleave.model.BgpFilter;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/** What a rule does to the routes that it accepts. */
final class Changes {
  private Changes() {}

  /** The attributes after every operation, the same object when there is none. */
  static Verdict.Accept apply(List<BgpFilter.Operation> operations, PathAttributes attributes) {
    PathAttributes changed = attributes;
    OptionalInt priority = OptionalInt.empty();
    for (BgpFilter.Operation operation : operations) {
      changed = apply(operation, changed);
      if (operation.setPriority().isPresent()) {
        priority = OptionalInt.of(Math.toIntExact(operation.setPriority().get().value()));
      }
    }
    return new Verdict.Accept(changed, priority);
  }

  private static PathAttributes apply(BgpFilter.Operation operation, PathAttributes attributes) {
    PathAttributes.Builder changed = attributes.toBuilder();
    operation.addCommunity().ifPresent(added -> add(changed, attributes, added.value()));
    operation.setCommunities().ifPresent(wanted -> set(changed, wanted.values()));
    operation.prependASPath().ifPresent(path -> prepend(changed, attributes, path.prefix()));
    operation.setLocalPref().ifPresent(value -> changed.localPref(value.value()));
    operation.setMED().ifPresent(value -> changed.med(value.value()));
    return changed.build();
  }

  private static void add(
      PathAttributes.Builder changed, PathAttributes attributes, BgpCommunity added) {
    if (added.isLarge()) {
      Set<LargeCommunity> all = new LinkedHashSet<>(attributes.largeCommunities());
      all.add(large(added));
      changed.largeCommunities(all);
    } else {
      Set<Community> all = new LinkedHashSet<>(attributes.communities());
      all.add(standard(added));
      changed.communities(all);
    }
  }

  /** Both kinds: what is not named is gone. Extended communities stay, as no field names them. */
  private static void set(PathAttributes.Builder changed, List<BgpCommunity> wanted) {
    List<Community> standard = new ArrayList<>();
    List<LargeCommunity> large = new ArrayList<>();
    for (BgpCommunity community : wanted) {
      if (community.isLarge()) {
        large.add(large(community));
      } else {
        standard.add(standard(community));
      }
    }
    changed.communities(standard).largeCommunities(large);
  }

  private static void prepend(
      PathAttributes.Builder changed, PathAttributes attributes, List<Asn> prefix) {
    AsPath path = attributes.asPath();
    for (Asn number : prefix.reversed()) {
      path = path.prepend(number);
    }
    changed.asPath(path);
  }

  static Community standard(BgpCommunity community) {
    return Community.of(community.parts().get(0).intValue(), community.parts().get(1).intValue());
  }

  static LargeCommunity large(BgpCommunity community) {
    return new LargeCommunity(
        community.parts().get(0), community.parts().get(1), community.parts().get(2));
  }
}
