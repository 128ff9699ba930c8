package io.wayleave.model;

import java.util.Arrays;
import java.util.Locale;
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
  IPAM_CONFIGURATION("IPAMConfiguration", "ipamconfigurations", IpamConfiguration.class),
  IP_POOL("IPPool", "ippools", IpPool.class),
  IP_RESERVATION("IPReservation", "ipreservations", IpReservation.class),
  NODE("Node", "nodes", Node.class),
  WORKLOAD_ENDPOINT("WorkloadEndpoint", "workloadendpoints", WorkloadEndpoint.class);

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

  /** The kind of a Java type. */
  public static Kind of(Class<? extends Resource> type) {
    return Arrays.stream(values())
        .filter(kind -> kind.type == type)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(type + " is not a resource type"));
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
