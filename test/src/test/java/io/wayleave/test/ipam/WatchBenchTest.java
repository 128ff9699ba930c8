package io.wayleave.test.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A small run of the benchmark does what it says; its figures mean nothing. */
@Timeout(120)
class WatchBenchTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @Test
  @Tag("real")
  void aSmallRunHasBothRows() {
    assertThat(run("--watchers", "40", "--changes", "10")).as("%s", err).isZero();
    List<String> rows =
        out.toString(StandardCharsets.UTF_8)
            .lines()
            .filter(line -> line.startsWith("| 40 "))
            .toList();
    assertThat(rows).hasSize(2);
    // Four agents with ten watches each, and what each of them was told.
    assertThat(rows.getFirst()).startsWith("| 40 | 4 | nothing | 40 | 40 | ");
    assertThat(rows.getLast()).startsWith("| 40 | 4 | a proxy | ").contains(" | 40 | ");
  }

  @Test
  void tooFewWatchersAreWrongUsage() {
    assertThat(run("--watchers", "3")).isEqualTo(2);
    assertThat(err.toString(StandardCharsets.UTF_8)).contains("--watchers").contains("10 or more");
  }

  private int run(String... arguments) {
    return WatchBench.run(
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        arguments);
  }
}
