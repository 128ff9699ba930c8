package io.wayleave.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Cidr;
import io.wayleave.model.EndpointPort;
import io.wayleave.model.Kind;
import io.wayleave.model.PortName;
import io.wayleave.model.Protocol;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.dataplane.IptablesBackend;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every field of a rule, tiers and profiles with real packets, both families, through both back
 * ends. Many rules are in one policy, each for a port of its own, so that one write and one round
 * of flows tell of all.
 */
@Tag("real")
@ParameterizedClass
@EnumSource(IptablesBackend.class)
final class RuleFieldsRealTest {
  private final IptablesBackend backend;
  private PacketLab lab;
  private RunningDataplane dataplane;

  RuleFieldsRealTest(IptablesBackend backend) {
    this.backend = backend;
  }

  /** 1 is the server; 2 and 3 send, of other namespaces and with other labels. */
  @BeforeEach
  void bringUp() {
    lab = new PacketLab();
    dataplane = new RunningDataplane(lab.config(), backend);
    dataplane.put(
        server(lab.addContainer(1, Map.of("role", "server"))),
        lab.addContainer(2, Map.of("role", "client")),
        in("other", lab.addContainer(3, Map.of("role", "other"))));
  }

  @AfterEach
  void takeDown() {
    if (dataplane != null) {
      dataplane.close();
    }
    lab.close();
  }

  @Test
  void everyFieldOfARule() {
    String manyNets =
        IntStream.range(0, 40)
            .mapToObj(i -> "10.9." + i + ".0/24, 'fd99:" + i + "::/64'")
            .collect(Collectors.joining(", "));
    String manyPorts =
        IntStream.range(0, 40)
            .mapToObj(i -> Integer.toString(3001 + 2 * i))
            .collect(Collectors.joining(", "));
    dataplane.put(
        """
        kind: GlobalNetworkPolicy
        metadata: {name: fields}
        spec:
          selector: role == 'server'
          ingress:
          - {action: Allow, protocol: TCP, destination: {ports: [1001]}, source: {nets: [10.77.0.2/32, "fd77::2/128"]}}
          - {action: Allow, protocol: TCP, destination: {ports: [1002]}, source: {notNets: [10.77.0.2/32, "fd77::2/128"]}}
          - {action: Allow, protocol: TCP, destination: {ports: [1003]}, source: {notNets: [10.77.0.2, 10.1.0.0/16, "fd77::2", "fd01::/64"]}}
          - {action: Allow, protocol: TCP, destination: {ports: [1004]}, source: {selector: role == 'client'}}
          - {action: Allow, protocol: TCP, destination: {ports: [1005]}, source: {notSelector: role == 'client'}}
          - {action: Allow, protocol: TCP, destination: {ports: [1006]}, source: {namespaceSelector: "projectcalico.org/name == 'other'"}}
          - {action: Deny, protocol: TCP, destination: {ports: [1007]}, source: {selector: role == 'other'}}
          - {action: Allow, protocol: TCP, destination: {ports: [1007]}}
          - {action: Allow, ipVersion: 4, protocol: TCP, destination: {ports: [1008]}}
          - {action: Allow, ipVersion: 6, protocol: TCP, destination: {ports: [1009]}}
          - {action: Allow, protocol: TCP, destination: {ports: [1010]}, source: {nets: [MANY, 10.77.0.2, "fd77::2"]}}
          - {action: Allow, protocol: 17, destination: {ports: [1011, "1020:1029"], notPorts: ["1024:1025", 1028]}}
          - {action: Allow, protocol: TCP, destination: {ports: [web]}}
          - {action: Allow, protocol: TCP, destination: {ports: ["2000:2009"], notPorts: [odd, 2002]}}
          - {action: Allow, protocol: TCP, source: {selector: role == 'client'}, destination: {ports: [MOREPORTS]}}
          - {action: Log, protocol: TCP, destination: {ports: [1012]}}
          - {action: Allow, protocol: TCP, destination: {ports: [1012]}, source: {selector: role == 'client', notNets: [10.77.0.0/16]}}
          - {action: Allow, notProtocol: TCP, source: {selector: role == 'nobody'}}
          - {action: Allow, protocol: ICMP, icmp: {type: 8, code: 0}, source: {selector: role == 'client'}}
          - {action: Allow, protocol: ICMP, icmp: {type: 255}, source: {selector: role == 'other'}}
          - {action: Allow, protocol: ICMPv6, icmp: {type: 129}, source: {selector: role == 'client'}}
          - {action: Allow, protocol: ICMPv6, notICMP: {type: 128, code: 1}, source: {selector: role == 'other'}}
        """
            .replace("MANY", manyNets)
            .replace("MOREPORTS", manyPorts));
    Flows flows =
        new Flows(lab)
            .tcp(2, 1, 1001, true)
            .tcp(3, 1, 1001, false)
            .tcp(2, 1, 1002, false)
            .tcp(3, 1, 1002, true)
            .tcp(2, 1, 1003, false)
            .tcp(3, 1, 1003, true)
            .tcp(2, 1, 1004, true)
            .tcp(3, 1, 1004, false)
            .tcp(2, 1, 1005, false)
            .tcp(3, 1, 1005, true)
            .tcp(2, 1, 1006, false)
            .tcp(3, 1, 1006, true)
            .tcp(2, 1, 1007, true)
            .tcp(3, 1, 1007, false)
            .tcp4(2, 1, 1008, true)
            .tcp6(2, 1, 1008, false)
            .tcp4(2, 1, 1009, false)
            .tcp6(2, 1, 1009, true)
            .tcp(2, 1, 1010, true)
            .tcp(3, 1, 1010, false)
            .udp(2, 1, 1011, true)
            .tcp(2, 1, 1011, false)
            .udp(2, 1, 1023, true)
            .udp(2, 1, 1024, false)
            .udp(2, 1, 1028, false)
            .tcp(3, 1, 8080, true)
            .tcp(3, 1, 8081, false)
            .tcp(2, 1, 2001, true)
            .tcp(2, 1, 2002, false)
            .tcp(2, 1, 2003, false)
            .tcp(2, 1, 3001, true)
            .tcp(2, 1, 3079, true)
            .tcp(2, 1, 3080, false)
            .tcp(3, 1, 3001, false)
            .tcp4(2, 1, 1012, false)
            .tcp6(2, 1, 1012, true)
            .ping4(2, 1, true)
            .ping4(3, 1, false)
            .ping6(2, 1, false)
            .ping6(3, 1, true);
    flows.areAsExpected();
    assertThat(dataplane.failing().byName()).isEmpty();
    // What was logged went on, and was counted by the rule that logs.
    assertThat(lab.filter(backend, "-c").lines().filter(line -> line.contains("--nflog-group 77")))
        .singleElement()
        .asString()
        .matches("\\[[1-9][0-9]*:.*--nflog-prefix \"?wl:wl-gi-fields:15\"? .*|.*\\[[1-9].*:15.*");
    dataplane.remove(Kind.GLOBAL_NETWORK_POLICY, "fields");
    flows.allPass();
  }

  @Test
  void allProtocolsButOneAndPortsOnBothSides() {
    String ports =
        IntStream.range(0, 40)
            .mapToObj(i -> Integer.toString(4001 + 2 * i))
            .collect(Collectors.joining(", "));
    dataplane.put(
        """
        kind: GlobalNetworkPolicy
        metadata: {name: p}
        spec:
          selector: role == 'server'
          ingress:
          - {action: Allow, notProtocol: TCP, source: {selector: role == 'client'}}
          - {action: Allow, protocol: TCP, source: {ports: [PORTS]}, destination: {ports: [PORTS]}}
        """
            .replace("PORTS", ports));
    Flows flows =
        new Flows(lab)
            .udp(2, 1, 80, true)
            .tcp(2, 1, 80, false)
            .udp(3, 1, 80, false)
            .ping4(2, 1, true)
            .ping6(2, 1, true)
            .ping4(3, 1, false);
    flows.areAsExpected();
    assertThat(lab.answersSoon(() -> fromPort(4041, 4079))).isTrue();
    assertThat(fromPort(4042, 4079)).as("source port in no list").isFalse();
    assertThat(fromPort(4041, 4078)).as("destination port in no list").isFalse();
    dataplane.remove(Kind.GLOBAL_NETWORK_POLICY, "p");
    flows.allPass();
  }

  @Test
  void tiersPoliciesProfiles() {
    dataplane.put(
        """
        kind: Tier
        metadata: {name: first}
        spec: {order: 1, defaultAction: Pass}
        ---
        kind: Tier
        metadata: {name: second}
        spec: {order: 2}
        ---
        kind: Profile
        metadata: {name: base}
        spec:
          ingress:
          - {action: Allow, protocol: TCP, destination: {ports: [14]}}
          egress:
          - {action: Allow}
        ---
        kind: GlobalNetworkPolicy
        metadata: {name: first.a}
        spec:
          tier: first
          order: 1
          selector: role == 'server'
          ingress:
          - {action: Allow, protocol: TCP, destination: {ports: [10]}}
          - {action: Deny, protocol: TCP, destination: {ports: [11]}}
          - {action: Pass, protocol: TCP, destination: {ports: [12]}}
        ---
        kind: GlobalNetworkPolicy
        metadata: {name: first.b}
        spec:
          tier: first
          order: 2
          selector: role == 'server'
          ingress:
          - {action: Deny, protocol: TCP, destination: {ports: [10, 12]}}
        ---
        kind: NetworkPolicy
        metadata: {name: second.a, namespace: default}
        spec:
          tier: second
          selector: role == 'server'
          ingress:
          - {action: Allow, protocol: TCP, source: {selector: all()}, destination: {ports: [11, 12, 13]}}
          - {action: Pass, protocol: TCP, destination: {ports: [14, 15]}}
        ---
        kind: NetworkPolicy
        metadata: {name: second.a, namespace: other}
        spec:
          tier: second
          ingress:
          - {action: Deny}
        """);
    Flows flows =
        new Flows(lab)
            // Decided in the first tier.
            .tcp(2, 1, 10, true)
            .tcp(2, 1, 11, false)
            // Passed on by a rule, and by the tier's default; in the second only the own namespace.
            .tcp(2, 1, 12, true)
            .tcp(3, 1, 12, false)
            .tcp(2, 1, 13, true)
            // Past all tiers: the profile, then the end.
            .tcp(2, 1, 14, true)
            .tcp(2, 1, 15, false)
            // The second tier's default.
            .tcp(2, 1, 16, false)
            // The policy of the same name in the other namespace.
            .tcp(1, 3, 80, false)
            .tcp(1, 2, 80, true);
    dataplane.put(withProfile(server(lab.endpoint(1, Map.of("role", "server"))), "base"));
    flows.areAsExpected();
    assertThat(dataplane.failing().byName()).isEmpty();
    for (String policy : List.of("first.a", "first.b")) {
      dataplane.remove(Kind.GLOBAL_NETWORK_POLICY, policy);
    }
    dataplane.remove(Kind.NETWORK_POLICY, "default/second.a");
    dataplane.remove(Kind.NETWORK_POLICY, "other/second.a");
    dataplane.put(server(lab.endpoint(1, Map.of("role", "server"))));
    flows.allPass();
  }

  @Test
  void aSetThatIsTheWholeAddressSpace() {
    dataplane.put(
        """
        kind: GlobalNetworkSet
        metadata: {name: everything, labels: {all: 'yes'}}
        spec: {nets: [0.0.0.0/0, "::/0"]}
        ---
        kind: GlobalNetworkPolicy
        metadata: {name: p}
        spec:
          selector: role == 'server'
          ingress:
          - {action: Deny, protocol: TCP, source: {selector: all == 'yes'}, destination: {ports: [10]}}
          - {action: Allow, protocol: TCP, source: {notSelector: all == 'yes'}, destination: {ports: [11]}}
          - {action: Allow, protocol: TCP, destination: {ports: [10, 12]}}
        """);
    Flows flows = new Flows(lab).tcp(2, 1, 10, false).tcp(2, 1, 11, false).tcp(2, 1, 12, true);
    flows.areAsExpected();
    dataplane.remove(Kind.GLOBAL_NETWORK_SET, "everything");
    new Flows(lab).tcp(2, 1, 10, true).tcp(2, 1, 11, true).areAsExpected();
  }

  private boolean fromPort(int source, int destination) {
    return lab.tcpFromPorts(lab.container(3), source, source, PacketLab.v4(1), destination);
  }

  private static WorkloadEndpoint server(WorkloadEndpoint endpoint) {
    return with(
        endpoint,
        List.of(),
        List.of(
            new EndpointPort(new PortName("web"), Protocol.TCP, 8080),
            new EndpointPort(new PortName("odd"), Protocol.TCP, 2003)));
  }

  private static WorkloadEndpoint withProfile(WorkloadEndpoint endpoint, String profile) {
    return with(endpoint, List.of(profile), endpoint.spec().ports());
  }

  private static WorkloadEndpoint in(String namespace, WorkloadEndpoint endpoint) {
    return new WorkloadEndpoint(endpoint.metadata().withNamespace(namespace), endpoint.spec());
  }

  private static WorkloadEndpoint with(
      WorkloadEndpoint endpoint, List<String> profiles, List<EndpointPort> ports) {
    WorkloadEndpoint.Spec spec = endpoint.spec();
    List<Cidr> networks = spec.ipNetworks();
    return new WorkloadEndpoint(
        endpoint.metadata(),
        new WorkloadEndpoint.Spec(
            spec.node(),
            spec.containerID(),
            spec.endpoint(),
            spec.interfaceName(),
            spec.mac(),
            networks,
            spec.network(),
            spec.generation(),
            profiles,
            ports,
            spec.namespaceLabels()));
  }
}
