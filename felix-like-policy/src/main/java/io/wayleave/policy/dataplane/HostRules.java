package io.wayleave.policy.dataplane;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.stream.Stream;

/**
 * How the host itself is kept, apart from policies.
 *
 * @param workloadToHost what becomes of packets that a container may send and that are for its host
 * @param failsafeInbound ports of the host that no policy of a host endpoint closes
 * @param failsafeOutbound ports elsewhere to which no policy of a host endpoint closes the way
 */
public record HostRules(
    WorkloadToHost workloadToHost,
    List<ProtocolPort> failsafeInbound,
    List<ProtocolPort> failsafeOutbound) {

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
          ports(
              "tcp:22",
              "udp:68",
              "tcp:179",
              "tcp:2379",
              "tcp:2380",
              "tcp:5473",
              "tcp:6443",
              "tcp:6666",
              "tcp:6667"),
          ports(
              "udp:53",
              "udp:67",
              "tcp:179",
              "tcp:2379",
              "tcp:2380",
              "tcp:5473",
              "tcp:6443",
              "tcp:6666",
              "tcp:6667"));

  public HostRules {
    requireNonNull(workloadToHost, "workloadToHost is null");
    failsafeInbound = List.copyOf(failsafeInbound);
    failsafeOutbound = List.copyOf(failsafeOutbound);
  }

  private static List<ProtocolPort> ports(String... texts) {
    return Stream.of(texts).map(ProtocolPort::parse).toList();
  }
}
