package io.wayleave.test.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** A container's root file system: one static busybox and the mount points that runtimes want. */
final class Rootfs {
  private static final Path BUSYBOX = Path.of("/bin/busybox");
  private static final List<String> APPLETS =
      List.of(
          "arp",
          "awk",
          "cat",
          "date",
          "echo",
          "env",
          "false",
          "grep",
          "head",
          "hostname",
          "httpd",
          "id",
          "ifconfig",
          "ip",
          "kill",
          "ls",
          "mkdir",
          "nc",
          "netstat",
          "nslookup",
          "ping",
          "ping6",
          "printf",
          "ps",
          "rm",
          "route",
          "sed",
          "seq",
          "sh",
          "sleep",
          "sort",
          "tail",
          "test",
          "timeout",
          "touch",
          "traceroute",
          "true",
          "uname",
          "vi",
          "wc",
          "wget",
          "yes");

  private Rootfs() {}

  static void create(Path directory) {
    try {
      for (String name : List.of("bin", "etc", "proc", "sys", "dev", "run", "tmp", "root", "www")) {
        Files.createDirectories(directory.resolve(name));
      }
      Path bin = directory.resolve("bin");
      Files.copy(
          BUSYBOX,
          bin.resolve("busybox"),
          StandardCopyOption.REPLACE_EXISTING,
          StandardCopyOption.COPY_ATTRIBUTES);
      for (String applet : APPLETS) {
        Path link = bin.resolve(applet);
        Files.deleteIfExists(link);
        Files.createSymbolicLink(link, Path.of("busybox"));
      }
      // Runtimes mount their own over these, and cannot where the file is missing.
      for (String name : List.of("hosts", "hostname", "resolv.conf")) {
        Files.writeString(directory.resolve("etc").resolve(name), "");
      }
      Files.writeString(
          directory.resolve("etc").resolve("passwd"), "root:x:0:0:root:/root:/bin/sh\n");
    } catch (IOException e) {
      throw new UncheckedIOException("root file system cannot be made: " + directory, e);
    }
  }
}
