package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever state a lab is in, taking it down leaves nothing of it. */
@Tag("real")
class TeardownTest {
  private final String name = LabNames.next();
  private final LabSpec spec = new LabSpec(name, Shape.ONE_TOR, 1, 1, RouterKind.Choice.FRR, false);

  @AfterEach
  void down() {
    Lab.down(name);
  }

  @Test
  void nothingIsLeftOfALabWithContainersAndTwiceIsAsGoodAsOnce() {
    Set<String> linksBefore = Leftovers.machineLinks();
    Lab lab = Lab.up(spec, Progress.SILENT);
    for (RuntimeKind kind : RuntimeKind.values()) {
      lab.host("r1h1").run("c-" + kind.label(), kind, Map.of(), List.of());
    }
    Leftovers whileUp = Leftovers.of(name);
    assertThat(whileUp.namespaces()).hasSize(4);
    assertThat(whileUp.processes()).isNotEmpty();
    assertThat(whileUp.mounts()).isNotEmpty();
    assertThat(whileUp.cgroups()).isNotEmpty();
    assertThat(whileUp.files()).isNotEmpty();

    lab.close();

    assertGone(linksBefore);
    Lab.down(name);
    assertGone(linksBefore);
  }

  /** So many that the writer's files come after those that were listed. */
  @Test
  void aFolderThatIsStillWrittenIntoIsDeleted(@TempDir Path parent) throws Exception {
    Path folder = Files.createDirectory(parent.resolve("net.d"));
    for (int i = 0; i < 5_000; i++) {
      Files.createFile(folder.resolve("file-" + i));
    }
    AtomicInteger written = new AtomicInteger();
    CountDownLatch writing = new CountDownLatch(1);
    Thread writer =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    while (written.get() < 20_000) {
                      Files.createFile(folder.resolve("late-" + written.incrementAndGet()));
                      writing.countDown();
                    }
                  } catch (IOException e) {
                    // It was empty for a moment, and is gone.
                  }
                });
    writing.await();
    int before = written.get();
    Teardown.deleteTree(folder);
    writer.join();
    assertThat(folder).doesNotExist();
    assertThat(written.get()).isGreaterThan(before);
  }

  @Test
  void aLabThatLostItsStateFileAndSomeProcessesIsTakenDownToo() throws IOException {
    Set<String> linksBefore = Leftovers.machineLinks();
    Lab lab = Lab.up(spec, Progress.SILENT);
    lab.etcd().stop();
    // As after a crash before anything was written down: only the namespaces tell what is ours.
    Files.delete(lab.directory().resolve("state.json"));
    assertThat(Leftovers.of(name).processes()).isNotEmpty();

    Lab.down(name);

    assertGone(linksBefore);
  }

  @Test
  void aFailureWhileItComesUpTakesDownWhatWasMade() throws IOException {
    Set<String> linksBefore = Leftovers.machineLinks();
    // In the way of the switch's folder.
    Files.createDirectories(Lab.ROOT.resolve(name));
    Files.writeString(Lab.ROOT.resolve(name).resolve("tor1"), "");

    assertThatThrownBy(() -> Lab.up(spec, Progress.SILENT)).hasStackTraceContaining("tor1");

    assertGone(linksBefore);
  }

  @Test
  void aSecondLabOfTheNameIsRefusedAndTheFirstLeftAlone() {
    Lab lab = Lab.up(spec, Progress.SILENT);

    assertThatThrownBy(() -> Lab.up(spec, Progress.SILENT)).hasMessageContaining("is up already");

    assertThat(Ping.once(lab.host("r1h1").network(), Topology.ETCD)).isTrue();
  }

  private void assertGone(Set<String> linksBefore) {
    assertThat(Leftovers.of(name))
        .isEqualTo(new Leftovers(Set.of(), Set.of(), Set.of(), Set.of(), Set.of()));
    // Other tests on this machine may have links of their own for a moment.
    Await.until(
        "the machine has no link that it did not have before",
        Duration.ofSeconds(20),
        () -> linksBefore.containsAll(Leftovers.machineLinks()),
        () -> Leftovers.machineLinks().toString());
  }
}
