package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.Kind;
import io.wayleave.model.NetworkPolicy;
import io.wayleave.model.Resource;
import io.wayleave.model.StagedGlobalNetworkPolicy;
import io.wayleave.model.StagedNetworkPolicy;
import io.wayleave.model.WorkloadEndpoint;
import java.util.List;
import java.util.stream.Stream;

/**
 * Deletes resources, unless something that lives depends on them: a node whose agent runs or that
 * has containers, a pool with addresses in use, a tier with policies, a profile that endpoints
 * name. By force, a pool goes although addresses are in use, and a node although it has containers,
 * but never one whose agent shows a sign of life. NOT thread safe.
 */
final class Deletion {
  private static final int MAX_NAMES_IN_MESSAGE = 5;

  private final Resources resources;
  private final PoolEditor pools;
  private final boolean ifExists;

  /**
   * @param ifExists whether what does not exist is as good as deleted
   */
  Deletion(Resources resources, PoolEditor pools, boolean ifExists) {
    this.resources = requireNonNull(resources, "resources is null");
    this.pools = requireNonNull(pools, "pools is null");
    this.ifExists = ifExists;
  }

  /** Fails when the resource does not exist or nobody may delete it, and changes nothing. */
  void check(Kind kind, String name) {
    if (kind == Kind.WORKLOAD_ENDPOINT) {
      throw new CommandFailedException(
          Names.of(kind, name)
              + " is not deleted by hand, because it owns its addresses; delete the container, and"
              + " its node's agent deletes the endpoint");
    }
    if (!ifExists && !resources.exists(kind, name)) {
      throw resources.absent(kind, name);
    }
  }

  /**
   * Deletes it.
   *
   * @param force although something depends on it
   */
  Change delete(Kind kind, String name, boolean force) {
    check(kind, name);
    if (!resources.exists(kind, name)) {
      return new Change(kind, name, Change.Outcome.ABSENT);
    }
    return switch (kind) {
      case IP_POOL -> pools.delete(name, force);
      case NODE -> deleteNode(name, force);
      case PROFILE -> deleteUnlessUsed(kind, name, force ? List.of() : usersOfProfile(name));
      case TIER -> deleteUnlessUsed(kind, name, force ? List.of() : policiesOf(name));
      case BGP_CONFIGURATION,
          BGP_FILTER,
          BGP_PEER,
          GLOBAL_NETWORK_POLICY,
          GLOBAL_NETWORK_SET,
          HOST_ENDPOINT,
          IPAM_CONFIGURATION,
          IP_RESERVATION,
          NETWORK_POLICY,
          NETWORK_SET,
          STAGED_GLOBAL_NETWORK_POLICY,
          STAGED_NETWORK_POLICY,
          WORKLOAD_ENDPOINT ->
          resources.delete(kind, name);
    };
  }

  private Change deleteUnlessUsed(Kind kind, String name, List<String> users) {
    if (!users.isEmpty()) {
      throw new CommandFailedException(
          Names.of(kind, name)
              + " is used by "
              + Names.some(users, MAX_NAMES_IN_MESSAGE)
              + (kind == Kind.TIER
                  ? "; delete or move these first, or give --force: then they are asked after all"
                      + " other tiers"
                  : "; or give --force: what no policy decides is then denied to them"));
    }
    return resources.delete(kind, name);
  }

  private List<String> policiesOf(String tier) {
    return Stream.of(
            NetworkPolicy.class,
            GlobalNetworkPolicy.class,
            StagedNetworkPolicy.class,
            StagedGlobalNetworkPolicy.class)
        .flatMap(type -> resources.list(type).stream())
        .filter(policy -> policy.spec().tier().equals(tier))
        .map(policy -> Names.of(policy.kind(), policy.id()))
        .toList();
  }

  private List<String> usersOfProfile(String profile) {
    Stream<Resource> workloads =
        resources.list(WorkloadEndpoint.class).stream()
            .filter(endpoint -> endpoint.spec().profiles().contains(profile))
            .map(Resource.class::cast);
    Stream<Resource> hosts =
        resources.list(HostEndpoint.class).stream()
            .filter(endpoint -> endpoint.spec().profiles().contains(profile))
            .map(Resource.class::cast);
    return Stream.concat(workloads, hosts)
        .map(endpoint -> Names.of(endpoint.kind(), endpoint.id()))
        .toList();
  }

  private Change deleteNode(String name, boolean force) {
    List<String> endpoints =
        resources.list(WorkloadEndpoint.class).stream()
            .filter(endpoint -> endpoint.spec().node().equals(name))
            .map(WorkloadEndpoint::name)
            .toList();
    if (!force && !endpoints.isEmpty()) {
      throw new CommandFailedException(
          Names.of(Kind.NODE, name)
              + " has "
              + Names.count(endpoints.size(), "endpoint", "endpoints")
              + " with addresses: "
              + Names.some(endpoints, MAX_NAMES_IN_MESSAGE)
              + "; delete these containers first, or, when this host is lost for good, give"
              + " --force: other hosts then free its addresses");
    }
    if (!resources.deleteNodeUnlessPresent(name)) {
      throw new CommandFailedException(
          Names.of(Kind.NODE, name)
              + " has an agent that is running and would write it again; stop wayleave-agent there"
              + " first");
    }
    return new Change(Kind.NODE, name, Change.Outcome.DELETED);
  }
}
