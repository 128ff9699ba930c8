package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The shape mesh, and the way from there to reflectors and among them. */
@Tag("lab")
class MeshLabTest {
  private static Lab lab;
  private static List<LabContainer> containers;

  @BeforeAll
  static void up() {
    lab = ShapeLab.up(Shape.MESH);
    containers = SharedLab.containerOnEachHost(lab, Map.of());
  }

  @AfterAll
  static void down() {
    if (lab != null) {
      lab.close();
    }
  }

  @Test
  void everyHostHasASessionWithEveryOtherAndReachesItsContainersDirectly() {
    awaitDirectRoutes();

    for (LabHost host : lab.hosts()) {
      assertThat(host.agent().establishedSessions()).as(host.name()).isEqualTo(3);
    }
    assertThat(PingMatrix.await(lab, Set.of(), ShapeLab.CONVERGED).unanswered()).isEmpty();
  }

  private static void awaitDirectRoutes() {
    for (LabHost host : lab.hosts()) {
      for (LabContainer container : containers) {
        if (container.host() != host) {
          ShapeLab.awaitHops(
              host,
              container.address(),
              Set.of(new Routes.Hop(container.host().place().ipv4().toString(), "eth0")));
        }
      }
    }
  }
}
