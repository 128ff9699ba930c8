package io.wayleave.policy.dataplane;

import java.util.List;
import java.util.stream.Collectors;

/**
 * Runs a program of the packet filter, gives it a text and takes its answer. The seam between the
 * drivers and the system: tests put a kernel made of maps behind it.
 */
@FunctionalInterface
public interface CommandRunner extends AutoCloseable {
  /** What a program answered. */
  record Result(int exitCode, String stdout, String stderr) {
    boolean succeeded() {
      return exitCode == 0;
    }

    /** What the program complained of, on one line and without its advice to read its help. */
    String complaint() {
      return stderr
          .lines()
          .map(String::strip)
          .filter(line -> !line.isEmpty() && !line.startsWith("Try `"))
          .collect(Collectors.joining("; "));
    }
  }

  /**
   * Runs the command to its end.
   *
   * @throws DataplaneException when it cannot be started or does not end in time
   */
  Result run(List<String> command, String stdin);

  /**
   * Runs a command that is given no text, and returns what it printed.
   *
   * @throws DataplaneException also when it fails
   */
  default String output(List<String> command) {
    Result result = run(command, "");
    if (!result.succeeded()) {
      throw new DataplaneException(String.join(" ", command) + " failed: " + result.complaint());
    }
    return result.stdout();
  }

  /**
   * Has a program of the kind of iptables-restore take lines up to a COMMIT, perhaps one that took
   * others before. What others did meanwhile makes no difference, and line numbers that it
   * complains of are those of this text.
   *
   * @throws DataplaneException when it is not known whether they were taken
   */
  default Result restore(List<String> command, String lines) {
    return run(command, lines);
  }

  /**
   * Returns when the kernel has freed what was deleted: an nft program ends only then, and until
   * then a deleted rule holds the sets that it refers to.
   */
  default void awaitDeletions() {}

  /** Lets go of programs that wait. */
  @Override
  default void close() {}
}
