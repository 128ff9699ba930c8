package io.wayleave.policy;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Family;
import io.wayleave.policy.dataplane.HostRules;
import io.wayleave.policy.dataplane.IptablesBackend;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * How the engine enforces policy on this host.
 *
 * @param node name of the node whose endpoints are enforced
 * @param families the families that are filtered
 * @param backend which iptables is used; found out from the host when absent
 * @param resyncInterval how often the kernel is compared with what should be there
 * @param commandDeadline longest life of one iptables process
 * @param namespace the host's network namespace, such as {@code /run/netns/NAME}; empty when the
 *     process itself is in it
 * @param host what is kept of the host itself whatever policies say
 */
public record PolicyConfig(
    String node,
    Set<Family> families,
    Optional<IptablesBackend> backend,
    Duration resyncInterval,
    Duration commandDeadline,
    Optional<Path> namespace,
    HostRules host) {
  private static final Duration RESYNC_INTERVAL = Duration.ofSeconds(30);

  /** Longer than the 10 s that iptables waits for the xtables lock. */
  private static final Duration COMMAND_DEADLINE = Duration.ofSeconds(30);

  public PolicyConfig {
    requireNonNull(node, "node is null");
    requireNonNull(backend, "backend is null");
    families = Set.copyOf(families);
    requireNonNull(namespace, "namespace is null");
    requireNonNull(host, "host is null");
    if (!resyncInterval.isPositive()) {
      throw new IllegalArgumentException("resyncInterval must be positive, not " + resyncInterval);
    }
  }

  /** The usual: the families that the kernel has, the back end that the host uses. */
  public static PolicyConfig of(String node) {
    Set<Family> families = EnumSet.of(Family.IPV4);
    if (Files.exists(Path.of("/proc/sys/net/ipv6"))) {
      families.add(Family.IPV6);
    }
    return new PolicyConfig(
        node,
        families,
        Optional.empty(),
        RESYNC_INTERVAL,
        COMMAND_DEADLINE,
        Optional.empty(),
        HostRules.DEFAULT);
  }

  public PolicyConfig withBackend(IptablesBackend chosen) {
    return new PolicyConfig(
        node, families, Optional.of(chosen), resyncInterval, commandDeadline, namespace, host);
  }

  public PolicyConfig withResyncInterval(Duration interval) {
    return new PolicyConfig(node, families, backend, interval, commandDeadline, namespace, host);
  }

  public PolicyConfig withNamespace(Path path) {
    return new PolicyConfig(
        node, families, backend, resyncInterval, commandDeadline, Optional.of(path), host);
  }

  public PolicyConfig withHost(HostRules rules) {
    return new PolicyConfig(
        node, families, backend, resyncInterval, commandDeadline, namespace, rules);
  }
}
