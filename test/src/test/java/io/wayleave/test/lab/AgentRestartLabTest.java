package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.IpAddress;
import java.time.Duration;
import java.util.SortedMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The network outlives the agent: not one of a hundred pings a second is lost while it is away,
 * under either kind of switch.
 */
@Tag("lab")
@ExtendWith(SharedLab.class)
class AgentRestartLabTest {
  private static final Duration CONVERGED = Duration.ofSeconds(20);

  /** Two seconds: long after the sessions have ended and before they would time out. */
  private static final int WHILE_AWAY = 200;

  /** Four seconds: the sessions are back and the switches have dropped what was not confirmed. */
  private static final int AFTERWARDS = 400;

  @ParameterizedTest
  @ValueSource(strings = {"r1h1", "r2h1"})
  void nothingIsLostWhileAnAgentIsRestarted(String place, Lab lab) {
    assertNothingIsLost(lab, place, LabAgent::stop);
  }

  @ParameterizedTest
  @ValueSource(strings = {"r1h1", "r2h1"})
  void nothingIsLostWhileAnAgentIsKilledAndComesBack(String place, Lab lab) {
    assertNothingIsLost(lab, place, LabAgent::kill9);
  }

  private static void assertNothingIsLost(Lab lab, String place, Consumer<LabAgent> end) {
    LabHost host = lab.host(place);
    LabContainer here = host.run("here");
    LabContainer beside = host.run("beside");
    LabContainer there = lab.host(place.equals("r1h1") ? "r2h2" : "r1h2").run("there");
    awaitPing(there, here);
    IpAddress address = here.address();
    SortedMap<String, String> allocations = allocations(lab);

    try (Pinger in = Pinger.start(there.network(), address);
        Pinger out = Pinger.start(here.network(), there.address());
        Pinger local = Pinger.start(beside.network(), address)) {
      end.accept(host.agent());
      assertThat(host.agent().isRunning()).isFalse();
      in.awaitReplies(WHILE_AWAY);
      host.agent().start();
      lab.awaitSessions();
      in.awaitReplies(AFTERWARDS);

      assertNoneLost(in.settle());
      assertNoneLost(out.settle());
      assertNoneLost(local.settle());
    } finally {
      if (!host.agent().isRunning()) {
        host.agent().start();
      }
    }
    assertThat(here.address()).isEqualTo(address);
    assertThat(allocations(lab)).isEqualTo(allocations);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void controlTheSameStreamLosesPingsWhenTheSwitchDropsTheRoutes(int rack, Lab lab) {
    LabHost host = lab.host("r" + rack + "h1");
    LabContainer here = host.run("here");
    LabContainer there = lab.host("r" + (3 - rack) + "h2").run("there");
    awaitPing(there, here);

    try (Pinger in = Pinger.start(there.network(), here.address())) {
      lab.tor(rack).disableSession(host.name());
      Await.until(
          here + " is unreachable",
          CONVERGED,
          () -> !Ping.once(there.network(), here.address()),
          () -> "it answers");
      lab.tor(rack).enableSession(host.name());
      lab.awaitSessions();
      awaitPing(there, here);

      assertThat(in.settle().lost()).isNotEmpty();
    } finally {
      lab.tor(rack).enableSession(host.name());
    }
  }

  @Test
  void aContainerCanBeRemovedAfterAnAgentThatDidNotStartItCameBack(Lab lab) {
    LabHost host = lab.host("r1h2");
    LabContainer container = host.run("adopted");
    IpAddress address = container.address();
    String id = container.cniContainerId();
    assertThat(allocations(lab).toString()).contains(id);
    host.agent().kill9();
    host.agent().start();

    host.remove("adopted");

    Await.until(
        address + " is known to nobody",
        CONVERGED,
        () -> Routes.where(lab, address.toCidr()).isEmpty(),
        () -> Routes.where(lab, address.toCidr()).toString());
    assertThat(allocations(lab).toString()).doesNotContain(id);
  }

  private static SortedMap<String, String> allocations(Lab lab) {
    SortedMap<String, String> found = lab.etcd().read("/wayleave/v1/ipam/");
    found.putAll(lab.etcd().read("/wayleave/v1/resources/workloadendpoints/"));
    return found;
  }

  private static void awaitPing(LabContainer from, LabContainer to) {
    Await.until(
        from + " reaches " + to,
        CONVERGED,
        () -> Ping.once(from.network(), to.address()),
        () -> from.host().routes());
  }

  private static void assertNoneLost(Pinger.Result result) {
    assertThat(result.sent()).isGreaterThan(WHILE_AWAY + AFTERWARDS);
    assertThat(result.lost()).as("lost of %d", result.sent()).isEmpty();
  }
}
