package io.wayleave.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Cidr;
import io.wayleave.model.MacAddress;
import io.wayleave.model.Metadata;
import io.wayleave.model.Update;
import io.wayleave.model.WorkloadEndpoint;
import java.util.List;
import org.junit.jupiter.api.Test;

class LocalEndpointsTest {
  private final LocalEndpoints endpoints = new LocalEndpoints("n1");

  @Test
  void anEndpointOfTheDatastoreIsConnectedAfterARestart() {
    tell(endpoint("n1", "g1"));
    assertThat(endpoints.all()).containsOnlyKeys("n1.c.eth0");
  }

  @Test
  void thoseOfOtherNodesAreNotOurs() {
    tell(endpoint("n2", "g1"));
    assertThat(endpoints.all()).isEmpty();
  }

  @Test
  void connectedBeforeTheDatastoreTellsAndAfterIt() {
    endpoints.connect(endpoint("n1", "g1"));
    assertThat(generation()).isEqualTo("g1");
    tell(endpoint("n1", "g1"));
    assertThat(generation()).isEqualTo("g1");
    delete();
    assertThat(endpoints.all()).isEmpty();
  }

  @Test
  void disconnectedBeforeTheDatastoreForgets() {
    tell(endpoint("n1", "g1"));
    endpoints.disconnect(endpoint("n1", "g1"));
    assertThat(endpoints.all()).isEmpty();
    tell(endpoint("n1", "g1"));
    assertThat(endpoints.all()).as("an echo of the old one").isEmpty();
    delete();
    tell(endpoint("n1", "g2"));
    assertThat(generation()).isEqualTo("g2");
  }

  @Test
  void theEchoOfAnOldAttachmentDoesNotDisconnectTheNewOne() {
    tell(endpoint("n1", "g1"));
    endpoints.disconnect(endpoint("n1", "g1"));
    endpoints.connect(endpoint("n1", "g2"));
    delete(); // of g1
    assertThat(generation()).isEqualTo("g2");
    tell(endpoint("n1", "g2"));
    assertThat(generation()).isEqualTo("g2");
  }

  @Test
  void aLateDisconnectOfAnOldAttachmentDoesNotHitTheNewOne() {
    endpoints.connect(endpoint("n1", "g2"));
    endpoints.disconnect(endpoint("n1", "g1"));
    assertThat(generation()).isEqualTo("g2");
  }

  @Test
  void oneThatOnlyTheDatastoreHasGoesWithIt() {
    tell(endpoint("n1", "g1"));
    delete();
    assertThat(endpoints.all()).isEmpty();
  }

  private String generation() {
    return endpoints.find("n1.c.eth0").orElseThrow().spec().generation();
  }

  private void tell(WorkloadEndpoint endpoint) {
    endpoints.onUpdate(new Update.Put<>(endpoint.name(), endpoint));
  }

  private void delete() {
    endpoints.onUpdate(new Update.Delete<>("n1.c.eth0"));
  }

  private static WorkloadEndpoint endpoint(String node, String generation) {
    return new WorkloadEndpoint(
        Metadata.of(WorkloadEndpoint.nameOf(node, "c", "eth0")),
        new WorkloadEndpoint.Spec(
            node,
            "c",
            "eth0",
            "wl0",
            new MacAddress(2),
            List.of(Cidr.parse("10.0.0.1/32")),
            "net",
            generation));
  }
}
