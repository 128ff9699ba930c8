package io.wayleave.cni;

import io.wayleave.model.MacAddress;

/**
 * An endpoint that has no addresses yet. The components are those of {@link
 * io.wayleave.model.WorkloadEndpoint}.
 *
 * @param identity what it is selected by
 * @param wishes which addresses are wanted
 */
public record EndpointRequest(
    String name,
    EndpointIdentity identity,
    String node,
    AttachmentKey key,
    String interfaceName,
    MacAddress mac,
    String network,
    String generation,
    AddressWishes wishes) {}
