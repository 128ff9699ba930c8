package io.wayleave.policy.calc;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Direction;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.Resource;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.calc.ResolvedPolicies.TierPolicies;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The state that a sink was told, as text that can be compared. It refuses what a dataplane could
 * not do, and what tells it nothing: something that refers to what is not there, that goes while it
 * is referred to, or that is told though it is so already.
 */
final class ToldState implements CalculationSink {
  private final Map<SetId, Set<SetMember>> sets = new HashMap<>();
  private final Map<RuleBlock.Id, RuleBlock> rules = new HashMap<>();
  private final Map<String, Governed> endpoints = new TreeMap<>();
  private final Map<String, Governed> hostEndpoints = new TreeMap<>();

  /** Number of rules that refer to a set, and of endpoints that refer to rules. */
  private final Map<SetId, Integer> setUsers = new HashMap<>();

  private final Map<RuleBlock.Id, Integer> ruleUsers = new HashMap<>();
  private int events;

  private record Governed(Resource endpoint, ResolvedPolicies policies) {}

  @Override
  public void putSet(SetId set) {
    events++;
    assertThat(sets.put(set, new HashSet<>())).as("%s told once", set).isNull();
  }

  @Override
  public void addMember(SetId set, SetMember member) {
    events++;
    assertThat(sets).containsKey(set);
    switch (member) {
      case SetMember.Net(var net) -> assertThat(net.family()).isEqualTo(set.family());
      case SetMember.AddressPort(var address, var _, var _) ->
          assertThat(address.family()).isEqualTo(set.family());
    }
    assertThat(sets.get(set).add(member)).as("%s is new in %s", member, set).isTrue();
  }

  @Override
  public void putRules(RuleBlock block) {
    events++;
    for (SetId set : RuleSets.of(block)) {
      assertThat(sets.containsKey(set)).as("%s of %s is there", set, block.id()).isTrue();
      setUsers.merge(set, 1, Integer::sum);
    }
    RuleBlock before = rules.put(block.id(), block);
    assertThat(block).isNotEqualTo(before);
    if (before != null) {
      releaseSets(before);
    }
  }

  @Override
  public void putEndpoint(WorkloadEndpoint endpoint, ResolvedPolicies policies) {
    put(endpoints, endpoint, policies);
  }

  @Override
  public void putHostEndpoint(HostEndpoint endpoint, ResolvedPolicies policies) {
    put(hostEndpoints, endpoint, policies);
  }

  private void put(Map<String, Governed> into, Resource endpoint, ResolvedPolicies policies) {
    events++;
    for (RuleBlock.Id id : rulesOf(policies)) {
      assertThat(rules.containsKey(id)).as("%s of %s is there", id, endpoint.id()).isTrue();
      ruleUsers.merge(id, 1, Integer::sum);
    }
    for (Direction direction : Direction.values()) {
      assertThat(policies.tiers(direction)).noneMatch(tier -> tier.policies().isEmpty());
    }
    Governed now = new Governed(endpoint, policies);
    Governed before = into.put(endpoint.id(), now);
    assertThat(now).isNotEqualTo(before);
    if (before != null) {
      releaseRules(before);
    }
  }

  @Override
  public void removeEndpoint(String id) {
    remove(endpoints, id);
  }

  @Override
  public void removeHostEndpoint(String id) {
    remove(hostEndpoints, id);
  }

  private void remove(Map<String, Governed> from, String id) {
    events++;
    Governed before = from.remove(id);
    assertThat(before).as("endpoint %s was there", id).isNotNull();
    releaseRules(before);
  }

  @Override
  public void removeRules(RuleBlock.Id id) {
    events++;
    RuleBlock before = rules.remove(id);
    assertThat(before).as("%s was there", id).isNotNull();
    assertThat(ruleUsers.getOrDefault(id, 0)).as("endpoints that refer to %s", id).isZero();
    releaseSets(before);
  }

  @Override
  public void removeMember(SetId set, SetMember member) {
    events++;
    assertThat(sets).containsKey(set);
    assertThat(sets.get(set).remove(member)).as("%s was in %s", member, set).isTrue();
  }

  @Override
  public void removeSet(SetId set) {
    events++;
    assertThat(sets.remove(set)).as("%s was there", set).isNotNull();
    assertThat(setUsers.getOrDefault(set, 0)).as("rules that refer to %s", set).isZero();
  }

  private void releaseSets(RuleBlock block) {
    RuleSets.of(block).forEach(set -> setUsers.merge(set, -1, Integer::sum));
  }

  private void releaseRules(Governed governed) {
    rulesOf(governed.policies()).forEach(id -> ruleUsers.merge(id, -1, Integer::sum));
  }

  private static Set<RuleBlock.Id> rulesOf(ResolvedPolicies policies) {
    Set<RuleBlock.Id> ids = new HashSet<>(policies.profiles());
    for (Direction direction : Direction.values()) {
      policies.tiers(direction).forEach(tier -> ids.addAll(tier.policies()));
    }
    return ids;
  }

  /** Number of events since the last call. */
  int takeEvents() {
    int taken = events;
    events = 0;
    return taken;
  }

  /** Sets and rules that nothing refers to; there must be none between two flushes. */
  List<Object> unused() {
    List<Object> unused = new ArrayList<>();
    sets.keySet().stream().filter(set -> setUsers.getOrDefault(set, 0) == 0).forEach(unused::add);
    rules.keySet().stream().filter(id -> ruleUsers.getOrDefault(id, 0) == 0).forEach(unused::add);
    return unused;
  }

  /** What can be compared faster than text. */
  List<Object> state() {
    return List.of(sets, rules, endpoints, hostEndpoints);
  }

  /** One line for each set, block of rules and endpoint, sorted. */
  String text() {
    Set<String> lines = new TreeSet<>();
    sets.forEach((set, members) -> lines.add(text(set) + " " + text(members)));
    rules.forEach(
        (id, block) -> lines.add("rules " + id + " " + block.ingress() + " / " + block.egress()));
    endpoints.values().forEach(e -> lines.add("endpoint " + text(e)));
    hostEndpoints.values().forEach(e -> lines.add("host endpoint " + text(e)));
    return String.join("\n", lines);
  }

  private static String text(SetId set) {
    return switch (set) {
      case SetId.Nets(var chosen, var family) -> chosen + " " + family;
      case SetId.NamedPort(var chosen, var name, var protocol, var family) ->
          chosen + " " + name + "/" + protocol + " " + family;
    };
  }

  private static String text(Set<SetMember> members) {
    return members.stream()
        .map(
            member ->
                switch (member) {
                  case SetMember.Net(var net) ->
                      net.isHost() ? net.address().toString() : net.toString();
                  case SetMember.AddressPort(var address, var protocol, var port) ->
                      address + " " + protocol + ":" + port;
                })
        .sorted()
        .collect(Collectors.joining(", ", "[", "]"));
  }

  private static String text(Governed governed) {
    ResolvedPolicies policies = governed.policies();
    String where =
        switch (governed.endpoint()) {
          case WorkloadEndpoint e -> " " + e.spec().ipNetworks();
          case HostEndpoint e -> " " + e.spec().interfaceName().orElse("");
          default -> throw new AssertionError(governed.endpoint());
        };
    return governed.endpoint().id()
        + where
        + " in "
        + text(policies.ingress())
        + " out "
        + text(policies.egress())
        + (policies.profiles().isEmpty() ? "" : " then " + policies.profiles())
        + (policies.openWithoutPolicies() ? " open" : "");
  }

  private static String text(List<TierPolicies> tiers) {
    return tiers.stream()
        .map(
            tier ->
                tier.tier()
                    + tier.policies().stream().map(RuleBlock.Id::id).toList()
                    + tier.defaultAction())
        .collect(Collectors.joining(" "));
  }
}
