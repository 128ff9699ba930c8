package io.wayleave.policy.dataplane;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.policy.FailsafePort;
import io.wayleave.model.policy.HostSettings;
import io.wayleave.model.policy.WorkloadToHost;
import java.util.List;

/**
 * How the host itself is kept, apart from policies.
 *
 * @param workloadToHost what becomes of packets that a container may send and that are for its host
 * @param failsafeInbound ports of the host that no policy of a host endpoint closes
 * @param failsafeOutbound ports elsewhere to which no policy of a host endpoint closes the way
 * @param logDenied whether packets that policy denies go to the kernel's log ({@link LogPrefix})
 * @param removeEstablished whether established flows of containers end that a changed policy
 *     forbids ({@link Marks#FORBIDDEN})
 */
public record HostRules(
    WorkloadToHost workloadToHost,
    List<FailsafePort> failsafeInbound,
    List<FailsafePort> failsafeOutbound,
    boolean logDenied,
    boolean removeEstablished) {

  /** SSH, BGP, etcd and others without which a host could not be helped any more. */
  public static final HostRules DEFAULT = of(HostSettings.DEFAULT, false, true);

  public static HostRules of(HostSettings settings, boolean logDenied, boolean removeEstablished) {
    return new HostRules(
        settings.workloadToHostAction(),
        settings.failsafeInbound(),
        settings.failsafeOutbound(),
        logDenied,
        removeEstablished);
  }

  public HostRules {
    requireNonNull(workloadToHost, "workloadToHost is null");
    failsafeInbound = List.copyOf(failsafeInbound);
    failsafeOutbound = List.copyOf(failsafeOutbound);
  }
}
