package io.wayleave.policy.dataplane;

import io.wayleave.model.Family;
import java.util.Map;
import java.util.Optional;

/**
 * What is in the kernel by our doing, to be compared with what is there.
 *
 * @param tables only those whose content is known; none of a back end that tells what happens to it
 * @param sets number of members by name; empty when it is not known
 */
public record KernelState(Map<Family, TableState> tables, Optional<Map<String, Integer>> sets) {
  public KernelState {
    tables = Map.copyOf(tables);
    sets = sets.map(Map::copyOf);
  }
}
