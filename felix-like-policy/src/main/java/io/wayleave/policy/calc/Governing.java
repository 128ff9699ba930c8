package io.wayleave.policy.calc;

import io.wayleave.model.Direction;
import io.wayleave.model.NetworkPolicy;
import io.wayleave.model.Policy;
import io.wayleave.model.Tier;
import io.wayleave.policy.calc.ResolvedPolicies.TierPolicies;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Puts what governs one endpoint in the order in which it is asked. NOT thread safe. */
final class Governing {
  /** Adding zero makes of -0.0, which Double counts as less than 0.0, the same number. */
  private static final Comparator<Policy> WITHIN_TIER =
      Comparator.<Policy>comparingDouble(policy -> rank(policy.spec().order()))
          .thenComparing(Policy::name)
          .thenComparing(policy -> policy instanceof NetworkPolicy)
          .thenComparing(policy -> policy.metadata().namespace().orElse(""));

  private static final Comparator<Tier> TIERS =
      Comparator.<Tier>comparingDouble(tier -> rank(tier.spec().order())).thenComparing(Tier::name);

  private final Map<Tier, List<Policy>> byTier = new TreeMap<>(TIERS);
  private final Set<RuleBlock.Id> closing =
      new TreeSet<>(Comparator.comparing(RuleBlock.Id::toString));

  /** A policy, with its tier. */
  void add(Tier tier, Policy policy) {
    byTier.computeIfAbsent(tier, _ -> new ArrayList<>()).add(policy);
  }

  /** Something that denies everything, before all policies. */
  void close(RuleBlock.Id id) {
    closing.add(id);
  }

  /** All that was added, with the profiles. */
  ResolvedPolicies resolve(List<RuleBlock.Id> profiles, boolean openWithoutPolicies) {
    byTier.values().forEach(policies -> policies.sort(WITHIN_TIER));
    return new ResolvedPolicies(
        tiers(Direction.Ingress), tiers(Direction.Egress), profiles, openWithoutPolicies);
  }

  private List<TierPolicies> tiers(Direction direction) {
    List<TierPolicies> asked = new ArrayList<>();
    if (!closing.isEmpty()) {
      asked.add(
          new TierPolicies(
              PolicyCalculator.UNREADABLE, Tier.DefaultAction.Deny, List.copyOf(closing)));
    }
    byTier.forEach(
        (tier, policies) -> {
          List<RuleBlock.Id> ids =
              policies.stream()
                  .filter(policy -> policy.spec().types().contains(direction))
                  .map(RuleBlock.Id::of)
                  .toList();
          if (!ids.isEmpty()) {
            asked.add(new TierPolicies(tier.name(), tier.spec().defaultAction(), ids));
          }
        });
    return asked;
  }

  /** Absent is last. */
  private static double rank(Optional<Double> order) {
    return order.orElse(Double.POSITIVE_INFINITY) + 0.0;
  }
}
