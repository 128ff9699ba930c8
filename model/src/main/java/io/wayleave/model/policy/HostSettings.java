package io.wayleave.model.policy;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Direction;
import java.util.List;

/**
 * What an agent's configuration says of its host, apart from policies.
 *
 * @param workloadToHostAction what becomes of packets that a container may send and that are for
 *     its host
 * @param failsafeInbound ports of the host that no policy of a host endpoint closes
 * @param failsafeOutbound ports elsewhere to which no policy of a host endpoint closes the way
 */
public record HostSettings(
    WorkloadToHost workloadToHostAction,
    List<FailsafePort> failsafeInbound,
    List<FailsafePort> failsafeOutbound) {
  /** Those of an agent whose configuration says nothing. */
  public static final HostSettings DEFAULT =
      new HostSettings(
          WorkloadToHost.Return,
          FailsafePort.defaults(Direction.Ingress),
          FailsafePort.defaults(Direction.Egress));

  public HostSettings {
    requireNonNull(workloadToHostAction, "workloadToHostAction is null");
    failsafeInbound = List.copyOf(failsafeInbound);
    failsafeOutbound = List.copyOf(failsafeOutbound);
  }

  /** The ports that are open in one direction of the host. */
  public List<FailsafePort> failsafes(Direction direction) {
    return switch (direction) {
      case Ingress -> failsafeInbound;
      case Egress -> failsafeOutbound;
    };
  }
}
