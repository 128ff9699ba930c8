package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.PathAttributes;
import java.util.Optional;

/**
 * What is told of a prefix, without the prefix: many prefixes share one.
 *
 * @param nextHop empty for the speaker's own address, which differs from session to session
 */
public record Route(PathAttributes attributes, Optional<NextHop> nextHop) {
  public Route {
    requireNonNull(attributes, "attributes is null");
    requireNonNull(nextHop, "nextHop is null");
  }
}
