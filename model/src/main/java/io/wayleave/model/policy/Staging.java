package io.wayleave.model.policy;

import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.Kind;
import io.wayleave.model.NetworkPolicy;
import io.wayleave.model.Policy;
import io.wayleave.model.PolicySpec;
import io.wayleave.model.PolicySpec.StagedAction;
import io.wayleave.model.StagedGlobalNetworkPolicy;
import io.wayleave.model.StagedNetworkPolicy;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** What the policies would be if staged ones were put into force. Pure. */
final class Staging {
  static final Comparator<Policy> ORDER =
      Comparator.comparing(Policy::kind).thenComparing(Policy::id);

  private Staging() {}

  static StagedAction action(Policy staged) {
    return staged.spec().stagedAction().orElse(StagedAction.Set);
  }

  /** Whether a policy is in force that the staged one would replace or delete. */
  static boolean inForce(Picture picture, Policy staged) {
    return picture.policies().stream().anyMatch(policy -> isTargetOf(staged, policy));
  }

  static Picture apply(Picture picture, List<Policy> staged) {
    List<Policy> policies = new ArrayList<>(picture.policies());
    for (Policy one : staged) {
      policies.removeIf(policy -> isTargetOf(one, policy));
      if (action(one) == StagedAction.Set) {
        policies.add(inForce(one));
      }
    }
    return picture.withPolicies(policies);
  }

  private static boolean isTargetOf(Policy staged, Policy policy) {
    Kind target =
        switch (staged) {
          case StagedNetworkPolicy _ -> Kind.NETWORK_POLICY;
          case StagedGlobalNetworkPolicy _ -> Kind.GLOBAL_NETWORK_POLICY;
          case NetworkPolicy _, GlobalNetworkPolicy _ -> throw notStaged(staged);
        };
    return policy.kind() == target && policy.id().equals(staged.id());
  }

  private static Policy inForce(Policy staged) {
    PolicySpec spec = staged.spec();
    PolicySpec unstaged =
        new PolicySpec(
            spec.tier(),
            spec.order(),
            spec.selector(),
            spec.namespaceSelector(),
            spec.types(),
            spec.ingress(),
            spec.egress(),
            Optional.empty());
    return switch (staged) {
      case StagedNetworkPolicy _ -> new NetworkPolicy(staged.metadata(), unstaged);
      case StagedGlobalNetworkPolicy _ -> new GlobalNetworkPolicy(staged.metadata(), unstaged);
      case NetworkPolicy _, GlobalNetworkPolicy _ -> throw notStaged(staged);
    };
  }

  private static IllegalArgumentException notStaged(Policy policy) {
    return new IllegalArgumentException(policy.id() + " is not staged");
  }
}
