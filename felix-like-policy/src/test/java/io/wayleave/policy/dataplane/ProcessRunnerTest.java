package io.wayleave.policy.dataplane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
  void oneProgramRestoresOneTableAfterTheOther(@TempDir Path folder) throws IOException {
    List<String> command = restore(folder);
    for (int i = 0; i < 5; i++) {
      assertThat(runner.restore(command, "line\n".repeat(10_000)).succeeded()).isTrue();
    }
    assertThat(pids(folder)).hasSize(1);
    assertThat(runner.ran(Long.parseLong(pids(folder).getFirst()))).isTrue();
    assertThat(Files.readAllLines(folder.resolve("taken"))).hasSize(50_000);
    runner.close();
    assertThat(isAlive(pids(folder).getFirst())).isFalse();
    assertThat(runner.restore(command, "line\n").succeeded()).isTrue();
    assertThat(isAlive(pids(folder).getLast())).isFalse();
  }

  @Test
  void aRefusalCountsTheLinesOfItsOwnTable(@TempDir Path folder) {
    List<String> command = restore(folder);
    String refused = "good\nbad\ngood\n";
    for (int i = 0; i < 3; i++) {
      CommandRunner.Result result = runner.restore(command, refused);
      assertThat(result.exitCode()).isEqualTo(1);
      assertThat(result.complaint()).isEqualTo("line 2 failed");
      assertThat(runner.restore(command, "good\ngood\n").succeeded()).isTrue();
    }
    runner.close();
  }

  @Test
  void aProgramThatDiedIsReplacedButWhatItTookIsNotGivenTwice(@TempDir Path folder)
      throws IOException {
    List<String> command = restore(folder);
    assertThat(runner.restore(command, "one\n").succeeded()).isTrue();
    long pid = Long.parseLong(pids(folder).getFirst());
    ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    ProcessHandle.of(pid).ifPresent(process -> process.onExit().join());
    assertThat(runner.restore(command, "two\n").succeeded()).isTrue();
    assertThat(pids(folder)).hasSize(2);

    CommandRunner.Result result = runner.restore(command, "three\ndie\n");
    assertThat(result.succeeded()).isFalse();
    assertThat(Files.readAllLines(folder.resolve("taken"))).containsExactly("one", "two", "three");
    assertThat(pids(folder)).hasSize(2);
    assertThat(runner.restore(command, "four\n").succeeded()).isTrue();
    runner.close();
  }

  @Test
  void aProgramThatRepeatsNoCommentsIsRunForEachTable(@TempDir Path folder) {
    ProcessRunner hasty = new ProcessRunner(List.of(), Duration.ofMillis(500));
    List<String> silent = List.of("sh", "-c", "echo $$ >>" + folder + "/pids; cat >/dev/null");
    assertThatThrownBy(() -> hasty.restore(silent, "one\n"))
        .isInstanceOf(DataplaneException.class)
        .hasMessageEndingWith("did not answer within 0.5 s");
    assertThat(isAlive(pids(folder).getFirst())).isFalse();
    assertThat(hasty.restore(silent, "two\n").succeeded()).isTrue();
    assertThat(pids(folder)).hasSize(2);
  }

  /** Takes lines and repeats comments; some lines end it. */
  private static List<String> restore(Path folder) {
    String script =
        """
        echo $$ >>pids; n=0
        while read -r line; do
          n=$((n+1))
          case "$line" in
            \\#*) echo "$line";;
            bad) echo "line $n failed" >&2; exit 1;;
            die) kill -9 $$;;
            *) echo "$line" >>taken;;
          esac
        done
        """;
    return List.of("sh", "-c", "cd " + folder + "; " + script);
  }

  private static List<String> pids(Path folder) {
    try {
      return Files.readAllLines(folder.resolve("pids"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isAlive(String pid) {
    return ProcessHandle.of(Long.parseLong(pid)).filter(ProcessHandle::isAlive).isPresent();
  }

  @Test
  void saysWhatCannotBeRun() {
    assertThatThrownBy(() -> runner.run(List.of("/no/such/program"), ""))
        .isInstanceOf(DataplaneException.class)
        .hasMessage("cannot run /no/such/program");
  }
}
