package io.wayleave.agent;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreMover;
import io.wayleave.datastore.ResourceConflictException;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.model.Asn;
import io.wayleave.model.Metadata;
import io.wayleave.model.Node;
import io.wayleave.model.RouterId;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Writes this node into the datastore: the addresses that were found, the labels and the AS of the
 * configuration. What others set there (more labels, an AS where the configuration has none, a
 * router id) stays.
 */
final class NodeRegistration {
  private static final int ATTEMPTS = 10;

  private NodeRegistration() {}

  /**
   * Writes the resource unless it is already so, and returns it as it is now in the datastore.
   * Blocks.
   *
   * @throws io.wayleave.model.InvalidInputException when a move into the datastore has not ended:
   *     nothing was written, which that move would have to refuse
   * @throws io.wayleave.datastore.DatastoreException when the datastore does not answer
   */
  static Node register(AgentConfig configuration, NodeAddresses addresses, Datastore datastore) {
    DatastoreMover.checkWhole(datastore, datastore.deadline());
    ResourceStore store = new ResourceStore(datastore);
    for (int attempt = 1; ; attempt++) {
      Optional<ResourceStore.Stored<Node>> stored =
          store.get(Node.class, configuration.nodeName(), datastore.deadline());
      Node wanted = merge(configuration, addresses, stored.map(ResourceStore.Stored::resource));
      if (stored.isPresent() && stored.get().resource().equals(wanted)) {
        return wanted;
      }
      try {
        if (stored.isPresent()) {
          store.replace(wanted, stored.get().version(), datastore.deadline());
        } else {
          store.create(wanted, datastore.deadline());
        }
        return wanted;
      } catch (ResourceConflictException e) {
        // Somebody edited the node meanwhile: their change is merged in the next round.
        if (attempt == ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  static Node merge(AgentConfig configuration, NodeAddresses addresses, Optional<Node> stored) {
    Metadata metadata =
        stored.map(Node::metadata).orElseGet(() -> Metadata.of(configuration.nodeName()));
    Map<String, String> labels = new HashMap<>(metadata.labels());
    labels.putAll(configuration.labels());
    Optional<Node.Bgp> bgp = stored.flatMap(node -> node.spec().bgp());
    Optional<Asn> asNumber = configuration.asNumber().or(() -> bgp.flatMap(Node.Bgp::asNumber));
    Optional<RouterId> routerId = bgp.flatMap(Node.Bgp::routerID);
    return new Node(
        metadata.withLabels(labels),
        new Node.Spec(
            Optional.of(
                new Node.Bgp(
                    asNumber,
                    addresses.ipv4().map(NodeAddresses.Chosen::withLength),
                    addresses.ipv6().map(NodeAddresses.Chosen::withLength),
                    routerId,
                    bgp.flatMap(Node.Bgp::routeReflectorClusterID))),
            stored.flatMap(node -> node.spec().draining())));
  }
}
