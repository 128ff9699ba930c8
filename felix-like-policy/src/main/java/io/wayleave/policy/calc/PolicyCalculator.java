package io.wayleave.policy.calc;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Direction;
import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.Kind;
import io.wayleave.model.Tier;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.SubjectSelector;
import io.wayleave.policy.calc.ResolvedPolicies.TierPolicies;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * From the fleet's endpoints and policies to what one node must enforce:
 *
 * <pre>
 *   policies ──selector──▶ selection ◀──labels── endpoints of this node
 *                             │ (a policy is active while it selects one)
 *                             ▼
 *   rules of active policies ──selector──▶ ruleMatches ◀──labels── all endpoints
 *                             │                            │
 *                             ▼                            ▼
 *              policies per endpoint, in order       address sets
 *                             └────────── flush ──────────┘
 * </pre>
 *
 * <p>Inputs mark what they make stale; {@link #flush} computes it and tells the sink what differs
 * from what it was told before, so the result depends on the current state only and never on the
 * order of the inputs. It does no I/O and knows nothing of packet filters. NOT thread safe.
 */
public final class PolicyCalculator {
  private static final Comparator<GlobalNetworkPolicy> ASKED_FIRST =
      Comparator.<GlobalNetworkPolicy>comparingDouble(
              policy -> policy.spec().order().orElse(Double.POSITIVE_INFINITY))
          .thenComparing(GlobalNetworkPolicy::name);

  private final String node;

  private final Map<String, WorkloadEndpoint> endpoints = new HashMap<>();
  private final Map<String, GlobalNetworkPolicy> policies = new HashMap<>();

  /** Policies by name against the endpoints of this node. */
  private final LabelIndex<String> selection = new LabelIndex<>();

  /** Selectors in the rules of active policies against all endpoints. */
  private final LabelIndex<SubjectSelector> ruleMatches = new LabelIndex<>();

  private final AddressSets sets = new AddressSets();

  /** The rule selectors that each active policy uses, and how many policies use each. */
  private final Map<String, Set<SubjectSelector>> selectorsInUse = new HashMap<>();

  private final Map<SubjectSelector, Integer> users = new HashMap<>();

  private final Set<String> stalePolicies = new TreeSet<>();
  private final Set<String> staleEndpoints = new TreeSet<>();
  private final Map<String, GlobalNetworkPolicy> toldPolicies = new HashMap<>();
  private final Map<String, Told> toldEndpoints = new HashMap<>();

  /**
   * Calculates for one node.
   *
   * @param node name of the node whose endpoints are enforced here
   */
  public PolicyCalculator(String node) {
    this.node = requireNonNull(node, "node is null");
  }

  public void putEndpoint(WorkloadEndpoint endpoint) {
    WorkloadEndpoint before = endpoints.put(endpoint.name(), endpoint);
    if (endpoint.equals(before)) {
      return;
    }
    replaceEndpoint(endpoint.name(), Optional.ofNullable(before), Optional.of(endpoint));
  }

  public void removeEndpoint(String name) {
    WorkloadEndpoint before = endpoints.remove(name);
    if (before != null) {
      replaceEndpoint(name, Optional.of(before), Optional.empty());
    }
  }

  public void putPolicy(GlobalNetworkPolicy policy) {
    GlobalNetworkPolicy before = policies.put(policy.name(), policy);
    if (policy.equals(before)) {
      return;
    }
    staleEndpoints.addAll(selection.itemsOf(policy.name()));
    selection.putSelector(policy.name(), policy.spec().parsedSelector());
    staleEndpoints.addAll(selection.itemsOf(policy.name()));
    refreshPolicy(policy.name());
  }

  public void removePolicy(String name) {
    if (policies.remove(name) != null) {
      staleEndpoints.addAll(selection.itemsOf(name));
      selection.removeSelector(name);
      refreshPolicy(name);
    }
  }

  /** Number of this node's endpoints, as last told. */
  public int localEndpoints() {
    return toldEndpoints.size();
  }

  /** Tells the sink everything that has changed since the last call. */
  public void flush(CalculationSink sink) {
    sets.tellAdditions(sink);
    for (String name : stalePolicies) {
      if (isActive(name) && !policies.get(name).equals(toldPolicies.get(name))) {
        toldPolicies.put(name, policies.get(name));
        sink.putRules(RuleBlock.of(policies.get(name)));
      }
    }
    Set<String> goneEndpoints = new TreeSet<>();
    for (String name : staleEndpoints) {
      WorkloadEndpoint endpoint = endpoints.get(name);
      if (endpoint == null || !isLocal(endpoint)) {
        goneEndpoints.add(name);
        continue;
      }
      Told told = new Told(endpoint, resolve(endpoint));
      if (!told.equals(toldEndpoints.put(name, told))) {
        sink.putEndpoint(told.endpoint(), told.policies());
      }
    }
    for (String name : goneEndpoints) {
      if (toldEndpoints.remove(name) != null) {
        sink.removeEndpoint(name);
      }
    }
    for (String name : stalePolicies) {
      if (!isActive(name) && toldPolicies.remove(name) != null) {
        sink.removeRules(new RuleBlock.Id(Kind.GLOBAL_NETWORK_POLICY, name));
      }
    }
    sets.tellRemovals(sink);
    stalePolicies.clear();
    staleEndpoints.clear();
  }

  private void replaceEndpoint(
      String name, Optional<WorkloadEndpoint> before, Optional<WorkloadEndpoint> after) {
    before.ifPresent(
        old ->
            ruleMatches
                .selectorsOf(name)
                .forEach(selector -> sets.remove(selector, old.spec().ipNetworks())));
    after.ifPresentOrElse(
        current -> ruleMatches.putItem(name, current.labels()), () -> ruleMatches.removeItem(name));
    after.ifPresent(
        current ->
            ruleMatches
                .selectorsOf(name)
                .forEach(selector -> sets.add(selector, current.spec().ipNetworks())));

    if (before.filter(this::isLocal).isEmpty() && after.filter(this::isLocal).isEmpty()) {
      return;
    }
    Set<String> selecting = new HashSet<>(selection.selectorsOf(name));
    after
        .filter(this::isLocal)
        .ifPresentOrElse(
            current -> selection.putItem(name, current.labels()), () -> selection.removeItem(name));
    selecting.addAll(selection.selectorsOf(name));
    selecting.forEach(this::refreshPolicy);
    staleEndpoints.add(name);
  }

  /**
   * Follows a policy that changed or whose selection did: the selectors of its rules come or go.
   */
  private void refreshPolicy(String name) {
    stalePolicies.add(name);
    Set<SubjectSelector> wanted = isActive(name) ? ruleSelectors(policies.get(name)) : Set.of();
    Set<SubjectSelector> held =
        wanted.isEmpty() ? selectorsInUse.remove(name) : selectorsInUse.put(name, wanted);
    wanted.forEach(this::use);
    if (held != null) {
      held.forEach(this::release);
    }
  }

  private void use(SubjectSelector selector) {
    if (users.merge(selector, 1, Integer::sum) == 1) {
      sets.open(selector);
      ruleMatches.putSelector(selector, selector.labels());
      ruleMatches
          .itemsOf(selector)
          .forEach(item -> sets.add(selector, endpoints.get(item).spec().ipNetworks()));
    }
  }

  private void release(SubjectSelector selector) {
    if (users.computeIfPresent(selector, (_, count) -> count == 1 ? null : count - 1) == null) {
      ruleMatches.removeSelector(selector);
      sets.close(selector);
    }
  }

  private record Told(WorkloadEndpoint endpoint, ResolvedPolicies policies) {}

  private ResolvedPolicies resolve(WorkloadEndpoint endpoint) {
    List<GlobalNetworkPolicy> selecting =
        selection.selectorsOf(endpoint.name()).stream()
            .map(policies::get)
            .sorted(ASKED_FIRST)
            .toList();
    return new ResolvedPolicies(
        tiers(Direction.Ingress, selecting),
        tiers(Direction.Egress, selecting),
        List.of(),
        endpoint.spec().profiles().isEmpty());
  }

  private static List<TierPolicies> tiers(
      Direction direction, List<GlobalNetworkPolicy> selecting) {
    List<RuleBlock.Id> policies =
        selecting.stream()
            .filter(policy -> policy.spec().types().contains(direction))
            .map(policy -> new RuleBlock.Id(policy.kind(), policy.id()))
            .toList();
    return policies.isEmpty()
        ? List.of()
        : List.of(new TierPolicies(Tier.DEFAULT, Tier.DefaultAction.Deny, policies));
  }

  private boolean isLocal(WorkloadEndpoint endpoint) {
    return endpoint.spec().node().equals(node);
  }

  private boolean isActive(String policy) {
    return !selection.itemsOf(policy).isEmpty();
  }

  private static Set<SubjectSelector> ruleSelectors(GlobalNetworkPolicy policy) {
    Set<SubjectSelector> selectors = new HashSet<>();
    RuleSets.of(RuleBlock.of(policy)).forEach(set -> selectors.add(set.chosen()));
    return selectors;
  }
}
