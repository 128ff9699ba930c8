package io.wayleave.policy.calc;

import io.wayleave.model.Direction;
import io.wayleave.model.Tier;
import java.util.List;

/**
 * What governs one endpoint, in the order in which it is asked. Each tier has at least one policy;
 * a tier without any is not there.
 *
 * @param profiles those of its profiles that are stored; each governs both directions
 * @param openWithoutPolicies whether what the tiers pass is allowed because the endpoint names no
 *     profile; else it is denied unless a profile allows it
 */
public record ResolvedPolicies(
    List<TierPolicies> ingress,
    List<TierPolicies> egress,
    List<RuleBlock.Id> profiles,
    boolean openWithoutPolicies) {
  public ResolvedPolicies {
    ingress = List.copyOf(ingress);
    egress = List.copyOf(egress);
    profiles = List.copyOf(profiles);
  }

  /** The tiers of one direction. */
  public List<TierPolicies> tiers(Direction direction) {
    return switch (direction) {
      case Ingress -> ingress;
      case Egress -> egress;
    };
  }

  /**
   * The policies of one tier that govern the endpoint in one direction.
   *
   * @param defaultAction what becomes of packets that none of them decides
   */
  public record TierPolicies(
      String tier, Tier.DefaultAction defaultAction, List<RuleBlock.Id> policies) {
    public TierPolicies {
      policies = List.copyOf(policies);
    }
  }
}
