package io.wayleave.ctl;

import io.wayleave.model.Asn;
import io.wayleave.model.BgpConfiguration;
import io.wayleave.model.BgpFilter;
import io.wayleave.model.BgpPeer;
import io.wayleave.model.GlobalNetworkSet;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.IpPool;
import io.wayleave.model.IpReservation;
import io.wayleave.model.IpamConfiguration;
import io.wayleave.model.Kind;
import io.wayleave.model.NetworkSet;
import io.wayleave.model.Node;
import io.wayleave.model.Policy;
import io.wayleave.model.Profile;
import io.wayleave.model.Resource;
import io.wayleave.model.Tier;
import io.wayleave.model.WorkloadEndpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a table shows of each kind of resource: the fields that people compare, a row a resource.
 */
final class ResourceTables {
  /** Container ids are 64 hexadecimal digits; runtimes print and take the first twelve. */
  private static final int SHORT_ID_LENGTH = 12;

  private ResourceTables() {}

  static String of(Kind kind, List<? extends Resource> resources) {
    Table table = new Table(headings(kind));
    resources.forEach(resource -> table.row(cells(resource)));
    return table.text();
  }

  private static String[] headings(Kind kind) {
    return switch (kind) {
      case BGP_CONFIGURATION -> array("NAME", "MESH", "AS", "LISTEN PORT");
      case BGP_FILTER -> array("NAME", "IMPORT V4", "IMPORT V6", "EXPORT V4", "EXPORT V6");
      case BGP_PEER -> array("NAME", "ADDRESS", "AS", "NODES", "KEEPALIVE", "RESTART TIME");
      case GLOBAL_NETWORK_POLICY,
          NETWORK_POLICY,
          STAGED_GLOBAL_NETWORK_POLICY,
          STAGED_NETWORK_POLICY ->
          array("NAME", "TIER", "ORDER", "TYPES", "RULES", "SELECTOR");
      case GLOBAL_NETWORK_SET, NETWORK_SET -> array("NAME", "NETS", "LABELS");
      case HOST_ENDPOINT -> array("NAME", "NODE", "INTERFACE", "ADDRESSES", "LABELS");
      case IPAM_CONFIGURATION ->
          array("NAME", "STRICT AFFINITY", "BLOCKS PER HOST", "AUTO BLOCKS", "REUSE DELAY");
      case IP_RESERVATION -> array("NAME", "RESERVED");
      case IP_POOL -> array("NAME", "CIDR", "BLOCK SIZE", "STATE", "NODES");
      case NODE -> array("NAME", "ADDRESSES", "AS", "LABELS");
      case PROFILE -> array("NAME", "INGRESS", "EGRESS", "LABELS TO APPLY");
      case TIER -> array("NAME", "ORDER", "DEFAULT ACTION");
      case WORKLOAD_ENDPOINT -> array("NODE", "CONTAINER", "INTERFACE", "ADDRESSES", "LABELS");
    };
  }

  private static String[] cells(Resource resource) {
    return switch (resource) {
      case BgpConfiguration configuration ->
          array(
              configuration.name(),
              configuration
                  .spec()
                  .nodeToNodeMeshEnabled()
                  .map(enabled -> enabled ? "on" : "off")
                  .orElse("while there is no peer"),
              configuration.spec().asNumber().orElse(BgpConfiguration.DEFAULT_ASN).toString(),
              configuration.spec().listenPort().map(Object::toString).orElse("179"));
      case BgpFilter filter ->
          array(
              filter.name(),
              rules(filter.spec().importV4()),
              rules(filter.spec().importV6()),
              rules(filter.spec().exportV4()),
              rules(filter.spec().exportV6()));
      case BgpPeer peer ->
          array(
              peer.name(),
              where(peer),
              peer.spec().asNumber().map(Asn::toString).orElse("any"),
              nodes(peer),
              peer.spec().keepaliveTime().map(seconds -> seconds + "s").orElse("30s"),
              peer.spec().maxRestartTime().map(seconds -> seconds + "s").orElse("120s"));
      case Policy policy ->
          array(
              policy.id(),
              policy.spec().tier(),
              order(policy.spec().order()),
              Table.cell(policy.spec().types()),
              Integer.toString(policy.spec().ingress().size() + policy.spec().egress().size()),
              policy.spec().selector());
      case GlobalNetworkSet set ->
          array(set.name(), Table.cell(set.spec().nets()), labels(set.metadata().labels()));
      case NetworkSet set ->
          array(set.id(), Table.cell(set.spec().nets()), labels(set.metadata().labels()));
      case HostEndpoint endpoint ->
          array(
              endpoint.name(),
              endpoint.spec().node(),
              endpoint.spec().interfaceName().orElse(""),
              Table.cell(endpoint.spec().expectedIPs()),
              labels(endpoint.labels()));
      case Profile profile ->
          array(
              profile.name(),
              Names.count(profile.spec().ingress().size(), "rule", "rules"),
              Names.count(profile.spec().egress().size(), "rule", "rules"),
              labels(profile.spec().labelsToApply()));
      case Tier tier ->
          array(tier.name(), order(tier.spec().order()), tier.spec().defaultAction().toString());
      case IpamConfiguration configuration ->
          array(
              configuration.name(),
              configuration.spec().strictAffinity().orElse(false).toString(),
              configuration
                  .spec()
                  .maxBlocksPerHost()
                  .filter(most -> most > 0)
                  .orElse(20)
                  .toString(),
              configuration.spec().autoAllocateBlocks().orElse(true).toString(),
              configuration.spec().reuseDelaySeconds().orElse(60) + "s");
      case IpReservation reservation ->
          array(reservation.name(), Table.cell(reservation.spec().reservedCIDRs()));
      case IpPool pool ->
          array(
              pool.name(),
              pool.spec().cidr().toString(),
              "/" + pool.spec().blockSize(),
              pool.spec().disabled() ? "disabled" : "enabled",
              pool.spec().nodeSelector());
      case Node node ->
          array(
              node.name(),
              addresses(node),
              node.spec().bgp().flatMap(Node.Bgp::asNumber).map(Asn::toString).orElse(""),
              labels(node.metadata().labels()));
      case WorkloadEndpoint endpoint ->
          array(
              endpoint.spec().node(),
              shortId(endpoint.spec().containerID()),
              endpoint.spec().endpoint(),
              addresses(endpoint),
              labels(endpoint.labels()));
    };
  }

  private static String order(Optional<Double> order) {
    return order.map(ResourceTables::number).orElse("last");
  }

  /** Addresses without lengths: a container has single ones, a node's length is its subnet's. */
  static String addresses(Node node) {
    List<Object> addresses = new ArrayList<>();
    node.spec()
        .bgp()
        .ifPresent(
            bgp -> {
              bgp.ipv4().ifPresent(addresses::add);
              bgp.ipv6().ifPresent(addresses::add);
            });
    return Table.cell(addresses);
  }

  static String addresses(WorkloadEndpoint endpoint) {
    return Table.cell(
        endpoint.spec().ipNetworks().stream().map(network -> network.address()).toList());
  }

  static String labels(Map<String, String> labels) {
    return Table.cell(
        labels.entrySet().stream().map(label -> label.getKey() + "=" + label.getValue()).toList());
  }

  static String shortId(String containerId) {
    return containerId.length() <= SHORT_ID_LENGTH
        ? containerId
        : containerId.substring(0, SHORT_ID_LENGTH);
  }

  private static String where(BgpPeer peer) {
    BgpPeer.Spec spec = peer.spec();
    return spec.peerIP()
        .or(() -> spec.interfaceName().map(name -> "interface " + name))
        .orElseGet(() -> "nodes " + spec.peerSelector().orElse(""));
  }

  private static String rules(List<BgpFilter.Rule> rules) {
    return rules.size() == 1 ? "1 rule" : rules.size() + " rules";
  }

  private static String nodes(BgpPeer peer) {
    return peer.spec().node().or(() -> peer.spec().nodeSelector()).orElse("all()");
  }

  /** {@code 10} rather than {@code 10.0}. */
  private static String number(double order) {
    return order == Math.rint(order) && Math.abs(order) < 1e15
        ? Long.toString((long) order)
        : Double.toString(order);
  }

  private static String[] array(String... cells) {
    return cells;
  }
}
