package io.wayleave.test.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A small run of the benchmark does what it says; its figures mean nothing. */
@Timeout(120)
class IpamBenchTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @Test
  @Tag("real")
  void aSmallRunHasEveryRow() {
    assertThat(run("--scale", "0.01")).as("%s", err.toString(StandardCharsets.UTF_8)).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8))
        .contains(
            "(6 comparisons, 3 puts of ",
            "| allocation | ",
            "| bare transaction | ",
            "| allocations | ",
            "| bare transactions | ",
            "1022 of 1024 addresses in use",
            "| refusal when nothing is left | ",
            // 1,000 addresses of a host with 16 blocks, and as many endpoints.
            "| all blocks | 16 | ",
            "| all blocks and all endpoints | 1016 | ")
        .doesNotContain("NaN");
  }

  @Test
  void anUnknownPartIsWrongUsage() {
    assertThat(run("--part", "x")).isEqualTo(2);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains("--part")
        .contains("sequential, concurrent, full, fan-in");
  }

  @Test
  void aScaleAboveOneIsWrongUsage() {
    assertThat(run("--scale", "2")).isEqualTo(2);
    assertThat(err.toString(StandardCharsets.UTF_8)).contains("--scale");
  }

  private int run(String... arguments) {
    return IpamBench.run(
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        arguments);
  }
}
