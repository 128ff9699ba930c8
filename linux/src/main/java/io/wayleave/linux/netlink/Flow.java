package io.wayleave.linux.netlink;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.IpAddress;
import java.util.Optional;

/**
 * An entry of the connection tracking table.
 *
 * @param original of the packets of the side that began
 * @param reply of the answers, after any translation of addresses
 * @param seenReply whether there was an answer
 * @param assured whether it is kept when the table is full
 * @param zone 0 but where rules put flows into zones
 * @param id tells it from a later flow of the same tuple, mostly: the kernel makes it of the
 *     entry's place in memory, which may be the same
 * @param master of a flow that another one announced, such as the data of FTP: the original tuple
 *     of that
 */
public record Flow(
    FlowTuple original,
    FlowTuple reply,
    boolean seenReply,
    boolean assured,
    int mark,
    int zone,
    int id,
    Optional<FlowTuple> master) {
  public Flow {
    requireNonNull(original, "original is null");
    requireNonNull(reply, "reply is null");
    requireNonNull(master, "master is null");
  }

  /** Whether it comes from or goes to an address, before or after any translation. */
  public boolean concerns(IpAddress address) {
    return original.source().equals(address)
        || original.destination().equals(address)
        || reply.source().equals(address)
        || reply.destination().equals(address);
  }
}
