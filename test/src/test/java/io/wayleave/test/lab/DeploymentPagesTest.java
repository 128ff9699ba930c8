package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What the pages show is what the lab does, to the letter: the lab's tests then prove the pages.
 */
class DeploymentPagesTest {
  @ParameterizedTest
  @EnumSource(Shape.class)
  void aPageMakesTheLabOfItsShape(Shape shape) throws IOException {
    assertThat(DeploymentPage.of(shape).spec("lab").shape()).isEqualTo(shape);
    assertThat(Files.readString(DeploymentPage.directory().resolve("README.md")))
        .contains("(" + shape.label() + ".md)");
  }

  @ParameterizedTest
  @EnumSource(Shape.class)
  void itsManifestsAreTheLabs(Shape shape) {
    DeploymentPage page = DeploymentPage.of(shape);

    assertThat(page.resources())
        .containsExactlyInAnyOrderElementsOf(
            DeploymentPage.resourcesOf(Manifests.fabric(topology(page))).toList());
  }

  @ParameterizedTest
  @EnumSource(Shape.class)
  void itsRoutersAreTheLabs(Shape shape) {
    DeploymentPage page = DeploymentPage.of(shape);
    Topology topology = topology(page);

    for (RouterKind kind : RouterKind.values()) {
      if (shape.hasTors()) {
        assertThat(page.routers(kind)).as("configurations of " + kind).isNotEmpty();
      }
      for (String router : page.routers(kind)) {
        Topology.Tor tor =
            topology.tors().stream().filter(t -> t.name().equals(router)).findFirst().orElseThrow();
        RouterPlan plan = RouterPlan.of(topology, tor);
        assertThat(tor.kind()).isEqualTo(kind);
        assertThat(page.configuration(kind, router))
            .contains(
                switch (kind) {
                  case BIRD -> BirdRouter.configuration(plan);
                  case FRR -> FrrRouter.configuration(plan);
                });
      }
    }
  }

  private static Topology topology(DeploymentPage page) {
    return new Topology(page.spec("lab"));
  }
}
