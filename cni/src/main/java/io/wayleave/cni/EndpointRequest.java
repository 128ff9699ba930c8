package io.wayleave.cni;

import io.wayleave.model.IpAddress;
import io.wayleave.model.MacAddress;
import java.util.List;
import java.util.Map;

/**
 * An endpoint that has no addresses yet. The components are those of {@link
 * io.wayleave.model.WorkloadEndpoint}.
 *
 * @param wantedAddresses addresses that the runtime asks for, at most one per family; empty: any
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
    List<IpAddress> wantedAddresses) {
  public EndpointRequest {
    labels = Map.copyOf(labels);
    wantedAddresses = List.copyOf(wantedAddresses);
  }
}
