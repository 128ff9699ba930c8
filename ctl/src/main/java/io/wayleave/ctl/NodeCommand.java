package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.model.Asn;
import io.wayleave.model.BgpConfiguration;
import io.wayleave.model.Kind;
import io.wayleave.model.Node;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.RouterId;
import io.wayleave.model.status.AgentStatus;
import io.wayleave.model.status.Presence;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code netctl node}: the hosts of the fabric, and how the agent of this one is. */
@Command(name = "node", description = "Hosts of the fabric and their agents.")
final class NodeCommand {
  private final Context context;

  NodeCommand(Context context) {
    this.context = requireNonNull(context, "context is null");
  }

  @Command(
      name = "list",
      description = "Show all nodes: Ready while the agent keeps its session with the datastore.")
  int list() {
    List<Node> nodes = context.resources().list(Node.class);
    Map<String, Presence> presences = Presences.of(context.datastore());
    Asn defaultAs =
        context
            .resources()
            .find(Kind.BGP_CONFIGURATION, BgpConfiguration.DEFAULT_NAME)
            .flatMap(found -> ((BgpConfiguration) found).spec().asNumber())
            .orElse(BgpConfiguration.DEFAULT_ASN);
    ArrayNode tree = ResourceCodec.jsonMapper().createArrayNode();
    Table table = new Table("NAME", "ADDRESSES", "AS", "PRESENCE", "VERSION", "LABELS");
    for (Node node : nodes) {
      Optional<Presence> presence = Optional.ofNullable(presences.get(node.name()));
      String state = presence.isEmpty() ? "Away" : node.draining() ? "Ready,Draining" : "Ready";
      Asn as = node.spec().bgp().flatMap(Node.Bgp::asNumber).orElse(defaultAs);
      table.row(
          node.name(),
          ResourceTables.addresses(node),
          as.toString(),
          state,
          presence.map(Presence::version).orElse(""),
          ResourceTables.labels(node.metadata().labels()));
      ObjectNode item = tree.addObject().put("name", node.name());
      ArrayNode addresses = item.putArray("addresses");
      node.spec().bgp().flatMap(Node.Bgp::ipv4).ifPresent(ip -> addresses.add(ip.toString()));
      node.spec().bgp().flatMap(Node.Bgp::ipv6).ifPresent(ip -> addresses.add(ip.toString()));
      item.put("asNumber", as.number()).put("presence", state);
      presence.ifPresent(agent -> item.put("version", agent.version()).put("since", agent.since()));
      ObjectNode labels = item.putObject("labels");
      node.metadata().labels().forEach(labels::put);
    }
    context.output().tree(tree, table::text);
    return 0;
  }

  @Command(
      name = "status",
      description = {
        "Ask the agent of this host, through its admin socket, how it is:",
        "its addresses and why these, the datastore, its BGP sessions and routes."
      })
  int status() {
    AdminClient agent = context.agent();
    JsonNode answer = agent.get("/v1/status");
    AgentStatus status = agent.read(answer, AgentStatus.class);
    context.output().tree(answer, () -> StatusText.of(status));
    return 0;
  }

  @Command(name = "label", description = "Set and remove labels of a node.")
  int label(
      @Parameters(index = "0", paramLabel = "NODE", description = "name of the node") String name,
      @Parameters(
              index = "1..*",
              arity = "1..*",
              paramLabel = LabelChanges.LABEL,
              description = LabelChanges.DESCRIPTION)
          List<String> changes) {
    LabelChanges labels = LabelChanges.parse(changes);
    Change change =
        context
            .resources()
            .change(
                Kind.NODE,
                name,
                present -> new Node(labels.of(present.metadata()), ((Node) present).spec()));
    context.output().changes(List.of(change));
    return 0;
  }

  @Command(
      name = "drain",
      description = {
        "Take a node out of service: its agent tells its peers that its routes are about to go",
        "(RFC 8326), and ends its BGP sessions 10 s later. Containers keep running."
      })
  int drain(@Parameters(paramLabel = "NODE", description = "name of the node") String name) {
    return setDraining(name, true);
  }

  @Command(name = "undrain", description = "Take a drained node back into service.")
  int undrain(@Parameters(paramLabel = "NODE", description = "name of the node") String name) {
    return setDraining(name, false);
  }

  private int setDraining(String name, boolean wanted) {
    Change change =
        context
            .resources()
            .change(
                Kind.NODE,
                name,
                present ->
                    new Node(present.metadata(), ((Node) present).spec().withDraining(wanted)));
    context.output().changes(List.of(change));
    return 0;
  }

  @Command(
      name = "reflector",
      description = {
        "Make a node a route reflector (RFC 4456) for its internal peers, or no longer.",
        "Whom it peers with is said by a BGPPeer with a peerSelector."
      })
  int reflector(
      @Parameters(index = "0", paramLabel = "NODE", description = "name of the node") String name,
      @Parameters(
              index = "1",
              paramLabel = "CLUSTER-ID|none",
              description =
                  "number in the form of an IPv4 address that the reflectors of a cluster share")
          String clusterId) {
    Optional<RouterId> wanted =
        clusterId.equals("none")
            ? Optional.empty()
            : Flags.read(Map.of("", "CLUSTER-ID"), () -> Optional.of(RouterId.parse(clusterId)));
    Change change =
        context
            .resources()
            .change(Kind.NODE, name, present -> withClusterId((Node) present, wanted));
    context.output().changes(List.of(change));
    return 0;
  }

  private static Node withClusterId(Node node, Optional<RouterId> clusterId) {
    Optional<Node.Bgp> bgp = node.spec().bgp();
    return new Node(
        node.metadata(),
        new Node.Spec(
            Optional.of(
                new Node.Bgp(
                    bgp.flatMap(Node.Bgp::asNumber),
                    bgp.flatMap(Node.Bgp::ipv4Address),
                    bgp.flatMap(Node.Bgp::ipv6Address),
                    bgp.flatMap(Node.Bgp::routerID),
                    clusterId)),
            node.spec().draining()));
  }
}
