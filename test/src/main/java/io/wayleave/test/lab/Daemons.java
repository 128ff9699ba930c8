package io.wayleave.test.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * Starts the lab's long-lived processes: output to a log file, a session of their own (an interrupt
 * typed at the lab's terminal is the lab's to handle), and an entry in the state file. They outlive
 * the process that started them. Safe from any thread.
 */
final class Daemons {
  private static final int TAIL_LINES = 25;

  private final StateFile state;

  Daemons(StateFile state) {
    this.state = state;
  }

  /**
   * Starts a daemon and returns at once.
   *
   * @param name the name in the state file; a process of that name that still runs is an error
   * @param log gets its output, after what an earlier process of that name wrote
   */
  ProcessRecord start(String name, Path log, Map<String, String> environment, List<String> argv) {
    state
        .require()
        .process(name)
        .filter(ProcessRecord::isAlive)
        .ifPresent(
            running -> {
              throw new LabException(name + " runs already, pid " + running.pid());
            });
    List<String> all = new ArrayList<>();
    // Without --fork, setsid executes the program in its own process: the pid stays the same.
    all.add("setsid");
    all.addAll(argv);
    ProcessBuilder builder =
        new ProcessBuilder(all)
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .redirectErrorStream(true);
    builder.environment().putAll(environment);
    try {
      Files.createDirectories(log.getParent());
      Process process = builder.start();
      try {
        ProcessRecord record = ProcessRecord.of(name, process.pid());
        state.update(s -> s.with(record));
        return record;
      } catch (RuntimeException e) {
        // Nobody would ever find it.
        process.destroyForcibly();
        throw e;
      }
    } catch (IOException e) {
      throw new LabException(name + " cannot be started: " + String.join(" ", argv), e);
    }
  }

  /**
   * Waits until a daemon is ready, and fails as soon as it ended or the deadline passed, with the
   * end of its log.
   */
  void awaitReady(ProcessRecord process, Path log, Duration deadline, BooleanSupplier ready) {
    boolean inTime = Await.holds(deadline, () -> !process.isAlive() || ready.getAsBoolean());
    if (!process.isAlive()) {
      throw new LabException(process.name() + " ended while it started. " + tail(log));
    }
    if (!inTime) {
      throw new LabException(
          process.name() + " is not ready after " + deadline.toMillis() + " ms. " + tail(log));
    }
  }

  /** Ends a daemon: as its operator would, and without warning when it does not end in time. */
  void stop(String name, Duration deadline) {
    ProcessRecord process = process(name);
    if (!process.terminate(deadline)) {
      process.kill();
    }
  }

  /** The daemon that was started last by this name, running or not. */
  ProcessRecord process(String name) {
    return state
        .require()
        .process(name)
        .orElseThrow(() -> new LabException(name + " was never started"));
  }

  /** The end of a log file, for an error message. */
  static String tail(Path log) {
    try {
      List<String> lines =
          new String(Files.readAllBytes(log), StandardCharsets.UTF_8).lines().toList();
      return "End of "
          + log
          + ":\n  "
          + String.join(
              "\n  ", lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size()));
    } catch (IOException e) {
      throw new UncheckedIOException("log cannot be read: " + log, e);
    }
  }
}
