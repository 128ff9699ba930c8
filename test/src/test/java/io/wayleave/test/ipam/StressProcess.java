package io.wayleave.test.ipam;

import io.wayleave.test.lab.NetNs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A Java process of a stress run, in the namespace of the clients. It ends when its input does, and
 * so with this process too.
 */
final class StressProcess implements AutoCloseable {
  private static final int LOG_END = 3_000;

  private final Process process;
  private final Path output;
  private final Path errors;

  private StressProcess(Process process, Path output, Path errors) {
    this.process = process;
    this.output = output;
    this.errors = errors;
  }

  /**
   * Starts a main class of these tests.
   *
   * @param folder gets what it prints, as NAME.out, and what it logs, as NAME.err
   */
  static StressProcess start(
      ClusterNetwork network, Path folder, String name, Class<?> main, List<String> arguments)
      throws IOException {
    List<String> command = new ArrayList<>(NetNs.named(network.hub()));
    command.addAll(java(64));
    command.add(main.getName());
    command.addAll(arguments);
    Path output = folder.resolve(name + ".out");
    Path errors = folder.resolve(name + ".err");
    return new StressProcess(
        new ProcessBuilder(command)
            .redirectError(ProcessBuilder.Redirect.appendTo(errors.toFile()))
            .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
            .start(),
        output,
        errors);
  }

  /** The start of a command that runs a class of this class path, at little cost. */
  static List<String> java(int heapMebibytes) {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:-UsePerfData",
        "-Xmx" + heapMebibytes + "m",
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "-cp",
        System.getProperty("java.class.path"));
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** What it has printed. */
  String output() {
    return read(output);
  }

  /** The end of what it has logged, for an error. */
  String log() {
    String text = read(errors);
    return text.substring(Math.max(0, text.length() - LOG_END));
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Tells it to come to its end. */
  void stop() throws IOException {
    process.getOutputStream().close();
  }

  /** Waits for the end and returns the exit status. */
  int await(int seconds) throws InterruptedException {
    if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
      throw new AssertionError("process " + process.pid() + " does not end: " + log());
    }
    return process.exitValue();
  }

  /** SIGKILL. */
  @Override
  public void close() {
    process.destroyForcibly();
    try {
      boolean _ = process.waitFor(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
