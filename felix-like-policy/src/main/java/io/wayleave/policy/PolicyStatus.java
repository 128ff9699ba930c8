package io.wayleave.policy;

import io.wayleave.policy.calc.RuleBlock;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * How it stands with policy on this host.
 *
 * @param framed whether unknown interfaces of ours are dropped: the frame of the filter has been
 *     written, or found, since the start
 * @param inSync whether everything that policy depends on has been told completely
 * @param current whether the kernel has everything that was told; false while a write is due or
 *     failing
 * @param digest of the policies, tiers, profiles and sets that the kernel had last ({@link
 *     io.wayleave.model.policy.PolicyDigest}); empty before the first write in-sync
 * @param endpoints number of this node's workload endpoints
 * @param rules the policies and profiles that govern an endpoint of this node
 * @param missingTiers tiers that such policies name and nobody stored: the last ones, which deny
 * @param missingProfiles profiles that endpoints of this node name and nobody stored
 * @param unreadable what is stored and cannot be read, and why, by kind and id, such as {@code
 *     NetworkPolicy shop/web}: what it may forbid is closed
 * @param failing what could not be programmed, by chain or set, and why; the endpoints under a
 *     failing policy chain are closed
 * @param lastError why the last write failed, or the last look at established flows; empty when
 *     both succeeded
 */
public record PolicyStatus(
    boolean framed,
    boolean inSync,
    boolean current,
    String digest,
    int endpoints,
    Map<RuleBlock.Id, RuleStatus> rules,
    Set<String> missingTiers,
    Set<String> missingProfiles,
    Map<String, String> unreadable,
    Map<String, String> failing,
    Optional<String> lastError) {
  public PolicyStatus {
    rules = Map.copyOf(rules);
    missingTiers = Collections.unmodifiableSet(new TreeSet<>(missingTiers));
    missingProfiles = Collections.unmodifiableSet(new TreeSet<>(missingProfiles));
    unreadable = Collections.unmodifiableMap(new TreeMap<>(unreadable));
    failing = Collections.unmodifiableMap(new TreeMap<>(failing));
  }

  /**
   * One policy or profile on this node.
   *
   * @param endpoints how many workload and host endpoints of this node it governs
   * @param programmed whether the kernel has its rules as they were told
   * @param failing why the kernel refused them, so that the endpoints are closed
   */
  public record RuleStatus(int endpoints, boolean programmed, Optional<String> failing) {}

  static PolicyStatus unknown() {
    return new PolicyStatus(
        false,
        false,
        false,
        "",
        0,
        Map.of(),
        Set.of(),
        Set.of(),
        Map.of(),
        Map.of(),
        Optional.empty());
  }
}
