package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The lab's command line as a process that is interrupted, killed, or fails. */
@Tag("real")
class LabProcessTest {
  private static final Leftovers NOTHING =
      new Leftovers(Set.of(), Set.of(), Set.of(), Set.of(), Set.of());
  private static final Duration BEGUN = Duration.ofSeconds(60);

  private final String name = LabNames.next();

  @TempDir private Path directory;

  @AfterEach
  void down() {
    Lab.down(name);
  }

  @Test
  void anInterruptedUpTakesDownWhatItMade() throws Exception {
    Process up = start("up", "--name", name, "--no-agents");
    try {
      awaitDaemons();

      up.destroy();

      assertThat(up.waitFor(60, TimeUnit.SECONDS)).as(output()).isTrue();
      assertThat(up.exitValue()).isNotZero();
      assertThat(Leftovers.of(name)).isEqualTo(NOTHING);
    } finally {
      up.destroyForcibly();
    }
  }

  @Test
  void downTakesDownWhatAKilledUpHadMade() throws Exception {
    Process up = start("up", "--name", name, "--no-agents");
    try {
      awaitDaemons();

      up.destroyForcibly();

      assertThat(up.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(Leftovers.of(name))
          .as("control: there is something to take down")
          .isNotEqualTo(NOTHING);
      Process down = start("down", "--name", name);
      assertThat(down.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(down.exitValue()).as(output()).isZero();
      assertThat(Leftovers.of(name)).isEqualTo(NOTHING);
    } finally {
      up.destroyForcibly();
    }
  }

  @Test
  void aDemoThatFailsSaysWhyAndLeavesNothing() throws Exception {
    Process demo = start("demo", "--name", name, "--racks", "1", "--hosts", "1");

    assertThat(demo.waitFor(120, TimeUnit.SECONDS)).isTrue();
    assertThat(demo.exitValue()).isEqualTo(1);
    assertThat(output()).contains("wayleave is not there; ./dev build makes it");
    assertThat(Leftovers.of(name)).isEqualTo(NOTHING);
  }

  private void awaitDaemons() {
    Await.until(
        "the first daemons run",
        BEGUN,
        () ->
            new StateFile(Lab.ROOT.resolve(name))
                .read()
                .filter(s -> s.processes().size() >= 3)
                .isPresent(),
        this::output);
  }

  /** With a built tree that is not there: only what needs agents minds. */
  private Process start(String... arguments) throws IOException {
    List<String> argv = new ArrayList<>();
    argv.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    argv.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    argv.addAll(List.of("-cp", System.getProperty("java.class.path")));
    argv.add(LabMain.class.getName());
    argv.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(argv)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
    builder.environment().put("WAYLEAVE_HOME", directory.toString());
    return builder.start();
  }

  private Path log() {
    return directory.resolve("output.txt");
  }

  private String output() {
    try {
      return new String(Files.readAllBytes(log()), StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "no output: " + e;
    }
  }
}
