package io.wayleave.bgp;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A routing daemon's process and its folder; both are gone after {@link #close}. */
final class Daemon implements AutoCloseable {
  private static final Duration COMMAND_TIME = Duration.ofSeconds(10);

  private final Path folder;
  private Process process;

  Daemon(String name) throws IOException {
    // Under /tmp: a Unix socket's path must be short.
    folder = Files.createTempDirectory("wlt" + ProcessHandle.current().pid() + name);
  }

  Path folder() {
    return folder;
  }

  void write(String file, String text) throws IOException {
    Files.writeString(folder.resolve(file), text);
  }

  String read(String file) throws IOException {
    return Files.readString(folder.resolve(file));
  }

  void start(List<String> command) throws IOException {
    process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()))
            .start();
  }

  long pid() {
    return process.pid();
  }

  /** As kill -9. */
  void kill() {
    process.destroyForcibly();
    await();
  }

  void await() {
    try {
      if (!process.waitFor(COMMAND_TIME.toSeconds(), TimeUnit.SECONDS)) {
        throw new AssertionError("process " + process.pid() + " does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  /** Waits for the end; a signal's number counts from 128. */
  int exitCode() {
    await();
    return process.exitValue();
  }

  String log() {
    try {
      return Files.readString(folder.resolve("log"), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Output of a command, standard error included. */
  static String run(List<String> command) {
    try {
      Process ran = new ProcessBuilder(command).redirectErrorStream(true).start();
      ran.getOutputStream().close();
      String output = new String(ran.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!ran.waitFor(COMMAND_TIME.toSeconds(), TimeUnit.SECONDS)) {
        ran.destroyForcibly();
        throw new AssertionError(command + " does not end");
      }
      return output;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  /** Asks the BIRD of this folder, whose control socket is bird.ctl. */
  String birdc(String... words) {
    List<String> line =
        new ArrayList<>(List.of("birdc", "-s", folder.resolve("bird.ctl").toString()));
    line.addAll(List.of(words));
    return run(line);
  }

  /** How a daemon of FRR is started with NAME.conf of that folder, which zebra and others share. */
  static List<String> frr(Path folder, String name) {
    return List.of(
        "/usr/lib/frr/" + name,
        "-f",
        folder.resolve(name + ".conf").toString(),
        "-i",
        folder.resolve(name + ".pid").toString(),
        "-z",
        folder.resolve("zserv").toString(),
        "--vty_socket",
        folder.toString(),
        "-P",
        "0",
        "-u",
        "frr",
        "-g",
        "frr");
  }

  /** Asks the FRR of that folder. */
  static String vtysh(Path folder, String... commands) {
    List<String> line = new ArrayList<>(List.of("vtysh", "--vty_socket", folder.toString()));
    for (String command : commands) {
      line.add("-c");
      line.add(command);
    }
    return run(line);
  }

  static int freePort(String address) throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName(address))) {
      return socket.getLocalPort();
    }
  }

  @Override
  public void close() throws IOException {
    if (process != null && process.isAlive()) {
      kill();
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
