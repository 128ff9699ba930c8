package io.wayleave.policy.dataplane;

import io.wayleave.policy.calc.RuleBlock;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * What of the desired state the kernel does not have, and why. Everything else is in force.
 *
 * @param blocks blocks of rules that it refuses, or a set of which it refuses: they deny everything
 *     that they are asked
 * @param endpoints workload and host endpoints, by id, that are not as they should be: a workload
 *     endpoint passes nothing then, a host endpoint guards nothing
 * @param others chains and sets that could not be written or deleted
 */
public record Failures(
    Map<RuleBlock.Id, String> blocks, Map<String, String> endpoints, Map<String, String> others) {
  public static final Failures NONE = new Failures(Map.of(), Map.of(), Map.of());

  public Failures {
    blocks = Map.copyOf(blocks);
    endpoints = Collections.unmodifiableMap(new TreeMap<>(endpoints));
    others = Collections.unmodifiableMap(new TreeMap<>(others));
  }

  /** All of it, by a name that says what it is of. */
  public Map<String, String> byName() {
    Map<String, String> all = new TreeMap<>(others);
    blocks.forEach((id, why) -> all.put(id.toString(), why));
    endpoints.forEach((id, why) -> all.put("endpoint " + id, why));
    return all;
  }
}
