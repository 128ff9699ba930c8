package io.wayleave.policy.dataplane;

import io.wayleave.model.InvalidInputException;
import io.wayleave.model.Protocol;

/** A port of a protocol that has ports, written {@code tcp:22}. */
public record ProtocolPort(Protocol protocol, int port) {
  public ProtocolPort {
    if (!protocol.hasPorts() || port < 1 || port > 65535) {
      throw new InvalidInputException("", protocol + ":" + port, allowed());
    }
  }

  /**
   * Reads {@code tcp:22}.
   *
   * @throws InvalidInputException when it is anything else
   */
  public static ProtocolPort parse(String text) {
    if (!text.matches("[A-Za-z]+:[0-9]{1,5}")) {
      throw new InvalidInputException("", text, allowed());
    }
    int colon = text.indexOf(':');
    try {
      return new ProtocolPort(
          Protocol.parse(text.substring(0, colon)), Integer.parseInt(text.substring(colon + 1)));
    } catch (InvalidInputException e) {
      throw new InvalidInputException("", text, allowed());
    }
  }

  @Override
  public String toString() {
    return protocol.toString().toLowerCase(java.util.Locale.ROOT) + ":" + port;
  }

  private static String allowed() {
    return "tcp, udp, sctp or udplite, ':' and a port of 1 to 65535, such as tcp:22";
  }
}
