package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Cidr;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The shapes in which hosts share an AS: the switch takes it out of the path, or the hosts bear it.
 */
@Tag("lab")
class SharedAsLabTest {
  /** One rack, whose switch is BIRD. */
  @Test
  void hostsOfARackThatShareAnAsHearOfEachOtherByAsOverride() {
    assertAsOverride(1);
  }

  /** Under FRR too, and from rack to rack. */
  @Tag("full")
  @Test
  void soDoHostsOfTwoRacks() {
    assertAsOverride(2);
  }

  private static void assertAsOverride(int racks) {
    LabSpec page = DeploymentPage.of(Shape.RACK_AS).spec(LabNames.next());
    LabSpec spec =
        new LabSpec(page.name(), page.shape(), racks, page.hosts(), page.tors(), page.agents());
    try (Lab lab = Lab.up(spec, Progress.SILENT)) {
      assertAllReachEachOther(lab, SharedLab.containerOnEachHost(lab, Map.of()));
    }
  }

  @Tag("full")
  @Test
  void hostsThatAllShareOneAsBearItOnceInThePath() {
    try (Lab lab = ShapeLab.up(Shape.ONE_AS)) {
      List<LabContainer> containers = SharedLab.containerOnEachHost(lab, Map.of());

      assertAllReachEachOther(lab, containers);

      // Control: without the setting every route of another host is a loop. It takes effect on
      // sessions that are up, as the way back does.
      String manifest = String.join("\n---\n", DeploymentPage.of(Shape.ONE_AS).resources());
      lab.apply(manifest.replace("numAllowedLocalASNumbers: 1", "numAllowedLocalASNumbers: 0"));
      for (LabContainer container : containers) {
        Cidr route = container.address().toCidr();
        Await.until(
            "no other host has a route to " + container,
            ShapeLab.CONVERGED,
            () -> hostsOf(lab, route).equals(List.of(container.host().name())),
            () -> hostsOf(lab, route).toString());
      }
      lab.apply(manifest);
      assertAllReachEachOther(lab, containers);
    }
  }

  private static List<String> hostsOf(Lab lab, Cidr route) {
    return lab.hosts().stream()
        .filter(host -> Routes.inKernel(host).contains(route))
        .map(LabHost::name)
        .toList();
  }

  private static void assertAllReachEachOther(Lab lab, List<LabContainer> containers) {
    for (LabContainer container : containers) {
      Cidr route = container.address().toCidr();
      Await.until(
          "every host has a route to " + container,
          ShapeLab.CONVERGED,
          () -> hostsOf(lab, route).size() == lab.hosts().size(),
          () -> hostsOf(lab, route).toString());
    }
    for (Router tor : lab.routers()) {
      assertThat(tor.sessions()).as(tor.name()).allMatch(Router.Session::established);
    }
    assertThat(PingMatrix.await(lab, Set.of(), ShapeLab.CONVERGED).unanswered()).isEmpty();
  }
}
