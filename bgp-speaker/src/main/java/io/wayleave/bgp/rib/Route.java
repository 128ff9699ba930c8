package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.PathAttributes;

/** What is told of a prefix, without the prefix: many prefixes share one. */
public record Route(PathAttributes attributes, NextHop nextHop) {
  public Route {
    requireNonNull(attributes, "attributes is null");
    requireNonNull(nextHop, "nextHop is null");
  }
}
