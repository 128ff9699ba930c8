package io.wayleave.test.bench;

import io.wayleave.model.InvalidInputException;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import picocli.CommandLine;

/** Runs a benchmark's command line. */
public final class BenchCommand {
  private BenchCommand() {}

  /**
   * Runs it; a failure is one line on {@code err}.
   *
   * @return the exit status: 2 when what the user gave is at fault
   */
  public static int run(Callable<Integer> benchmark, PrintStream err, String... args) {
    return new CommandLine(benchmark)
        .setExecutionExceptionHandler(
            (failure, command, result) -> {
              err.println("bench: " + failure.getMessage());
              return failure instanceof InvalidInputException ? 2 : 1;
            })
        .execute(args);
  }
}
