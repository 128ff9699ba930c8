package io.wayleave.linux.netlink;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import java.util.Optional;

/**
 * A packet that a rule with target NFLOG saw.
 *
 * @param prefix what the rule says of it
 * @param inInterface index of the interface that it came in by; 0 when it was made here
 * @param outInterface index of the interface that it is to leave by; 0 when that is not known yet
 * @param mark of the packet
 * @param time when it came in; empty for packets that were made here
 * @param tuple empty when it is no IP packet or too little of it was copied
 */
public record LoggedPacket(
    String prefix,
    int inInterface,
    int outInterface,
    int mark,
    Optional<Instant> time,
    Optional<FlowTuple> tuple) {
  public LoggedPacket {
    requireNonNull(prefix, "prefix is null");
    requireNonNull(time, "time is null");
    requireNonNull(tuple, "tuple is null");
  }
}
