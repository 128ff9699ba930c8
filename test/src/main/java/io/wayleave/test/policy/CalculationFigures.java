package io.wayleave.test.policy;

import io.wayleave.test.lab.LabException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The figures of {@link CalculationBench}, measured by a JVM of their own with a small heap. */
final class CalculationFigures {
  private static final double COLD_GOAL_MILLIS = 2000;
  private static final double HEAP_GOAL_MEBIBYTES = 400;
  private static final double UPDATE_GOAL_MILLIS = 1;

  private static final Pattern FLEET =
      Pattern.compile("(?<fleet>.*): cold (?<cold>\\d+) ms .*, heap (?<heap>\\d+) MiB");
  private static final Pattern UPDATE =
      Pattern.compile(
          " +(?<change>.*?) +median (?<median>[0-9.]+) ms, 99 % under (?<p99>[0-9.]+) ms");

  private CalculationFigures() {}

  static void run(FigureTable table) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xmx400m",
                "-Duser.language=en",
                "-cp",
                System.getProperty("java.class.path"),
                CalculationBench.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new LabException("the bench of the calculation failed: " + printed);
      }
      printed.lines().forEach(line -> row(table, line));
    } finally {
      process.destroyForcibly();
    }
  }

  /** Turns a line of what it prints into rows. */
  static void row(FigureTable table, String line) {
    Matcher fleet = FLEET.matcher(line);
    Matcher update = UPDATE.matcher(line);
    if (fleet.matches()) {
      int cold = Integer.parseInt(fleet.group("cold"));
      int heap = Integer.parseInt(fleet.group("heap"));
      String what = "calculation of " + fleet.group("fleet");
      table.row(
          what + ", cold", cold + " ms", "", Optional.of("below 2000 ms"), cold < COLD_GOAL_MILLIS);
      table.row(
          what + ", heap",
          heap + " MiB",
          "",
          Optional.of("below 400 MiB"),
          heap < HEAP_GOAL_MEBIBYTES);
    } else if (update.matches()) {
      table.time(
          "… there, " + update.group("change"),
          new Times(
              Double.parseDouble(update.group("median")), Double.parseDouble(update.group("p99"))),
          Optional.of(UPDATE_GOAL_MILLIS));
    } else {
      throw new LabException("the bench of the calculation printed: " + line);
    }
  }
}
