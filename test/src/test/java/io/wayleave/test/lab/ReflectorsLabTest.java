package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The shape reflectors from its start; the way there from a mesh is in {@link MeshLabTest}. */
@Tag("lab")
@Tag("full")
class ReflectorsLabTest {
  @Test
  void aReflectorThatStopsAndComesBackCostsNothing() {
    try (Lab lab = ShapeLab.up(Shape.REFLECTORS)) {
      List<LabContainer> containers = SharedLab.containerOnEachHost(lab, Map.of());
      LabContainer one = containers.get(2);
      LabContainer other = containers.get(3);
      // The lab has waited for the sessions: two for each of these, which are no reflectors.
      assertThat(lab.host("r1h3").agent().establishedSessions()).isEqualTo(2);
      Await.until(
          one + " reaches " + other,
          ShapeLab.CONVERGED,
          () -> Ping.once(one.network(), other.address()),
          () -> one.host().routes());

      try (Pinger stream = Pinger.start(one.network(), other.address())) {
        lab.host("r1h1").agent().stop();
        stream.awaitReplies(200);
        lab.host("r1h1").agent().start();
        lab.awaitSessions();

        assertThat(stream.settle().lost()).isEmpty();
      }
    }
  }
}
