package io.wayleave.cni;

import io.wayleave.linux.NetworkNamespace;
import io.wayleave.model.WorkloadEndpoint;

/**
 * A veth pair to be made.
 *
 * @param namespace of the container
 * @param mtu of both ends
 */
record WirePlan(WorkloadEndpoint endpoint, NetworkNamespace namespace, int mtu) {
  String hostInterface() {
    return endpoint.spec().interfaceName();
  }

  String containerInterface() {
    return endpoint.spec().endpoint();
  }
}
