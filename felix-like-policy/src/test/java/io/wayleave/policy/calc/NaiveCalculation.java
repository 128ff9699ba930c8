package io.wayleave.policy.calc;

import io.wayleave.model.Direction;
import io.wayleave.model.EndpointPort;
import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.GlobalNetworkSet;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.Kind;
import io.wayleave.model.NetworkSet;
import io.wayleave.model.Policy;
import io.wayleave.model.Profile;
import io.wayleave.model.Resource;
import io.wayleave.model.Tier;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.Subject;
import io.wayleave.model.policy.SubjectSelector;
import io.wayleave.policy.calc.ResolvedPolicies.TierPolicies;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What must be told of a fleet, computed from nothing by comparing everything with everything. */
final class NaiveCalculation {
  private final String node;
  private final List<Resource> resources;
  private final Map<Resource, Subject> subjects = new LinkedHashMap<>();

  NaiveCalculation(String node, List<Resource> resources) {
    this.node = node;
    this.resources = resources;
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
    for (Resource resource : resources) {
      if (resource instanceof Policy policy
          && SubjectSelector.governedBy(policy).matches(subjects.get(endpoint))) {
        governing.add(policy);
        active.add(RuleBlock.of(policy));
      }
    }
    List<RuleBlock.Id> profiles = new ArrayList<>();
    for (String name : new LinkedHashSet<>(profileNames)) {
      profile(name)
          .ifPresent(
              profile -> {
                profiles.add(new RuleBlock.Id(Kind.PROFILE, name));
                active.add(RuleBlock.of(profile));
              });
    }
    return new ResolvedPolicies(
        tiers(governing, Direction.Ingress), tiers(governing, Direction.Egress), profiles, open);
  }

  private List<TierPolicies> tiers(List<Policy> governing, Direction direction) {
    Map<String, Tier> tiers = new LinkedHashMap<>();
    governing.forEach(policy -> tiers.computeIfAbsent(policy.spec().tier(), Tier::implied));
    for (Resource resource : resources) {
      if (resource instanceof Tier tier) {
        tiers.put(tier.name(), tier);
      }
    }
    List<TierPolicies> asked = new ArrayList<>();
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
