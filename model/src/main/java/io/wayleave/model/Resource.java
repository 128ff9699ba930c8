package io.wayleave.model;

/**
 * One object of desired or observed state, as a manifest and as a value of the datastore. Every
 * resource is immutable and valid: its constructor refuses what is not, naming the field.
 */
public sealed interface Resource
    permits BgpConfiguration,
        BgpFilter,
        BgpPeer,
        GlobalNetworkSet,
        HostEndpoint,
        IpPool,
        IpReservation,
        IpamConfiguration,
        NetworkSet,
        Node,
        Policy,
        Profile,
        Tier,
        WorkloadEndpoint {
  Metadata metadata();

  default Kind kind() {
    return Kind.of(getClass());
  }

  default String name() {
    return metadata().name();
  }

  /**
   * What tells it from others of its kind: the name, and before it, for kinds in whose namespaces
   * names may repeat, the namespace and a slash.
   */
  default String id() {
    return kind().idOf(metadata().namespace(), name());
  }
}
