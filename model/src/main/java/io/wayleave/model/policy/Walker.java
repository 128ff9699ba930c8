package io.wayleave.model.policy;

import io.wayleave.model.Direction;
import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.Kind;
import io.wayleave.model.Policy;
import io.wayleave.model.PolicyRule;
import io.wayleave.model.PolicyRule.Action;
import io.wayleave.model.Profile;
import io.wayleave.model.Resource;
import io.wayleave.model.Tier;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.Explanation.Verdict;
import io.wayleave.model.policy.Walk.Decision;
import io.wayleave.model.policy.Walk.PolicyStep;
import io.wayleave.model.policy.Walk.ProfileStep;
import io.wayleave.model.policy.Walk.Result;
import io.wayleave.model.policy.Walk.RuleStep;
import io.wayleave.model.policy.Walk.TierStep;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Asks one endpoint's tiers, policies and profiles about one packet, in order, until something
 * decides. NOT thread safe.
 */
final class Walker {
  private static final Comparator<Tier> TIERS =
      Comparator.comparingDouble((Tier tier) -> rank(tier.spec().order()))
          .thenComparing(Tier::name);

  private static final Comparator<Policy> POLICIES =
      Comparator.comparingDouble((Policy policy) -> rank(policy.spec().order()))
          .thenComparing(Policy::name)
          .thenComparing(Policy::kind)
          .thenComparing(Policy::id);

  private final Picture picture;
  private final Question question;
  private final Map<String, Profile> profiles = new HashMap<>();
  private final RuleMatcher matcher;

  Walker(Picture picture, Question question) {
    this.picture = picture;
    this.question = question;
    picture.profiles().forEach(profile -> profiles.put(profile.name(), profile));
    this.matcher = new RuleMatcher(picture, this::profile, question);
  }

  Walk walk(Resource endpoint, Direction direction) {
    return switch (endpoint) {
      case WorkloadEndpoint workload ->
          walk(
              workload,
              Subject.of(workload, this::profile),
              workload.spec().profiles(),
              Verdict.ALLOW,
              direction);
      case HostEndpoint host -> {
        Optional<FailsafePort> failsafe = failsafe(host, direction);
        yield failsafe.isPresent()
            ? new Walk(
                direction,
                host.kind(),
                host.id(),
                List.of(),
                List.of(),
                new Decision.ByFailsafe(failsafe.get()))
            : walk(
                host,
                Subject.of(host, this::profile),
                host.spec().profiles(),
                Verdict.DENY,
                direction);
      }
      default -> throw new IllegalArgumentException(endpoint.kind() + " is no endpoint");
    };
  }

  /** Absent orders are last. */
  private static double rank(Optional<Double> order) {
    return order.orElse(Double.POSITIVE_INFINITY);
  }

  private Optional<FailsafePort> failsafe(HostEndpoint host, Direction direction) {
    return picture
        .hosts()
        .getOrDefault(host.spec().node(), HostSettings.DEFAULT)
        .failsafes(direction)
        .stream()
        .filter(
            port -> port.protocol().equals(question.protocol()) && port.port() == question.port())
        .findFirst();
  }

  private Optional<Profile> profile(String name) {
    return Optional.ofNullable(profiles.get(name));
  }

  private Walk walk(
      Resource endpoint,
      Subject subject,
      List<String> profileNames,
      Verdict withoutProfiles,
      Direction direction) {
    List<TierStep> tierSteps = new ArrayList<>();
    for (Tier tier : tiers()) {
      List<Policy> governing = governing(tier, endpoint, subject, direction);
      if (governing.isEmpty()) {
        continue;
      }
      TierStep step = ask(tier, governing, direction);
      tierSteps.add(step);
      if (step.result() == Result.ALLOWED || step.result() == Result.DENIED) {
        return new Walk(
            direction, endpoint.kind(), endpoint.id(), tierSteps, List.of(), decision(step));
      }
    }
    List<ProfileStep> profileSteps = new ArrayList<>();
    for (String name : profileNames) {
      ProfileStep step = ask(name, direction);
      profileSteps.add(step);
      if (step.result() != Result.UNDECIDED) {
        return new Walk(
            direction, endpoint.kind(), endpoint.id(), tierSteps, profileSteps, decision(step));
      }
    }
    boolean named = !profileNames.isEmpty();
    return new Walk(
        direction,
        endpoint.kind(),
        endpoint.id(),
        tierSteps,
        profileSteps,
        new Decision.ByProfiles(named, named ? Verdict.DENY : withoutProfiles));
  }

  /** Those that are stored, the default one, and those that policies name, in order. */
  private List<Tier> tiers() {
    Map<String, Tier> tiers = new HashMap<>();
    picture.tiers().forEach(tier -> tiers.put(tier.name(), tier));
    picture
        .policies()
        .forEach(policy -> tiers.computeIfAbsent(policy.spec().tier(), Tier::implied));
    return tiers.values().stream().sorted(TIERS).toList();
  }

  private List<Policy> governing(
      Tier tier, Resource endpoint, Subject subject, Direction direction) {
    return picture.policies().stream()
        .filter(policy -> policy.spec().tier().equals(tier.name()))
        .filter(policy -> policy.spec().types().contains(direction))
        .filter(
            policy -> policy instanceof GlobalNetworkPolicy || !(endpoint instanceof HostEndpoint))
        .filter(policy -> SubjectSelector.governedBy(policy).matches(subject))
        .sorted(POLICIES)
        .toList();
  }

  private TierStep ask(Tier tier, List<Policy> policies, Direction direction) {
    List<PolicyStep> steps = new ArrayList<>();
    Result result = Result.UNDECIDED;
    for (Policy policy : policies) {
      List<RuleStep> rules =
          ask(policy.spec().rules(direction), SubjectSelector.namespaceOf(policy));
      result = result(rules);
      steps.add(new PolicyStep(policy.kind(), policy.id(), policy.spec().order(), rules, result));
      if (result != Result.UNDECIDED) {
        break;
      }
    }
    if (result == Result.UNDECIDED) {
      result =
          switch (tier.spec().defaultAction()) {
            case Deny -> Result.DENIED;
            case Pass -> Result.PASSED;
          };
    }
    return new TierStep(
        tier.name(), picture.tiers().contains(tier), tier.spec().defaultAction(), steps, result);
  }

  private ProfileStep ask(String name, Direction direction) {
    Optional<Profile> profile = profile(name);
    List<RuleStep> rules =
        profile
            .map(stored -> ask(stored.spec().rules(direction), Optional.empty()))
            .orElse(List.of());
    return new ProfileStep(name, profile.isPresent(), rules, result(rules));
  }

  private List<RuleStep> ask(List<PolicyRule> rules, Optional<String> namespace) {
    List<RuleStep> steps = new ArrayList<>();
    for (PolicyRule rule : rules) {
      RuleStep step =
          new RuleStep(steps.size(), rule.action(), matcher.mismatches(rule, namespace));
      steps.add(step);
      if (decides(step)) {
        break;
      }
    }
    return steps;
  }

  private static boolean decides(RuleStep step) {
    return step.matched() && step.action() != Action.Log;
  }

  private static Result result(List<RuleStep> rules) {
    if (rules.isEmpty() || !decides(rules.getLast())) {
      return Result.UNDECIDED;
    }
    return switch (rules.getLast().action()) {
      case Allow -> Result.ALLOWED;
      case Deny -> Result.DENIED;
      case Pass -> Result.PASSED;
      case Log -> Result.UNDECIDED;
    };
  }

  private static Decision decision(TierStep tier) {
    PolicyStep last = tier.policies().getLast();
    return last.result() == Result.UNDECIDED
        ? new Decision.ByTier(tier.tier())
        : new Decision.ByRule(
            last.kind(), last.id(), last.rules().getLast().index(), verdict(last.result()));
  }

  private static Decision decision(ProfileStep profile) {
    return new Decision.ByRule(
        Kind.PROFILE, profile.name(), profile.rules().getLast().index(), verdict(profile.result()));
  }

  private static Verdict verdict(Result result) {
    return result == Result.ALLOWED ? Verdict.ALLOW : Verdict.DENY;
  }
}
