package io.wayleave.policy;

import static io.wayleave.policy.Fixtures.policy;
import static io.wayleave.policy.PacketLab.HOST_V4;
import static io.wayleave.policy.PacketLab.OUTSIDE_V4;
import static io.wayleave.policy.PacketLab.OUTSIDE_V6;
import static io.wayleave.policy.PacketLab.v4;
import static io.wayleave.policy.PacketLab.v6;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.dataplane.IptablesBackend;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Real packets through the real filter, with both back ends, under the whole engine; {@link
 * RuleFieldsRealTest} has every field of a rule. Whatever a policy stops passes before the policy
 * is there and after it is gone.
 */
@Tag("real")
@ParameterizedClass
@EnumSource(IptablesBackend.class)
final class PacketFilterRealTest {
  /** A flow that either gets an answer or does not. */
  private record Flow(String name, BooleanSupplier probe) {}

  private final IptablesBackend backend;
  private PacketLab lab;
  private RunningEngine engine;

  PacketFilterRealTest(IptablesBackend backend) {
    this.backend = backend;
  }

  @BeforeEach
  void bringUp() {
    lab = new PacketLab();
    engine = RunningEngine.inSync(lab.config().withBackend(backend));
  }

  @AfterEach
  void takeDown() {
    if (engine != null) {
      engine.close();
    }
    lab.close();
  }

  @Test
  void withoutPolicyKnownEndpointsAreOpenAndUnknownOnesClosed() {
    WorkloadEndpoint known = lab.addContainer(1, Map.of());
    WorkloadEndpoint unknown = lab.addContainer(2, Map.of());
    engine.program(known);

    List<Flow> flows =
        List.of(toOutside(1), fromOutside(1), toHost(1), pingOutside6(1), pingFromOutside6(1));
    assertOpen(flows);
    assertOpen(List.of(fromHost(1)));

    List<Flow> unknownFlows =
        List.of(toOutside(2), fromOutside(2), toHost(2), pingOutside6(2), pingFromOutside6(2));
    assertClosed(unknownFlows);
    engine.program(unknown);
    assertOpen(unknownFlows);
    engine.close();
    assertOpen(flows);
    WorkloadEndpoint late = lab.addContainer(3, Map.of());
    assertThat(late.spec().interfaceName()).startsWith("wl");
    assertClosed(List.of(toOutside(3), fromOutside(3), toHost(3)));
  }

  @Test
  void sourceSelectorFollowsLabels() {
    servers();
    String spec =
        """
        selector: role == 'server'
        ingress:
        - action: Allow
          source: {selector: role == 'client'}
        """;
    governs(
        spec,
        List.of(tcp(2, v4(1), 80), tcp(2, v6(1), 80)),
        List.of(tcp(3, v4(1), 80), tcp(3, v6(1), 80), fromOutside(1)));

    engine.put(policy("p", spec));
    WorkloadEndpoint relabelled =
        Fixtures.endpoint(
            "n1", "c3", PacketLab.interfaceOf(3), Map.of("role", "client"), v4(3), v6(3));
    engine.put(relabelled);
    assertOpen(List.of(tcp(3, v4(1), 80), tcp(3, v6(1), 80)));
  }

  @Test
  void selectorsSeeEndpointsOfOtherNodes() {
    servers();
    String spec =
        """
        selector: role == 'server'
        ingress:
        - action: Allow
          source: {selector: role == 'remote'}
        """;
    governs(spec, List.of(), List.of(fromOutside(1)));
    engine.put(policy("p", spec));
    engine.put(
        Fixtures.endpoint("n2", "far", "wl00000000001", Map.of("role", "remote"), OUTSIDE_V4));
    assertOpen(List.of(fromOutside(1)));
  }

  @Test
  void netsAndSelectorOnOneSideMustBothMatch() {
    servers();
    governs(
        """
        selector: role == 'server'
        ingress:
        - action: Allow
          source: {selector: has(role), nets: [10.77.0.2/32, 192.0.2.2/32]}
        """,
        List.of(tcp(2, v4(1), 80)),
        List.of(tcp(3, v4(1), 80), fromOutside(1)));
  }

  @Test
  void egressByDestination() {
    servers();
    governs(
        """
        selector: role == 'client'
        types: [Egress]
        egress:
        - action: Allow
          destination: {selector: role == 'server'}
        - action: Allow
          protocol: TCP
          destination: {nets: [192.0.2.0/24], ports: [443]}
        """,
        // Ingress of the client is not governed.
        List.of(tcp(2, v4(1), 80), tcp(2, v6(1), 80), tcp(2, OUTSIDE_V4, 443), fromOutside(2)),
        List.of(tcp(2, v4(3), 80), toOutside(2), toHost(2), pingOutside6(2)));
  }

  @Test
  void bothEndsOnOneHostMustAllow() {
    servers();
    String egress = "selector: role == 'client'\ntypes: [Egress]";
    governs(egress, List.of(fromOutside(1)), List.of(tcp(2, v4(1), 80)));
    engine.put(policy("allow-in", "selector: role == 'server'\ningress: [{action: Allow}]"));
    engine.put(
        policy(
            "allow-out", "selector: role == 'client'\ntypes: [Egress]\negress: [{action: Allow}]"));
    assertOpen(List.of(tcp(2, v4(1), 80)));
    // The mark of the one side's permission must not count as the other's.
    engine.put(policy("allow-in", "selector: role == 'server'\ntypes: [Ingress]"));
    assertClosed(List.of(tcp(2, v4(1), 80)));
    engine.put(policy("allow-in", "selector: role == 'server'\ningress: [{action: Allow}]"));
    engine.put(policy("allow-out", "selector: role == 'client'\ntypes: [Egress]"));
    assertClosed(List.of(tcp(2, v4(1), 80)));
  }

  @Test
  void theFirstMatchingRuleOfTheLowestOrderDecides() {
    servers();
    engine.put(
        policy(
            "zz-first",
            """
            order: 1
            selector: role == 'server'
            ingress:
            - action: Deny
              source: {selector: role == 'client'}
            """));
    engine.put(policy("aa-last", "selector: all()\ningress: [{action: Allow}]"));
    assertClosed(List.of(tcp(2, v4(1), 80)));
    assertOpen(List.of(tcp(3, v4(1), 80), tcp(3, v4(2), 80)));

    engine.put(
        policy(
            "zz-first",
            """
            order: 1
            selector: role == 'server'
            ingress:
            - action: Allow
              protocol: TCP
              destination: {ports: [80]}
            - action: Deny
              source: {selector: role == 'client'}
            """));
    assertOpen(List.of(tcp(2, v4(1), 80)));
    assertClosed(List.of(tcp(2, v4(1), 81)));
  }

  @Test
  void answersReturnAndTheHostReachesItsOwnContainersUnderAnyPolicy() {
    servers();
    // Everything closed in, everything open out.
    governs(
        "selector: role == 'server'\ntypes: [Ingress]",
        List.of(toOutside(1), toHost(1), pingOutside6(1), tcp(1, v4(2), 80), fromHost(1)),
        List.of(fromOutside(1), tcp(2, v4(1), 80)));
    // Closed out, open in: answers go out, also those to the host.
    governs(
        "selector: role == 'server'\ntypes: [Egress]",
        List.of(fromOutside(1), tcp(2, v4(1), 80), fromHost(1), pingFromOutside6(1)),
        List.of(toOutside(1), toHost(1), tcp(1, v4(2), 80)));
  }

  @Test
  void onlyOwnAddressesMaySend() {
    WorkloadEndpoint one = lab.addContainer(1, Map.of());
    engine.program(one);
    lab.in(lab.container(1), "ip", "addr", "add", "10.66.0.9/32", "dev", "eth0");
    lab.in(lab.container(1), "ip", "addr", "add", "fd66::9/128", "dev", "eth0", "nodad");
    lab.in(lab.host(), "ip", "route", "add", "10.66.0.9/32", "dev", PacketLab.interfaceOf(1));
    lab.in(lab.host(), "ip", "route", "add", "fd66::9/128", "dev", PacketLab.interfaceOf(1));
    List<Flow> spoofed =
        List.of(
            new Flow(
                "ping from 10.66.0.9",
                () -> lab.pingFrom(lab.container(1), "10.66.0.9", OUTSIDE_V4)),
            new Flow(
                "ping from fd66::9", () -> lab.pingFrom(lab.container(1), "fd66::9", OUTSIDE_V6)),
            new Flow(
                "ping from 10.66.0.9 to the host",
                () -> lab.pingFrom(lab.container(1), "10.66.0.9", HOST_V4)));

    assertClosed(spoofed);
    assertOpen(List.of(toOutside(1), pingOutside6(1)));
    engine.program(
        Fixtures.endpoint(
            "n1",
            "c1",
            PacketLab.interfaceOf(1),
            "g2",
            Map.of(),
            v4(1),
            v6(1),
            "10.66.0.9",
            "fd66::9"));
    assertOpen(spoofed);
  }

  @Test
  void neighbourDiscoveryPassesFromLinkLocalAddressesAndNothingElseDoes() {
    engine.program(lab.addContainer(1, Map.of()));
    String veth = PacketLab.interfaceOf(1);
    assertThat(lab.answersSoon(() -> !lab.linkLocal(lab.container(1)).isEmpty())).isTrue();
    String linkLocal = lab.linkLocal(lab.container(1));
    // The host asks who has the address; the answer comes from that address itself.
    assertClosed(
        List.of(
            new Flow("ping of " + linkLocal, () -> lab.ping(lab.host(), linkLocal + "%" + veth))));
    assertThat(lab.in(lab.host(), "ip", "-6", "neigh", "show", linkLocal, "dev", veth))
        .contains("lladdr");
  }

  @Test
  void manyEndpointsAreFoundThroughTheTree() {
    servers();
    IntStream.range(0, 300)
        .mapToObj(i -> "%02x".formatted(i % 256) + "%09x".formatted(i))
        .forEach(
            suffix ->
                engine.tell(
                    Fixtures.endpoint("n1", "m" + suffix, "wl" + suffix, Map.of(), "10.78.0.1")));
    engine.settle();
    assertThat(lab.filter(backend)).contains(":wl-from-wl-0 ");
    assertOpen(List.of(toOutside(1), fromOutside(1), tcp(2, v6(1), 80)));
    governs(
        "selector: role == 'server'\ntypes: [Ingress]",
        List.of(toOutside(1)),
        List.of(fromOutside(1)));
  }

  @Test
  void wirelessInterfacesAreNotOurs() {
    WorkloadEndpoint one = lab.addContainer(1, Map.of());
    lab.in(lab.host(), "ip", "link", "set", "out0", "down");
    lab.in(lab.host(), "ip", "link", "set", "out0", "name", "wlan0");
    lab.in(lab.host(), "ip", "link", "set", "wlan0", "up");
    engine.program(one);
    // Enough endpoints for a branch of the tree that begins with "wla".
    IntStream.range(0, 40)
        .forEach(
            i ->
                engine.tell(
                    Fixtures.endpoint(
                        "n1", "m" + i, "wla%010x".formatted(i), Map.of(), "10.78.0.1")));
    engine.settle();
    assertOpen(List.of(toOutside(1), fromOutside(1), tcpOutsideToHost()));
  }

  /** Endpoints 1 (a server), 2 (a client) and 3 (another). */
  private void servers() {
    engine.program(
        lab.addContainer(1, Map.of("role", "server")),
        lab.addContainer(2, Map.of("role", "client")),
        lab.addContainer(3, Map.of("role", "other")));
  }

  private void governs(String spec, List<Flow> open, List<Flow> closed) {
    assertOpen(closed);
    engine.put(policy("p", spec));
    assertOpen(open);
    assertClosed(closed);
    engine.deletePolicy("p");
    assertOpen(closed);
  }

  private void assertOpen(List<Flow> flows) {
    assertAnswers(flows, flow -> lab.answersSoon(flow.probe()), true);
  }

  private void assertClosed(List<Flow> flows) {
    assertAnswers(flows, flow -> flow.probe().getAsBoolean(), false);
  }

  /** All at once: silence takes its time. */
  private static void assertAnswers(List<Flow> flows, Predicate<Flow> probe, boolean expected) {
    Map<Flow, CompletableFuture<Boolean>> answers = new LinkedHashMap<>();
    for (Flow flow : flows) {
      answers.put(
          flow,
          CompletableFuture.supplyAsync(
              () -> probe.test(flow), task -> Thread.ofVirtual().start(task)));
    }
    answers.forEach(
        (flow, answer) ->
            assertThat(answer.join()).as(flow.name() + " gets an answer").isEqualTo(expected));
  }

  private Flow tcp(int from, String to, int port) {
    return new Flow(
        "tcp from " + from + " to " + to + " port " + port,
        () -> lab.tcp(lab.container(from), to, port));
  }

  private Flow ping(int from, String to) {
    return new Flow("ping from " + from + " to " + to, () -> lab.ping(lab.container(from), to));
  }

  private Flow toOutside(int from) {
    return tcp(from, OUTSIDE_V4, 80);
  }

  private Flow toHost(int from) {
    return tcp(from, HOST_V4, 80);
  }

  private Flow pingOutside6(int from) {
    return ping(from, OUTSIDE_V6);
  }

  private Flow fromOutside(int to) {
    return new Flow("tcp from outside to " + to, () -> lab.tcp(lab.outside(), v4(to), 80));
  }

  private Flow pingFromOutside6(int to) {
    return new Flow("ping from outside to " + v6(to), () -> lab.ping(lab.outside(), v6(to)));
  }

  private Flow fromHost(int to) {
    return new Flow("tcp from the host to " + to, () -> lab.tcp(lab.host(), v4(to), 80));
  }

  private Flow tcpOutsideToHost() {
    return new Flow("tcp from outside to the host", () -> lab.tcp(lab.outside(), HOST_V4, 80));
  }
}
