package io.wayleave.test.lab;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * A short command with a deadline: runs it, gives its input, and returns what it printed. A command
 * that does not end in time is killed and is an error, so nothing in the lab can hang on one.
 *
 * <p>Not for daemons ({@link Daemons}) and not for what a user types at ({@link #attached}).
 * Immutable; safe from any thread; blocks the caller.
 */
public final class Command {
  /** To read from a pipe may hold the thread that carries a virtual one. */
  private static final Executor READERS =
      task -> Thread.ofPlatform().daemon().name("command-pipe").start(task);

  private static final Duration DEFAULT_DEADLINE = Duration.ofSeconds(30);

  private final List<String> argv;
  private final Map<String, String> environment;
  private final Duration deadline;
  private final String input;

  private Command(
      List<String> argv, Map<String, String> environment, Duration deadline, String input) {
    this.argv = List.copyOf(argv);
    this.environment = Map.copyOf(environment);
    this.deadline = deadline;
    this.input = input;
  }

  public static Command of(String... argv) {
    return of(List.of(argv));
  }

  public static Command of(List<String> argv) {
    return new Command(argv, Map.of(), DEFAULT_DEADLINE, "");
  }

  /** The same command run at another place: {@code nsenter …} and the like put before it. */
  public Command at(List<String> prefix) {
    List<String> all = new ArrayList<>(prefix);
    all.addAll(argv);
    return new Command(all, environment, deadline, input);
  }

  public Command environment(Map<String, String> added) {
    return new Command(argv, added, deadline, input);
  }

  public Command within(Duration newDeadline) {
    return new Command(argv, environment, newDeadline, input);
  }

  public Command input(String text) {
    return new Command(argv, environment, deadline, text);
  }

  /** What a command did. */
  public record Result(List<String> argv, int exit, String out, String err) {
    public boolean succeeded() {
      return exit == 0;
    }

    /** Everything it printed, errors last. */
    public String text() {
      return (out + err).strip();
    }
  }

  /** Runs it and fails unless it exits 0. Returns what it wrote to its output. */
  public String check() {
    Result result = run();
    if (!result.succeeded()) {
      throw new LabException(
          "command failed: "
              + String.join(" ", argv)
              + "\n  exit status "
              + result.exit()
              + ": "
              + result.text());
    }
    return result.out();
  }

  /** Runs it and returns what it did, whatever its exit status. */
  public Result run() {
    ProcessBuilder builder = new ProcessBuilder(argv);
    builder.environment().putAll(environment);
    try {
      Process process = builder.start();
      CompletableFuture<String> out = read(process.getInputStream());
      CompletableFuture<String> err = read(process.getErrorStream());
      try (OutputStream stdin = process.getOutputStream()) {
        stdin.write(input.getBytes(StandardCharsets.UTF_8));
      } catch (IOException e) {
        // The command ended without reading its input; its exit status and errors say why.
      }
      if (!process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        throw new LabException(
            "command did not end within "
                + deadline.toMillis()
                + " ms and was killed: "
                + String.join(" ", argv));
      }
      return new Result(argv, process.exitValue(), out.join(), err.join());
    } catch (IOException e) {
      throw new LabException("command cannot be started: " + String.join(" ", argv), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted in command: " + String.join(" ", argv), e);
    }
  }

  /** Runs it on the caller's own terminal, without a deadline, and returns its exit status. */
  int attached() {
    ProcessBuilder builder = new ProcessBuilder(argv).inheritIO();
    builder.environment().putAll(environment);
    try {
      return builder.start().waitFor();
    } catch (IOException e) {
      throw new LabException("command cannot be started: " + String.join(" ", argv), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted in command: " + String.join(" ", argv), e);
    }
  }

  private static CompletableFuture<String> read(InputStream stream) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
          } catch (IOException e) {
            return "";
          }
        },
        READERS);
  }
}
