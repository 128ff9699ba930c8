package io.wayleave.policy;

import static io.wayleave.policy.PacketLab.HOST_V4;
import static io.wayleave.policy.PacketLab.HOST_V6;
import static io.wayleave.policy.PacketLab.OUTSIDE_V4;
import static io.wayleave.policy.PacketLab.OUTSIDE_V6;
import static io.wayleave.policy.PacketLab.v4;
import static io.wayleave.policy.PacketLab.v6;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Kind;
import io.wayleave.model.policy.FailsafePort;
import io.wayleave.model.policy.HostSettings;
import io.wayleave.model.policy.WorkloadToHost;
import io.wayleave.policy.dataplane.HostRules;
import io.wayleave.policy.dataplane.IptablesBackend;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** The host itself, with real packets, both families, through both back ends. */
@Tag("real")
@ParameterizedClass
@EnumSource(IptablesBackend.class)
final class HostEndpointRealTest {
  private static final HostRules RULES =
      new HostRules(
          new HostSettings(
              WorkloadToHost.Return,
              List.of(FailsafePort.parse("tcp:22")),
              List.of(FailsafePort.parse("tcp:179"))),
          false,
          true);

  private static final String WEB_ONLY =
      """
      kind: GlobalNetworkPolicy
      metadata: {name: web-only}
      spec:
        selector: kind == 'host'
        types: [Ingress, Egress]
        ingress:
        - {action: Allow, protocol: TCP, destination: {ports: [80]}}
        - {action: Allow, protocol: ICMPv6, icmp: {type: 128}}
        egress:
        - {action: Allow, protocol: TCP, destination: {ports: [443]}}
      """;

  private final IptablesBackend backend;
  private final PacketLab lab = new PacketLab();
  private RunningDataplane dataplane;

  HostEndpointRealTest(IptablesBackend backend) {
    this.backend = backend;
  }

  @AfterEach
  void takeDown() {
    if (dataplane != null) {
      dataplane.close();
    }
    lab.close();
  }

  @Test
  void oneInterfaceByItsName() {
    start(RULES);
    dataplane.put(hostEndpoint("interfaceName: out0") + "---\n" + WEB_ONLY);
    governed().areAsExpected();
    assertThat(dataplane.failing().byName()).isEmpty();
    // Who is there is always asked and answered: nothing is known of each other now.
    lab.in(lab.host(), "ip", "neigh", "flush", "dev", "out0");
    lab.in(lab.outside(), "ip", "neigh", "flush", "dev", "eth0");
    assertThat(lab.answersSoon(() -> lab.ping(lab.outside(), HOST_V6))).isTrue();

    dataplane.remove(Kind.GLOBAL_NETWORK_POLICY, "web-only");
    // No profile and no policy: a host endpoint is closed but for the failsafe ports.
    new Flows(lab)
        .add("closed in", false, () -> lab.tcp(lab.outside(), HOST_V4, 80))
        .add("failsafe in", true, () -> lab.tcp(lab.outside(), HOST_V4, 22))
        .areAsExpected();
    dataplane.remove(Kind.HOST_ENDPOINT, "h");
    governed().allPass();
  }

  @Test
  void allInterfacesButThoseOfContainers() {
    start(RULES);
    dataplane.put(hostEndpoint("interfaceName: '*'") + "---\n" + WEB_ONLY);
    governed().areAsExpected();
    assertThat(lab.answersSoon(() -> lab.tcp(lab.host(), "127.0.0.1", 80))).isTrue();
  }

  @Test
  void theInterfaceThatHasAnAddress() {
    start(RULES);
    dataplane.put(hostEndpoint("expectedIPs: [192.0.2.1]") + "---\n" + WEB_ONLY);
    governed().areAsExpected();

    // The address goes to another interface, and the next resync follows it.
    lab.in(lab.host(), "ip", "addr", "del", HOST_V4 + "/24", "dev", "out0");
    dataplane.resync();
    assertThat(dataplane.failing().endpoints()).containsOnlyKeys("h");
    assertThat(lab.answersSoon(() -> lab.tcp(lab.outside(), HOST_V6, 81))).isTrue();
    lab.in(lab.host(), "ip", "addr", "add", HOST_V4 + "/24", "dev", "out0");
    dataplane.resync();
    assertThat(dataplane.failing().byName()).isEmpty();
    assertThat(lab.tcp(lab.outside(), HOST_V6, 81)).isFalse();
  }

  @Test
  void whatContainersSendToTheirHost() {
    start(new HostRules(new HostSettings(WorkloadToHost.Drop, List.of(), List.of()), false, true));
    Flows flows =
        new Flows(lab)
            .add("tcp to the host", false, () -> lab.tcp(lab.container(1), HOST_V4, 80))
            .add("tcp6 to the host", false, () -> lab.tcp(lab.container(1), HOST_V6, 80))
            // Answers, and what goes through the host, are not for the host.
            .add("tcp from the host", true, () -> lab.tcp(lab.host(), v4(1), 80))
            .add("ping6 from the host", true, () -> lab.ping(lab.host(), v6(1)))
            .add("tcp to outside", true, () -> lab.tcp(lab.container(1), OUTSIDE_V4, 80))
            .add("tcp6 to outside", true, () -> lab.tcp(lab.container(1), OUTSIDE_V6, 80));
    flows.areAsExpected();

    dataplane.close();
    String iptables = PacketLab.program(backend);
    lab.in(lab.host(), iptables, "-A", "INPUT", "-p", "tcp", "--dport", "80", "-j", "DROP");
    start(RULES);
    assertThat(lab.tcp(lab.container(1), HOST_V4, 80)).as("the host's own rule").isFalse();
    dataplane.close();
    start(
        new HostRules(new HostSettings(WorkloadToHost.Accept, List.of(), List.of()), false, true));
    flows.allPass();
    assertThat(lab.tcp(lab.outside(), HOST_V4, 80)).as("not from a container").isFalse();
  }

  private void start(HostRules rules) {
    if (dataplane == null) {
      lab.addContainer(1, Map.of());
    }
    dataplane = new RunningDataplane(lab.config().withHost(rules), backend);
    dataplane.put(lab.endpoint(1, Map.of()));
  }

  private static String hostEndpoint(String which) {
    return "kind: HostEndpoint\nmetadata: {name: h, labels: {kind: host}}\nspec:\n  node: n1\n  "
        + which
        + "\n";
  }

  /** Under a host endpoint of out0 and the policy. */
  private Flows governed() {
    Flows flows = new Flows(lab);
    for (String host : Set.of(HOST_V4, HOST_V6)) {
      flows
          .add("allowed in to " + host, true, () -> lab.tcp(lab.outside(), host, 80))
          .add("denied in to " + host, false, () -> lab.tcp(lab.outside(), host, 81))
          .add("failsafe in to " + host, true, () -> lab.tcp(lab.outside(), host, 22))
          .add("udp on a failsafe number to " + host, false, () -> lab.udp(lab.outside(), host, 22))
          .add("from a container to " + host, true, () -> lab.tcp(lab.container(1), host, 81));
    }
    for (String outside : Set.of(OUTSIDE_V4, OUTSIDE_V6)) {
      flows
          .add("allowed out to " + outside, true, () -> lab.tcp(lab.host(), outside, 443))
          .add("denied out to " + outside, false, () -> lab.tcp(lab.host(), outside, 80))
          .add("failsafe out to " + outside, true, () -> lab.tcp(lab.host(), outside, 179))
          .add("forwarded to " + outside, true, () -> lab.tcp(lab.container(1), outside, 80));
    }
    for (String container : Set.of(v4(1), v6(1))) {
      flows
          .add("forwarded to " + container, true, () -> lab.tcp(lab.outside(), container, 81))
          .add("from the host to " + container, true, () -> lab.tcp(lab.host(), container, 81));
    }
    return flows
        .add("ping of the host", false, () -> lab.ping(lab.outside(), HOST_V4))
        .add("ping6 of the host", true, () -> lab.ping(lab.outside(), HOST_V6));
  }
}
