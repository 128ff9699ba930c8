package io.wayleave.policy.calc;

import io.wayleave.model.HostEndpoint;
import io.wayleave.model.WorkloadEndpoint;

/**
 * Receives what changed in the desired dataplane state, once per change. Everything that a put
 * refers to has been put before it, and nothing is removed while something still refers to it: sets
 * with their members come before rules, rules before endpoints, and they go the other way round.
 *
 * <p>Rules refer to the sets of {@link RuleSets}, endpoints to the rules of their {@link
 * ResolvedPolicies}.
 */
public interface CalculationSink {
  /** A set that is empty as yet. Told once. */
  void putSet(SetId set);

  /** A member that the set does not have. */
  void addMember(SetId set, SetMember member);

  /** Rules that are new or have changed; they govern an endpoint of this node. */
  void putRules(RuleBlock rules);

  /** An endpoint of this node that is new, or that has changed, or whose policies have. */
  void putEndpoint(WorkloadEndpoint endpoint, ResolvedPolicies policies);

  /** An endpoint of this host itself that is new, or that has changed, or whose policies have. */
  void putHostEndpoint(HostEndpoint endpoint, ResolvedPolicies policies);

  /** A workload endpoint is no longer of this node. */
  void removeEndpoint(String id);

  /** A host endpoint is no longer of this node. */
  void removeHostEndpoint(String id);

  /** Rules that govern no endpoint of this node any more. */
  void removeRules(RuleBlock.Id rules);

  /** A member that the set has. */
  void removeMember(SetId set, SetMember member);

  /** The set goes with all its members, which are not removed one by one. */
  void removeSet(SetId set);
}
