package io.wayleave.model;

/**
 * What all policies have. {@link NetworkPolicy} governs the workload endpoints of its namespace,
 * {@link GlobalNetworkPolicy} workload endpoints of all namespaces and host endpoints; the staged
 * ones govern nothing yet.
 */
public sealed interface Policy extends Resource
    permits NetworkPolicy, GlobalNetworkPolicy, StagedNetworkPolicy, StagedGlobalNetworkPolicy {
  PolicySpec spec();

  /** Whether it is only looked at by {@code netctl policy explain}, and changes no verdict. */
  default boolean staged() {
    return this instanceof StagedNetworkPolicy || this instanceof StagedGlobalNetworkPolicy;
  }
}
