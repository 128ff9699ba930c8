package io.wayleave.test.lab;

import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A network namespace among a host's runtimes that stands for a container: for giving the CNI
 * plugin commands that no runtime would. Safe from any thread; calls block.
 */
final class BareContainer implements AutoCloseable {
  private static final AtomicInteger COUNTER = new AtomicInteger();

  private final LabHost host;
  private final String name;

  private BareContainer(LabHost host, String name) {
    this.host = host;
    this.name = name;
  }

  static BareContainer create(LabHost host) {
    BareContainer container = new BareContainer(host, "bare" + COUNTER.incrementAndGet());
    Command.of("ip", "netns", "add", container.name).at(host.inside()).check();
    return container;
  }

  String id() {
    return name;
  }

  String path() {
    return "/run/netns/" + name;
  }

  Command.Result add() {
    return host.cni("ADD", name, path(), Map.of());
  }

  Command.Result del() {
    return host.cni("DEL", name, path(), Map.of());
  }

  /** As containerd's CRI plugin sends it the second time. */
  Command.Result delWithoutNetns() {
    return host.cni("DEL", name, "", Map.of());
  }

  /** What the namespace has besides the loopback. */
  List<String> links() {
    return Command.of("ip", "-brief", "link")
        .at(List.of("nsenter", "--net=" + path()))
        .at(host.inside())
        .check()
        .lines()
        .filter(line -> !line.startsWith("lo "))
        .toList();
  }

  void deleteNetns() {
    Command.of("ip", "netns", "delete", name).at(host.inside()).check();
  }

  /** Undoes whatever is left. */
  @Override
  public void close() {
    Command.Result _ = delWithoutNetns();
    Command.Result _ = Command.of("ip", "netns", "delete", name).at(host.inside()).run();
  }
}
