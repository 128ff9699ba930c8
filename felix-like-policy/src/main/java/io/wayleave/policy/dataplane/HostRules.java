package io.wayleave.policy.dataplane;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.policy.HostSettings;

/**
 * How the host itself is kept, apart from policies.
 *
 * @param settings what others are told of it as well
 * @param logDenied whether packets that policy denies go to the kernel's log ({@link LogPrefix})
 * @param removeEstablished whether established flows of containers end that a changed policy
 *     forbids ({@link Marks#FORBIDDEN})
 */
public record HostRules(HostSettings settings, boolean logDenied, boolean removeEstablished) {
  /** SSH, BGP, etcd and others without which a host could not be helped any more. */
  public static final HostRules DEFAULT = new HostRules(HostSettings.DEFAULT, false, true);

  public HostRules {
    requireNonNull(settings, "settings is null");
  }
}
