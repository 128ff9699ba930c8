package io.wayleave.model;

/**
 * One object of desired or observed state, as a manifest and as a value of the datastore. Every
 * resource is immutable and valid: its constructor refuses what is not, naming the field.
 */
public sealed interface Resource
    permits BgpConfiguration,
        BgpFilter,
        BgpPeer,
        GlobalNetworkPolicy,
        IpPool,
        IpReservation,
        IpamConfiguration,
        Node,
        WorkloadEndpoint {
  Metadata metadata();

  default Kind kind() {
    return Kind.of(getClass());
  }

  default String name() {
    return metadata().name();
  }
}
