package io.wayleave.bgp;

import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;

/**
 * Where the speaker waits for its peers' connections; 0.0.0.0 stands for every address of IPv4, and
 * :: for every one of both families.
 */
public record ListenAddress(IpAddress address, int port) {
  /** The port that IANA gave to BGP. */
  public static final int BGP_PORT = 179;

  public ListenAddress {
    if (port < 1 || port > 65535) {
      throw new InvalidInputException("port", Integer.toString(port), "1 to 65535");
    }
  }

  @Override
  public String toString() {
    return address + " port " + port;
  }
}
