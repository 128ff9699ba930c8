package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.status.AgentStatus;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The shape mesh, and the way from there to reflectors, among them, and back. */
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

  @Tag("full")
  @Test
  void everyHostHasASessionWithEveryOtherAndReachesItsContainersDirectly() {
    awaitSessions("r1h1 3", "r1h2 3", "r1h3 3", "r1h4 3");
    awaitDirectRoutes();

    assertThat(PingMatrix.await(lab, Set.of(), ShapeLab.CONVERGED).unanswered()).isEmpty();
  }

  /**
   * By the commands of the page, section by section, under streams between containers of all hosts.
   */
  @Test
  void movingToReflectorsAndFromOneToAnotherAndBackLosesNothing() {
    DeploymentPage page = DeploymentPage.of(Shape.REFLECTORS);
    List<String> toReflectors = page.scripts("From the mesh to reflectors");
    List<String> toAnother = page.scripts("From one reflector to another");
    List<String> back = page.scripts("Back to the mesh");
    awaitDirectRoutes();
    // Each end is a reflector at one time or another, or never. An answer needs both routes.
    List<Pinger> streams =
        Parallel.map(
            List.of(List.of(0, 3), List.of(1, 2), List.of(2, 3), List.of(3, 1)),
            pair ->
                Pinger.start(
                    containers.get(pair.getFirst()).network(),
                    containers.get(pair.getLast()).address()));
    try {
      ShapeLab.script(lab, toReflectors.getFirst());
      awaitSelected("r1h1 3", "r1h2 3", "r1h3 2", "r1h4 2");
      awaitSessions("r1h1 3", "r1h2 3", "r1h3 3", "r1h4 3");
      ShapeLab.script(lab, toReflectors.getLast());
      awaitSessions("r1h1 3", "r1h2 3", "r1h3 2", "r1h4 2");
      awaitDirectRoutes();
      ShapeLab.script(lab, toAnother.getFirst());
      awaitSelected("r1h1 3", "r1h2 3", "r1h3 3", "r1h4 3");
      ShapeLab.script(lab, toAnother.getLast());
      awaitSessions("r1h1 3", "r1h2 2", "r1h3 3", "r1h4 2");
      awaitDirectRoutes();
      ShapeLab.script(lab, back.getFirst());
      awaitSessions("r1h1 3", "r1h2 3", "r1h3 3", "r1h4 3");
      ShapeLab.script(lab, back.getLast());
      awaitSessions("r1h1 3", "r1h2 3", "r1h3 3", "r1h4 3");
      awaitDirectRoutes();

      assertThat(ShapeLab.worst(streams)).isZero();
    } finally {
      Parallel.forEach(streams, Pinger::close);
    }
  }

  private static void awaitSessions(String... wanted) {
    awaitPeers(peer -> true, wanted);
  }

  /** Sessions that the page's BGPPeer makes, whether the mesh has them too or not. */
  private static void awaitSelected(String... wanted) {
    awaitPeers(peer -> peer.type().equals("selected node"), wanted);
  }

  private static void awaitPeers(Predicate<AgentStatus.Peer> counted, String... wanted) {
    Await.until(
        "established sessions are " + List.of(wanted),
        ShapeLab.CONVERGED,
        () -> established(counted).equals(List.of(wanted)),
        () -> established(counted).toString());
  }

  private static List<String> established(Predicate<AgentStatus.Peer> counted) {
    return lab.hosts().stream()
        .map(
            host ->
                host.name()
                    + " "
                    + host.agent().status().stream()
                        .flatMap(status -> status.bgp().peers().stream())
                        .filter(peer -> peer.state().equals("Established"))
                        .filter(counted)
                        .count())
        .toList();
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
