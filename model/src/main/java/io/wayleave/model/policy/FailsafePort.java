package io.wayleave.model.policy;

import io.wayleave.model.Direction;
import io.wayleave.model.Protocol;
import java.util.ArrayList;
import java.util.List;

/**
 * A port of a host that no policy closes, so that nobody locks himself out: it is open before any
 * policy of a host endpoint is asked.
 *
 * @param port the port that the packet goes to
 */
public record FailsafePort(Protocol protocol, int port) {
  private static final List<FailsafePort> INBOUND =
      ports(new int[] {22, 179, 2379, 2380, 5473, 6443, 6666, 6667}, new int[] {68});
  private static final List<FailsafePort> OUTBOUND =
      ports(new int[] {179, 2379, 2380, 5473, 6443, 6666, 6667}, new int[] {53, 67});

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
}
