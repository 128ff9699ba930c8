package io.wayleave.bgp;

import io.wayleave.bgp.wire.Community;
import java.util.List;
import java.util.OptionalLong;

/**
 * What is said of a route that this speaker originates, beside its prefix. Origin is always IGP,
 * the next hop each session's own address.
 *
 * @param med told to external and internal peers
 */
public record Origination(List<Community> communities, OptionalLong med) {
  public static final Origination PLAIN = new Origination(List.of(), OptionalLong.empty());

  public Origination {
    communities = List.copyOf(communities);
  }
}
