package io.wayleave.policy.calc;

import io.wayleave.model.Direction;
import io.wayleave.model.EndpointPort;
import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.GlobalNetworkSet;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.Kind;
import io.wayleave.model.NetworkSet;
import io.wayleave.model.Policy;
import io.wayleave.model.PolicyRule;
import io.wayleave.model.Profile;
import io.wayleave.model.Resource;
import io.wayleave.model.Tier;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.Subject;
import io.wayleave.model.policy.SubjectSelector;
import io.wayleave.policy.calc.RandomFleet.Unreadable;
import io.wayleave.policy.calc.ResolvedPolicies.TierPolicies;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What must be told of a fleet, computed from nothing by comparing everything with everything. */
final class NaiveCalculation {
  private static final List<PolicyRule> DENY = List.of(PolicyRule.of(PolicyRule.Action.Deny));

  private final String node;
  private final List<Resource> resources;
  private final Map<Resource, Subject> subjects = new LinkedHashMap<>();

  private final List<Unreadable> unreadable;

  NaiveCalculation(String node, List<Resource> resources, List<Unreadable> unreadable) {
    this.node = node;
    this.resources = resources;
    this.unreadable = unreadable;
    for (Resource resource : resources) {
      switch (resource) {
        case WorkloadEndpoint e -> subjects.put(e, Subject.of(e, this::profile));
        case HostEndpoint e -> subjects.put(e, Subject.of(e, this::profile));
        case NetworkSet s -> subjects.put(s, Subject.of(s));
        case GlobalNetworkSet s -> subjects.put(s, Subject.of(s));
        default -> {}
      }
    }
  }

  void tell(CalculationSink sink) {
    Map<Resource, ResolvedPolicies> endpoints = new LinkedHashMap<>();
    Set<RuleBlock> active = new LinkedHashSet<>();
    for (Resource resource : subjects.keySet()) {
      if (resource instanceof WorkloadEndpoint e && e.spec().node().equals(node)) {
        endpoints.put(e, resolve(e, e.spec().profiles(), e.spec().profiles().isEmpty(), active));
      } else if (resource instanceof HostEndpoint e && e.spec().node().equals(node)) {
        endpoints.put(e, resolve(e, e.spec().profiles(), false, active));
      }
    }
    Set<SetId> sets = new HashSet<>();
    active.forEach(block -> sets.addAll(RuleSets.of(block)));
    for (SetId set : sets) {
      sink.putSet(set);
      members(set).forEach(member -> sink.addMember(set, member));
    }
    active.forEach(sink::putRules);
    endpoints.forEach(
        (endpoint, policies) -> {
          if (endpoint instanceof WorkloadEndpoint workload) {
            sink.putEndpoint(workload, policies);
          } else if (endpoint instanceof HostEndpoint host) {
            sink.putHostEndpoint(host, policies);
          }
        });
  }

  private Set<SetMember> members(SetId set) {
    Set<SetMember> members = new HashSet<>();
    for (Subject subject : subjects.values()) {
      if (!set.chosen().matches(subject)) {
        continue;
      }
      subject.nets().stream()
          .filter(net -> net.family() == set.family())
          .forEach(
              net -> {
                switch (set) {
                  case SetId.Nets _ -> members.add(new SetMember.Net(net));
                  case SetId.NamedPort(var _, var name, var protocol, var _) -> {
                    for (EndpointPort port : subject.ports()) {
                      if (port.name().equals(name) && port.protocol().equals(protocol)) {
                        members.add(
                            new SetMember.AddressPort(net.address(), protocol, port.port()));
                      }
                    }
                  }
                }
              });
    }
    return members;
  }

  private ResolvedPolicies resolve(
      Resource endpoint, List<String> profileNames, boolean open, Set<RuleBlock> active) {
    List<Policy> governing = new ArrayList<>();
    List<RuleBlock> closing = new ArrayList<>();
    for (Resource resource : resources) {
      if (resource instanceof Policy policy
          && SubjectSelector.governedBy(policy).matches(subjects.get(endpoint))) {
        RuleBlock rules = RuleBlock.of(policy);
        if (isUnreadable(Kind.TIER, policy.spec().tier())) {
          closing.add(closed(rules.id()));
        } else {
          governing.add(policy);
          active.add(enforced(rules));
        }
      }
    }
    for (Unreadable nothing : unreadable) {
      boolean governs =
          switch (nothing.kind()) {
            case NETWORK_POLICY, GLOBAL_NETWORK_POLICY ->
                nothing.closes().matches(subjects.get(endpoint));
            case PROFILE -> profileNames.contains(nothing.id());
            default -> false;
          };
      if (governs) {
        closing.add(closed(new RuleBlock.Id(nothing.kind(), nothing.id())));
      }
    }
    closing.sort(Comparator.comparing(block -> block.id().toString()));
    active.addAll(closing);
    List<RuleBlock.Id> profiles = new ArrayList<>();
    for (String name : new LinkedHashSet<>(profileNames)) {
      profile(name)
          .ifPresent(
              profile -> {
                profiles.add(new RuleBlock.Id(Kind.PROFILE, name));
                active.add(enforced(RuleBlock.of(profile)));
              });
    }
    return new ResolvedPolicies(
        tiers(closing, governing, Direction.Ingress),
        tiers(closing, governing, Direction.Egress),
        profiles,
        open);
  }

  private boolean isUnreadable(Kind kind, String id) {
    return unreadable.stream().anyMatch(it -> it.kind() == kind && it.id().equals(id));
  }

  private static RuleBlock closed(RuleBlock.Id id) {
    return new RuleBlock(id, Optional.empty(), EnumSet.allOf(Direction.class), DENY, DENY);
  }

  /** Rules that would let more pass for want of members become denials of everything. */
  private RuleBlock enforced(RuleBlock rules) {
    for (PolicyRule rule : rules.ingress()) {
      if (opensForWantOfMembers(rule, rules.namespace())) {
        return new RuleBlock(rules.id(), rules.namespace(), rules.types(), DENY, DENY);
      }
    }
    for (PolicyRule rule : rules.egress()) {
      if (opensForWantOfMembers(rule, rules.namespace())) {
        return new RuleBlock(rules.id(), rules.namespace(), rules.types(), DENY, DENY);
      }
    }
    return rules;
  }

  private boolean opensForWantOfMembers(PolicyRule rule, Optional<String> namespace) {
    for (PolicyRule.Entity entity : rule.entities().toList()) {
      boolean chooses = entity.selector().isPresent() || entity.namespaceSelector().isPresent();
      boolean bound = namespace.isPresent() && entity.namespaceSelector().isEmpty();
      for (Unreadable set : unreadable) {
        boolean reachable =
            switch (set.kind()) {
              case NETWORK_SET -> !bound || set.id().startsWith(namespace.get() + "/");
              case GLOBAL_NETWORK_SET -> !bound;
              default -> false;
            };
        boolean any = set.kind() == Kind.NETWORK_SET || set.kind() == Kind.GLOBAL_NETWORK_SET;
        switch (rule.action()) {
          case Deny -> {
            if (chooses && reachable) {
              return true;
            }
          }
          case Allow -> {
            if (entity.notSelector().isPresent() && any) {
              return true;
            }
          }
          case Pass -> {
            if ((chooses && reachable) || (entity.notSelector().isPresent() && any)) {
              return true;
            }
          }
          case Log -> {}
        }
      }
    }
    return false;
  }

  private List<TierPolicies> tiers(
      List<RuleBlock> closing, List<Policy> governing, Direction direction) {
    Map<String, Tier> tiers = new LinkedHashMap<>();
    governing.forEach(policy -> tiers.computeIfAbsent(policy.spec().tier(), Tier::implied));
    for (Resource resource : resources) {
      if (resource instanceof Tier tier) {
        tiers.put(tier.name(), tier);
      }
    }
    List<TierPolicies> asked = new ArrayList<>();
    if (!closing.isEmpty()) {
      asked.add(
          new TierPolicies(
              PolicyCalculator.UNREADABLE,
              Tier.DefaultAction.Deny,
              closing.stream().map(RuleBlock::id).toList()));
    }
    tiers.values().stream()
        .sorted(
            Comparator.comparing((Tier tier) -> tier.spec().order().isEmpty())
                .thenComparingDouble(tier -> tier.spec().order().orElse(0.0) + 0.0)
                .thenComparing(Tier::name))
        .forEach(
            tier -> {
              List<RuleBlock.Id> policies =
                  governing.stream()
                      .filter(policy -> policy.spec().tier().equals(tier.name()))
                      .filter(policy -> policy.spec().types().contains(direction))
                      .sorted(
                          Comparator.comparing((Policy policy) -> policy.spec().order().isEmpty())
                              .thenComparingDouble(
                                  policy -> policy.spec().order().orElse(0.0) + 0.0)
                              .thenComparing(Policy::name)
                              .thenComparing(policy -> !(policy instanceof GlobalNetworkPolicy))
                              .thenComparing(Policy::id))
                      .map(policy -> new RuleBlock.Id(policy.kind(), policy.id()))
                      .toList();
              if (!policies.isEmpty()) {
                asked.add(new TierPolicies(tier.name(), tier.spec().defaultAction(), policies));
              }
            });
    return asked;
  }

  private Optional<Profile> profile(String name) {
    return resources.stream()
        .filter(Profile.class::isInstance)
        .map(Profile.class::cast)
        .filter(profile -> profile.name().equals(name))
        .findFirst();
  }
}
