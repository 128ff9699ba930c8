package io.wayleave.ctl;

import io.wayleave.model.HostEndpoint;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.status.PacketReport;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * Logged packets as lines, with the names of endpoints beside their addresses. The names are read
 * again when an address is met that has none, at most once in a few seconds. NOT thread safe.
 */
final class PacketText {
  private static final long READ_AGAIN_NANOS = Duration.ofSeconds(5).toNanos();

  private final Resources resources;
  private Map<String, String> names;
  private long readAt;

  PacketText(Resources resources) {
    this.resources = resources;
    read();
  }

  String line(PacketReport.Packet packet) {
    return Table.clean(
            packet.time()
                + "  "
                + packet.why()
                + "  "
                + named(packet.source())
                + " > "
                + named(packet.destination())
                + "  "
                + packet.protocol()
                + packet.detail().map(detail -> " " + detail).orElse(""))
        + "\n";
  }

  private String named(String address) {
    if (!names.containsKey(address) && System.nanoTime() - readAt > READ_AGAIN_NANOS) {
      read();
    }
    String name = names.get(address);
    return name == null ? address : address + " (" + name + ")";
  }

  private void read() {
    Map<String, String> read = new HashMap<>();
    for (HostEndpoint host : resources.list(HostEndpoint.class)) {
      host.spec().expectedIPs().forEach(ip -> read.put(ip.toString(), host.id()));
    }
    for (WorkloadEndpoint endpoint : resources.list(WorkloadEndpoint.class)) {
      endpoint
          .spec()
          .ipNetworks()
          .forEach(net -> read.put(net.address().toString(), endpoint.id()));
    }
    names = read;
    readAt = System.nanoTime();
  }
}
