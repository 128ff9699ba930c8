package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.model.Cidr;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** CNI commands in the orders in which runtimes, crashes and impatience give them. */
@Tag("lab")
@ExtendWith(SharedLab.class)
class CniLifeLabTest {
  private static final Duration SETTLED = Duration.ofSeconds(30);
  private static final String ENDPOINTS = "/wayleave/v1/resources/workloadendpoints/";

  @Test
  void aSecondDelSucceedsAndChangesNothing(Lab lab) {
    LabHost host = lab.host("r1h1");
    try (BareContainer container = BareContainer.create(host)) {
      Cidr address = added(container);

      assertThat(container.del().text()).isEmpty();
      assertGone(lab, host, container, address);
      assertThat(container.links()).isEmpty();

      assertThat(container.del().exit()).isZero();
      assertThat(container.delWithoutNetns().exit()).isZero();
      assertGone(lab, host, container, address);
    }
  }

  @Test
  void aLateSecondDelDoesNotHitANewContainer(Lab lab) {
    LabHost host = lab.host("r1h1");
    try (BareContainer old = BareContainer.create(host);
        BareContainer fresh = BareContainer.create(host)) {
      Cidr _ = added(old);
      assertThat(old.del().exit()).isZero();
      Cidr address = added(fresh);

      assertThat(old.del().exit()).isZero();

      assertThat(Routes.inKernel(host)).contains(address);
      assertThat(Ping.once(host.network(), address.address())).isTrue();
    }
  }

  @Test
  void delSucceedsWhenTheNamespaceIsGone(Lab lab) {
    LabHost host = lab.host("r2h1");
    for (boolean empty : new boolean[] {false, true}) {
      try (BareContainer container = BareContainer.create(host)) {
        Cidr address = added(container);
        container.deleteNetns();

        Command.Result result = empty ? container.delWithoutNetns() : container.del();

        assertThat(result.exit()).as(result.text()).isZero();
        assertGone(lab, host, container, address);
      }
    }
  }

  @Test
  void delOfAContainerThatNeverWasSucceeds(Lab lab) {
    Command.Result result =
        lab.host("r2h2").cni("DEL", "never-was", "/run/netns/never-was", Map.of());

    assertThat(result.exit()).as(result.text()).isZero();
  }

  @Test
  void withoutItsAgentAHostRefusesAddAndSettlesDelLater(Lab lab) {
    LabHost host = lab.host("r2h2");
    try (BareContainer leaving = BareContainer.create(host);
        BareContainer coming = BareContainer.create(host)) {
      Cidr address = added(leaving);
      host.agent().kill9();
      try {
        Command.Result refused = coming.add();
        assertThat(Json.read("wayleave", refused.out()).path("code").asInt())
            .as(refused.text())
            .isEqualTo(11);
        assertThat(coming.links()).isEmpty();

        assertThat(leaving.del().exit()).isZero();
        // Control: nothing could have been done yet.
        assertThat(lab.etcd().read(ENDPOINTS).keySet().toString()).contains(leaving.id());
      } finally {
        host.agent().start();
      }

      // Before an ADD is accepted, not some time later.
      assertThat(lab.etcd().read(ENDPOINTS).keySet().toString()).doesNotContain(leaving.id());
      assertGone(lab, host, leaving, address);
      Cidr _ = added(coming);
    }
  }

  @Test
  void anAddThatFailsLeavesNothing(Lab lab) {
    LabHost host = lab.host("r1h2");
    Set<Cidr> before = Routes.inKernel(host);

    Command.Result result = host.cni("ADD", "nowhere", "/run/netns/does-not-exist", Map.of());

    assertThat(result.succeeded()).isFalse();
    assertThat(result.out()).contains("does-not-exist");
    assertThat(lab.etcd().read(ENDPOINTS).keySet().toString()).doesNotContain("nowhere");
    assertThat(Routes.inKernel(host)).isEqualTo(before);
  }

  /** The address that ADD gave, which is in the container and routed to it. */
  private static Cidr added(BareContainer container) {
    Command.Result result = container.add();
    assertThat(result.exit()).as(result.text()).isZero();
    JsonNode answer = Json.read("wayleave", result.out());
    assertThat(container.links()).hasSize(1);
    return Cidr.parse(answer.path("ips").path(0).path("address").asText());
  }

  private static void assertGone(Lab lab, LabHost host, BareContainer container, Cidr address) {
    Await.until(
        "nothing is left of " + container.id(),
        SETTLED,
        () ->
            !Routes.inKernel(host).contains(address)
                && !lab.etcd().read(ENDPOINTS).keySet().toString().contains(container.id())
                && !lab.etcd()
                    .read("/wayleave/v1/ipam/handles/")
                    .toString()
                    .contains(container.id()),
        () -> Routes.inKernel(host) + " " + lab.etcd().read("/wayleave/v1/").keySet());
  }
}
