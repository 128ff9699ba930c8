package io.wayleave.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ResourceCodecTest {
  private static final String POLICY =
      """
      apiVersion: wayleave.io/v1
      kind: GlobalNetworkPolicy
      metadata:
        name: web
        labels: {team: blue}
      spec:
        order: 10
        selector: app == "web"
        ingress:
          - action: Allow
            protocol: TCP
            source:
              selector: role in {"client", "probe"}
              nets: [10.0.0.0/8, "fd00::/8"]
            destination:
              ports: [80, "8000:8080"]
          - action: Deny
            protocol: 47
      """;

  private static final String FILTER =
      """
      apiVersion: projectcalico.org/v3
      kind: BGPFilter
      metadata:
        name: from-tors
      spec:
        importV4:
          - {action: Reject, matchOperator: In, cidr: 10.244.0.0/16, prefixLength: {min: 27, max: 31}}
          - action: Accept
            matchOperator: NotIn
            cidr: 10.0.0.0/8
            peerType: eBGP
            interface: eth*
            communities: {values: ["65000:1", "65000:1:2"]}
            asPathPrefix: [65001, 65002]
            asPathContains: [65010]
            nextHops: [10.90.0.0/16]
            operations:
              - addCommunity: {value: "65000:100"}
              - setCommunities: {values: ["65000:7"]}
              - prependASPath: {prefix: [65000, 65001]}
              - setLocalPref: {value: 50}
              - setMED: {value: 0}
              - setPriority: {value: 512}
        importV6:
          - {action: Accept, matchOperator: Equal, cidr: "5000::/64"}
          - {action: Reject}
        exportV4:
          - {action: Reject, source: RemotePeers}
      """;

  @Test
  void readsAPolicy() {
    GlobalNetworkPolicy policy = (GlobalNetworkPolicy) one(POLICY);
    assertThat(policy.name()).isEqualTo("web");
    assertThat(policy.spec().order()).contains(10.0);
    assertThat(policy.spec().types()).containsExactly(Direction.Ingress);
    PolicyRule rule = policy.spec().ingress().getFirst();
    assertThat(rule.protocol()).contains(Protocol.TCP);
    assertThat(rule.source().orElseThrow().nets())
        .containsExactly(Cidr.parse("10.0.0.0/8"), Cidr.parse("fd00::/8"));
    assertThat(rule.destination().orElseThrow().ports())
        .containsExactly(PortRange.of(80), new PortRange(8000, 8080));
    assertThat(policy.spec().ingress().get(1).protocol()).contains(new Protocol(47));
  }

  private static final String REFLECTORS =
      """
      apiVersion: wayleave.io/v1
      kind: BGPPeer
      metadata: {name: reflectors}
      spec:
        nodeSelector: all()
        peerSelector: reflector == "yes"
        nextHopMode: Keep
        sourceAddress: None
        maxPrefixes: {limit: 1000, warnAtPercent: 90, restartSeconds: 60}
      """;

  private static final String UNNUMBERED =
      """
      apiVersion: projectcalico.org/v3
      kind: BGPPeer
      metadata: {name: uplink}
      spec:
        interface: eth0
        localASNumber: 65100
        numAllowedLocalASNumbers: 1
        ttlSecurity: 1
        password: {file: /etc/wayleave/tor.password}
        passive: true
        gracefulRestart: false
        requirePolicy: true
        addPath: {receive: true, send: 4}
        bfd: {transmitMilliseconds: 100, receiveMilliseconds: 100, multiplier: 5}
        filters: [pools-only]
      """;

  private static final String SPECIAL_POOL =
      """
      apiVersion: projectcalico.org/v3
      kind: IPPool
      metadata: {name: tunnels}
      spec:
        cidr: 10.9.0.0/24
        blockSize: 32
        namespaceSelector: tier == "front"
        assignmentMode: Manual
        allowedUses: [Tunnel]
      """;

  private static final String RESERVATION =
      """
      apiVersion: projectcalico.org/v3
      kind: IPReservation
      metadata: {name: routers}
      spec:
        reservedCIDRs: [10.244.0.0/28, 10.244.1.1, "fd00:10::/120"]
      """;

  private static final String IPAM =
      """
      apiVersion: projectcalico.org/v3
      kind: IPAMConfiguration
      metadata: {name: default}
      spec:
        strictAffinity: true
        maxBlocksPerHost: 4
        autoAllocateBlocks: false
        reuseDelaySeconds: 120
      """;

  static List<Resource> everyKind() {
    List<Resource> all = new ArrayList<>(others());
    all.addAll(PolicySamples.everyKind());
    return all;
  }

  private static List<Resource> others() {
    return List.of(
        one(POLICY),
        new IpPool(Metadata.of("pool"), IpPool.Spec.of(Cidr.parse("10.244.0.0/16"))),
        new IpPool(Metadata.of("pool6"), IpPool.Spec.of(Cidr.parse("fd00:10::/48"))),
        new BgpPeer(
            Metadata.of("tor1"),
            BgpPeer.Spec.at(
                    "10.0.0.1:1179",
                    new Asn(4200000000L),
                    Optional.empty(),
                    Optional.of("rack == \"1\""))
                .withTimes(Optional.of(3), Optional.of(60))),
        one(REFLECTORS),
        one(UNNUMBERED),
        one(FILTER),
        BgpConfiguration.defaults(),
        one(SPECIAL_POOL),
        one(RESERVATION),
        one(IPAM),
        new Node(
            Metadata.of("r1h1", Map.of("rack", "1")),
            new Node.Spec(
                Optional.of(
                    new Node.Bgp(
                        Optional.of(new Asn(65101)),
                        Optional.of("10.90.1.11/24"),
                        Optional.of("fd90::1"),
                        Optional.of(RouterId.parse("10.90.1.11")),
                        Optional.of(RouterId.parse("10.90.0.1")))),
                Optional.of(true))),
        new WorkloadEndpoint(
            Metadata.of(WorkloadEndpoint.nameOf("r1h1", "c1", "eth0"), Map.of("app", "web")),
            new WorkloadEndpoint.Spec(
                "r1h1",
                "c1",
                "eth0",
                "wl0123456789a",
                MacAddress.parse("02:00:00:00:00:01"),
                List.of(Cidr.parse("10.244.0.5/32"), Cidr.parse("fd00:10::5/128")),
                "net",
                "7")));
  }

  @ParameterizedTest
  @MethodSource("everyKind")
  void everyKindComesBackEqualFromJsonAndYaml(Resource resource) {
    assertThat(ResourceCodec.fromJson(ResourceCodec.toJson(resource))).isEqualTo(resource);
    assertThat(ResourceCodec.fromManifest(ResourceCodec.toYaml(resource)))
        .containsExactly(resource);
  }

  @Test
  void theSampleHasEveryKind() {
    assertThat(everyKind().stream().map(Resource::kind).distinct())
        .containsExactlyInAnyOrder(Kind.values());
  }

  @Test
  void writesTheCanonicalForm() {
    assertThat(new String(ResourceCodec.toJson(everyKind().get(1)), StandardCharsets.UTF_8))
        .isEqualTo(
            "{\"apiVersion\":\"wayleave.io/v1\",\"kind\":\"IPPool\",\"metadata\":{\"name\":\"pool\"},\"spec\":"
                + "{\"cidr\":\"10.244.0.0/16\",\"blockSize\":26,\"disabled\":false,\"disableBGPExport\":false,"
                + "\"nodeSelector\":\"all()\"}}");
  }

  @Test
  void takesAManifestOfCalicoAsItIs() {
    IpPool pool =
        (IpPool)
            one(
                """
                apiVersion: projectcalico.org/v3
                kind: IPPool
                metadata:
                  creationTimestamp: "2026-01-01T00:00:00Z"
                  name: default-ipv4-ippool
                  resourceVersion: "1234"
                  uid: 0c0ffee0-0000-4000-8000-000000000000
                spec:
                  blockSize: 26
                  cidr: 10.48.0.0/16
                  ipipMode: Never
                  natOutgoing: false
                  nodeSelector: all()
                  vxlanMode: Never
                """);
    assertThat(pool.spec().cidr()).isEqualTo(Cidr.parse("10.48.0.0/16"));
    assertThat(pool.metadata().resourceVersion()).contains("1234");
  }

  @Test
  void readsSeveralDocumentsAndLists() {
    String text =
        """
        ---
        apiVersion: wayleave.io/v1
        kind: IPPool
        metadata: {name: a}
        spec: {cidr: 10.1.0.0/16}
        ---
        ---
        apiVersion: wayleave.io/v1
        kind: IPPoolList
        items:
          - {apiVersion: wayleave.io/v1, kind: IPPool, metadata: {name: b}, spec: {cidr: 10.2.0.0/16}}
          - {apiVersion: wayleave.io/v1, kind: IPPool, metadata: {name: c}, spec: {cidr: 10.3.0.0/16}}
        """;
    assertThat(ResourceCodec.fromManifest(text))
        .extracting(Resource::name)
        .containsExactly("a", "b", "c");
  }

  @Test
  void saysWhichDocumentIsRefused() {
    String good =
        "{apiVersion: wayleave.io/v1, kind: IPPool, metadata: {name: a}, spec: {cidr:"
            + " 10.1.0.0/16}}";
    String bad = good.replace("10.1.0.0/16", "nonsense");
    String list = "\n---\nkind: List\nitems:\n - " + good + "\n - " + good;
    assertThat(ResourceCodec.documents(good + list))
        .extracting(ResourceCodec.Document::position)
        .containsExactly("document 1", "document 2, items[0]", "document 2, items[1]");
    assertThat(ResourceCodec.documents(good))
        .extracting(ResourceCodec.Document::position)
        .containsExactly("");
    assertThatThrownBy(() -> ResourceCodec.fromManifest(good + "\n---\n" + bad))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("document 2.spec.cidr: \"nonsense\" is not allowed");
  }

  record Refusal(String why, String manifest, String message) {
    @Override
    public String toString() {
      return why;
    }
  }

  static List<Refusal> refusals() {
    String pool = "apiVersion: wayleave.io/v1\nkind: IPPool\nmetadata: {name: p}\nspec: ";
    String peer = "apiVersion: wayleave.io/v1\nkind: BGPPeer\nmetadata: {name: p}\nspec: ";
    return List.of(
        new Refusal(
            "version",
            POLICY.replace("wayleave.io/v1", "v1"),
            "apiVersion: \"v1\" is not allowed; allowed: wayleave.io/v1 or projectcalico.org/v3"),
        new Refusal(
            "kind",
            POLICY.replace("GlobalNetworkPolicy", "Pod"),
            "kind: \"Pod\" is not allowed; allowed: BGPConfiguration, BGPFilter, BGPPeer,"
                + " GlobalNetworkPolicy, GlobalNetworkSet, HostEndpoint, IPAMConfiguration,"),
        new Refusal(
            "unknown field",
            pool + "{cidr: 10.0.0.0/8, colour: red}",
            "spec.colour: \"red\" is not allowed; allowed: one of the fields that exist here:"
                + " allowedUses, assignmentMode, blockSize, cidr,"),
        new Refusal(
            "unknown nested field",
            POLICY.replace("nets:", "netz:"),
            "spec.ingress[0].source.netz: "),
        new Refusal(
            "no spec",
            "apiVersion: wayleave.io/v1\nkind: IPPool\nmetadata: {name: p}",
            "spec: \"\" is not allowed; allowed: a spec with a cidr"),
        new Refusal(
            "no name",
            "apiVersion: wayleave.io/v1\nkind: IPPool\nmetadata: {}\nspec: {cidr: 10.0.0.0/8}",
            "metadata.name: \"\" is not allowed"),
        new Refusal(
            "bad name",
            POLICY.replace("name: web", "name: a/b"),
            "metadata.name: \"a/b\" is not allowed"),
        new Refusal(
            "host bits",
            pool + "{cidr: 10.0.0.1/8}",
            "spec.cidr: \"10.0.0.1/8\" is not allowed; allowed: a network without host bits, here"
                + " 10.0.0.0/8"),
        new Refusal(
            "block size",
            pool + "{cidr: 10.0.0.0/8, blockSize: 33}",
            "spec.blockSize: \"33\" is not allowed; allowed: 20 to 32 in an IPV4 pool"),
        new Refusal(
            "block larger than pool",
            pool + "{cidr: 10.0.0.0/27}",
            "spec.blockSize: \"26\" is not allowed; allowed: at least 27"),
        new Refusal(
            "type",
            pool + "{cidr: 10.0.0.0/8, blockSize: big}",
            "spec.blockSize: \"big\" is not allowed; allowed: a number"),
        new Refusal(
            "overlay",
            pool + "{cidr: 10.0.0.0/8, vxlanMode: Always}",
            "spec.vxlanMode: \"Always\" is not allowed; allowed: Never"),
        new Refusal(
            "pool of everything",
            pool + "{cidr: 0.0.0.0/0}",
            "spec.cidr: \"0.0.0.0/0\" is not allowed; allowed: a unicast range, without addresses"
                + " of 0.0.0.0/8"),
        new Refusal(
            "pool around multicast",
            pool + "{cidr: 192.0.0.0/2}",
            "spec.cidr: \"192.0.0.0/2\" is not allowed; allowed: a unicast range, without addresses"
                + " of 224.0.0.0/4"),
        new Refusal(
            "namespace selector",
            pool + "{cidr: 10.0.0.0/8, namespaceSelector: a ==}",
            "spec.namespaceSelector: "),
        new Refusal(
            "assignment mode",
            pool + "{cidr: 10.0.0.0/8, assignmentMode: Sometimes}",
            "spec.assignmentMode: \"Sometimes\" is not allowed; allowed: Automatic, Manual"),
        new Refusal(
            "use",
            pool + "{cidr: 10.0.0.0/8, allowedUses: [LoadBalancer]}",
            "spec.allowedUses[0]: \"LoadBalancer\" is not allowed; allowed: Workload, Tunnel"),
        new Refusal(
            "reservation of nothing",
            RESERVATION.replaceAll("reservedCIDRs: .*", "reservedCIDRs: []"),
            "spec.reservedCIDRs: \"[]\" is not allowed; allowed: at least one"),
        new Refusal(
            "reservation with host bits",
            RESERVATION.replace("10.244.0.0/28", "10.244.0.1/28"),
            "spec.reservedCIDRs[0]: \"10.244.0.1/28\" is not allowed; allowed: a network without"
                + " host bits"),
        new Refusal(
            "blocks per host",
            IPAM.replace("maxBlocksPerHost: 4", "maxBlocksPerHost: -1"),
            "spec.maxBlocksPerHost: \"-1\" is not allowed; allowed: 0, which means 20, or more"),
        new Refusal(
            "reuse delay",
            IPAM.replace("120", "3601"),
            "spec.reuseDelaySeconds: \"3601\" is not allowed; allowed: 0 to 3600"),
        new Refusal(
            "second IPAM configuration",
            IPAM.replace("name: default", "name: other"),
            "metadata.name: \"other\" is not allowed; allowed: default"),
        new Refusal(
            "peer without AS",
            peer + "{peerIP: 10.0.0.1}",
            "spec.asNumber: \"\" is not allowed; allowed: the peer's AS number, 1 to 4294967295"),
        new Refusal(
            "peer with AS 0",
            peer + "{peerIP: 10.0.0.1, asNumber: 0}",
            "spec.asNumber: \"0\" is not allowed; allowed: an AS number of 1 to 4294967295"),
        new Refusal(
            "peer without address", peer + "{asNumber: 65001}", "spec.peerIP: \"\" is not allowed"),
        new Refusal(
            "peer nowhere",
            peer + "{asNumber: 65001, peerIP: 0.0.0.0}",
            "spec.peerIP: \"0.0.0.0\" is not allowed; allowed: the address of one host"),
        new Refusal(
            "peer everywhere",
            peer + "{asNumber: 65001, peerIP: 224.0.0.1}",
            "spec.peerIP: \"224.0.0.1\" is not allowed; allowed: the address of one host"),
        new Refusal(
            "peer without its interface",
            peer + "{asNumber: 65001, peerIP: 'fe80::1'}",
            "spec.peerIP: \"fe80::1\" is not allowed; allowed: the address of one host"),
        new Refusal(
            "peer port",
            peer + "{asNumber: 65001, peerIP: '10.0.0.1:0'}",
            "spec.peerIP: \"10.0.0.1:0\" is not allowed; allowed: a port of 1 to 65535"),
        new Refusal(
            "peers that wait for each other",
            peer + "{peerSelector: all(), passive: true}",
            "spec.passive: \"true\" is not allowed; allowed: false beside peerSelector"),
        new Refusal(
            "restart time of nothing",
            peer + "{asNumber: 1, peerIP: 10.0.0.1, gracefulRestart: false, maxRestartTime: 60}",
            "spec.maxRestartTime: \"60\" is not allowed; allowed: nothing beside gracefulRestart:"
                + " false"),
        new Refusal(
            "paths to send",
            peer + "{asNumber: 1, peerIP: 10.0.0.1, addPath: {send: 256}}",
            "spec.addPath.send: \"256\" is not allowed; allowed: 1 to 255"),
        new Refusal("selector", POLICY.replace("app == \"web\"", "app = web"), "spec.selector: "),
        new Refusal(
            "rule selector",
            POLICY.replace("role in {\"client\", \"probe\"}", "role in"),
            "spec.ingress[0].source.selector: "),
        new Refusal(
            "action",
            POLICY.replace("action: Deny", "action: Reject"),
            "spec.ingress[1].action: \"Reject\" is not allowed; allowed: Allow, Deny"),
        new Refusal(
            "ports without protocol",
            POLICY.replace("protocol: TCP", "protocol: ICMP"),
            "spec.ingress[0].destination.ports: \"[80, 8000:8080]\" is not allowed; allowed: ports"
                + " only beside protocol TCP, UDP, SCTP or UDPLite"),
        new Refusal(
            "port", POLICY.replace("[80,", "[70000,"), "spec.ingress[0].destination.ports[0]: "),
        new Refusal(
            "types",
            POLICY.replace("ingress:", "types: [Egress]\n  ingress:"),
            "spec.types: \"[Egress]\" is not allowed; allowed: Ingress among them"),
        new Refusal(
            "filter without action",
            filter("{matchOperator: In, cidr: 10.0.0.0/8}"),
            "spec.importV4[0].action: \"\" is not allowed; allowed: Accept or Reject"),
        new Refusal(
            "filter without operator",
            filter("{action: Accept, cidr: 10.0.0.0/8}"),
            "spec.importV4[0].matchOperator: \"\" is not allowed; allowed: cidr and matchOperator"),
        new Refusal(
            "filter of the other family",
            filter("{action: Accept, matchOperator: In, cidr: 'fd00::/8'}"),
            "spec.importV4[0].cidr: \"fd00::/8\" is not allowed; allowed: a network of IPV4"),
        new Refusal(
            "filter length",
            filter("{action: Accept, prefixLength: {max: 33}}"),
            "spec.importV4[0].prefixLength.max: \"33\" is not allowed; allowed: 0 to 32"),
        new Refusal(
            "filter lengths",
            filter("{action: Accept, prefixLength: {min: 30, max: 29}}"),
            "spec.importV4[0].prefixLength.max: \"29\" is not allowed; allowed: at least min, 30"),
        new Refusal(
            "change of a rejected route",
            filter("{action: Reject, operations: [{setMED: {value: 1}}]}"),
            "spec.importV4[0].operations: \"1 operations\" is not allowed; allowed: nothing"),
        new Refusal(
            "two operations in one",
            filter(
                "{action: Accept, operations: [{setMED: {value: 1}, setLocalPref: {value: 1}}]}"),
            "spec.importV4[0].operations[0]: \"2 fields\" is not allowed; allowed: exactly one of"),
        new Refusal(
            "community",
            filter("{action: Accept, communities: {values: ['65536:1']}}"),
            "spec.importV4[0].communities.values[0]: \"65536:1\" is not allowed"),
        new Refusal(
            "priority",
            filter("{action: Accept, operations: [{setPriority: {value: 0}}]}"),
            "spec.importV4[0].operations[0].setPriority.value: \"0\" is not allowed; allowed: 1"
                + " to"),
        new Refusal(
            "interface of an announcement",
            filter("{action: Reject, interface: '*.calico'}").replace("importV4", "exportV4"),
            "spec.exportV4[0].interface: \"*.calico\" is not allowed; allowed: nothing in an"
                + " export"),
        new Refusal(
            "filter named twice",
            peer + "{peerIP: 10.0.0.1, asNumber: 1, filters: [a, a]}",
            "spec.filters[1]: \"a\" is not allowed"),
        new Refusal("duplicate field", pool + "\n  cidr: 10.0.0.0/8\n  cidr: 10.0.0.0/9", "line 6"),
        new Refusal("not YAML", "{", "allowed: well-formed YAML or JSON"),
        new Refusal("text", "hello", "allowed: an object with apiVersion, kind, metadata and spec"),
        new Refusal("nothing", "---\n", "allowed: at least one resource"));
  }

  private static String filter(String rule) {
    return "apiVersion: wayleave.io/v1\nkind: BGPFilter\nmetadata: {name: f}\nspec: {importV4: ["
        + rule
        + "]}";
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void refusesNamingTheField(Refusal refusal) {
    assertThatThrownBy(() -> ResourceCodec.fromManifest(refusal.manifest))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(refusal.message);
  }

  @Test
  void peersApplyByNodeOrSelector() {
    BgpPeer bySelector = (BgpPeer) everyKind().get(3);
    assertThat(bySelector.appliesTo("any", Map.of("rack", "1"))).isTrue();
    assertThat(bySelector.appliesTo("any", Map.of("rack", "2"))).isFalse();
    assertThat(bySelector.spec().port()).isEqualTo(1179);
    assertThat(bySelector.spec().address()).contains(IpAddress.parse("10.0.0.1"));
    BgpPeer v6 =
        (BgpPeer)
            one(
                "{apiVersion: wayleave.io/v1, kind: BGPPeer, metadata: {name: p}, spec: {node: n1,"
                    + " peerIP: '[fd00::1]:1179', asNumber: 1}}");
    assertThat(v6.spec().address()).contains(IpAddress.parse("fd00::1"));
    assertThat(v6.spec().port()).isEqualTo(1179);
    assertThat(v6.appliesTo("n1", Map.of())).isTrue();
    assertThat(v6.appliesTo("n2", Map.of())).isFalse();
  }

  private static Resource one(String manifest) {
    List<Resource> resources = ResourceCodec.fromManifest(manifest);
    assertThat(resources).hasSize(1);
    return resources.getFirst();
  }
}
