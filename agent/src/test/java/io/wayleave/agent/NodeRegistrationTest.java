package io.wayleave.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreMover;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Transaction;
import io.wayleave.model.Asn;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Metadata;
import io.wayleave.model.Node;
import io.wayleave.model.RouterId;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NodeRegistrationTest {
  private static final NodeAddresses ADDRESSES =
      new NodeAddresses(
          Optional.of(new NodeAddresses.Chosen(IpAddress.parse("10.9.0.1"), 24, "eth0", "test")),
          Optional.empty(),
          1500);

  private final Datastore datastore = new MemoryDatastore();
  private final ResourceStore store = new ResourceStore(datastore);

  @AfterEach
  void close() {
    datastore.close();
  }

  @Test
  void aNewNodeIsWritten() throws IOException {
    Node node =
        NodeRegistration.register(
            config(Map.of("WAYLEAVE_LABELS", "rack=1")), ADDRESSES, datastore);
    assertThat(node.metadata().labels()).containsOnly(Map.entry("rack", "1"));
    assertThat(node.spec().bgp().orElseThrow().ipv4Address()).contains("10.9.0.1/24");
    assertThat(stored()).isEqualTo(node);
  }

  @Test
  void whatOthersSetStaysAndOldAddressesGo() throws IOException {
    store.create(
        new Node(
            Metadata.of("n1", Map.of("zone", "b", "rack", "9")),
            new Node.Spec(
                Optional.of(
                    new Node.Bgp(
                        Optional.of(new Asn(65009)),
                        Optional.of("10.1.1.1/24"),
                        Optional.of("fd00::1/64"),
                        Optional.of(RouterId.parse("9.9.9.9")),
                        Optional.of(RouterId.parse("9.9.9.1")))),
                Optional.of(true))),
        datastore.deadline());
    NodeRegistration.register(config(Map.of("WAYLEAVE_LABELS", "rack=1")), ADDRESSES, datastore);
    Node node = stored();
    assertThat(node.metadata().labels())
        .containsOnly(Map.entry("zone", "b"), Map.entry("rack", "1"));
    Node.Bgp bgp = node.spec().bgp().orElseThrow();
    assertThat(bgp.asNumber()).contains(new Asn(65009));
    assertThat(bgp.routerID()).contains(RouterId.parse("9.9.9.9"));
    assertThat(bgp.routeReflectorClusterID()).contains(RouterId.parse("9.9.9.1"));
    assertThat(node.draining()).isTrue();
    assertThat(bgp.ipv4Address()).contains("10.9.0.1/24");
    assertThat(bgp.ipv6Address()).isEmpty();

    NodeRegistration.register(config(Map.of("WAYLEAVE_AS_NUMBER", "65001")), ADDRESSES, datastore);
    assertThat(stored().spec().bgp().orElseThrow().asNumber()).contains(new Asn(65001));
  }

  @Test
  void nothingIsWrittenWhenAllIsSo() throws IOException {
    NodeRegistration.register(config(Map.of()), ADDRESSES, datastore);
    var before = store.get(Node.class, "n1", datastore.deadline()).orElseThrow().version();
    NodeRegistration.register(config(Map.of()), ADDRESSES, datastore);
    assertThat(store.get(Node.class, "n1", datastore.deadline()).orElseThrow().version())
        .isEqualTo(before);
  }

  @Test
  void nothingIsWrittenIntoADatastoreThatIsBeingFilled() throws IOException {
    datastore.commit(
        Transaction.builder().put(DatastoreMover.INCOMPLETE, "{}").build(), datastore.deadline());
    AgentConfig config = config(Map.of());
    assertThatThrownBy(() -> NodeRegistration.register(config, ADDRESSES, datastore))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("a move into it did not end");
    assertThat(store.list(Node.class, datastore.deadline()).items()).isEmpty();
  }

  private Node stored() {
    return store.get(Node.class, "n1", datastore.deadline()).orElseThrow().resource();
  }

  private static AgentConfig config(Map<String, String> environment) throws IOException {
    return AgentConfig.load(Path.of("/nonexistent"), false, environment).withNodeNameIfAbsent("n1");
  }
}
