package io.wayleave.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PolicyResourcesTest {
  private static Resource one(String manifest) {
    return ResourceCodec.fromManifest(manifest).getFirst();
  }

  private static String resource(String kind, String metadata, String spec) {
    return "apiVersion: wayleave.io/v1\nkind: %s\nmetadata: %s\nspec: %s\n"
        .formatted(kind, metadata, spec);
  }

  private static String rule(String rule) {
    return resource("GlobalNetworkPolicy", "{name: p}", "{ingress: [" + rule + "]}");
  }

  @Test
  void readsEveryFieldOfARule() {
    NetworkPolicy policy = (NetworkPolicy) one(PolicySamples.RULES);
    assertThat(policy.id()).isEqualTo("shop/web");
    assertThat(policy.spec().tier()).isEqualTo("platform");
    PolicyRule rule = policy.spec().ingress().getFirst();
    assertThat(rule.ipVersion()).contains(4);
    assertThat(rule.metadata().orElseThrow().annotations()).containsEntry("why", "customers");
    PolicyRule.Entity destination = rule.destination().orElseThrow();
    assertThat(destination.ports())
        .containsExactly(PortRange.of(80), new PortRange(8000, 8080), new PortName("http"));
    assertThat(destination.notPorts()).containsExactly(new PortName("admin"));
    PolicyRule.Entity source = rule.source().orElseThrow();
    assertThat(source.notNets()).containsExactly(Cidr.parse("10.1.0.0/16"));
    assertThat(source.notSelector()).contains("has(quarantined)");
    assertThat(source.namespaceSelector()).contains("kubernetes.io/metadata.name == \"front\"");
    assertThat(policy.spec().ingress().get(2).icmp())
        .contains(new PolicyRule.Icmp(Optional.of(8), Optional.of(0)));
    assertThat(policy.spec().ingress().get(3).notIcmp())
        .contains(new PolicyRule.Icmp(Optional.of(128), Optional.empty()));
    assertThat(policy.spec().egress().getFirst().protocol()).contains(Protocol.SCTP);
  }

  @Test
  void whatNamesNoNamespaceIsInTheDefaultOne() {
    Resource set = one(resource("NetworkSet", "{name: s}", "{nets: [10.0.0.0/8]}"));
    assertThat(set.id()).isEqualTo("default/s");
    assertThat(set.metadata().namespace()).contains("default");
    Resource exported =
        one(resource("GlobalNetworkSet", "{name: s, namespace: ''}", "{nets: [10.0.0.0/8]}"));
    assertThat(exported.id()).isEqualTo("s");
  }

  @Test
  void aTierThatNobodyWroteIsTheLastButTheDefaultOne() {
    assertThat(Tier.implied("x").spec().order()).isEmpty();
    assertThat(Tier.implied("x").spec().defaultAction()).isEqualTo(Tier.DefaultAction.Deny);
    assertThat(Tier.implied("default").spec().order()).contains(1_000_000.0);
  }

  record Refusal(String manifest, String message) {}

  static List<Refusal> refusals() {
    return List.of(
        new Refusal(
            rule("{}"), "spec.ingress[0].action: \"\" is not allowed; allowed: Allow, Deny"),
        new Refusal(
            rule("{action: Allow, colour: red}"), "spec.ingress[0].colour: \"red\" is not allowed"),
        new Refusal(
            rule("{action: Allow, ipVersion: 5}"),
            "spec.ingress[0].ipVersion: \"5\" is not allowed; allowed: 4 or 6"),
        new Refusal(
            rule("{action: Allow, ipVersion: 4, source: {nets: [10.0.0.0/8, 'fd00::/8']}}"),
            "spec.ingress[0].source.nets[1]: \"fd00::/8\" is not allowed; allowed: networks of the"
                + " rule's ipVersion, 4"),
        new Refusal(
            rule("{action: Allow, ipVersion: 6, destination: {notNets: [10.0.0.0/8]}}"),
            "spec.ingress[0].destination.notNets[0]: \"10.0.0.0/8\" is not allowed"),
        new Refusal(
            rule("{action: Allow, ipVersion: 6, protocol: ICMP}"),
            "spec.ingress[0].protocol: \"ICMP\" is not allowed; allowed: ICMPv6 beside ipVersion"
                + " 6"),
        new Refusal(
            rule("{action: Allow, icmp: {type: 8}}"),
            "spec.ingress[0].icmp: \"type 8\" is not allowed; allowed: type and code only beside"),
        new Refusal(
            rule("{action: Allow, protocol: ICMP, icmp: {code: 8}}"),
            "spec.ingress[0].icmp.code: \"8\" is not allowed; allowed: a type"),
        new Refusal(
            rule("{action: Allow, protocol: ICMP, notICMP: {type: 256}}"),
            "spec.ingress[0].notICMP.type: \"256\" is not allowed; allowed: 0 to 255"),
        new Refusal(
            rule("{action: Allow, destination: {notPorts: [80]}}"),
            "spec.ingress[0].destination.notPorts: \"[80]\" is not allowed; allowed: ports only"),
        new Refusal(
            rule("{action: Allow, notProtocol: TCP, destination: {ports: [http]}}"),
            "spec.ingress[0].destination.ports: \"[http]\" is not allowed"),
        new Refusal(
            rule("{action: Allow, protocol: TCP, destination: {ports: ['a b']}}"),
            "spec.ingress[0].destination.ports[0]: \"a b\" is not allowed; allowed: a port of"),
        new Refusal(
            rule("{action: Allow, protocol: TCP, destination: {ports: ['90:80']}}"),
            "spec.ingress[0].destination.ports[0]: \"90:80\" is not allowed"),
        new Refusal(
            rule("{action: Allow, source: {notSelector: 'a =='}}"),
            "spec.ingress[0].source.notSelector: "),
        new Refusal(
            rule("{action: Allow, source: {namespaceSelector: 'a =='}}"),
            "spec.ingress[0].source.namespaceSelector: "),
        new Refusal(
            resource("NetworkPolicy", "{name: p}", "{namespaceSelector: all()}"),
            "spec.namespaceSelector: \"all()\" is not allowed; allowed: nothing, as the policy"),
        new Refusal(
            resource("GlobalNetworkPolicy", "{name: p}", "{namespaceSelector: 'all('}"),
            "spec.namespaceSelector: "),
        new Refusal(
            resource("GlobalNetworkPolicy", "{name: p}", "{stagedAction: Set}"),
            "spec.stagedAction: \"Set\" is not allowed; allowed: nothing, as the policy is not"),
        new Refusal(
            resource(
                "StagedNetworkPolicy",
                "{name: p}",
                "{stagedAction: Delete, ingress: [{action: Allow}]}"),
            "spec.stagedAction: \"Delete\" is not allowed"),
        new Refusal(
            resource("GlobalNetworkPolicy", "{name: p, namespace: shop}", "{}"),
            "metadata.namespace: \"shop\" is not allowed; allowed: nothing"),
        new Refusal(
            resource("NetworkPolicy", "{name: p, namespace: a/b}", "{}"),
            "metadata.namespace: \"a/b\" is not allowed"),
        new Refusal(
            resource("NetworkPolicy", "{name: p, namespace: " + "n".repeat(64) + "}", "{}"),
            "metadata.namespace: "),
        new Refusal(
            resource("GlobalNetworkPolicy", "{name: " + "n".repeat(254) + "}", "{}"),
            "metadata.name: "),
        new Refusal(
            resource("GlobalNetworkPolicy", "{name: p}", "{tier: a b}"),
            "spec.tier: \"a b\" is not allowed"),
        new Refusal(resource("GlobalNetworkPolicy", "{name: p}", "{order: first}"), "spec.order: "),
        new Refusal(
            resource("Tier", "{name: t}", "{defaultAction: Allow}"),
            "spec.defaultAction: \"Allow\" is not allowed; allowed: Deny, Pass"),
        new Refusal(
            resource("Profile", "{name: p}", "{ingress: [{action: Pass}]}"),
            "spec.ingress[0].action: \"Pass\" is not allowed; allowed: Allow, Deny, Log"),
        new Refusal(
            resource("Profile", "{name: p}", "{labelsToApply: {'a b': c}}"),
            "spec.labelsToApply: \"a b\" is not allowed"),
        new Refusal(
            resource("HostEndpoint", "{name: h}", "{node: n}"),
            "spec.interfaceName: \"\" is not allowed; allowed: interfaceName, expectedIPs or both"),
        new Refusal(
            resource("HostEndpoint", "{name: h}", "{node: n, interfaceName: sixteencharacter}"),
            "spec.interfaceName: \"sixteencharacter\" is not allowed"),
        new Refusal(
            resource(
                "HostEndpoint",
                "{name: h}",
                "{node: n, interfaceName: eth0, ports: [{name: a, protocol: ICMP, port: 1}]}"),
            "spec.ports[0].protocol: \"ICMP\" is not allowed; allowed: TCP, UDP or SCTP"));
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void refusesNamingTheField(Refusal refusal) {
    assertThatThrownBy(() -> ResourceCodec.fromManifest(refusal.manifest()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(refusal.message());
  }
}
