package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Containers of all hosts on one fabric: who reaches whom, and who is let. */
@Tag("lab")
@ExtendWith(SharedLab.class)
class FabricLabTest {
  private static final Duration CONVERGED = Duration.ofSeconds(20);

  @Test
  void everyContainerReachesEveryOtherAndItsOwnHost(Lab lab) {
    List<LabContainer> containers = new ArrayList<>(SharedLab.containerOnEachHost(lab, Map.of()));
    // Two on one host, by the other runtime.
    containers.add(lab.host("r1h1").run("second", RuntimeKind.CONTAINERD, Map.of(), List.of()));

    PingMatrix matrix = PingMatrix.await(lab, Set.of(), CONVERGED);

    assertThat(matrix.answers())
        .as("5 containers and 4 hosts to 5 containers, and 5 own hosts")
        .hasSize(9 * 5 + 5);
    assertThat(containers)
        .allSatisfy(c -> assertThat(Topology.POOL.contains(c.address())).isTrue());
    assertThat(addresses(containers)).hasSize(5);
  }

  @Test
  void aRouteIsEverywhereWhileItsContainerLivesAndNowhereAfterwards(Lab lab) {
    for (String place : List.of("r1h2", "r2h2")) {
      LabContainer container = lab.host(place).run("short");
      Cidr route = container.address().toCidr();
      Await.until(
          route + " is known to all routers and hosts",
          CONVERGED,
          () -> Routes.where(lab, route).size() == 7,
          () -> Routes.where(lab, route).toString());

      lab.host(place).remove("short");

      Await.until(
          route + " is known to nobody",
          CONVERGED,
          () -> Routes.where(lab, route).isEmpty(),
          () -> Routes.where(lab, route).toString());
    }
  }

  @Test
  void containersStartedAtTheSameMomentGetDifferentAddresses(Lab lab) {
    List<Map.Entry<LabHost, String>> wanted =
        lab.hosts().stream()
            .flatMap(host -> Stream.of(Map.entry(host, "one"), Map.entry(host, "two")))
            .toList();

    List<LabContainer> containers =
        Parallel.map(wanted, entry -> entry.getKey().run(entry.getValue()));

    assertThat(addresses(containers)).hasSize(8);
    assertThat(lab.etcd().read("/wayleave/v1/resources/workloadendpoints/")).hasSize(8);
    assertThat(PingMatrix.await(lab, Set.of(), CONVERGED).answers()).hasSize(12 * 8 + 8);
  }

  @Test
  void aPolicyClosesWhatItSelectsToAllThatItDoesNotAllow(Lab lab) {
    LabContainer web = lab.host("r1h1").run("web", Map.of("role", "web"));
    LabContainer friend = lab.host("r2h1").run("friend", Map.of("role", "friend"));
    LabContainer stranger = lab.host("r2h2").run("stranger", Map.of("role", "stranger"));
    LabContainer neighbour = lab.host("r1h1").run("neighbour", Map.of("role", "stranger"));
    // Control: without the policy the strangers get through, so it is the policy that stops them.
    PingMatrix _ = PingMatrix.await(lab, Set.of(), CONVERGED);

    lab.apply(Demo.policy());
    try {
      Set<PingMatrix.Pair> refused =
          Stream.concat(
                  Stream.of(stranger, neighbour).map(LabContainer::toString),
                  Stream.of("r1h2", "r2h1", "r2h2"))
              .map(from -> new PingMatrix.Pair(from, web.toString()))
              .collect(Collectors.toSet());
      PingMatrix closed = PingMatrix.await(lab, refused, CONVERGED);
      assertThat(closed.answers())
          .containsEntry(new PingMatrix.Pair(friend.toString(), web.toString()), true)
          .as("answers to what the selected endpoint itself asks")
          .containsEntry(new PingMatrix.Pair(web.toString(), stranger.toString()), true);
    } finally {
      lab.netctl("delete", "globalnetworkpolicy", Demo.POLICY_NAME).check();
    }

    assertThat(PingMatrix.await(lab, Set.of(), CONVERGED).unanswered()).isEmpty();
  }

  @Test
  void aPolicyIsInForceWhenTheContainerStarts(Lab lab) {
    LabContainer stranger = lab.host("r1h1").run("stranger", Map.of("role", "stranger"));
    lab.apply(Demo.policy());
    try {
      // On the stranger's own host, so that no route has to travel first.
      LabContainer open = lab.host("r1h1").run("open", Map.of("role", "other"));
      assertThat(Ping.once(stranger.network(), open.address()))
          .as("control: at once after its start an unselected container is reached")
          .isTrue();

      LabContainer web = lab.host("r1h1").run("web", Map.of("role", "web"));

      assertThat(Ping.once(stranger.network(), web.address())).isFalse();
    } finally {
      lab.netctl("delete", "globalnetworkpolicy", Demo.POLICY_NAME).check();
    }
  }

  private static Set<IpAddress> addresses(List<LabContainer> containers) {
    return new HashSet<>(containers.stream().map(LabContainer::address).toList());
  }
}
