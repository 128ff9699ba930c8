package io.wayleave.test.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * A process that the lab started, told apart from every later one with the same number by its start
 * time, so that a recycled pid is never signalled.
 *
 * @param name what it is to the lab, such as {@code r1h1/agent}
 * @param pid its number in the initial pid namespace
 * @param startTicks field 22 of {@code /proc/PID/stat}: clock ticks since boot
 */
record ProcessRecord(String name, long pid, long startTicks) {
  private static final Duration KILL_DEADLINE = Duration.ofSeconds(10);

  /** The record of a process that runs now. */
  static ProcessRecord of(String name, long pid) {
    return find(name, pid)
        .orElseThrow(() -> new LabException(name + ": process " + pid + " is already gone"));
  }

  static Optional<ProcessRecord> find(String name, long pid) {
    return Stat.read(pid).map(stat -> new ProcessRecord(name, pid, stat.startTicks));
  }

  /** A zombie counts as gone: nobody may be there to collect it. */
  boolean isAlive() {
    return Stat.read(pid).filter(s -> s.startTicks == startTicks && s.state != 'Z').isPresent();
  }

  /** Asks it to end (SIGTERM) and waits. False when it still runs at the deadline. */
  boolean terminate(Duration deadline) {
    signal(false);
    return Await.holds(deadline, () -> !isAlive());
  }

  /** Ends it at once (SIGKILL) and waits until it is gone. */
  void kill() {
    signal(true);
    Await.until(
        name + " (pid " + pid + ") ends after SIGKILL",
        KILL_DEADLINE,
        () -> !isAlive(),
        () -> "it still runs");
  }

  private void signal(boolean force) {
    if (!isAlive()) {
      return;
    }
    // ProcessHandle compares the start time once more before it signals.
    ProcessHandle.of(pid)
        .ifPresent(force ? ProcessHandle::destroyForcibly : ProcessHandle::destroy);
  }

  private record Stat(char state, long startTicks) {
    private static Optional<Stat> read(long pid) {
      try {
        String text = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
        // The command name, field 2, is in brackets and may itself hold brackets and spaces.
        String[] fields = text.substring(text.lastIndexOf(')') + 2).split(" ", -1);
        return Optional.of(new Stat(fields[0].charAt(0), Long.parseLong(fields[19])));
      } catch (IOException e) {
        return Optional.empty();
      }
    }
  }
}
