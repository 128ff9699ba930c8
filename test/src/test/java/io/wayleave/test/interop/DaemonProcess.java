package io.wayleave.test.interop;

import io.wayleave.test.lab.Await;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** One running process of a speaker, its output in a log file. Used by one thread. */
public final class DaemonProcess implements AutoCloseable {
  private static final Duration START_TIME = Duration.ofSeconds(90);
  private static final Duration END_TIME = Duration.ofSeconds(10);
  private static final int TAIL_LINES = 80;

  private final Process process;
  private final Path log;
  private final String name;

  private DaemonProcess(String name, Process process, Path log) {
    this.name = name;
    this.process = process;
    this.log = log;
  }

  /**
   * Starts it.
   *
   * @param at the words before a command that put it where it belongs
   */
  public static DaemonProcess start(
      List<String> at, Path folder, Map<String, String> environment, String... argv) {
    List<String> all = new ArrayList<>(at);
    all.addAll(List.of(argv));
    String name = Path.of(argv[0]).getFileName().toString();
    Path log = folder.resolve(name + ".log");
    ProcessBuilder builder =
        new ProcessBuilder(all)
            .directory(folder.toFile())
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().putAll(environment);
    try {
      return new DaemonProcess(name, builder.start(), log);
    } catch (IOException e) {
      throw new UncheckedIOException(name + " cannot be started", e);
    }
  }

  /** Waits until it is ready; fails as soon as it ends before that. */
  public void awaitReady(BooleanSupplier ready) {
    Await.until(
        name + " is ready",
        START_TIME,
        () -> {
          if (!process.isAlive()) {
            throw new AssertionError(name + " ended while it started:\n" + log());
          }
          return ready.getAsBoolean();
        },
        this::log);
  }

  /** SIGKILL. */
  public void kill() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
    awaitEnd();
  }

  /** SIGTERM, and SIGKILL to what remains. */
  public void terminate() {
    List<ProcessHandle> children = process.descendants().toList();
    process.destroy();
    try {
      if (!process.waitFor(END_TIME.toSeconds(), TimeUnit.SECONDS)) {
        kill();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      kill();
    }
    children.forEach(ProcessHandle::destroyForcibly);
  }

  private void awaitEnd() {
    try {
      if (!process.waitFor(END_TIME.toSeconds(), TimeUnit.SECONDS)) {
        throw new AssertionError(name + " does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  public long pid() {
    return process.pid();
  }

  /** Whatever it wrote. */
  public String fullLog() {
    try {
      return new String(Files.readAllBytes(log), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The end of what it wrote. */
  public String log() {
    List<String> lines = fullLog().lines().toList();
    return name
        + ":\n"
        + String.join("\n", lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size()))
        + "\n";
  }

  @Override
  public void close() {
    if (process.isAlive()) {
      kill();
    }
  }
}
