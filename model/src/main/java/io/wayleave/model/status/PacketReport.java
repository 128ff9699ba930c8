package io.wayleave.model.status;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Optional;

/**
 * Packets that policy logged or denied on one node: the answer of {@code GET
 * /v1/policy/packets?after=NUMBER} on the agent's admin socket.
 *
 * @param last number of the last packet that was seen; who asks again asks for those after it
 * @param lost packets that the agent was too slow for
 * @param error why the kernel's log cannot be read; empty when it is
 * @param packets those after the number that was asked for, in their order, as far as they are kept
 */
@JsonInclude(JsonInclude.Include.NON_ABSENT)
public record PacketReport(long last, long lost, Optional<String> error, List<Packet> packets) {
  public PacketReport {
    packets = packets == null ? List.of() : List.copyOf(packets);
  }

  /**
   * One packet.
   *
   * @param number counted from the start of the agent
   * @param time ISO 8601 in UTC
   * @param why {@code denied}, or which rule logged it
   * @param detail ports, or type and code of ICMP
   */
  @JsonInclude(JsonInclude.Include.NON_ABSENT)
  public record Packet(
      long number,
      String time,
      String why,
      String source,
      String destination,
      String protocol,
      Optional<String> detail) {}
}
