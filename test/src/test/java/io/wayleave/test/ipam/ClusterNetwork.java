package io.wayleave.test.ipam;

import io.wayleave.linux.NetworkNamespace;
import io.wayleave.test.lab.Command;
import io.wayleave.test.lab.NetNs;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * A network namespace for clients, with a bridge, and one for each member of a cluster, on a cable
 * of its own. Cables are cut and members kept from each other on demand. {@link #close} removes all
 * of it, not the processes in it. NOT thread safe.
 */
final class ClusterNetwork implements AutoCloseable {
  private static final AtomicInteger RUN = new AtomicInteger();
  private static final String SUBNET = "10.98.0.";

  private final String run;
  private final int members;

  private ClusterNetwork(String run, int members) {
    this.run = run;
    this.members = members;
  }

  static ClusterNetwork make(int members) throws IOException {
    String run = "wlc" + ProcessHandle.current().pid() + "-" + RUN.incrementAndGet();
    ClusterNetwork network = new ClusterNetwork(run, members);
    try {
      network.make();
      return network;
    } catch (IOException | RuntimeException e) {
      network.close();
      throw e;
    }
  }

  private void make() throws IOException {
    String hub = hub();
    NetworkNamespace.create(hub).close();
    StringBuilder batch = new StringBuilder();
    batch.append("link set lo up\nlink add hub type bridge\nlink set hub up\n");
    batch.append("address add " + SUBNET + "1/24 dev hub\n");
    for (int i = 0; i < members; i++) {
      NetworkNamespace.create(namespace(i)).close();
      batch.append(
          "link add %s type veth peer name cable netns %s%n".formatted(port(i), namespace(i)));
      batch.append("link set %s master hub up%n".formatted(port(i)));
    }
    Command.of("ip", "-netns", hub, "-batch", "-").input(batch.toString()).check();
    for (int i = 0; i < members; i++) {
      Command.of("ip", "-netns", namespace(i), "-batch", "-")
          .input(
              "link set lo up\naddress add %s/24 dev cable%nlink set cable up%n"
                  .formatted(address(i)))
          .check();
    }
  }

  /** The namespace of the clients, which reach every member. */
  String hub() {
    return run + "-hub";
  }

  String namespace(int member) {
    return run + "-m" + member;
  }

  String address(int member) {
    return SUBNET + (11 + member);
  }

  List<String> addresses() {
    return IntStream.range(0, members).mapToObj(this::address).toList();
  }

  private static String port(int member) {
    return "m" + member;
  }

  /** Nothing reaches the member any more, and nothing comes from it. */
  void cut(int member) {
    Command.of("ip", "-netns", hub(), "link", "set", port(member), "down").check();
  }

  /** The member and the others do not hear each other; clients reach all of them. */
  void isolate(int member) {
    StringBuilder rules = new StringBuilder("*filter\n");
    for (int other = 0; other < members; other++) {
      if (other != member) {
        rules.append("-A INPUT -s %s -j DROP%n".formatted(address(other)));
        rules.append("-A OUTPUT -d %s -j DROP%n".formatted(address(other)));
      }
    }
    Command.of("iptables-restore", "--noflush", "-w")
        .at(NetNs.named(namespace(member)))
        .input(rules + "COMMIT\n")
        .check();
  }

  /** The member hears everybody and is heard. */
  void mend(int member) {
    Command.of("iptables", "-w", "-F").at(NetNs.named(namespace(member))).check();
    Command.of("ip", "-netns", hub(), "link", "set", port(member), "up").check();
  }

  @Override
  public void close() throws IOException {
    NetworkNamespace.delete(hub());
    for (int i = 0; i < members; i++) {
      NetworkNamespace.delete(namespace(i));
    }
  }
}
