package io.wayleave.policy.dataplane;

import static io.wayleave.policy.Fixtures.policy;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.model.policy.SubjectSelector;
import io.wayleave.model.selector.Selector;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.calc.SetId;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class PolicyRendererTest {
  @Test
  void everyFieldHasItsMatch() {
    String spec =
        """
        ingress:
        - action: Deny
          protocol: TCP
          source: {nets: [10.0.0.0/8], selector: a == 'b', ports: [1]}
          destination: {nets: [192.0.2.1/32], selector: c == 'd', ports: ["80:90"]}
        """;
    String source = set("a == 'b'");
    String destination = set("c == 'd'");
    assertThat(rules(spec, Family.IPV4))
        .containsExactly(
            "-p tcp -s 10.0.0.0/8 -m set --match-set "
                + source
                + " src -m multiport --sports 1 -d 192.0.2.1/32 -m set --match-set "
                + destination
                + " dst -m multiport --dports 80:90 -j DROP");
    // Its nets are of the other family only.
    assertThat(rules(spec, Family.IPV6)).isEmpty();
  }

  @Test
  void aRuleWithoutFieldsMatchesEverything() {
    assertThat(rules("ingress: [{action: Allow}]", Family.IPV4)).containsExactly("-g wl-allow");
    assertThat(rules("ingress: [{action: Deny}]", Family.IPV6)).containsExactly("-j DROP");
  }

  @Test
  void listsAreAlternatives() {
    assertThat(
            rules(
                """
                ingress:
                - action: Allow
                  source: {nets: [10.0.0.0/8, 172.16.0.0/12, "fd00::/8"]}
                  destination: {nets: [10.1.0.0/16, 10.2.0.0/16]}
                """,
                Family.IPV4))
        .containsExactly(
            "-s 10.0.0.0/8 -d 10.1.0.0/16 -g wl-allow",
            "-s 10.0.0.0/8 -d 10.2.0.0/16 -g wl-allow",
            "-s 172.16.0.0/12 -d 10.1.0.0/16 -g wl-allow",
            "-s 172.16.0.0/12 -d 10.2.0.0/16 -g wl-allow");
  }

  @Test
  void theWholeFamilyIsNoCondition() {
    String spec = "ingress: [{action: Allow, source: {nets: [0.0.0.0/0]}}]";
    assertThat(rules(spec, Family.IPV4)).containsExactly("-g wl-allow");
    assertThat(rules(spec, Family.IPV6)).isEmpty();
  }

  @Test
  void portsAreCutIntoWhatOneMatchHolds() {
    assertThat(
            rules(
                """
                ingress:
                - action: Allow
                  protocol: UDP
                  destination: {ports: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,"20:30",40]}
                """,
                Family.IPV4))
        .containsExactly(
            "-p udp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14 -g wl-allow",
            "-p udp -m multiport --dports 20:30,40 -g wl-allow");
  }

  @Test
  void protocolsByNameAndNumber() {
    assertThat(rules("ingress: [{action: Allow, protocol: 6}]", Family.IPV4))
        .containsExactly("-p tcp -g wl-allow");
    assertThat(rules("ingress: [{action: Allow, protocol: 47}]", Family.IPV6))
        .containsExactly("-p 47 -g wl-allow");
    assertThat(rules("ingress: [{action: Allow, protocol: ICMP}]", Family.IPV4))
        .containsExactly("-p icmp -g wl-allow");
    assertThat(rules("ingress: [{action: Allow, protocol: ICMP}]", Family.IPV6)).isEmpty();
    assertThat(rules("ingress: [{action: Allow, protocol: ICMPv6}]", Family.IPV6))
        .containsExactly("-p ipv6-icmp -g wl-allow");
    assertThat(rules("ingress: [{action: Allow, protocol: 58}]", Family.IPV4)).isEmpty();
  }

  @Test
  void directionsHaveChainsOfTheirOwn() {
    var both = RuleBlock.of(policy("p", "ingress: [{action: Allow}]\negress: [{action: Deny}]"));
    assertThat(PolicyRenderer.render(both, Direction.Ingress, Family.IPV4))
        .isEqualTo(Chain.policy("wl-pi-p", List.of("-g wl-allow")));
    assertThat(PolicyRenderer.render(both, Direction.Egress, Family.IPV4))
        .isEqualTo(Chain.policy("wl-po-p", List.of("-j DROP")));
  }

  private static List<String> rules(String spec, Family family) {
    return PolicyRenderer.render(RuleBlock.of(policy("p", spec)), Direction.Ingress, family)
        .rules();
  }

  private static String set(String selector) {
    return ChainNames.set(
        new SetId.Nets(
            new SubjectSelector(Optional.empty(), Optional.empty(), Selector.parse(selector)),
            Family.IPV4));
  }
}
