package io.wayleave.test.interop;

import io.wayleave.test.lab.Command;
import io.wayleave.test.lab.NetNs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The network of one cell: two namespaces, one for each speaker, joined by a veth pair; and a
 * folder. All of it is gone after {@link #close}.
 */
final class Link implements AutoCloseable {
  static final String INTERFACE = "eth0";
  private static final Pattern LINK_LOCAL = Pattern.compile("inet6 (fe80:[0-9a-f:]+)");
  private static final AtomicInteger COUNT = new AtomicInteger();

  private final String id = "wli" + ProcessHandle.current().pid() + "x" + COUNT.incrementAndGet();
  private final List<String> namespaces = List.of(id + "a", id + "b");
  private final Path folder;

  Link() {
    try {
      // Under /tmp: a Unix socket's path must be short. Daemons that drop to users of their own
      // must be able to come in.
      folder = Files.createTempDirectory(Path.of("/tmp"), id);
      Command.of("chmod", "755", folder.toString()).check();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    try {
      namespaces.forEach(namespace -> Command.of("ip", "netns", "add", namespace).check());
      ip(
          "link",
          "add",
          INTERFACE,
          "netns",
          namespaces.getFirst(),
          "type",
          "veth",
          "peer",
          "name",
          INTERFACE,
          "netns",
          namespaces.getLast());
      setUp(Side.OURS);
      setUp(Side.THEIRS);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private void setUp(Side side) {
    String batch =
        """
        link set lo up
        address add %1$s/24 dev eth0
        address add %2$s/64 dev eth0 nodad
        link set eth0 up
        """
            .formatted(side.ipv4(), side.ipv6());
    Command.of("ip", "-n", namespace(side), "-batch", "-").input(batch).check();
    NetNs.sysctl(
        namespace(side),
        "net.ipv4.ip_forward=1",
        "net.ipv6.conf.all.forwarding=1",
        "net.ipv6.conf.eth0.accept_dad=0");
  }

  String namespace(Side side) {
    return switch (side) {
      case OURS -> namespaces.getFirst();
      case THEIRS -> namespaces.getLast();
    };
  }

  /** The words before a command that put it on that side. */
  List<String> at(Side side) {
    return NetNs.named(namespace(side));
  }

  /** Runs {@code ip} with these arguments on a side. */
  String ip(Side side, String... arguments) {
    List<String> all = new ArrayList<>(List.of("-n", namespace(side)));
    all.addAll(List.of(arguments));
    return ip(all.toArray(new String[0]));
  }

  private static String ip(String... arguments) {
    List<String> argv = new ArrayList<>(List.of("ip"));
    argv.addAll(List.of(arguments));
    return Command.of(argv).check();
  }

  /** Takes every address from the link but the link-local ones that it has by itself. */
  void unnumber() {
    for (Side side : Side.values()) {
      var _ = ip(side, "address", "flush", "dev", INTERFACE, "scope", "global");
    }
  }

  /** That side's link-local address. */
  String linkLocal(Side side) {
    String text = ip(side, "-6", "-o", "address", "show", "dev", INTERFACE, "scope", "link");
    Matcher address = LINK_LOCAL.matcher(text);
    if (!address.find()) {
      throw new AssertionError(side + " has no link-local address: " + text);
    }
    return address.group(1);
  }

  /** A new folder of the cell. */
  Path folder(String name) {
    try {
      return Files.createDirectories(folder.resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    for (String namespace : namespaces) {
      var _ = Command.of("ip", "netns", "del", namespace).run();
    }
    try (Stream<Path> files = Files.walk(folder)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
