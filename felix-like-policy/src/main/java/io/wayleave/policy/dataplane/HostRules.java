package io.wayleave.policy.dataplane;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Direction;
import io.wayleave.model.policy.FailsafePort;
import java.util.List;

/**
 * How the host itself is kept, apart from policies.
 *
 * @param workloadToHost what becomes of packets that a container may send and that are for its host
 * @param failsafeInbound ports of the host that no policy of a host endpoint closes
 * @param failsafeOutbound ports elsewhere to which no policy of a host endpoint closes the way
 * @param logDenied whether packets that policy denies go to the kernel's log ({@link LogPrefix})
 */
public record HostRules(
    WorkloadToHost workloadToHost,
    List<FailsafePort> failsafeInbound,
    List<FailsafePort> failsafeOutbound,
    boolean logDenied) {

  /**
   * What becomes of packets of a container, allowed by its egress policy, that are for its host.
   */
  public enum WorkloadToHost {
    /** The host's own rules decide. */
    Return,
    /** They are taken in, whatever the host's own rules say. */
    Accept,
    /** They are dropped, but for answers. */
    Drop
  }

  /** SSH, BGP, etcd and others without which a host could not be helped any more. */
  public static final HostRules DEFAULT =
      new HostRules(
          WorkloadToHost.Return,
          FailsafePort.defaults(Direction.Ingress),
          FailsafePort.defaults(Direction.Egress),
          false);

  public HostRules {
    requireNonNull(workloadToHost, "workloadToHost is null");
    failsafeInbound = List.copyOf(failsafeInbound);
    failsafeOutbound = List.copyOf(failsafeOutbound);
  }
}
