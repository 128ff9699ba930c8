package io.wayleave.policy;

import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * How it stands with policy on this host.
 *
 * @param framed whether unknown interfaces of ours are dropped: the frame of the filter has been
 *     written, or found, since the start
 * @param inSync whether endpoints and policies have been told completely
 * @param current whether the kernel has everything that was told; false while a write is due or
 *     failing
 * @param endpoints number of this node's endpoints
 * @param failing what could not be programmed, by chain or set, and why; the endpoints under a
 *     failing policy chain are closed
 * @param lastError why the last write failed; empty after one that succeeded
 */
public record PolicyStatus(
    boolean framed,
    boolean inSync,
    boolean current,
    int endpoints,
    Map<String, String> failing,
    Optional<String> lastError) {
  public PolicyStatus {
    failing = Collections.unmodifiableMap(new TreeMap<>(failing));
  }

  static PolicyStatus unknown() {
    return new PolicyStatus(false, false, false, 0, Map.of(), Optional.empty());
  }
}
