package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.Origination;
import io.wayleave.bgp.rib.LocRib;
import io.wayleave.bgp.rib.Path;
import io.wayleave.bgp.rib.PathSource;
import io.wayleave.bgp.wire.AsPath;
import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.Origin;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The routes that the speaker originates. NOT thread safe. */
final class LocalRoutes {
  private static final PathSource.Local LOCAL = new PathSource.Local();

  private final LocRib rib;
  private final Set<Cidr> prefixes = new HashSet<>();
  // One path for all prefixes that are originated alike, which then share their UPDATEs too.
  private final Map<Origination, Path> paths = new HashMap<>();

  LocalRoutes(LocRib rib) {
    this.rib = requireNonNull(rib, "rib is null");
  }

  void originate(Cidr prefix, Origination origination) {
    prefixes.add(prefix);
    rib.put(prefix, paths.computeIfAbsent(origination, LocalRoutes::pathOf));
  }

  void withdraw(Cidr prefix) {
    if (prefixes.remove(prefix)) {
      rib.remove(prefix, LOCAL);
    }
  }

  int size() {
    return prefixes.size();
  }

  private static Path pathOf(Origination origination) {
    PathAttributes.Builder attributes =
        PathAttributes.builder(Origin.IGP, AsPath.EMPTY)
            .communities(origination.communities())
            .largeCommunities(origination.largeCommunities());
    origination.med().ifPresent(attributes::med);
    // Each session puts its own address in the place of the unspecified one.
    NextHop nextHop = NextHop.of(origination.nextHop().orElse(IpAddress.ofIpv4(0)));
    return new Path(LOCAL, attributes.build(), nextHop, Optional.empty());
  }
}
