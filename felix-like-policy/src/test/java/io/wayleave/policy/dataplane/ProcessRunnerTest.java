package io.wayleave.policy.dataplane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ProcessRunnerTest {
  private final ProcessRunner runner = new ProcessRunner(List.of(), Duration.ofSeconds(30));

  @Test
  void givesAndTakesMoreThanAPipeHolds() {
    String text = "0123456789abcdef\n".repeat(100_000);
    assertThat(runner.run(List.of("cat"), text)).isEqualTo(new CommandRunner.Result(0, text, ""));
  }

  @Test
  void tellsExitCodeAndComplaint() {
    CommandRunner.Result result =
        runner.run(
            List.of("sh", "-c", "printf 'no\\n\\nTry `x -h` for more\\nreally\\n' >&2; exit 3"),
            "x");
    assertThat(result.exitCode()).isEqualTo(3);
    assertThat(result.succeeded()).isFalse();
    assertThat(result.complaint()).isEqualTo("no; really");
  }

  @Test
  void putsThePrefixBefore() {
    ProcessRunner prefixed = new ProcessRunner(List.of("echo", "before"), Duration.ofSeconds(30));
    assertThat(prefixed.run(List.of("command"), "").stdout()).isEqualTo("before command\n");
  }

  @Test
  void killsWhatDoesNotEndInTime() {
    ProcessRunner hasty = new ProcessRunner(List.of(), Duration.ofMillis(200));
    long start = System.nanoTime();
    assertThatThrownBy(() -> hasty.run(List.of("sh", "-c", "sleep 60; true"), ""))
        .isInstanceOf(DataplaneException.class)
        .hasMessage("sh -c sleep 60; true did not end within 0.2 s");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(30));
  }

  @Test
  void saysWhatCannotBeRun() {
    assertThatThrownBy(() -> runner.run(List.of("/no/such/program"), ""))
        .isInstanceOf(DataplaneException.class)
        .hasMessage("cannot run /no/such/program");
  }
}
