package io.wayleave.model.policy;

import io.wayleave.model.GlobalNetworkSet;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.Kind;
import io.wayleave.model.NetworkSet;
import io.wayleave.model.Node;
import io.wayleave.model.Policy;
import io.wayleave.model.Profile;
import io.wayleave.model.Resource;
import io.wayleave.model.Tier;
import io.wayleave.model.WorkloadEndpoint;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * All that policy depends on, of the whole fleet, as it is stored at one moment. The order within a
 * list means nothing. Immutable.
 *
 * @param nodes the hosts; their addresses tell a host from what is outside
 * @param policies those in force
 * @param stagedPolicies those that are tried out
 * @param hosts what agents say of their hosts, by node; a node whose agent says nothing is not
 *     there
 */
public record Picture(
    List<Node> nodes,
    List<WorkloadEndpoint> endpoints,
    List<HostEndpoint> hostEndpoints,
    List<Profile> profiles,
    List<NetworkSet> networkSets,
    List<GlobalNetworkSet> globalNetworkSets,
    List<Tier> tiers,
    List<Policy> policies,
    List<Policy> stagedPolicies,
    Map<String, HostSettings> hosts) {
  /** What {@link #of} sorts. */
  public static final List<Kind> KINDS =
      List.of(
          Kind.NODE,
          Kind.WORKLOAD_ENDPOINT,
          Kind.HOST_ENDPOINT,
          Kind.PROFILE,
          Kind.NETWORK_SET,
          Kind.GLOBAL_NETWORK_SET,
          Kind.TIER,
          Kind.NETWORK_POLICY,
          Kind.GLOBAL_NETWORK_POLICY,
          Kind.STAGED_NETWORK_POLICY,
          Kind.STAGED_GLOBAL_NETWORK_POLICY);

  public Picture {
    nodes = List.copyOf(nodes);
    endpoints = List.copyOf(endpoints);
    hostEndpoints = List.copyOf(hostEndpoints);
    profiles = List.copyOf(profiles);
    networkSets = List.copyOf(networkSets);
    globalNetworkSets = List.copyOf(globalNetworkSets);
    tiers = List.copyOf(tiers);
    policies = List.copyOf(policies);
    stagedPolicies = List.copyOf(stagedPolicies);
    hosts = Map.copyOf(hosts);
    if (policies.stream().anyMatch(Policy::staged)) {
      throw new IllegalArgumentException("a staged policy is among those in force");
    }
    if (!stagedPolicies.stream().allMatch(Policy::staged)) {
      throw new IllegalArgumentException("a policy in force is among the staged ones");
    }
  }

  /** Sorts resources by their kind; those of other kinds are left out. No agent says anything. */
  public static Picture of(Collection<? extends Resource> resources) {
    return new Picture(
        only(resources, Node.class),
        only(resources, WorkloadEndpoint.class),
        only(resources, HostEndpoint.class),
        only(resources, Profile.class),
        only(resources, NetworkSet.class),
        only(resources, GlobalNetworkSet.class),
        only(resources, Tier.class),
        only(resources, Policy.class).stream().filter(policy -> !policy.staged()).toList(),
        only(resources, Policy.class).stream().filter(Policy::staged).toList(),
        Map.of());
  }

  /** The same with other policies in force. */
  Picture withPolicies(List<Policy> others) {
    return new Picture(
        nodes,
        endpoints,
        hostEndpoints,
        profiles,
        networkSets,
        globalNetworkSets,
        tiers,
        others,
        stagedPolicies,
        hosts);
  }

  /** The same with what agents say of their hosts. */
  public Picture withHosts(Map<String, HostSettings> told) {
    return new Picture(
        nodes,
        endpoints,
        hostEndpoints,
        profiles,
        networkSets,
        globalNetworkSets,
        tiers,
        policies,
        stagedPolicies,
        told);
  }

  private static <T extends Resource> List<T> only(
      Collection<? extends Resource> resources, Class<T> type) {
    return resources.stream().filter(type::isInstance).map(type::cast).toList();
  }
}
