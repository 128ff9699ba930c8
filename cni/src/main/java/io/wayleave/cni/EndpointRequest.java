package io.wayleave.cni;

import io.wayleave.model.MacAddress;
import java.util.Map;

/**
 * An endpoint that has no addresses yet. The components are those of {@link
 * io.wayleave.model.WorkloadEndpoint}.
 *
 * @param wishes which addresses are wanted
 */
public record EndpointRequest(
    String name,
    Map<String, String> labels,
    String node,
    AttachmentKey key,
    String interfaceName,
    MacAddress mac,
    String network,
    String generation,
    AddressWishes wishes) {
  public EndpointRequest {
    labels = Map.copyOf(labels);
  }
}
