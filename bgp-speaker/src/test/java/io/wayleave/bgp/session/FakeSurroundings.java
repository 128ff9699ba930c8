package io.wayleave.bgp.session;

import io.wayleave.bgp.BfdSettings;
import io.wayleave.bgp.bfd.BfdEndpoint;
import io.wayleave.bgp.bfd.BfdStatus;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Remembers what the speaker wants watched; tests make the events themselves. */
final class FakeSurroundings implements Surroundings {
  Set<String> interfaces = Set.of();
  Map<BfdEndpoint, BfdSettings> paths = Map.of();

  @Override
  public void begin(Events events) {}

  @Override
  public void watchInterfaces(Set<String> names) {
    interfaces = names;
  }

  @Override
  public void watchPaths(Map<BfdEndpoint, BfdSettings> wanted) {
    paths = wanted;
  }

  @Override
  public Optional<BfdStatus> path(BfdEndpoint endpoint) {
    return Optional.empty();
  }
}
