package io.wayleave.policy.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Cidr;
import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.model.Kind;
import io.wayleave.model.NetworkPolicy;
import io.wayleave.model.PortName;
import io.wayleave.model.Protocol;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.policy.SubjectSelector;
import io.wayleave.model.selector.Selector;
import io.wayleave.policy.Fixtures;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.calc.RuleSets;
import io.wayleave.policy.calc.SetId;
import io.wayleave.policy.dataplane.PolicyRenderer.Rendering;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class PolicyRendererTest {
  @Test
  void everyFieldHasItsMatch() {
    String rule =
        """
        action: Deny
        protocol: TCP
        source:
          nets: [10.0.0.0/8]
          notNets: [10.1.0.0/16]
          selector: a == 'b'
          notSelector: x == 'y'
          ports: [1]
          notPorts: [2]
        destination:
          nets: [192.0.2.1/32]
          selector: c == 'd'
          ports: ["80:90"]
        """;
    assertThat(v4(rule))
        .containsExactly(
            "-p tcp -m multiport --sports 1 -m multiport ! --sports 2 -m multiport --dports 80:90"
                + " -s 10.0.0.0/8 -m set ! --match-set "
                + list("10.1.0.0/16")
                + " src -d 192.0.2.1/32 -m set --match-set "
                + set("a == 'b'")
                + " src -m set ! --match-set "
                + set("x == 'y'")
                + " src -m set --match-set "
                + set("c == 'd'")
                + " dst -g wl-deny");
    // Its nets are of the other family only.
    assertThat(v6(rule)).isEmpty();
  }

  @Test
  void everyActionHasItsTarget() {
    assertThat(v4("action: Allow")).containsExactly("-g wl-allow");
    assertThat(v6("action: Deny")).containsExactly("-g wl-deny");
    assertThat(v4("action: Pass")).containsExactly("-g wl-pass");
    assertThat(rules("[{action: Deny}, {action: Log, protocol: UDP}]", Family.IPV4))
        .containsExactly(
            "-g wl-deny",
            "-p udp -m limit --limit 10/second --limit-burst 20 -j NFLOG --nflog-group 77"
                + " --nflog-prefix wl:wl-gi-p:1");
  }

  @Test
  void aLogPrefixFitsAndIsReadBack() {
    RuleBlock.Id longest =
        new RuleBlock.Id(Kind.NETWORK_POLICY, "n".repeat(63) + "/" + "x".repeat(253));
    for (Direction direction : Direction.values()) {
      LogPrefix log = new LogPrefix(LogPrefix.chainOf(longest, direction), 999_999);
      // XT_NFLOG's 64 with the final zero.
      assertThat(log.toString()).hasSizeLessThan(64);
      assertThat(LogPrefix.parse(log.toString())).contains(log);
    }
    assertThat(LogPrefix.parse("wl:wl-gi-a")).isEmpty();
    assertThat(LogPrefix.parse("others:wl-gi-a:1")).isEmpty();
  }

  @Test
  void protocolsByNameAndNumber() {
    assertThat(v4("{action: Allow, protocol: 6}")).containsExactly("-p tcp -g wl-allow");
    assertThat(v6("{action: Allow, protocol: 47}")).containsExactly("-p 47 -g wl-allow");
    assertThat(v4("{action: Allow, protocol: ICMP}")).containsExactly("-p icmp -g wl-allow");
    assertThat(v6("{action: Allow, protocol: ICMP}")).isEmpty();
    assertThat(v6("{action: Allow, protocol: ICMPv6}")).containsExactly("-p ipv6-icmp -g wl-allow");
    assertThat(v4("{action: Allow, protocol: 58}")).isEmpty();
    assertThat(v4("{action: Allow, notProtocol: TCP}")).containsExactly("! -p tcp -g wl-allow");
    assertThat(v6("{action: Allow, notProtocol: 47}")).containsExactly("! -p 47 -g wl-allow");
    assertThat(v6("{action: Allow, notProtocol: ICMPv6}"))
        .containsExactly("! -p ipv6-icmp -g wl-allow");
    // iptables takes one protocol only.
    assertThat(v4("{action: Allow, protocol: TCP, notProtocol: UDP}"))
        .containsExactly("-p tcp -g wl-allow");
    assertThat(v4("{action: Allow, protocol: TCP, notProtocol: 6}")).isEmpty();
  }

  @Test
  void icmpByTypeAndCode() {
    assertThat(v4("{action: Allow, protocol: ICMP, icmp: {type: 8}}"))
        .containsExactly("-p icmp -m icmp --icmp-type 8 -g wl-allow");
    assertThat(v4("{action: Allow, protocol: ICMP, icmp: {type: 3}, notICMP: {type: 3, code: 4}}"))
        .containsExactly("-p icmp -m icmp --icmp-type 3 -m icmp ! --icmp-type 3/4 -g wl-allow");
    assertThat(v6("{action: Allow, protocol: ICMPv6, notICMP: {type: 128, code: 0}}"))
        .containsExactly("-p ipv6-icmp -m icmp6 ! --icmpv6-type 128/0 -g wl-allow");
    // To xt_icmp this type means any.
    assertThat(v4("{action: Allow, protocol: ICMP, icmp: {type: 255}}"))
        .containsExactly("-p icmp -m u32 --u32 \"0>>22&0x3C@0>>24=255\" -g wl-allow");
    assertThat(v4("{action: Allow, protocol: ICMP, notICMP: {type: 255, code: 1}}"))
        .containsExactly("-p icmp -m u32 ! --u32 \"0>>22&0x3C@0>>16=65281\" -g wl-allow");
    assertThat(v6("{action: Allow, protocol: ICMPv6, icmp: {type: 255}}"))
        .containsExactly("-p ipv6-icmp -m icmp6 --icmpv6-type 255 -g wl-allow");
  }

  @Test
  void ipVersionIsOneTableOnly() {
    assertThat(v4("{action: Deny, ipVersion: 4}")).containsExactly("-g wl-deny");
    assertThat(v6("{action: Deny, ipVersion: 4}")).isEmpty();
    assertThat(v4("{action: Deny, ipVersion: 6}")).isEmpty();
    assertThat(v6("{action: Deny, ipVersion: 6}")).containsExactly("-g wl-deny");
  }

  @Test
  void aFewNetsAreAlternatives() {
    assertThat(v4("{action: Allow, source: {nets: [172.16.0.0/12, 10.0.0.0/8, 'fd00::/8']}}"))
        .containsExactly("-s 10.0.0.0/8 -g wl-allow", "-s 172.16.0.0/12 -g wl-allow");
    // Not one more list of alternatives: the number of rules would be a product.
    String twoSides =
        """
        action: Allow
        source: {nets: [10.0.0.0/8, 172.16.0.0/12]}
        destination: {nets: [10.1.0.0/16, 10.2.0.0/16]}
        """;
    String destinations = list("10.1.0.0/16", "10.2.0.0/16");
    assertThat(v4(twoSides))
        .containsExactly(
            "-m set --match-set " + destinations + " dst -s 10.0.0.0/8 -g wl-allow",
            "-m set --match-set " + destinations + " dst -s 172.16.0.0/12 -g wl-allow");
  }

  @Test
  void manyNetsAreASet() {
    List<String> nets =
        IntStream.range(0, 300)
            .mapToObj(i -> "10.0." + i % 256 + "." + i / 256 + "/32")
            .sorted()
            .toList();
    Rendering rendering =
        render("[{action: Allow, destination: {nets: " + nets + "}}]", Family.IPV4);
    assertThat(rendering.chain().rules()).hasSize(1);
    assertThat(rendering.lists()).hasSize(1);
    String set = rendering.lists().keySet().iterator().next();
    assertThat(rendering.chain().rules())
        .containsExactly("-m set --match-set " + set + " dst -g wl-allow");
    assertThat(rendering.lists().get(set)).hasSize(300);
    assertThat(rendering.sets()).containsExactly(set);
    // The same networks in another order are the same set.
    assertThat(
            render("[{action: Deny, source: {nets: " + nets.reversed() + "}}]", Family.IPV4)
                .lists())
        .containsOnlyKeys(set);
  }

  @Test
  void netsInsideOthersAndTheWholeFamilyAreNoCondition() {
    assertThat(v4("{action: Allow, source: {nets: [10.0.0.0/8, 10.1.0.0/16, 10.1.1.1]}}"))
        .containsExactly("-s 10.0.0.0/8 -g wl-allow");
    assertThat(v4("{action: Allow, source: {nets: [0.0.0.0/0, 10.0.0.0/8]}}"))
        .containsExactly("-g wl-allow");
    assertThat(v6("{action: Allow, source: {nets: [0.0.0.0/0]}}")).isEmpty();
  }

  @Test
  void notNetsMustAllHold() {
    assertThat(v4("{action: Allow, source: {notNets: [10.0.0.0/8, 'fd00::/8']}}"))
        .containsExactly("! -s 10.0.0.0/8 -g wl-allow");
    // Networks of the other family are no network of the packet.
    assertThat(v6("{action: Allow, source: {notNets: [10.0.0.0/8]}}"))
        .containsExactly("-g wl-allow");
    assertThat(v4("{action: Allow, destination: {notNets: [10.0.0.0/8, 172.16.0.0/12]}}"))
        .containsExactly(
            "-m set ! --match-set " + list("10.0.0.0/8", "172.16.0.0/12") + " dst -g wl-allow");
    assertThat(v4("{action: Allow, source: {notNets: [0.0.0.0/0]}}")).isEmpty();
  }

  @Test
  void portsAreCutIntoWhatOneMatchHolds() {
    assertThat(
            v4(
                """
                action: Allow
                protocol: UDP
                destination: {ports: [1,3,5,7,9,11,13,15,17,19,21,23,25,27,"40:50",60]}
                """))
        .containsExactly(
            "-p udp -m multiport --dports 1,3,5,7,9,11,13,15,17,19,21,23,25,27 -g wl-allow",
            "-p udp -m multiport --dports 40:50,60 -g wl-allow");
    // Negated ones must all hold, so they are one rule.
    assertThat(
            v4(
                """
                action: Allow
                protocol: SCTP
                source: {notPorts: [1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31]}
                """))
        .containsExactly(
            "-p sctp -m multiport ! --sports 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29"
                + " -m multiport ! --sports 31 -g wl-allow");
    // Ranges that touch are one.
    assertThat(v4("{action: Allow, protocol: TCP, source: {ports: [8, '1:5', 6, '3:4', 7]}}"))
        .containsExactly("-p tcp -m multiport --sports 1:8 -g wl-allow");
  }

  @Test
  void namedPortsAreSetsOfAddressAndPort() {
    String http = port(SubjectSelector.ALL, "http");
    assertThat(v4("{action: Allow, protocol: TCP, destination: {ports: [http]}}"))
        .containsExactly("-p tcp -m set --match-set " + http + " dst,dst -g wl-allow");
    String ofWeb =
        port(
            new SubjectSelector(Optional.empty(), Optional.empty(), Selector.parse("a == 'b'")),
            "http");
    assertThat(
            v4(
                """
                action: Allow
                protocol: TCP
                source: {selector: a == 'b', ports: [http, 80, "443:444"], notPorts: [http]}
                """))
        .containsExactly(
            "-p tcp -m set ! --match-set "
                + ofWeb
                + " src,src -m set --match-set "
                + set("a == 'b'")
                + " src -m multiport --sports 80,443:444 -g wl-allow",
            "-p tcp -m set ! --match-set "
                + ofWeb
                + " src,src -m set --match-set "
                + set("a == 'b'")
                + " src -m set --match-set "
                + ofWeb
                + " src,src -g wl-allow");
  }

  @Test
  void listsOfPortsOnBothSidesAddAndDoNotMultiply() {
    String ports =
        IntStream.range(0, 150)
            .mapToObj(i -> Integer.toString(2 * i + 1))
            .collect(Collectors.joining(","));
    List<String> rules =
        v4(
            "{action: Allow, protocol: TCP, source: {selector: a == 'b', ports: ["
                + ports
                + "]}, destination: {ports: ["
                + ports
                + ", http]}}");
    assertThat(rules).hasSize(1 + 10 + 11);
    assertThat(rules.getFirst()).isEqualTo("-j MARK --set-xmark 0x0/0x40000");
    assertThat(rules.subList(1, 11))
        .allMatch(rule -> rule.startsWith("-p tcp -m set --match-set " + set("a == 'b'") + " src"))
        .allMatch(rule -> rule.endsWith(" -j MARK --set-xmark 0x40000/0x40000"))
        .allMatch(rule -> rule.contains("--sports "));
    assertThat(rules.subList(11, 22))
        .allMatch(rule -> rule.startsWith("-p tcp -m mark --mark 0x40000/0x40000 -m "))
        .allMatch(rule -> rule.endsWith(" -g wl-allow"));
  }

  /** A packet that is logged goes on, so the next alternative must not have it too. */
  @Test
  void alternativesOfALogRuleDoNotOverlap() {
    String a = port(SubjectSelector.ALL, "a");
    String b = port(SubjectSelector.ALL, "b");
    String log =
        " -m limit --limit 10/second --limit-burst 20 -j NFLOG --nflog-group 77"
            + " --nflog-prefix wl:wl-gi-p:0";
    assertThat(v4("{action: Log, protocol: TCP, destination: {ports: [a, 80, b]}}"))
        .containsExactly(
            "-p tcp -m multiport --dports 80" + log,
            "-p tcp -m multiport ! --dports 80 -m set --match-set " + a + " dst,dst" + log,
            "-p tcp -m multiport ! --dports 80 -m set ! --match-set "
                + a
                + " dst,dst -m set --match-set "
                + b
                + " dst,dst"
                + log);
  }

  @Test
  void theSelectorsOfANamespacedPolicyStayInTheNamespace() {
    NetworkPolicy policy =
        (NetworkPolicy)
            ResourceCodec.fromManifest(
                    """
                    apiVersion: wayleave.io/v1
                    kind: NetworkPolicy
                    metadata: {name: web, namespace: shop}
                    spec:
                      ingress:
                      - action: Allow
                        source: {selector: a == 'b'}
                      - action: Allow
                        source: {namespaceSelector: team == 'x', notSelector: a == 'b'}
                    """)
                .getFirst();
    Rendering rendering =
        PolicyRenderer.render(RuleBlock.of(policy), Direction.Ingress, Family.IPV4);
    assertThat(rendering.chain().name()).isEqualTo("wl-ni-shop_web");
    SetId inNamespace =
        new SetId.Nets(
            new SubjectSelector(Optional.of("shop"), Optional.empty(), Selector.parse("a == 'b'")),
            Family.IPV4);
    SetId byNamespace =
        new SetId.Nets(
            new SubjectSelector(
                Optional.empty(), Optional.of(Selector.parse("team == 'x'")), Selector.all()),
            Family.IPV4);
    assertThat(rendering.chain().rules())
        .containsExactly(
            "-m set --match-set " + ChainNames.set(inNamespace) + " src -g wl-allow",
            "-m set --match-set "
                + ChainNames.set(byNamespace)
                + " src -m set ! --match-set "
                + set("a == 'b'")
                + " src -g wl-allow");
  }

  /** What the calculation makes and what the rules refer to is the same, or nothing matches. */
  @Test
  void theSetsAreThoseOfTheCalculation() {
    RuleBlock block =
        Fixtures.rules(
            "p",
            """
            ingress:
            - action: Allow
              protocol: TCP
              source: {selector: a == 'b', notSelector: c == 'd', ports: [x], notPorts: [y]}
              destination: {namespaceSelector: global(), ports: [x, z]}
            egress:
            - action: Log
              protocol: UDP
              destination: {namespaceSelector: t == 'u', selector: e == 'f', ports: [x]}
            """);
    Set<String> used =
        Stream.of(Direction.values())
            .flatMap(
                direction ->
                    Stream.of(Family.values())
                        .map(family -> PolicyRenderer.render(block, direction, family)))
            .flatMap(rendering -> rendering.sets().stream())
            .collect(Collectors.toSet());
    assertThat(used)
        .hasSize(18)
        .isEqualTo(RuleSets.of(block).stream().map(ChainNames::set).collect(Collectors.toSet()));
  }

  @Test
  void directionsHaveChainsOfTheirOwn() {
    RuleBlock both = Fixtures.rules("p", "ingress: [{action: Allow}]\negress: [{action: Deny}]");
    assertThat(PolicyRenderer.render(both, Direction.Ingress, Family.IPV4).chain())
        .isEqualTo(Chain.policy("wl-gi-p", List.of("-g wl-allow")));
    assertThat(PolicyRenderer.render(both, Direction.Egress, Family.IPV4).chain())
        .isEqualTo(Chain.policy("wl-go-p", List.of("-g wl-deny")));
  }

  private static String set(String selector) {
    return ChainNames.set(
        new SetId.Nets(
            new SubjectSelector(Optional.empty(), Optional.empty(), Selector.parse(selector)),
            Family.IPV4));
  }

  private static String port(SubjectSelector chosen, String name) {
    return ChainNames.set(
        new SetId.NamedPort(chosen, new PortName(name), Protocol.TCP, Family.IPV4));
  }

  private static String list(String... nets) {
    return ChainNames.list(Family.IPV4, Stream.of(nets).map(Cidr::parse).toList());
  }

  /** From the YAML of one rule. */
  private static List<String> v4(String rule) {
    return rules(rule, Family.IPV4);
  }

  private static List<String> v6(String rule) {
    return rules(rule, Family.IPV6);
  }

  private static List<String> rules(String yaml, Family family) {
    return render(yaml, family).chain().rules();
  }

  /** From the YAML of one rule or of a list of them. */
  private static Rendering render(String yaml, Family family) {
    String list =
        yaml.startsWith("[")
            ? " " + yaml
            : yaml.startsWith("{") ? " [" + yaml + "]" : "\n- " + yaml.strip().indent(2).strip();
    return PolicyRenderer.render(Fixtures.rules("p", "ingress:" + list), Direction.Ingress, family);
  }
}
