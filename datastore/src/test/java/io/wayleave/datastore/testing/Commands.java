package io.wayleave.datastore.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Runs a program to its end, or stops one that runs in the middle of what it does. */
public final class Commands {
  private static final Duration STOPPED_WITHIN = Duration.ofSeconds(10);

  private Commands() {}

  /** Returns what it printed; fails when it does not end with status 0 within 20 seconds. */
  public static String run(Path directory, List<String> command) {
    return run(new ProcessBuilder(command).directory(directory.toFile()));
  }

  /** The same for what a builder says. */
  static String run(ProcessBuilder builder) {
    List<String> command = builder.command();
    try {
      Process process = builder.redirectErrorStream(true).start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError(command + " does not end");
      }
      if (process.exitValue() != 0) {
        throw new AssertionError(command + " failed: " + output);
      }
      return output;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  /**
   * Stops and continues a process. The signal is taken by each thread when it gets to it; here it
   * is waited until none runs any more.
   */
  static void freeze(Process process, boolean frozen) {
    String pid = Long.toString(process.pid());
    run(Path.of("/"), List.of("kill", frozen ? "-STOP" : "-CONT", pid));
    if (frozen) {
      Path threads = Path.of("/proc", pid, "task");
      Await.until("process " + pid + " stands still", STOPPED_WITHIN, () -> allStopped(threads));
    }
  }

  private static boolean allStopped(Path threads) {
    try (Stream<Path> all = Files.list(threads)) {
      return all.allMatch(Commands::isStopped);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isStopped(Path thread) {
    try {
      // "PID (NAME) STATE …", and the name may have anything in it (proc_pid_stat(5)).
      String stat = Files.readString(thread.resolve("stat"));
      return stat.charAt(stat.lastIndexOf(')') + 2) == 'T';
    } catch (IOException _) {
      return false; // a thread that ended meanwhile: the next look is without it
    }
  }
}
