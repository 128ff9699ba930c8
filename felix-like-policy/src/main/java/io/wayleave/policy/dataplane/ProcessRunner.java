package io.wayleave.policy.dataplane;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * Runs commands as processes, each with a deadline after which it is killed; programs that restore
 * tables are kept for the next one. Blocks its caller. Safe from any thread.
 */
public final class ProcessRunner implements CommandRunner {
  /** More than can be told of after the process has ended. */
  private static final int REMEMBERED = 64;

  /** Exit codes from here on are of processes that a signal ended. */
  private static final int KILLED = 128;

  /** So that what such a program may lose of its memory stays little. */
  private static final int TABLES_PER_PROCESS = 1000;

  private final List<String> prefix;
  private final Duration deadline;
  private final Deque<Long> started = new ConcurrentLinkedDeque<>();

  /** By command; who uses one takes it out. */
  private final Map<List<String>, RestoreProcess> waiting = new ConcurrentHashMap<>();

  /** Whether programs that are kept may be trusted to tell what they did. */
  private volatile boolean keeping = true;

  /**
   * In the namespaces of this process.
   *
   * @param prefix put before every command, such as {@code nsenter --net=/run/netns/NAME}
   * @param deadline longest life of one command; longer than the wait for the xtables lock
   */
  public ProcessRunner(List<String> prefix, Duration deadline) {
    this.prefix = List.copyOf(prefix);
    this.deadline = requireNonNull(deadline, "deadline is null");
  }

  /**
   * Whether a process, by its number, is one of the last that this started. Numbers are those of
   * this process's own pid namespace; seen from another, nothing is ours.
   */
  public boolean ran(long pid) {
    return started.contains(pid)
        || waiting.values().stream().anyMatch(process -> process.pid() == pid);
  }

  /**
   * In a network namespace.
   *
   * @param namespace such as {@code /run/netns/NAME}; empty for the one that this process is in
   */
  public static ProcessRunner in(Optional<Path> namespace, Duration deadline) {
    return new ProcessRunner(
        namespace.map(path -> List.of("nsenter", "--net=" + path)).orElse(List.of()), deadline);
  }

  @Override
  public Result run(List<String> command, String stdin) {
    List<String> full = full(command);
    Process process = start(full);
    remember(process.pid());
    try {
      // All three pipes at once: a program that prints much before it has read all would block.
      CompletableFuture<Void> input = inBackground(() -> write(process.getOutputStream(), stdin));
      CompletableFuture<String> output = inBackground(() -> read(process.getInputStream()));
      CompletableFuture<String> errors = inBackground(() -> read(process.getErrorStream()));
      if (!process.waitFor(deadline.toNanos(), TimeUnit.NANOSECONDS)) {
        throw new DataplaneException(
            String.join(" ", full) + " did not end within " + deadline.toMillis() / 1000.0 + " s");
      }
      input.join();
      return new Result(process.exitValue(), output.join(), errors.join());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DataplaneException(String.join(" ", full) + " was interrupted", e);
    } catch (CompletionException e) {
      throw new DataplaneException("no answer from " + String.join(" ", full), e.getCause());
    } finally {
      if (process.isAlive()) {
        // Only then: to find descendants, every process of the machine is looked at.
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
      }
    }
  }

  @Override
  public Result restore(List<String> command, String lines) {
    if (!keeping) {
      return run(command, lines);
    }
    RestoreProcess kept = waiting.remove(command);
    if (kept != null && kept.isAlive()) {
      Result result = restore(kept, command, lines);
      // It has refused them, or has ended before; but its line numbers count what it took before.
      if (result.succeeded() || result.exitCode() >= KILLED) {
        return result;
      }
    }
    List<String> full = full(command);
    full.add(RestoreProcess.VERBOSE);
    return restore(new RestoreProcess(start(full)), command, lines);
  }

  private Result restore(RestoreProcess process, List<String> command, String lines) {
    remember(process.pid());
    boolean keep = false;
    try {
      Result result = process.take(lines, deadline);
      keep = result.succeeded() && process.taken() < TABLES_PER_PROCESS;
      return result;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DataplaneException(String.join(" ", command) + " was interrupted", e);
    } catch (TimeoutException e) {
      // Perhaps one that does not repeat comments.
      keeping = false;
      throw new DataplaneException(
          String.join(" ", command)
              + " did not answer within "
              + deadline.toMillis() / 1000.0
              + " s");
    } finally {
      if (keep) {
        Optional.ofNullable(waiting.put(List.copyOf(command), process))
            .ifPresent(RestoreProcess::close);
      } else {
        process.close();
      }
    }
  }

  /** Ends the processes that wait, and returns when they are gone. */
  @Override
  public void close() {
    keeping = false;
    awaitDeletions();
  }

  @Override
  public void awaitDeletions() {
    for (List<String> command : List.copyOf(waiting.keySet())) {
      Optional.ofNullable(waiting.remove(command)).ifPresent(RestoreProcess::close);
    }
  }

  private void remember(long pid) {
    started.remove(pid);
    started.addLast(pid);
    if (started.size() > REMEMBERED) {
      started.pollFirst();
    }
  }

  private List<String> full(List<String> command) {
    List<String> full = new ArrayList<>(prefix);
    full.addAll(command);
    return full;
  }

  private static Process start(List<String> full) {
    ProcessBuilder builder = new ProcessBuilder(full);
    builder.environment().put("LC_ALL", "C");
    try {
      return builder.start();
    } catch (IOException e) {
      throw new DataplaneException("cannot run " + String.join(" ", full), e);
    }
  }

  /**
   * Serves a pipe of a process, which may block, and for as long as the process is kept. So it has
   * a thread of the system: to read from a pipe may hold the one that carries a virtual thread, and
   * with the pipes of a kept process for each family all two of a small host were held for ever.
   */
  static <T> CompletableFuture<T> inBackground(Supplier<T> work) {
    return CompletableFuture.supplyAsync(
        work, task -> Thread.ofPlatform().daemon().name("wayleave-policy-pipe").start(task));
  }

  private static Void write(OutputStream pipe, String text) {
    try (pipe) {
      pipe.write(text.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      // The program ended without reading all: its exit code and stderr say why.
    }
    return null;
  }

  private static String read(InputStream pipe) {
    try (pipe) {
      return new String(pipe.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
