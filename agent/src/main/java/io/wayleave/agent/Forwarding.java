package io.wayleave.agent;

import io.wayleave.linux.Sysctl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Lets the host forward packets, which a host that routes for its containers must. */
final class Forwarding {
  private static final Path IPV6_INTERFACES = Path.of("/proc/sys/net/ipv6/conf");
  private static final String ALL_IPV6 = "net/ipv6/conf/all/forwarding";

  private Forwarding() {}

  /** Changes nothing that is so already. Works in the network namespace of the calling thread. */
  static void enable() throws IOException {
    if (!Sysctl.read("net/ipv4/ip_forward").equals("1")) {
      Sysctl.write("net/ipv4/ip_forward", "1");
    }
    if (!Files.isDirectory(IPV6_INTERFACES) || Sysctl.read(ALL_IPV6).equals("1")) {
      return;
    }
    // A host that forwards ignores router advertisements unless told otherwise (kernel's
    // ip-sysctl, accept_ra): one that has its default route from them would lose it.
    try (Stream<Path> interfaces = Files.list(IPV6_INTERFACES)) {
      List<String> names = interfaces.map(path -> path.getFileName().toString()).toList();
      for (String name : names) {
        String key = "net/ipv6/conf/" + name + "/accept_ra";
        if (Sysctl.read(key).equals("1")) {
          Sysctl.write(key, "2");
        }
      }
    }
    Sysctl.write(ALL_IPV6, "1");
  }
}
