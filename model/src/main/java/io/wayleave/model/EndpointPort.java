package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;

/**
 * A port of an endpoint that rules may refer to by name.
 *
 * @param protocol TCP, UDP or SCTP
 * @param port 1 to 65535
 */
public record EndpointPort(PortName name, Protocol protocol, Integer port) {
  @JsonCreator
  public EndpointPort {
    Absent.required("name", name, "a name, such as http");
    Absent.required("protocol", protocol, "TCP, UDP or SCTP");
    Absent.required("port", port, "a port of 1 to 65535");
    if (!protocol.equals(Protocol.TCP)
        && !protocol.equals(Protocol.UDP)
        && !protocol.equals(Protocol.SCTP)) {
      throw new InvalidInputException("protocol", protocol.toString(), "TCP, UDP or SCTP");
    }
    if (port < 1 || port > 65535) {
      throw new InvalidInputException("port", port.toString(), "a port of 1 to 65535");
    }
  }
}
