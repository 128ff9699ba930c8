package io.wayleave.policy.calc;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Direction;
import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.PolicyRule;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.selector.Selector;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

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
  private final LabelIndex<Selector> ruleMatches = new LabelIndex<>();

  private final AddressSets sets = new AddressSets();

  /** The rule selectors that each active policy uses, and how many policies use each. */
  private final Map<String, Set<Selector>> selectorsInUse = new HashMap<>();

  private final Map<Selector, Integer> users = new HashMap<>();

  private final Set<String> stalePolicies = new TreeSet<>();
  private final Set<String> staleEndpoints = new TreeSet<>();
  private final Map<String, GlobalNetworkPolicy> toldPolicies = new HashMap<>();
  private final Map<String, EndpointPolicies> toldEndpoints = new HashMap<>();

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
        sink.putPolicy(policies.get(name));
      }
    }
    Set<String> goneEndpoints = new TreeSet<>();
    for (String name : staleEndpoints) {
      WorkloadEndpoint endpoint = endpoints.get(name);
      if (endpoint == null || !isLocal(endpoint)) {
        goneEndpoints.add(name);
        continue;
      }
      EndpointPolicies resolved = resolve(endpoint);
      if (!resolved.equals(toldEndpoints.put(name, resolved))) {
        sink.putEndpoint(resolved);
      }
    }
    for (String name : goneEndpoints) {
      if (toldEndpoints.remove(name) != null) {
        sink.removeEndpoint(name);
      }
    }
    for (String name : stalePolicies) {
      if (!isActive(name) && toldPolicies.remove(name) != null) {
        sink.removePolicy(name);
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
    Set<Selector> wanted = isActive(name) ? ruleSelectors(policies.get(name)) : Set.of();
    Set<Selector> held =
        wanted.isEmpty() ? selectorsInUse.remove(name) : selectorsInUse.put(name, wanted);
    wanted.forEach(this::use);
    if (held != null) {
      held.forEach(this::release);
    }
  }

  private void use(Selector selector) {
    if (users.merge(selector, 1, Integer::sum) == 1) {
      sets.open(selector);
      ruleMatches.putSelector(selector, selector);
      ruleMatches
          .itemsOf(selector)
          .forEach(item -> sets.add(selector, endpoints.get(item).spec().ipNetworks()));
    }
  }

  private void release(Selector selector) {
    if (users.computeIfPresent(selector, (_, count) -> count == 1 ? null : count - 1) == null) {
      ruleMatches.removeSelector(selector);
      sets.close(selector);
    }
  }

  private EndpointPolicies resolve(WorkloadEndpoint endpoint) {
    List<GlobalNetworkPolicy> selecting =
        selection.selectorsOf(endpoint.name()).stream()
            .map(policies::get)
            .sorted(ASKED_FIRST)
            .toList();
    return new EndpointPolicies(
        endpoint, namesFor(Direction.Ingress, selecting), namesFor(Direction.Egress, selecting));
  }

  private static List<String> namesFor(Direction direction, List<GlobalNetworkPolicy> selecting) {
    return selecting.stream()
        .filter(policy -> policy.spec().types().contains(direction))
        .map(GlobalNetworkPolicy::name)
        .toList();
  }

  private boolean isLocal(WorkloadEndpoint endpoint) {
    return endpoint.spec().node().equals(node);
  }

  private boolean isActive(String policy) {
    return !selection.itemsOf(policy).isEmpty();
  }

  private static Set<Selector> ruleSelectors(GlobalNetworkPolicy policy) {
    Set<Selector> selectors = new HashSet<>();
    Stream.concat(policy.spec().ingress().stream(), policy.spec().egress().stream())
        .flatMap(rule -> Stream.of(rule.source(), rule.destination()))
        .flatMap(Optional::stream)
        .map(PolicyRule.Entity::parsedSelector)
        .flatMap(Optional::stream)
        .forEach(selectors::add);
    return selectors;
  }
}
