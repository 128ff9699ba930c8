package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Cidr;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Parts of the fabric go away and come back. */
@Tag("lab")
@ExtendWith(SharedLab.class)
class OutageLabTest {
  private static final Duration CONVERGED = Duration.ofSeconds(30);

  /** What an agent has for an ADD, and some time for the machine to be busy. */
  private static final Duration ADD_DEADLINE = Duration.ofSeconds(15);

  private static final int TRY_AGAIN_LATER = 11;

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void aSessionThatTheSwitchEndsTakesTheHostsRoutesOutOfTheFabric(int rack, Lab lab) {
    List<LabContainer> containers = SharedLab.containerOnEachHost(lab, Map.of());
    LabHost cut = lab.host("r" + rack + "h1");
    LabContainer lost = cut.container("c-" + cut.name());
    Cidr route = lost.address().toCidr();
    PingMatrix _ = PingMatrix.await(lab, Set.of(), CONVERGED);

    try {
      lab.tor(rack).disableSession(cut.name());

      Await.until(
          route + " is known to its own host only",
          CONVERGED,
          () -> Routes.where(lab, route).equals(List.of(cut.name())),
          () -> Routes.where(lab, route).toString());
      // Control: everyone else is as before.
      for (LabContainer from : containers) {
        for (LabContainer to : containers) {
          if (from.host() != cut && to.host() != cut) {
            assertThat(Ping.once(from.network(), to.address())).as(from + " -> " + to).isTrue();
          }
        }
      }
      assertThat(Ping.once(containers.getLast().network(), lost.address())).isFalse();
    } finally {
      lab.tor(rack).enableSession(cut.name());
    }

    assertThat(PingMatrix.await(lab, Set.of(), CONVERGED).unanswered()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void containersOfAHostReachEachOtherWhenItHasNeitherSessionsNorAWayOut(int rack, Lab lab) {
    LabHost host = lab.host("r" + rack + "h2");
    LabContainer one = host.run("one");
    LabContainer two = host.run("two");
    LabContainer far = lab.host("r" + (3 - rack) + "h1").run("far");
    PingMatrix _ = PingMatrix.await(lab, Set.of(), CONVERGED);

    try (Pinger inside = Pinger.start(one.network(), two.address());
        Pinger across = Pinger.start(far.network(), two.address())) {
      lab.tor(rack).disableSession(host.name());
      // Without a default route, proxy ARP on the host would answer nothing.
      Command.of("ip", "route", "del", "default").at(host.network()).check();
      Await.until(
          two + " is unreachable from the other rack",
          CONVERGED,
          () -> !Ping.once(far.network(), two.address()),
          () -> "it answers");
      // What the containers know of their gateway by asking has to be forgotten.
      for (LabContainer container : List.of(one, two)) {
        Command.of("ip", "neigh", "flush", "all").at(container.network()).check();
      }
      inside.awaitReplies(300);

      assertThat(inside.settle().lost()).isEmpty();
      // Control: the outage was one.
      assertThat(across.stop().lost()).isNotEmpty();
    } finally {
      Command.of("ip", "route", "replace", "default", "via", "10.90." + rack + ".1")
          .at(host.network())
          .check();
      lab.tor(rack).enableSession(host.name());
    }

    assertThat(PingMatrix.await(lab, Set.of(), CONVERGED).unanswered()).isEmpty();
  }

  @Test
  void withoutEtcdContainersKeepTheirNetworkAndAddSaysTryAgainLater(Lab lab) {
    LabHost host = lab.host("r1h1");
    LabContainer here = host.run("here");
    LabContainer there = lab.host("r2h1").run("there");
    LabContainer leaving = host.run("leaving");
    PingMatrix _ = PingMatrix.await(lab, Set.of(), CONVERGED);

    try (BareContainer late = BareContainer.create(host);
        Pinger stream = Pinger.start(there.network(), here.address())) {
      // Control: with etcd, the same ADD succeeds.
      assertThat(late.add().exit()).isZero();
      assertThat(late.del().exit()).isZero();

      lab.etcd().stop();

      long begin = System.nanoTime();
      Command.Result refused = late.add();
      Duration took = Duration.ofNanos(System.nanoTime() - begin);
      assertThat(refused.succeeded()).isFalse();
      assertThat(Json.read("wayleave", refused.out()).path("code").asInt())
          .as(refused.text())
          .isEqualTo(TRY_AGAIN_LATER);
      assertThat(took).isLessThan(ADD_DEADLINE);

      // DEL does not wait for etcd.
      host.remove(leaving.name());
      stream.awaitReplies(200);
      lab.etcd().start();

      Await.until(
          "ADD succeeds again by itself",
          CONVERGED,
          () -> late.add().succeeded(),
          () -> host.agent().status().toString());
      Await.until(
          "what was removed meanwhile leaves the datastore",
          CONVERGED,
          () -> lab.etcd().read("/wayleave/v1/resources/workloadendpoints/").size() == 3,
          () -> lab.etcd().read("/wayleave/v1/resources/workloadendpoints/").keySet().toString());
      assertThat(stream.settle().lost()).isEmpty();
    } finally {
      if (!lab.etcd().isHealthy()) {
        lab.etcd().start();
      }
    }
  }
}
