package io.wayleave.test.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Small runs of the benchmark, checked: every route comes through each speaker. */
class BgpBenchTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  // Other tests of this JVM have processes too.
  private final Set<ProcessHandle> before = children();

  private static Set<ProcessHandle> children() {
    try (Stream<ProcessHandle> children = ProcessHandle.current().children()) {
      return children.collect(Collectors.toSet());
    }
  }

  @AfterEach
  void leavesNothing() {
    String run = "wlb" + ProcessHandle.current().pid() + "-";
    String[] names = Path.of("/run/netns").toFile().list();
    assertThat(names == null ? new String[0] : names).noneMatch(name -> name.startsWith(run));
    assertThat(children()).filteredOn(ProcessHandle::isAlive).isSubsetOf(before);
  }

  @Test
  @Tag("real")
  void birdAndFrrPassOnTheWholeLoad() {
    run("--speaker", "bird,frr-fast", "--shape", "a,b", "--scale", "0.02", "--check");
    assertRows(List.of("a", "b"), "| BIRD |", "| BIRD, second load |", "| FRR, coalesce-time 0 |");
  }

  @Test
  @Tag("real")
  @Tag("full")
  void soTheyDoWithManySendersAndManyAttributeSets() {
    run("--speaker", "bird,frr-fast", "--shape", "c,d", "--scale", "0.02", "--check");
    assertRows(List.of("c", "d"), "| BIRD |", "| BIRD, second load |", "| FRR, coalesce-time 0 |");
  }

  /** The built tree's, as {@code ./dev test} has it. */
  @Test
  @Tag("lab")
  void wayleavePassesOnTheWholeLoad() {
    run("--speaker", "wayleave", "--shape", "a,b,c,d", "--scale", "0.02", "--check");
    assertRows(List.of("a", "b", "c", "d"), "| Wayleave cold |", "| Wayleave warm |");
  }

  @Test
  @Tag("real")
  void aSpeakerThatIsTooSlowHasALimitForAFigure() {
    assertThat(run("--speaker", "frr", "--shape", "c", "--scale", "0.02", "--limit", "0.2"))
        .isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("| FRR | > 0.2 | – |");
  }

  @Test
  void anUnknownShapeIsWrongUsage() {
    assertThat(run("--shape", "e")).isEqualTo(2);
    assertThat(err.toString(StandardCharsets.UTF_8)).contains("--shape").contains("a, b, c, d");
  }

  @Test
  void aScaleAboveOneIsWrongUsage() {
    assertThat(run("--scale", "2")).isEqualTo(2);
    assertThat(err.toString(StandardCharsets.UTF_8)).contains("--scale");
  }

  private int run(String... arguments) {
    return BgpBench.run(
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        arguments);
  }

  private void assertRows(List<String> shapes, String... rows) {
    String text = out.toString(StandardCharsets.UTF_8);
    assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
    for (String shape : shapes) {
      int begin = text.indexOf("Shape " + shape + ":");
      assertThat(begin).as("shape " + shape + " in " + text).isNotNegative();
      int end = text.indexOf("Shape ", begin + 1);
      assertThat(text.substring(begin, end < 0 ? text.length() : end))
          .contains(rows)
          .doesNotContain("> ");
    }
  }
}
