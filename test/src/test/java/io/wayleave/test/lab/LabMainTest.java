package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class LabMainTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @Test
  void aWrongOptionIsAUsageError() {
    assertThat(run("up", "--tor", "cisco")).isEqualTo(2);
    assertThat(text(err)).contains("--tor").contains("cisco").contains("bird, frr or mixed");
    assertThat(run("up", "--datastore", "consul")).isEqualTo(2);
    assertThat(text(err)).contains("--datastore").contains("consul").contains("etcd or zookeeper");
  }

  @Test
  void aLabThatIsNotUpIsNamed() {
    String name = LabNames.next();

    assertThat(run("run", "--name", name, "r1h1", "web")).isEqualTo(1);
    assertThat(text(err)).contains(name).contains("is not up");
    assertThat(text(out)).isEmpty();
  }

  @Test
  void aNameThatNoLabCanHaveIsAUsageError() {
    assertThat(run("status", "--name", "../etc")).isEqualTo(2);
    assertThat(text(err)).contains("--name").contains("../etc");
  }

  @Test
  void whatFollowsNetctlIsNotTheLabsToRead() {
    String name = LabNames.next();

    // -o is no option of the lab: it would be a usage error.
    assertThat(run("netctl", "--name", name, "node", "list", "-o", "json")).isEqualTo(1);
    assertThat(text(err)).contains("is not up");
  }

  @Test
  void takingDownWhatIsNotThereIsNoError() {
    assertThat(run("down", "--name", LabNames.next())).isZero();
  }

  private int run(String... arguments) {
    return LabMain.run(stream(out), stream(err), arguments);
  }

  private static PrintStream stream(ByteArrayOutputStream bytes) {
    return new PrintStream(bytes, true, StandardCharsets.UTF_8);
  }

  private static String text(ByteArrayOutputStream bytes) {
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
