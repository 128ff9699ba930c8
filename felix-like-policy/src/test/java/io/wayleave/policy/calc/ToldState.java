package io.wayleave.policy.calc;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Family;
import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.IpAddress;
import io.wayleave.model.PolicyRule;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The state that a sink was told, as text that can be compared. It refuses what a dataplane could
 * not do: something that refers to what is not there, or goes while it is referred to.
 */
final class ToldState implements CalculationSink {
  private final Map<AddressSetId, Set<IpAddress>> sets = new HashMap<>();
  private final Map<String, GlobalNetworkPolicy> policies = new TreeMap<>();
  private final Map<String, EndpointPolicies> endpoints = new TreeMap<>();
  private int events;

  @Override
  public void putSet(AddressSetId set) {
    events++;
    assertThat(sets.put(set, new TreeSet<>())).as("%s told once", set).isNull();
  }

  @Override
  public void addMember(AddressSetId set, IpAddress member) {
    events++;
    assertThat(sets).containsKey(set);
    sets.get(set).add(member);
  }

  @Override
  public void putPolicy(GlobalNetworkPolicy policy) {
    events++;
    assertThat(sets.keySet()).containsAll(setsOf(policy));
    policies.put(policy.name(), policy);
  }

  @Override
  public void putEndpoint(EndpointPolicies endpoint) {
    events++;
    assertThat(policies.keySet()).containsAll(endpoint.ingress()).containsAll(endpoint.egress());
    endpoints.put(endpoint.endpoint().name(), endpoint);
  }

  @Override
  public void removeEndpoint(String name) {
    events++;
    assertThat(endpoints.remove(name)).as("endpoint %s was there", name).isNotNull();
  }

  @Override
  public void removePolicy(String name) {
    events++;
    assertThat(policies.remove(name)).as("policy %s was there", name).isNotNull();
    assertThat(endpoints.values())
        .noneMatch(e -> e.ingress().contains(name) || e.egress().contains(name));
  }

  @Override
  public void removeMember(AddressSetId set, IpAddress member) {
    events++;
    assertThat(sets).containsKey(set);
    sets.get(set).remove(member);
  }

  @Override
  public void removeSet(AddressSetId set) {
    events++;
    assertThat(sets.remove(set)).as("%s was there", set).isNotNull();
    assertThat(policies.values()).noneMatch(policy -> setsOf(policy).contains(set));
  }

  /** Number of events since the last call. */
  int takeEvents() {
    int taken = events;
    events = 0;
    return taken;
  }

  /** One line for each set, policy and endpoint, sorted. */
  String text() {
    Set<String> lines = new TreeSet<>();
    sets.forEach((set, members) -> lines.add(set.selector() + " " + set.family() + " " + members));
    policies.values().forEach(policy -> lines.add("policy " + policy.name() + " " + policy.spec()));
    endpoints
        .values()
        .forEach(
            e ->
                lines.add(
                    "endpoint "
                        + e.endpoint().name()
                        + " "
                        + e.endpoint().spec().ipNetworks()
                        + " in "
                        + e.ingress()
                        + " out "
                        + e.egress()));
    return String.join("\n", lines);
  }

  private static Set<AddressSetId> setsOf(GlobalNetworkPolicy policy) {
    Set<AddressSetId> used = new HashSet<>();
    Stream.concat(policy.spec().ingress().stream(), policy.spec().egress().stream())
        .flatMap(rule -> Stream.of(rule.source(), rule.destination()))
        .flatMap(Optional::stream)
        .map(PolicyRule.Entity::parsedSelector)
        .flatMap(Optional::stream)
        .forEach(
            selector -> {
              for (Family family : Family.values()) {
                used.add(new AddressSetId(selector, family));
              }
            });
    return used;
  }
}
