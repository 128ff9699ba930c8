package io.wayleave.test.policy;

import io.wayleave.model.IpAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Keeps flows apart that a kernel would take for one, either way round. NOT thread safe. */
final class FlowTable {
  private final Set<Object> taken = new HashSet<>();

  private record Side(IpAddress address, int port) {}

  private record Entry(int protocol, List<Side> sides, int icmpType, int icmpCode) {}

  /**
   * Whether the flow is one of its own. ICMP requests are told apart by an identifier that each
   * packet has of its own.
   */
  boolean add(Flow flow) {
    Side from = new Side(flow.source(), flow.sourcePort());
    Side to = new Side(flow.destination(), flow.destinationPort());
    List<Side> sides =
        Stream.of(from, to).sorted((a, b) -> a.toString().compareTo(b.toString())).toList();
    return taken.add(new Entry(flow.protocol(), sides, flow.icmpType(), flow.icmpCode()));
  }
}
