package io.wayleave.model.status;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.wayleave.model.policy.HostSettings;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What policy is in force on a node: what its agent keeps under {@code status/policy/<node>} for as
 * long as its session with the datastore lives.
 *
 * @param version of the agent
 * @param digest of the policies, tiers, profiles and sets that the node's kernel has, as {@link
 *     io.wayleave.model.policy.PolicyDigest} makes it: equal to that of what is stored once all of
 *     it is in force
 * @param policies those that govern an endpoint of the node, by kind and id, such as {@code
 *     NetworkPolicy shop/web}
 * @param problems what policies refer to and is not there, and what failed beside them
 * @param host what the agent keeps of its host whatever policies say; absent from agents that did
 *     not tell it yet
 */
@JsonInclude(JsonInclude.Include.NON_ABSENT)
public record PolicyReport(
    String version,
    String digest,
    Map<String, InForce> policies,
    List<String> problems,
    Optional<HostSettings> host) {
  public PolicyReport {
    policies =
        policies == null
            ? Map.of()
            : java.util.Collections.unmodifiableMap(new TreeMap<>(policies));
    problems = problems == null ? List.of() : List.copyOf(problems);
  }

  /**
   * One policy or profile on the node.
   *
   * @param endpoints how many of the node's endpoints it governs
   * @param failing why the kernel refused it; its endpoints are closed then
   */
  @JsonInclude(JsonInclude.Include.NON_ABSENT)
  public record InForce(int endpoints, Optional<String> failing) {}
}
