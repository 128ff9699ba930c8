package io.wayleave.test.policy;

import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * Which hosts, containers and outside addresses there are: what stays the same from one random
 * fleet to the next, so that real namespaces can be made for it once.
 *
 * @param outside addresses outside of the fleet, some of them neighbours and at the edges of nets
 */
record FleetLayout(List<Host> hosts, List<Container> containers, List<IpAddress> outside) {
  /** The interface by which a host reaches others. */
  static final String UPLINK = "out0";

  /** The protocol that the hosts' own rules, not ours, drop when it comes from a container. */
  static final int DROPPED_BY_HOSTS = Flow.UDP;

  private static final int HOSTS = 2;
  private static final int CONTAINERS_PER_HOST = 4;

  /**
   * A host.
   *
   * @param addresses those of its uplink, one of each family
   */
  record Host(String node, List<IpAddress> addresses) {}

  /**
   * A container.
   *
   * @param interfaceName of the host's end of its veth pair
   */
  record Container(
      String endpoint, String id, String node, String interfaceName, List<IpAddress> addresses) {}

  /** Whether the flow is sent by a container from an address that is none of its own. */
  boolean spoofed(Flow flow) {
    return flow.from() instanceof Flow.Place.Container(String name)
        && containers.stream()
            .noneMatch(
                container ->
                    container.endpoint().equals(name)
                        && container.addresses().contains(flow.source()));
  }

  /** Two hosts with four containers each, most of them with both families. */
  static FleetLayout twoHosts() {
    List<Host> hosts = new ArrayList<>();
    List<Container> containers = new ArrayList<>();
    for (int host = 1; host <= HOSTS; host++) {
      String node = "n" + host;
      hosts.add(
          new Host(
              node,
              List.of(
                  IpAddress.parse("198.51.100." + (4 * host + 2)),
                  IpAddress.parse("2001:db8:" + host + "::2"))));
      for (int number = 1; number <= CONTAINERS_PER_HOST; number++) {
        List<IpAddress> addresses = new ArrayList<>();
        addresses.add(IpAddress.parse("10.65." + host + "." + number));
        if (number == 1) {
          addresses.add(IpAddress.parse("10.65." + host + ".129"));
        }
        if (number != CONTAINERS_PER_HOST) {
          addresses.add(IpAddress.parse("fd65::" + host + ":" + number));
        }
        String id = "c" + number;
        containers.add(
            new Container(
                node + "." + id + ".eth0",
                id,
                node,
                "wl%011x".formatted(host * 0x1000 + number),
                List.copyOf(addresses)));
      }
    }
    List<IpAddress> outside = new ArrayList<>();
    for (int last : new int[] {1, 3, 4, 7, 8, 127, 128, 254}) {
      outside.add(IpAddress.parse("203.0.113." + last));
      outside.add(IpAddress.parse("2001:db8:ff::" + Integer.toHexString(last)));
    }
    return new FleetLayout(List.copyOf(hosts), List.copyOf(containers), List.copyOf(outside));
  }
}
