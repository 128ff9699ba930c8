package io.wayleave.model;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The kinds of resource that exist, with the names that manifests, the CLI and the datastore use.
 */
public enum Kind {
  BGP_CONFIGURATION("BGPConfiguration", "bgpconfigurations", BgpConfiguration.class),
  BGP_FILTER("BGPFilter", "bgpfilters", BgpFilter.class),
  BGP_PEER("BGPPeer", "bgppeers", BgpPeer.class),
  GLOBAL_NETWORK_POLICY("GlobalNetworkPolicy", "globalnetworkpolicies", GlobalNetworkPolicy.class),
  GLOBAL_NETWORK_SET("GlobalNetworkSet", "globalnetworksets", GlobalNetworkSet.class),
  HOST_ENDPOINT("HostEndpoint", "hostendpoints", HostEndpoint.class),
  IPAM_CONFIGURATION("IPAMConfiguration", "ipamconfigurations", IpamConfiguration.class),
  IP_POOL("IPPool", "ippools", IpPool.class),
  IP_RESERVATION("IPReservation", "ipreservations", IpReservation.class),
  NETWORK_POLICY("NetworkPolicy", "networkpolicies", NetworkPolicy.class),
  NETWORK_SET("NetworkSet", "networksets", NetworkSet.class),
  NODE("Node", "nodes", Node.class),
  PROFILE("Profile", "profiles", Profile.class),
  STAGED_GLOBAL_NETWORK_POLICY(
      "StagedGlobalNetworkPolicy", "stagedglobalnetworkpolicies", StagedGlobalNetworkPolicy.class),
  STAGED_NETWORK_POLICY("StagedNetworkPolicy", "stagednetworkpolicies", StagedNetworkPolicy.class),
  TIER("Tier", "tiers", Tier.class),
  WORKLOAD_ENDPOINT("WorkloadEndpoint", "workloadendpoints", WorkloadEndpoint.class);

  /** Asked for each resource that is told, so it is no search. */
  private static final Map<Class<? extends Resource>, Kind> BY_TYPE =
      Arrays.stream(values()).collect(Collectors.toUnmodifiableMap(Kind::type, kind -> kind));

  private final String title;
  private final String plural;
  private final Class<? extends Resource> type;

  Kind(String title, String plural, Class<? extends Resource> type) {
    this.title = title;
    this.plural = plural;
    this.type = type;
  }

  /** As written in a manifest: {@code IPPool}. */
  public String title() {
    return title;
  }

  /** As in datastore keys: {@code ippools}. */
  public String plural() {
    return plural;
  }

  public Class<? extends Resource> type() {
    return type;
  }

  /** Whether its resources are in namespaces: {@code metadata.namespace} is allowed. */
  public boolean namespaced() {
    return this == WORKLOAD_ENDPOINT || namesRepeat();
  }

  /**
   * Whether two namespaces may each have a resource of the same name. Those of endpoints are unique
   * by their node and container.
   */
  private boolean namesRepeat() {
    return switch (this) {
      case NETWORK_POLICY, NETWORK_SET, STAGED_NETWORK_POLICY -> true;
      default -> false;
    };
  }

  /** The {@link Resource#id} of a resource of this kind. */
  public String idOf(Optional<String> namespace, String name) {
    return namesRepeat() ? namespace.orElse(Metadata.DEFAULT_NAMESPACE) + "/" + name : name;
  }

  /** The kind of a Java type. */
  public static Kind of(Class<? extends Resource> type) {
    Kind kind = BY_TYPE.get(type);
    if (kind == null) {
      throw new IllegalArgumentException(type + " is not a resource type");
    }
    return kind;
  }

  /** By the name in a manifest, exactly. */
  public static Optional<Kind> ofTitle(String title) {
    return Arrays.stream(values()).filter(kind -> kind.title.equals(title)).findFirst();
  }

  /**
   * By any name that a person types: title, singular or plural, in any case.
   *
   * @throws InvalidInputException naming the kinds that exist
   */
  public static Kind parse(String name) {
    String wanted = name.toLowerCase(Locale.ROOT);
    return Arrays.stream(values())
        .filter(
            kind ->
                wanted.equals(kind.plural) || wanted.equals(kind.title.toLowerCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(() -> new InvalidInputException("kind", name, titles()));
  }

  /** All titles in one line, for messages. */
  public static String titles() {
    return Arrays.stream(values()).map(Kind::title).collect(Collectors.joining(", "));
  }
}
