package io.wayleave.test.policy;

import io.wayleave.test.bench.Machine;
import java.io.PrintStream;
import java.util.Optional;

/** A table in Markdown of what was measured, and of the goals. */
final class FigureTable {
  private final PrintStream out;

  FigureTable(PrintStream out) {
    this.out = out;
    out.printf("Linux %s, %s%n%n", Machine.kernel(), Machine.processor());
    out.println("| what | median | p99 | goal | met | load |");
    out.println("| --- | --- | --- | --- | --- | --- |");
  }

  /** A time, the median of which is to be below the goal. */
  void time(String what, Times times, Optional<Double> goalMillis) {
    row(
        what,
        "%.3f ms".formatted(times.median()),
        "%.3f ms".formatted(times.p99()),
        goalMillis.map("below %.0f ms"::formatted),
        goalMillis.map(goal -> times.median() < goal).orElse(false));
  }

  /**
   * One row.
   *
   * @param met of no meaning without a goal
   */
  void row(String what, String median, String p99, Optional<String> goal, boolean met) {
    String verdict = met ? "yes" : "no";
    out.printf(
        "| %s | %s | %s | %s | %s | %s |%n",
        what,
        median,
        p99,
        goal.orElse(""),
        goal.map(_ -> verdict).orElse(""),
        Machine.loadAverage());
  }
}
