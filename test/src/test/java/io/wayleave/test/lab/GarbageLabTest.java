package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Cidr;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Addresses whose container or node is gone come back by themselves. */
@Tag("lab")
@ExtendWith(SharedLab.class)
class GarbageLabTest {
  private static final Duration COLLECTED = Duration.ofSeconds(30);
  private static final String IPAM = "/wayleave/v1/ipam/";
  private static final String ENDPOINTS = "/wayleave/v1/resources/workloadendpoints/";

  @Test
  void aContainerThatEndsWithoutDelGivesItsAddressBack(Lab lab) {
    LabHost host = lab.host("r1h1");
    try (BareContainer lost = BareContainer.create(host);
        BareContainer stays = BareContainer.create(host)) {
      Cidr address = added(lost);
      Cidr kept = added(stays);
      long before = released(host);

      lost.deleteNetns();

      Await.until(
          "nothing is left of " + lost.id(),
          COLLECTED,
          () -> !known(lab, lost) && !Routes.inKernel(host).contains(address),
          () -> lab.etcd().read(IPAM) + " " + host.agent().status());
      assertThat(known(lab, stays)).isTrue();
      assertThat(Ping.once(host.network(), kept.address())).isTrue();
      Await.until(
          "the agent tells of it",
          COLLECTED,
          () -> released(host) == before + 1,
          () -> host.agent().status().toString());
      assertThat(lab.netctl("node", "status").check()).contains("Garbage    looked for at ");
    }
  }

  @Test
  void aNodeThatIsDeletedGivesItsBlocksBack(Lab lab) {
    LabHost host = lab.host("r2h2");
    try (BareContainer container = BareContainer.create(host)) {
      Cidr _ = added(container);
      assertThat(container.del().exit()).isZero();
    }
    assertThat(blocksOf(lab, host)).isPositive();
    try {
      host.agent().stop();
      // It is away, and not gone.
      long runs = runs(lab.host("r1h1"));
      Await.until(
          "it was looked for",
          COLLECTED,
          () -> runs(lab.host("r1h1")) > runs + 4,
          () -> lab.host("r1h1").agent().status().toString());
      assertThat(blocksOf(lab, host)).isPositive();

      String _ = lab.netctl("delete", "node", host.name()).check();

      Await.until(
          "its blocks are given back",
          COLLECTED,
          () -> blocksOf(lab, host) == 0,
          () -> lab.etcd().read(IPAM).toString());
    } finally {
      host.agent().start();
    }
  }

  private static Cidr added(BareContainer container) {
    Command.Result result = container.add();
    assertThat(result.exit()).as(result.text()).isZero();
    return Cidr.parse(
        Json.read("wayleave", result.out()).path("ips").path(0).path("address").asText());
  }

  private static boolean known(Lab lab, BareContainer container) {
    return lab.etcd().read(ENDPOINTS).keySet().toString().contains(container.id())
        || lab.etcd().read(IPAM + "handles/").toString().contains(container.id());
  }

  /** Blocks and affinities of the host. */
  private static long blocksOf(Lab lab, LabHost host) {
    Map<String, ?> blocks = lab.etcd().read(IPAM + "blocks/");
    String owner = "\"node\":\"" + host.name() + "\"";
    return blocks.values().stream().filter(block -> block.toString().contains(owner)).count()
        + lab.etcd().read(IPAM + "affinities/" + host.name() + "/").size();
  }

  private static long released(LabHost host) {
    return host.agent().status().orElseThrow().garbage().orElseThrow().released();
  }

  private static long runs(LabHost host) {
    return host.agent().status().orElseThrow().garbage().orElseThrow().runs();
  }
}
