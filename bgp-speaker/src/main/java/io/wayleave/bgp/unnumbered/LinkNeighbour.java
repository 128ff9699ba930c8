package io.wayleave.bgp.unnumbered;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.IpAddress;

/**
 * The router at the other end of a link.
 *
 * @param interfaceIndex of this moment: an interface that goes and comes has another one
 * @param address link-local, so it means something with the interface only
 */
public record LinkNeighbour(String interfaceName, int interfaceIndex, IpAddress address) {
  public LinkNeighbour {
    requireNonNull(interfaceName, "interfaceName is null");
    requireNonNull(address, "address is null");
  }

  @Override
  public String toString() {
    return address + "%" + interfaceName;
  }
}
