package io.wayleave.model.status;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Optional;

/**
 * How many packets the rules of policies took on one node: the answer of {@code GET
 * /v1/policy/counters} on the agent's admin socket. Each rule is counted since it was written to
 * the kernel.
 *
 * @param policies those that govern an endpoint of the node, a direction each, by name
 * @param others what was decided without a rule of a policy, of all endpoints of the node together
 * @param problems what could not be counted, and why
 */
public record CounterReport(
    String node, List<Policy> policies, List<Other> others, List<String> problems) {
  public CounterReport {
    policies = policies == null ? List.of() : List.copyOf(policies);
    others = others == null ? List.of() : List.copyOf(others);
    problems = problems == null ? List.of() : List.copyOf(problems);
  }

  /** Packets, and their bytes with the IP header. */
  public record Count(long packets, long bytes) {
    public static final Count NONE = new Count(0, 0);

    public Count plus(Count other) {
      return new Count(packets + other.packets, bytes + other.bytes);
    }
  }

  /**
   * A policy or profile in one direction.
   *
   * @param policy kind and id, such as {@code NetworkPolicy shop/web}
   * @param direction {@code Ingress} or {@code Egress}
   * @param rules as the user wrote them, in their order
   */
  public record Policy(String policy, String direction, List<Rule> rules) {
    public Policy {
      rules = rules == null ? List.of() : List.copyOf(rules);
    }
  }

  /**
   * One rule.
   *
   * @param rule its place, from 1
   * @param field its place in the resource, such as {@code spec.ingress[0]}
   * @param ipv4 absent when the rule can match no packet of the family, the host does not have it,
   *     or it could not be counted
   */
  @JsonInclude(JsonInclude.Include.NON_ABSENT)
  public record Rule(
      int rule, String field, String action, Optional<Count> ipv4, Optional<Count> ipv6) {}

  /**
   * What is decided without a rule.
   *
   * @param endpoints {@code workload} or {@code host}
   * @param direction {@code Ingress}, {@code Egress} or {@code both}, where it is not told apart
   * @param why such as {@code default action of tier default}
   * @param action {@code Allow} or {@code Deny}
   */
  @JsonInclude(JsonInclude.Include.NON_ABSENT)
  public record Other(
      String endpoints,
      String direction,
      String why,
      String action,
      Optional<Count> ipv4,
      Optional<Count> ipv6) {}
}
