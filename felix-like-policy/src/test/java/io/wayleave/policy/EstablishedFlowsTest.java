package io.wayleave.policy;

import static io.wayleave.policy.Fixtures.endpoint;
import static io.wayleave.policy.Fixtures.policy;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.linux.netlink.FlowTuple;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Kind;
import io.wayleave.model.Protocol;
import io.wayleave.model.Resource;
import io.wayleave.model.Update;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.calc.PolicyCalculator;
import io.wayleave.policy.dataplane.Dataplane;
import io.wayleave.policy.dataplane.FakeKernel;
import io.wayleave.policy.dataplane.HostRules;
import io.wayleave.policy.dataplane.IptablesBackend;
import io.wayleave.policy.dataplane.TableWatch;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which flows are marked and when, by a clock that the test moves. */
final class EstablishedFlowsTest {
  private static final long MILLI = 1_000_000;
  private static final WorkloadEndpoint WEB =
      endpoint("n1", "web", "wl1", Map.of("role", "web"), "10.0.0.1", "fd00::1");
  private static final WorkloadEndpoint DB =
      endpoint("n1", "db", "wl2", Map.of("role", "db"), "10.0.0.2", "fd00::2");
  private static final WorkloadEndpoint ELSEWHERE =
      endpoint("n2", "far", "wl3", Map.of("role", "web"), "10.0.1.1");
  private static final String FROM_WEB =
      """
      selector: role == 'db'
      ingress: [{action: Allow, protocol: TCP, source: {selector: role == 'web'}, destination: {ports: [5432]}}]
      """;

  private final FakeKernel kernel = new FakeKernel();
  private final FakeFlows table = new FakeFlows();
  private final Map<IpAddress, Set<String>> hostAddresses =
      Map.of(IpAddress.parse("192.0.2.1"), Set.of("eth0"));
  private final PolicyReconciler reconciler =
      new PolicyReconciler(
          "n1",
          () ->
              new Dataplane(
                  Set.of(Family.IPV4, Family.IPV6),
                  IptablesBackend.NFT,
                  HostRules.DEFAULT,
                  kernel,
                  kernel,
                  () -> hostAddresses,
                  TableWatch.none()),
          Duration.ofSeconds(30),
          Optional.of(calculator -> new EstablishedFlows(table, () -> hostAddresses, calculator)));
  private long now = Long.MAX_VALUE - 1000;

  @BeforeEach
  void start() {
    PolicyCalculator.KINDS.forEach(kind -> reconciler.on(kind, new Update.InSync<>()));
    for (WorkloadEndpoint each : List.of(WEB, DB, ELSEWHERE)) {
      put(each);
    }
    rest();
    table.walks = 0;
  }

  @Test
  void whatIsForbiddenIsMarkedAndNothingElse() {
    table.add(Protocol.TCP, "10.0.0.1", 40000, "10.0.0.2", 5432);
    table.add(Protocol.TCP, "10.0.0.1", 40001, "10.0.0.2", 22);
    table.add(Protocol.UDP, "fd00::1", 40002, "fd00::2", 5432);
    table.add(Protocol.TCP, "10.0.1.1", 40003, "10.0.0.2", 5432);
    table.add(Protocol.TCP, "198.51.100.1", 40004, "10.0.0.2", 5432);
    // Of others, of the host itself, and what the database begins.
    table.add(Protocol.TCP, "198.51.100.1", 40005, "10.0.1.1", 22);
    table.add(Protocol.TCP, "192.0.2.1", 40006, "10.0.0.2", 22);
    table.add(Protocol.TCP, "192.0.2.1", 40007, "198.51.100.1", 22);
    table.add(Protocol.TCP, "10.0.0.2", 40008, "10.0.0.1", 22);
    table.mark(1, 0x11);
    put(policy("p", FROM_WEB));
    CompletableFuture<Void> settled = new CompletableFuture<>();
    reconciler.settled(settled);
    step();

    assertThat(settled).isCompleted();
    List<String> forbidden =
        List.of(
            "TCP 10.0.0.1:40001 > 10.0.0.2:22",
            "UDP [fd00::1]:40002 > [fd00::2]:5432",
            "TCP 198.51.100.1:40004 > 10.0.0.2:5432");
    assertThat(table.forbidden()).containsExactlyElementsOf(forbidden);
    assertThat(table.flows.get(1).mark()).isEqualTo(0x8000011);

    // One more is allowed, and loses our bit and no other.
    table.mark(0, 0x8000022);
    put(policy("p", FROM_WEB.replace("5432", "22")));
    step();
    assertThat(table.forbidden())
        .containsExactly(
            "TCP 10.0.0.1:40000 > 10.0.0.2:5432",
            "UDP [fd00::1]:40002 > [fd00::2]:5432",
            "TCP 10.0.1.1:40003 > 10.0.0.2:5432",
            "TCP 198.51.100.1:40004 > 10.0.0.2:5432");
    assertThat(table.flows.get(0).mark()).isEqualTo(0x8000022);
    assertThat(table.flows.get(1).mark()).isEqualTo(0x11);
    reconciler.on(Kind.GLOBAL_NETWORK_POLICY, new Update.Delete<>("p"));
    step();
    assertThat(table.forbidden()).isEmpty();
    assertThat(table.flows.get(0).mark()).isEqualTo(0x22);
    assertThat(table.flows).hasSize(9);
  }

  @Test
  void membersAndLabelsForbidToo() {
    put(policy("p", FROM_WEB));
    step();
    table.add(Protocol.TCP, "10.0.1.1", 40000, "10.0.0.2", 5432);
    table.add(Protocol.TCP, "10.0.0.1", 40001, "10.0.0.2", 5432);
    put(endpoint("n2", "far", "wl3", Map.of("role", "other"), "10.0.1.1"));
    step();
    assertThat(table.forbidden()).containsExactly("TCP 10.0.1.1:40000 > 10.0.0.2:5432");
    put(endpoint("n1", "db", "wl2", Map.of("role", "x"), "10.0.0.2", "fd00::2"));
    step();
    assertThat(table.forbidden()).isEmpty();
  }

  @Test
  void aTranslatedDestinationIsWhatRulesSee() {
    table.add(Protocol.TCP, "10.0.0.1", 40000, "192.0.2.1", 80, "10.0.0.2", 5432, Optional.empty());
    table.add(Protocol.TCP, "10.0.0.1", 40001, "192.0.2.1", 5432, "10.0.0.2", 80, Optional.empty());
    put(policy("p", FROM_WEB));
    step();
    assertThat(table.forbidden()).containsExactly("TCP 10.0.0.1:40001 > 192.0.2.1:5432");
  }

  @Test
  void aFlowThatAnotherAnnouncedSharesItsFate() {
    FlowTuple allowed = tuple("10.0.0.1", 40000, 5432);
    FlowTuple closed = tuple("10.0.0.1", 40001, 21);
    table.add(allowed, tuple("10.0.0.2", "10.0.0.1", 5432, 40000), Optional.empty());
    for (FlowTuple master : List.of(allowed, closed)) {
      int port = master.equals(allowed) ? 50000 : 50001;
      table.add(
          tuple("10.0.0.1", port, 20),
          tuple("10.0.0.2", "10.0.0.1", 20, port),
          Optional.of(master));
    }
    put(policy("p", FROM_WEB));
    step();
    assertThat(table.forbidden()).containsExactly("TCP 10.0.0.1:50001 > 10.0.0.2:20");
  }

  @Test
  void protocolsWithoutPortsAndOnesThatCannotBe() {
    IpAddress web = IpAddress.parse("fd00::1");
    IpAddress db = IpAddress.parse("fd00::2");
    for (Protocol protocol : List.of(Protocol.ICMPV6, Protocol.ICMP, new Protocol(47))) {
      FlowTuple.Detail detail =
          protocol.equals(Protocol.ICMPV6)
              ? new FlowTuple.Icmp(128, 0, 7)
              : protocol.equals(Protocol.ICMP)
                  ? new FlowTuple.Nothing()
                  : new FlowTuple.Ports(1, 2);
      table.add(
          new FlowTuple(web, db, protocol, detail),
          new FlowTuple(db, web, protocol, detail),
          Optional.empty());
    }
    put(policy("p", FROM_WEB));
    step();
    assertThat(table.forbidden())
        .containsExactly("ICMPV6 fd00::1 > fd00::2 128/0 id 7", "47 [fd00::1]:1 > [fd00::2]:2");
  }

  @Test
  void itLooksOnlyWhenAVerdictMayHaveChanged() {
    table.add(Protocol.TCP, "10.0.0.1", 40000, "10.0.0.2", 5432);
    step();
    put(WEB);
    put(policy("elsewhere", "selector: role == 'nobody'\ningress: [{action: Deny}]"));
    step();
    rest();
    assertThat(table.walks).isZero();

    // One before anybody is told, one for packets that were on their way.
    put(policy("p", FROM_WEB));
    step();
    assertThat(table.walks).isEqualTo(1);
    rest();
    assertThat(table.walks).isEqualTo(2);

    // What is new has no flows: CNI ADD does not wait for a look.
    WorkloadEndpoint added = endpoint("n1", "new", "wl9", Map.of("role", "web"), "10.0.0.9");
    CompletableFuture<Void> programmed = new CompletableFuture<>();
    reconciler.program(added, programmed);
    step();
    assertThat(programmed).isCompleted();
    assertThat(table.walks).isEqualTo(2);
    rest();
    assertThat(table.walks).isEqualTo(3);
  }

  @Test
  void noWalkThroughAnEmptyTable() {
    put(policy("p", FROM_WEB));
    step();
    rest();
    assertThat(table.walks).isZero();
  }

  @Test
  void theDigestCountsAfterTheSecondLook() {
    table.add(Protocol.TCP, "10.0.0.1", 40000, "10.0.0.2", 5432);
    String before = reconciler.status().digest();
    put(policy("p", FROM_WEB));
    assertThat(step()).isZero();
    assertThat(step()).isEqualTo(100 * MILLI);
    // A packet of the old rules confirms its flow now.
    table.add(Protocol.TCP, "10.0.0.1", 40001, "10.0.0.2", 22);
    assertThat(reconciler.status().digest()).isEqualTo(before);
    now += 100 * MILLI;
    step();
    assertThat(table.forbidden()).containsExactly("TCP 10.0.0.1:40001 > 10.0.0.2:22");
    assertThat(reconciler.status().digest()).isNotEqualTo(before);
  }

  @Test
  void changesWithoutEndDoNotKeepTheFirstFromCounting() {
    table.add(Protocol.TCP, "10.0.0.1", 40000, "10.0.0.2", 5432);
    String before = reconciler.status().digest();
    for (int change = 0; change < 4; change++) {
      put(policy("p", FROM_WEB.replace("5432", Integer.toString(5000 + change))));
      step();
      step();
      now += 40 * MILLI;
    }
    assertThat(reconciler.status().digest()).isNotEqualTo(before);
  }

  @Test
  void theFlowsOfAnEndpointThatIsGoneAreForgottenLater() {
    table.add(Protocol.UDP, "198.51.100.1", 40000, "10.0.0.1", 53);
    table.add(Protocol.UDP, "198.51.100.1", 40001, "10.0.0.2", 53);
    reconciler.on(Kind.WORKLOAD_ENDPOINT, new Update.Delete<>(WEB.id()));
    step();
    assertThat(table.walks).isZero();
    rest();
    assertThat(table.flows)
        .extracting(flow -> flow.original().toString())
        .containsExactly("UDP 198.51.100.1:40001 > 10.0.0.2:53");
  }

  @Test
  void anAddressThatComesToTheNextAtOnceIsLookedAtFirst() {
    put(policy("p", FROM_WEB));
    rest();
    table.add(Protocol.UDP, "198.51.100.1", 40000, "10.0.0.1", 53);
    for (boolean together : new boolean[] {false, true}) {
      reconciler.on(Kind.WORKLOAD_ENDPOINT, new Update.Delete<>(WEB.id()));
      if (!together) {
        step();
      }
      CompletableFuture<Void> programmed = new CompletableFuture<>();
      reconciler.program(
          endpoint("n1", "next", "wl1", Map.of("role", "db"), "10.0.0.1"), programmed);
      step();
      assertThat(programmed).isCompleted();
      assertThat(table.forbidden()).containsExactly("UDP 198.51.100.1:40000 > 10.0.0.1:53");
      reconciler.forget("n1.next.eth0", new CompletableFuture<>());
      put(WEB);
      rest();
      assertThat(table.forbidden()).isEmpty();
      assertThat(table.flows).hasSize(1);
    }
  }

  @Test
  void whatCannotBeMarkedIsNotInForce() {
    table.add(Protocol.TCP, "10.0.0.1", 40000, "10.0.0.2", 22);
    table.failWith("no such module");
    put(policy("p", FROM_WEB));
    CompletableFuture<Void> settled = new CompletableFuture<>();
    reconciler.settled(settled);
    assertThat(step()).isEqualTo(100 * MILLI);
    assertThat(settled).isNotDone();
    assertThat(reconciler.status().lastError()).contains("no such module");
    table.work();
    now += 100 * MILLI;
    step();
    assertThat(settled).isCompleted();
    assertThat(table.forbidden()).hasSize(1);
  }

  @Test
  void aSecondLookThatFailsIsTakenAgainSoon() {
    String before = reconciler.status().digest();
    table.add(Protocol.TCP, "10.0.0.1", 40000, "10.0.0.2", 22);
    put(policy("p", FROM_WEB));
    step();
    step();
    table.add(Protocol.TCP, "10.0.0.1", 40001, "10.0.0.2", 22);
    table.failWith("no memory");
    now += 100 * MILLI;
    assertThat(step()).isEqualTo(100 * MILLI);
    assertThat(reconciler.status().lastError()).contains("no memory");

    // Neither news nor a write that succeeds make up for it.
    now += 50 * MILLI;
    reconciler.framed(new CompletableFuture<>());
    assertThat(step()).isEqualTo(50 * MILLI);
    assertThat(reconciler.status().lastError()).contains("no memory");
    now += 50 * MILLI;
    assertThat(step()).isEqualTo(200 * MILLI);
    for (int i = 0; i < 10; i++) {
      now += 2000 * MILLI;
      assertThat(step()).isLessThanOrEqualTo(2000 * MILLI);
    }
    assertThat(reconciler.status().lastError()).contains("no memory");
    assertThat(reconciler.status().digest()).isEqualTo(before);
    assertThat(table.forbidden()).hasSize(1);

    table.work();
    now += 2000 * MILLI;
    step();
    assertThat(reconciler.status().lastError()).isEmpty();
    assertThat(reconciler.status().digest()).isNotEqualTo(before);
    assertThat(table.forbidden()).hasSize(2);
  }

  @Test
  void aDefectInALookIsShownAndRetried() {
    table.add(Protocol.TCP, "10.0.0.1", 40000, "10.0.0.2", 22);
    put(policy("p", FROM_WEB));
    step();
    step();
    table.failWith(new IllegalStateException("a defect"));
    now += 100 * MILLI;
    assertThat(step()).isEqualTo(100 * MILLI);
    assertThat(reconciler.status().lastError())
        .contains("java.lang.IllegalStateException: a defect");
    table.work();
    now += 100 * MILLI;
    step();
    assertThat(reconciler.status().lastError()).isEmpty();
  }

  @Test
  void aResyncLooksAtEverything() {
    put(policy("p", FROM_WEB));
    rest();
    table.add(Protocol.TCP, "10.0.0.1", 40000, "10.0.0.2", 22);
    reconciler.resync(new CompletableFuture<>());
    step();
    assertThat(table.walks).isZero();
    rest();
    assertThat(table.forbidden()).hasSize(1);
  }

  private static FlowTuple tuple(String from, int source, int port) {
    return tuple(from, "10.0.0.2", source, port);
  }

  private static FlowTuple tuple(String from, String to, int source, int port) {
    return new FlowTuple(
        IpAddress.parse(from),
        IpAddress.parse(to),
        Protocol.TCP,
        new FlowTuple.Ports(source, port));
  }

  private long step() {
    long wait = reconciler.step(now);
    reconciler.completeServed();
    return wait;
  }

  /** Until nothing but the next resync is due. */
  private void rest() {
    for (int i = 0; i < 20; i++) {
      long wait = step();
      if (wait > Duration.ofSeconds(10).toNanos()) {
        return;
      }
      now += wait;
    }
    throw new AssertionError("it does not come to rest");
  }

  private void put(Resource resource) {
    reconciler.on(resource.kind(), new Update.Put<>(resource.id(), resource));
  }
}
