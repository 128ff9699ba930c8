package io.wayleave.bgp;

import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Cidr;
import java.util.List;
import java.util.Optional;

/** Every path to a prefix and what became of it, the best one first. */
public record RouteStatus(Cidr prefix, List<PathStatus> paths) {
  public RouteStatus {
    paths = List.copyOf(paths);
  }

  /**
   * One path.
   *
   * @param peer empty for a route originated here
   * @param nextHop empty for a route originated here
   * @param used the best one or used beside it
   * @param stale kept over the restart of its peer
   * @param verdict {@code best}, {@code multipath}, or why the path is not used
   */
  public record PathStatus(
      Optional<String> peer,
      Optional<NextHop> nextHop,
      PathAttributes attributes,
      boolean best,
      boolean used,
      boolean stale,
      String verdict) {}
}
