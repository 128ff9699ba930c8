package io.wayleave.policy.dataplane;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A process of iptables-restore that is given one table after the other and not the end of its
 * input. To start one takes longer than most writes, and one that deleted rules ends only when the
 * kernel has freed them.
 *
 * <p>Of a success the program says nothing. But when asked to be verbose it repeats comments, and
 * reads none before it has done what stands above: so each table is followed by a comment that
 * names it, and by more than its output's buffer holds. With the first table that it refuses the
 * program ends. It also ends when this process does, since its input ends then.
 *
 * <p>NOT thread safe.
 */
final class RestoreProcess implements AutoCloseable {
  static final String VERBOSE = "--verbose";

  /** More than a buffer of a page; the program takes no longer lines than 10,239 octets. */
  private static final String FLUSH = ("#" + " ".repeat(1022) + "\n").repeat(9);

  private final Process process;
  private final BufferedReader output;
  private final CompletableFuture<String> errors;
  private int taken;

  RestoreProcess(Process process) {
    this.process = process;
    this.output = process.inputReader(StandardCharsets.UTF_8);
    this.errors =
        ProcessRunner.inBackground(() -> read(process.errorReader(StandardCharsets.UTF_8)));
  }

  long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** How many tables it has taken. */
  int taken() {
    return taken;
  }

  /**
   * Has it take a table.
   *
   * @return the exit code 0 when it has, else with that which the program ended
   * @throws TimeoutException when it did neither in time; it is to be closed then
   */
  CommandRunner.Result take(String lines, Duration deadline)
      throws InterruptedException, TimeoutException {
    String done = "# table " + (taken + 1);
    CompletableFuture<Boolean> told = ProcessRunner.inBackground(() -> tells(done));
    CompletableFuture<Void> given =
        ProcessRunner.inBackground(() -> give(lines + done + "\n" + FLUSH));
    try {
      if (told.get(deadline.toNanos(), TimeUnit.NANOSECONDS)) {
        taken++;
        return new CommandRunner.Result(0, "", "");
      }
      given.join();
      return new CommandRunner.Result(process.waitFor(), "", errors.join());
    } catch (ExecutionException e) {
      throw new DataplaneException("no answer from iptables-restore", e.getCause());
    }
  }

  private Void give(String text) {
    try {
      OutputStream input = process.getOutputStream();
      input.write(text.getBytes(StandardCharsets.UTF_8));
      input.flush();
    } catch (IOException e) {
      // The program ended without reading all: its exit code and its errors say why.
    }
    return null;
  }

  /** Whether the program says so before its output ends. */
  private boolean tells(String done) {
    try {
      for (String line = output.readLine(); line != null; line = output.readLine()) {
        if (line.equals(done)) {
          return true;
        }
      }
    } catch (IOException e) {
      // As at the end of it.
    }
    return false;
  }

  private static String read(BufferedReader reader) {
    StringBuilder text = new StringBuilder();
    try {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        text.append(line).append('\n');
      }
    } catch (IOException e) {
      // What there was is told.
    }
    return text.toString();
  }

  /** Returns when the process is gone. */
  @Override
  public void close() {
    process.destroyForcibly();
    process.onExit().join();
  }
}
