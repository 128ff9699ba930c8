package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StateFileTest {
  @TempDir private Path directory;

  @Test
  void isReadBackAsItWasWritten() {
    LabState state =
        new LabState(LabSpec.named("lab"), List.of(), List.of())
            .with(new ProcessRecord("etcd", 17, 4711))
            .with(new ContainerRecord("r1h1", "web", RuntimeKind.PODMAN, Map.of("app", "web")));
    new StateFile(directory).create(state);

    assertThat(new StateFile(directory).read()).contains(state);
  }

  @Test
  void isEmptyWhereNoLabWasBegun() {
    assertThat(new StateFile(directory).read()).isEmpty();
  }

  @Test
  void changesAtTheSameTimeAreAllKept() {
    new StateFile(directory).create(new LabState(LabSpec.named("lab"), List.of(), List.of()));
    Parallel.forEach(
        IntStream.range(0, 40).boxed().toList(),
        i -> new StateFile(directory).update(s -> s.with(new ProcessRecord("p" + i, i, i))));

    assertThat(new StateFile(directory).require().processes()).hasSize(40);
  }

  @Test
  void aDamagedFileIsNamed() throws IOException {
    Files.writeString(directory.resolve("state.json"), "{");

    assertThatThrownBy(() -> new StateFile(directory).read())
        .isInstanceOf(LabException.class)
        .hasMessageContaining("state.json");
  }
}
