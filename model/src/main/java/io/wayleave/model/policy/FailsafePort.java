package io.wayleave.model.policy;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import io.wayleave.model.Direction;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.Protocol;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A port of a host that no policy closes, so that nobody locks himself out: it is open before any
 * policy of a host endpoint is asked.
 *
 * @param port the port that the packet goes to
 */
public record FailsafePort(Protocol protocol, int port) {
  private static final String ALLOWED =
      "tcp, udp, sctp or udplite, ':' and a port of 1 to 65535, such as tcp:22";

  private static final List<FailsafePort> INBOUND =
      ports(new int[] {22, 179, 2379, 2380, 5473, 6443, 6666, 6667}, new int[] {68});
  private static final List<FailsafePort> OUTBOUND =
      ports(new int[] {179, 2379, 2380, 5473, 6443, 6666, 6667}, new int[] {53, 67});

  public FailsafePort {
    if (!protocol.hasPorts() || port < 1 || port > 65535) {
      throw new InvalidInputException("", protocol + ":" + port, ALLOWED);
    }
  }

  /**
   * Reads {@code tcp:22}.
   *
   * @throws InvalidInputException when it is anything else
   */
  @JsonCreator
  public static FailsafePort parse(String text) {
    if (!text.matches("[A-Za-z]+:[0-9]{1,5}")) {
      throw new InvalidInputException("", text, ALLOWED);
    }
    int colon = text.indexOf(':');
    try {
      return new FailsafePort(
          Protocol.parse(text.substring(0, colon)), Integer.parseInt(text.substring(colon + 1)));
    } catch (InvalidInputException e) {
      throw new InvalidInputException("", text, ALLOWED);
    }
  }

  /** Those of an agent whose configuration names none: login, BGP, datastores, DHCP and DNS. */
  public static List<FailsafePort> defaults(Direction direction) {
    return switch (direction) {
      case Ingress -> INBOUND;
      case Egress -> OUTBOUND;
    };
  }

  private static List<FailsafePort> ports(int[] tcp, int[] udp) {
    List<FailsafePort> ports = new ArrayList<>();
    for (int port : tcp) {
      ports.add(new FailsafePort(Protocol.TCP, port));
    }
    for (int port : udp) {
      ports.add(new FailsafePort(Protocol.UDP, port));
    }
    return List.copyOf(ports);
  }

  @Override
  @JsonValue
  public String toString() {
    return protocol.toString().toLowerCase(Locale.ROOT) + ":" + port;
  }
}
