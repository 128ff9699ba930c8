package io.wayleave.test.lab;

import java.util.ArrayList;
import java.util.List;

/** How a command is run in a network namespace: the words that go before it. */
public final class NetNs {
  private NetNs() {}

  /**
   * By a name under /run/netns. Not {@code ip netns exec}: its fresh /sys hides the cgroups from
   * container runtimes.
   */
  public static List<String> named(String namespace) {
    return path("/run/netns/" + namespace);
  }

  static List<String> path(String namespacePath) {
    return List.of("nsenter", "--net=" + namespacePath);
  }

  static List<String> in(String namespace, String... argv) {
    List<String> all = new ArrayList<>(named(namespace));
    all.addAll(List.of(argv));
    return all;
  }

  /** Sets sysctls such as {@code net.ipv4.ip_forward=1} in a namespace. */
  public static void sysctl(String namespace, String... settings) {
    List<String> argv = new ArrayList<>(List.of("sysctl", "-qw"));
    argv.addAll(List.of(settings));
    Command.of(argv).at(named(namespace)).check();
  }
}
