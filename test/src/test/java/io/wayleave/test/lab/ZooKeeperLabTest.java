package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Two hosts whose agents keep everything in a real ZooKeeper. */
@Tag("lab")
@Tag("full")
class ZooKeeperLabTest {
  private static final Duration CONVERGED = Duration.ofSeconds(30);
  private static final int TRY_AGAIN_LATER = 11;

  @Test
  void containersLiveOnZooKeeperAndKeepTheirNetworkWhileItIsAway() {
    LabSpec spec =
        new LabSpec(
            LabNames.next(), Shape.MESH, 1, 2, RouterKind.Choice.MIXED, true, StoreKind.ZOOKEEPER);
    try (Lab lab = Lab.up(spec, Progress.SILENT)) {
      LabHost host = lab.host("r1h1");
      LabContainer here = host.run("here");
      LabContainer there = lab.host("r1h2").run("there");
      LabContainer leaving = host.run("leaving");
      assertThat(PingMatrix.await(lab, Set.of(), CONVERGED).unanswered()).isEmpty();
      assertThat(given(lab)).isEqualTo(addresses(here, there, leaving)).hasSize(3);

      try (Pinger stream = Pinger.start(there.network(), here.address());
          BareContainer late = BareContainer.create(host)) {
        lab.store().stop();

        Command.Result refused = late.add();
        assertThat(refused.succeeded()).isFalse();
        assertThat(Json.read("wayleave", refused.out()).path("code").asInt())
            .as(refused.text())
            .isEqualTo(TRY_AGAIN_LATER);
        // DEL does not wait for ZooKeeper.
        host.remove(leaving.name());
        stream.awaitReplies(100);

        lab.store().start();
        Await.until(
            "ADD succeeds again by itself",
            CONVERGED,
            () -> late.add().succeeded(),
            () -> host.agent().status().toString());
        assertThat(late.del().succeeded()).isTrue();
        Await.until(
            "what was removed meanwhile has given its address back",
            CONVERGED,
            () -> given(lab).equals(addresses(here, there)),
            () -> given(lab).toString());
        assertThat(stream.settle().lost()).isEmpty();
      }
      assertThat(PingMatrix.await(lab, Set.of(), CONVERGED).unanswered()).isEmpty();

      host.remove("here");
      lab.host("r1h2").remove("there");
      assertThat(given(lab)).isEmpty();
      assertThat(lab.netctl("endpoint", "list").check()).doesNotContain("10.244.");
    }
  }

  /** The addresses that the datastore says are given. */
  private static Set<String> given(Lab lab) {
    Set<String> given = new TreeSet<>();
    Json.read("netctl", lab.netctl("pool", "show", "containers", "-o", "json").check())
        .path("addresses")
        .forEach(address -> assertThat(given.add(address.path("address").asText())).isTrue());
    return given;
  }

  private static Set<String> addresses(LabContainer... containers) {
    Set<String> addresses = new TreeSet<>();
    for (LabContainer container : containers) {
      assertThat(Topology.POOL.contains(container.address())).isTrue();
      addresses.add(container.address().toString());
    }
    return addresses;
  }
}
