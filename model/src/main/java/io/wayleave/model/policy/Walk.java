package io.wayleave.model.policy;

import io.wayleave.model.Direction;
import io.wayleave.model.Kind;
import io.wayleave.model.PolicyRule.Action;
import io.wayleave.model.Tier;
import java.util.List;
import java.util.Optional;

/**
 * What the policies of one endpoint say of a packet in one direction: everything that was asked, in
 * order, up to what decided. Immutable.
 *
 * @param kind of the endpoint: WorkloadEndpoint or HostEndpoint
 * @param endpoint its id
 * @param tiers those that govern the endpoint, as far as they were asked
 * @param profiles the endpoint's profiles, as far as they were asked
 */
public record Walk(
    Direction direction,
    Kind kind,
    String endpoint,
    List<TierStep> tiers,
    List<ProfileStep> profiles,
    Decision decision) {
  public Walk {
    tiers = List.copyOf(tiers);
    profiles = List.copyOf(profiles);
  }

  public Explanation.Verdict verdict() {
    return decision.verdict();
  }

  /** What decided. */
  public sealed interface Decision {
    Explanation.Verdict verdict();

    /**
     * A rule that matched, whose action is Allow or Deny.
     *
     * @param kind of what the rule is of: NetworkPolicy, GlobalNetworkPolicy or Profile
     * @param id of what the rule is of
     * @param index place of the rule among those of the direction, from 0
     */
    record ByRule(Kind kind, String id, int index, Explanation.Verdict verdict)
        implements Decision {}

    /** No rule of the tier matched, and its default action is Deny. */
    record ByTier(String tier) implements Decision {
      @Override
      public Explanation.Verdict verdict() {
        return Explanation.Verdict.DENY;
      }
    }

    /**
     * No tier decided, and no rule of the endpoint's profiles either.
     *
     * @param named whether the endpoint names profiles: a workload endpoint that names none is open
     */
    record ByProfiles(boolean named, Explanation.Verdict verdict) implements Decision {}

    /** A port that a host endpoint never closes. */
    record ByFailsafe(FailsafePort port) implements Decision {
      @Override
      public Explanation.Verdict verdict() {
        return Explanation.Verdict.ALLOW;
      }
    }
  }

  /**
   * A tier that was asked.
   *
   * @param stored whether the tier is written, not only named or implied
   * @param policies those that govern the endpoint in the direction, as far as they were asked
   * @param result what the tier said
   */
  public record TierStep(
      String tier,
      boolean stored,
      Tier.DefaultAction defaultAction,
      List<PolicyStep> policies,
      Result result) {
    public TierStep {
      policies = List.copyOf(policies);
    }
  }

  /** What a tier or policy said. */
  public enum Result {
    ALLOWED,
    DENIED,
    /** A rule said Pass, or the tier's default did. */
    PASSED,
    /** No rule of the policy decided; the next policy or the tier's default was asked. */
    UNDECIDED
  }

  /**
   * A policy that was asked.
   *
   * @param rules those that were asked, the last one being what decided if one did
   */
  public record PolicyStep(
      Kind kind, String id, Optional<Double> order, List<RuleStep> rules, Result result) {
    public PolicyStep {
      rules = List.copyOf(rules);
    }
  }

  /**
   * A profile that was asked.
   *
   * @param stored whether it is there; one that is only named matches nothing
   */
  public record ProfileStep(String name, boolean stored, List<RuleStep> rules, Result result) {
    public ProfileStep {
      rules = List.copyOf(rules);
    }
  }

  /**
   * A rule that was asked.
   *
   * @param index its place among those of the direction, from 0
   * @param mismatches every field that kept it from matching; empty when it matched
   */
  public record RuleStep(int index, Action action, List<Mismatch> mismatches) {
    public RuleStep {
      mismatches = List.copyOf(mismatches);
    }

    public boolean matched() {
      return mismatches.isEmpty();
    }
  }

  /**
   * A field that a packet does not meet.
   *
   * @param field its path in the rule, such as {@code source.notNets}
   * @param why the packet's value against what the field wants
   */
  public record Mismatch(String field, String why) {}
}
