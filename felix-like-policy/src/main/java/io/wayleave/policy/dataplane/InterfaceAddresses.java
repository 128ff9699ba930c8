package io.wayleave.policy.dataplane;

import io.wayleave.model.IpAddress;
import java.util.Map;
import java.util.Set;

/**
 * The addresses that the host's interfaces have. The seam between host endpoints and the system.
 */
@FunctionalInterface
public interface InterfaceAddresses {
  /**
   * The names of the interfaces that have an address, by address.
   *
   * @throws DataplaneException when they cannot be read
   */
  Map<IpAddress, Set<String>> read();
}
