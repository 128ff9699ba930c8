package io.wayleave.policy;

import static io.wayleave.policy.PacketLab.v4;
import static io.wayleave.policy.PacketLab.v6;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.wayleave.model.EndpointPort;
import io.wayleave.model.PortName;
import io.wayleave.model.Protocol;
import io.wayleave.model.Resource;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.status.CounterReport;
import io.wayleave.model.status.CounterReport.Count;
import io.wayleave.policy.dataplane.IptablesBackend;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Known numbers of packets, and for which rules the kernel is said to have counted them. */
@Tag("real")
@ParameterizedClass
@EnumSource(IptablesBackend.class)
final class RuleCountersRealTest {
  /** IP and UDP headers, and two bytes. */
  private static final int V4_BYTES = 20 + 8 + 2;

  private static final int V6_BYTES = 40 + 8 + 2;

  private static final String MANY = "GlobalNetworkPolicy many";

  /** Rules that are several rules of the kernel each, some of them helpers. */
  private static final String POLICIES =
      """
      ---
      kind: Tier
      metadata: {name: first}
      spec: {order: 1, defaultAction: Pass}
      ---
      kind: GlobalNetworkPolicy
      metadata: {name: many}
      spec:
        tier: first
        selector: role == 'server'
        ingress:
        - {action: Log, protocol: UDP, source: {selector: role == 'client'}, destination: {ports: [own, also, 7001]}}
        - {action: Allow, protocol: UDP, source: {nets: [10.77.0.2, 10.77.0.9, "fd77::2", "fd77::9"]}, destination: {ports: [7001]}}
        - {action: Deny, protocol: UDP, source: {ports: [ODD, "1024:65535"]}, destination: {ports: [ODD, 7002]}}
        - {action: Pass, protocol: UDP, destination: {ports: ["7003:7004"]}}
        - {action: Deny, ipVersion: 6, protocol: UDP, destination: {ports: [7005]}}
        - {action: Allow, protocol: ICMP}
      ---
      kind: NetworkPolicy
      metadata: {name: own, namespace: default}
      spec:
        selector: role == 'server'
        ingress:
        - {action: Allow, protocol: TCP}
        - {action: Allow, protocol: UDP, destination: {ports: [7004]}}
      ---
      kind: Profile
      metadata: {name: base}
      spec:
        egress: [{action: Allow, protocol: UDP, destination: {ports: [7006]}}]
      """
          .replace("ODD", "1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29");

  private final IptablesBackend backend;
  private PacketLab lab;
  private RunningEngine engine;

  RuleCountersRealTest(IptablesBackend backend) {
    this.backend = backend;
  }

  @BeforeEach
  void bringUp() {
    lab = new PacketLab();
    engine = RunningEngine.inSync(lab.config().withBackend(backend));
    for (Resource each :
        ResourceCodec.fromManifest(
            POLICIES.replace("---\n", "---\napiVersion: wayleave.io/v1\n"))) {
      engine.tell(each);
    }
    engine.program(
        server(lab.addContainer(1, Map.of("role", "server"))),
        lab.addContainer(2, Map.of("role", "client")));
  }

  @AfterEach
  void takeDown() {
    if (engine != null) {
      engine.close();
    }
    lab.close();
  }

  @Test
  void eachPacketIsCountedOnceForTheRuleThatActs() {
    send(2, 1, 7001, 4);
    send(2, 1, 7002, 3);
    send(2, 1, 7003, 5);
    send(2, 1, 7004, 2);
    send(2, 1, 7005, 6);
    send(1, 2, 7006, 1);
    send(1, 2, 7007, 3);
    lab.in(lab.container(2), "busybox", "ping", "-q", "-c", "3", v4(1));

    assertThat(lab.answersSoon(() -> count(counters(), MANY, "Ingress", 6).ipv4().isPresent()))
        .isTrue();
    // What was sent last may still be under way.
    lab.answersSoon(
        () ->
            other(counters(), "Egress", "no profile allows it").ipv6().orElseThrow().packets()
                >= 3);
    CounterReport report = counters();
    assertThat(report.problems()).isEmpty();
    assertThat(report.node()).isEqualTo("n1");
    assertThat(report.policies())
        .extracting(CounterReport.Policy::policy, CounterReport.Policy::direction)
        .containsExactly(
            tuple(MANY, "Ingress"),
            tuple("NetworkPolicy default/own", "Ingress"),
            tuple("Profile base", "Ingress"),
            tuple("Profile base", "Egress"));

    assertThat(count(report, MANY, "Ingress", 1)).isEqualTo(rule(1, "Log", 4, 4));
    assertThat(count(report, MANY, "Ingress", 2)).isEqualTo(rule(2, "Allow", 4, 4));
    assertThat(count(report, MANY, "Ingress", 3)).isEqualTo(rule(3, "Deny", 3, 3));
    assertThat(count(report, MANY, "Ingress", 4)).isEqualTo(rule(4, "Pass", 7, 7));
    // Rules of one family have no packets of the other.
    assertThat(count(report, MANY, "Ingress", 5))
        .isEqualTo(
            new CounterReport.Rule(5, "spec.ingress[4]", "Deny", Optional.empty(), v6Count(6)));
    // The answers to the first one establish the flow of the second and the third.
    assertThat(count(report, MANY, "Ingress", 6))
        .isEqualTo(
            new CounterReport.Rule(
                6,
                "spec.ingress[5]",
                "Allow",
                Optional.of(new Count(1, 20 + 8 + 56)),
                Optional.empty()));
    assertThat(other(report, "Ingress", "established flow").ipv4().orElseThrow().packets())
        .isGreaterThanOrEqualTo(2);
    assertThat(count(report, "NetworkPolicy default/own", "Ingress", 1))
        .isEqualTo(rule(1, "Allow", 0, 0));
    assertThat(count(report, "NetworkPolicy default/own", "Ingress", 2))
        .isEqualTo(rule(2, "Allow", 2, 2));
    assertThat(other(report, "Ingress", "default action of tier default"))
        .isEqualTo(
            new CounterReport.Other(
                "workload",
                "Ingress",
                "default action of tier default",
                "Deny",
                v4Count(11),
                v6Count(5)));
    assertThat(count(report, "Profile base", "Egress", 1).ipv4()).isEqualTo(v4Count(1));
    assertThat(other(report, "Egress", "no profile allows it").ipv4()).isEqualTo(v4Count(3));
    assertThat(other(report, "Egress", "no profile allows it").ipv6()).isEqualTo(v6Count(3));
    assertThat(
            other(report, "Egress", "no policy decides, and there is no profile")
                .ipv6()
                .orElseThrow()
                .packets())
        .isEqualTo(4 + 3 + 5 + 2 + 6);

    // Asking changes nothing; a rule that is written anew begins at zero.
    assertThat(counters()).isEqualTo(report);
    engine.put(Fixtures.policy("many", "tier: first\nselector: role == 'server'\ningress: []"));
    engine.put(
        Fixtures.policy(
            "many", "tier: first\nselector: role == 'server'\ningress: [{action: Pass}]"));
    assertThat(count(counters(), MANY, "Ingress", 1)).isEqualTo(rule(1, "Pass", 0, 0));
    send(2, 1, 7001, 2);
    assertThat(
            lab.answersSoon(
                () -> count(counters(), MANY, "Ingress", 1).equals(rule(1, "Pass", 2, 2))))
        .isTrue();
  }

  @Test
  void packetsOfFlowsThatAChangeForbidsHaveALineOfTheirOwn() throws Exception {
    try (OpenFlow flow = OpenFlow.tcp(lab.container(2), lab.container(1), v4(1), 7000)) {
      assertThat(forbidden()).isZero();
      assertThat(count(counters(), "NetworkPolicy default/own", "Ingress", 1).ipv4())
          .hasValueSatisfying(count -> assertThat(count.packets()).isOne());
      engine.put(
          Fixtures.policy(
              "ends",
              "tier: first\nselector: role == 'server'\ningress: [{action: Deny, protocol: TCP}]"));
      flow.clientSends('b');
      assertThat(lab.answersSoon(() -> forbidden() > 0)).isTrue();
      assertThat(flow.serverHas()).doesNotContain((int) 'b');
    }
  }

  private long forbidden() {
    return other(counters(), "both", "established flow that is forbidden now")
        .ipv4()
        .orElseThrow()
        .packets();
  }

  @Test
  void aChainThatOthersChangedIsNotCounted() {
    String program = PacketLab.program(backend);
    send(2, 1, 7004, 2);
    lab.in(lab.host(), program, "-I", "wl-ni-default_own", "-j", "RETURN");
    CounterReport report = engine.engine().counters();
    if (report.problems().isEmpty()) {
      // The agent was faster: it has repaired it already.
      assertThat(count(report, "NetworkPolicy default/own", "Ingress", 2).ipv4()).isPresent();
    } else {
      assertThat(report.problems())
          .containsExactly(
              "NetworkPolicy default/own, Ingress, IPv4: the kernel's chain wl-ni-default_own is"
                  + " not as it was written; the agent repairs it, try again");
      assertThat(count(report, "NetworkPolicy default/own", "Ingress", 2).ipv4()).isEmpty();
    }
    assertThat(lab.answersSoon(() -> counters().problems().isEmpty())).isTrue();
  }

  private CounterReport counters() {
    return engine.engine().counters();
  }

  /** By both families; each datagram is a flow of its own. */
  private void send(int from, int to, int port, int packets) {
    for (String address : List.of(v4(to), v6(to))) {
      lab.in(
          lab.container(from),
          "bash",
          "-c",
          "for i in $(seq "
              + packets
              + "); do echo x >/dev/udp/"
              + address
              + "/"
              + port
              + "; done");
    }
  }

  private static CounterReport.Rule rule(int number, String action, int v4, int v6) {
    return new CounterReport.Rule(
        number, "spec.ingress[" + (number - 1) + "]", action, v4Count(v4), v6Count(v6));
  }

  private static Optional<Count> v4Count(int packets) {
    return Optional.of(new Count(packets, (long) packets * V4_BYTES));
  }

  private static Optional<Count> v6Count(int packets) {
    return Optional.of(new Count(packets, (long) packets * V6_BYTES));
  }

  private static CounterReport.Rule count(
      CounterReport report, String policy, String direction, int rule) {
    return report.policies().stream()
        .filter(each -> each.policy().equals(policy) && each.direction().equals(direction))
        .flatMap(each -> each.rules().stream())
        .filter(each -> each.rule() == rule)
        .findFirst()
        .orElseThrow();
  }

  private static CounterReport.Other other(CounterReport report, String direction, String why) {
    return report.others().stream()
        .filter(each -> each.why().equals(why) && each.direction().equals(direction))
        .findFirst()
        .orElseThrow();
  }

  private static WorkloadEndpoint server(WorkloadEndpoint endpoint) {
    WorkloadEndpoint.Spec spec = endpoint.spec();
    return new WorkloadEndpoint(
        endpoint.metadata(),
        new WorkloadEndpoint.Spec(
            spec.node(),
            spec.containerID(),
            spec.endpoint(),
            spec.interfaceName(),
            spec.mac(),
            spec.ipNetworks(),
            spec.network(),
            spec.generation(),
            List.of("base"),
            List.of(
                new EndpointPort(new PortName("own"), Protocol.UDP, 7001),
                new EndpointPort(new PortName("also"), Protocol.UDP, 7001)),
            Map.of()));
  }
}
