package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.model.Cidr;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The lab without agents: fabric, datastore and runtimes, on the kernel and with the real daemons.
 * What holds here is what the tests with agents build on.
 */
@Tag("real")
class UnderlayLabTest {
  private static final Duration CONVERGED = Duration.ofSeconds(20);
  private static final String NAME = LabNames.next();

  private static Lab lab;

  @BeforeAll
  static void up() {
    lab = Lab.up(LabSpec.named(NAME).withoutAgents(), Progress.SILENT);
  }

  @AfterAll
  static void down() {
    Lab.down(NAME);
  }

  @Test
  void everyHostReachesEveryOtherAndEtcdThroughTheFabric() {
    for (LabHost from : lab.hosts()) {
      for (LabHost to : lab.hosts()) {
        assertThat(Ping.once(from.network(), to.place().ipv4()))
            .as("%s to %s", from.name(), to.name())
            .isTrue();
        assertThat(Ping.once(from.network(), to.place().ipv6()))
            .as("%s to %s by IPv6", from.name(), to.name())
            .isTrue();
      }
    }
    assertThat(lab.etcd().isHealthy()).isTrue();
  }

  @Test
  void switchesOfBothKindsCarryTheOtherRack() {
    assertThat(lab.tor(1).kind()).isEqualTo(RouterKind.BIRD);
    assertThat(lab.tor(2).kind()).isEqualTo(RouterKind.FRR);
    assertThat(lab.tor(1).bgpRoutes()).contains(Cidr.parse("10.90.2.0/24"));
    assertThat(lab.tor(2).bgpRoutes()).contains(Cidr.parse("10.90.1.0/24"));
    assertThat(lab.tor(2).session("r2h1").established()).as("no agent runs").isFalse();
  }

  @Test
  void aSessionCanBeTakenDownAndUpAtARouterOfEitherKind() {
    for (int rack : List.of(1, 2)) {
      Router tor = lab.tor(rack);
      Cidr etcd = Cidr.parse("10.90.0.0/24");

      tor.disableSession("spine");
      Await.until(
          tor.name() + " loses what the spine said",
          CONVERGED,
          () -> !tor.bgpRoutes().contains(etcd) && !tor.session("spine").established(),
          () -> tor.sessions() + " " + tor.bgpRoutes());
      LabHost host = lab.host("r" + rack + "h1");
      assertThat(Ping.once(host.network(), Topology.ETCD)).isFalse();

      tor.enableSession("spine");
      Await.until(
          tor.name() + " hears the spine again",
          CONVERGED,
          () -> Ping.once(host.network(), Topology.ETCD),
          () -> tor.sessions() + " " + tor.bgpRoutes());
    }
  }

  @Test
  void etcdKeepsItsDataWhenItIsStoppedAndStarted() {
    etcdctl("put", "lab-test", "kept").check();
    lab.etcd().stop();
    assertThat(lab.etcd().isHealthy()).isFalse();

    lab.etcd().start();

    assertThat(etcdctl("get", "--print-value-only", "lab-test").check().strip()).isEqualTo("kept");
  }

  private static Command etcdctl(String... words) {
    return Command.of(words)
        .at(List.of("etcdctl", "--endpoints", "http://10.90.0.2:2379"))
        .environment(Map.of("ETCDCTL_API", "3"))
        .at(lab.host("r1h1").network());
  }

  @Test
  void bothRuntimesStartAndRemoveContainersThroughCni() {
    for (RuntimeKind kind : RuntimeKind.values()) {
      LabHost host = lab.host("r1h2");
      LabContainer container = host.run("c-" + kind.label(), kind, Map.of(), List.of());

      assertThat(Ping.once(host.network(), container.address())).isTrue();
      assertThat(Ping.once(container.network(), host.place().ipv4())).isTrue();
      assertThat(
              Command.of(container.exec(false, List.of("sh", "-c", "echo $((6*7))")))
                  .check()
                  .strip())
          .isEqualTo("42");
      assertThat(Lab.find(NAME).map(l -> l.containers().size())).isEqualTo(Optional.of(1));

      host.remove(container.name());

      assertThat(lab.containers()).isEmpty();
      assertThat(Command.of("ip", "-brief", "link").at(host.network()).check())
          .doesNotContain("veth");
    }
  }

  @Test
  void aContainerThatCannotStartSaysWhyAndLeavesNothing() {
    for (RuntimeKind kind : RuntimeKind.values()) {
      LabHost host = lab.host("r1h2");

      assertThatThrownBy(() -> host.run("bad", kind, Map.of(), List.of("/no/such/program")))
          .isInstanceOf(LabException.class)
          .hasMessageContaining("/no/such/program");

      assertThat(host.find("bad")).isEmpty();
      assertThat(host.containerDirectory("bad")).doesNotExist();
    }
  }

  @Test
  void asksForTheNamesThatExist() {
    assertThatThrownBy(() -> lab.host("r9h9")).hasMessageContaining("r1h1, r1h2, r2h1, r2h2");
    assertThatThrownBy(() -> lab.tor(3)).hasMessageContaining("1 to 2");
    assertThatThrownBy(() -> lab.tor(1).disableSession("r2h1")).hasMessageContaining("r2h1");
  }
}
