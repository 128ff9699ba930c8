package io.wayleave.model.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.model.Direction;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Kind;
import io.wayleave.model.PolicyRule.Action;
import io.wayleave.model.PolicySpec.StagedAction;
import io.wayleave.model.Protocol;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.policy.Explanation.Note;
import io.wayleave.model.policy.Explanation.Place;
import io.wayleave.model.policy.Explanation.Verdict;
import io.wayleave.model.policy.Question.End;
import io.wayleave.model.policy.Walk.Decision;
import io.wayleave.model.policy.Walk.Mismatch;
import io.wayleave.model.policy.Walk.PolicyStep;
import io.wayleave.model.policy.Walk.Result;
import io.wayleave.model.policy.Walk.RuleStep;
import io.wayleave.model.policy.Walk.TierStep;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ExplanationTest {
  /** A client and a server on one host, a second client on another, and both hosts. */
  private static final String FLEET =
      """
      kind: WorkloadEndpoint
      metadata: {name: client, namespace: front, labels: {role: client}}
      spec:
        {node: n1, containerID: c1, endpoint: eth0, interfaceName: wl1, mac: "02:00:00:00:00:01",
         ipNetworks: [10.0.1.1/32, "fd00::1:1/128"]}
      ---
      kind: WorkloadEndpoint
      metadata: {name: server, namespace: back, labels: {role: server}}
      spec:
        {node: n1, containerID: c2, endpoint: eth0, interfaceName: wl2, mac: "02:00:00:00:00:02",
         ipNetworks: [10.0.1.2/32, "fd00::1:2/128"], profiles: [base, gone],
         ports: [{name: http, protocol: TCP, port: 8080}]}
      ---
      kind: WorkloadEndpoint
      metadata: {name: far, namespace: front, labels: {role: client}}
      spec:
        {node: n2, containerID: c3, endpoint: eth0, interfaceName: wl3, mac: "02:00:00:00:00:03",
         ipNetworks: [10.0.2.1/32]}
      ---
      kind: Profile
      metadata: {name: base}
      spec: {labelsToApply: {env: prod}, ingress: [{action: Allow, protocol: UDP}]}
      ---
      kind: HostEndpoint
      metadata: {name: n2-all}
      spec: {node: n2, interfaceName: "*", expectedIPs: [192.0.2.2], profiles: []}
      ---
      kind: Node
      metadata: {name: n1}
      spec: {bgp: {ipv4Address: 192.0.2.1/24}}
      """;

  @Test
  void theDecidingRuleAndWhyTheOthersDidNotMatch() {
    Explanation explanation =
        explain(
            """
            kind: Tier
            metadata: {name: first}
            spec: {order: 1, defaultAction: Pass}
            ---
            kind: GlobalNetworkPolicy
            metadata: {name: audit}
            spec:
              tier: first
              selector: env == "prod"
              ingress:
              - {action: Log}
              - action: Deny
                ipVersion: 6
              - action: Deny
                protocol: TCP
                source: {nets: [10.0.2.0/24], notNets: [10.0.0.0/8], notSelector: role == "client"}
                destination: {ports: [80, "9000:9001"], notPorts: [http]}
            ---
            kind: NetworkPolicy
            metadata: {name: web, namespace: back}
            spec:
              selector: role == "server"
              ingress:
              - action: Deny
                source: {selector: role == "client"}
              - action: Allow
                protocol: TCP
                source: {namespaceSelector: projectcalico.org/name == "front"}
                destination: {ports: [http]}
            """,
            tcp("10.0.1.1", "10.0.1.2", 8080));

    assertThat(explanation.verdict()).isEqualTo(Verdict.ALLOW);
    assertThat(explanation.from()).isEqualTo(new Place.Workload("client", "n1"));
    Walk egress = explanation.egress().orElseThrow();
    assertThat(egress.tiers()).isEmpty();
    assertThat(egress.decision()).isEqualTo(new Decision.ByProfiles(false, Verdict.ALLOW));
    Walk ingress = explanation.ingress().orElseThrow();
    assertThat(ingress.direction()).isEqualTo(Direction.Ingress);
    assertThat(ingress.decision())
        .isEqualTo(new Decision.ByRule(Kind.NETWORK_POLICY, "back/web", 1, Verdict.ALLOW));
    assertThat(ingress.tiers()).extracting(TierStep::tier).containsExactly("first", "default");
    assertThat(ingress.tiers()).extracting(TierStep::stored).containsExactly(true, false);
    assertThat(ingress.tiers().getFirst().result()).isEqualTo(Result.PASSED);
    PolicyStep audit = ingress.tiers().getFirst().policies().getFirst();
    assertThat(audit.result()).isEqualTo(Result.UNDECIDED);
    assertThat(audit.rules().get(0)).isEqualTo(new RuleStep(0, Action.Log, List.of()));
    assertThat(audit.rules().get(1).mismatches())
        .containsExactly(new Mismatch("ipVersion", "the packet is IPv4, not IPv6"));
    assertThat(audit.rules().get(2).mismatches())
        .containsExactly(
            new Mismatch("source.nets", "10.0.1.1 is in none of 10.0.2.0/24"),
            new Mismatch("source.notNets", "10.0.1.1 is in 10.0.0.0/8"),
            new Mismatch("source.notSelector", "10.0.1.1 is an address of endpoint client"),
            new Mismatch("destination.ports", "port 8080 is none of 80, 9000:9001"),
            new Mismatch("destination.notPorts", "port 8080 is http"));
    assertThat(ingress.tiers().getLast().policies().getFirst().rules().getFirst().mismatches())
        .containsExactly(
            new Mismatch(
                "source.selector",
                "10.0.1.1 is not an address of namespace back, role == \"client\""));
  }

  @Test
  void tiersProfilesAndTheirDefaults() {
    String open =
        """
        kind: GlobalNetworkPolicy
        metadata: {name: p}
        spec: {tier: TIER, selector: role == "server", ingress: [{action: Pass, protocol: UDP}]}
        """;
    Walk denied = ingress(open.replace("TIER", "nowhere"), tcp("10.0.1.1", "10.0.1.2", 80));
    assertThat(denied.decision()).isEqualTo(new Decision.ByTier("nowhere"));
    Walk passed = ingress(open.replace("TIER", "nowhere"), udp("10.0.1.1", "10.0.1.2", 80));
    assertThat(passed.decision())
        .isEqualTo(new Decision.ByRule(Kind.PROFILE, "base", 0, Verdict.ALLOW));
    Walk nothing = ingress("", tcp("10.0.1.1", "10.0.1.2", 80));
    assertThat(nothing.decision()).isEqualTo(new Decision.ByProfiles(true, Verdict.DENY));
    assertThat(nothing.profiles())
        .extracting(Walk.ProfileStep::stored)
        .containsExactly(true, false);
  }

  @Test
  void hostsAndWhatIsOutside() {
    Explanation own = explain("", tcp("10.0.1.1", "192.0.2.1", 80));
    assertThat(own.notes()).containsExactly(Note.WORKLOAD_TO_OWN_HOST);
    assertThat(own.egress()).isPresent();
    assertThat(own.ingress()).isEmpty();
    Explanation back = explain("", tcp("192.0.2.1", "10.0.1.2", 80));
    assertThat(back.notes()).containsExactly(Note.HOST_TO_OWN_WORKLOAD);
    assertThat(back.verdict()).isEqualTo(Verdict.ALLOW);
    Explanation other = explain("", tcp("10.0.1.1", "192.0.2.2", 80));
    assertThat(other.to()).isEqualTo(new Place.Host("n2", Optional.of("n2-all")));
    assertThat(other.ingress().orElseThrow().decision())
        .isEqualTo(new Decision.ByProfiles(false, Verdict.DENY));
    Explanation ssh = explain("", tcp("198.51.100.1", "192.0.2.2", 22));
    assertThat(ssh.from()).isEqualTo(new Place.Outside());
    assertThat(ssh.ingress().orElseThrow().decision())
        .isEqualTo(new Decision.ByFailsafe(new FailsafePort(Protocol.TCP, 22)));
    assertThat(explain("", tcp("10.0.1.1", "10.0.1.1", 1)).notes()).containsExactly(Note.LOCAL);
    assertThat(explain("", tcp("198.51.100.1", "192.0.2.1", 1)).notes())
        .containsExactly(Note.NO_HOST_ENDPOINT);
    assertThat(
            explain("", Question.icmp(end("fd00::1:1"), end("fd00::1:2"), Protocol.ICMPV6, 135, 0))
                .notes())
        .containsExactly(Note.NEIGHBOUR_DISCOVERY);
    Explanation borrowed =
        explain(
            "",
            Question.toPort(
                new End(IpAddress.parse("10.0.2.1"), Optional.of("client")),
                end("10.0.1.2"),
                Protocol.UDP,
                80));
    assertThat(borrowed.verdict()).isEqualTo(Verdict.DENY);
    assertThat(borrowed.notes()).containsExactly(Note.NOT_ITS_ADDRESS);
  }

  @Test
  void whatAgentsSayOfTheirHosts() {
    Map<String, HostSettings> hosts =
        Map.of(
            "n1",
            new HostSettings(WorkloadToHost.Drop, List.of(), List.of()),
            "n2",
            new HostSettings(
                WorkloadToHost.Return,
                List.of(FailsafePort.parse("tcp:2222")),
                List.of(FailsafePort.parse("tcp:443"))));
    Picture told = picture("").withHosts(hosts);
    Explanation own = Explanation.explain(told, tcp("10.0.1.1", "192.0.2.1", 80));
    assertThat(own.verdict()).isEqualTo(Verdict.DENY);
    assertThat(own.egress().orElseThrow().verdict()).isEqualTo(Verdict.ALLOW);
    assertThat(own.notes()).containsExactly(Note.WORKLOAD_TO_OWN_HOST_DROP);
    for (WorkloadToHost action : List.of(WorkloadToHost.Return, WorkloadToHost.Accept)) {
      Explanation open =
          Explanation.explain(
              told.withHosts(Map.of("n1", new HostSettings(action, List.of(), List.of()))),
              tcp("10.0.1.1", "192.0.2.1", 80));
      assertThat(open.verdict()).isEqualTo(Verdict.ALLOW);
      assertThat(open.notes())
          .containsExactly(
              action == WorkloadToHost.Return
                  ? Note.WORKLOAD_TO_OWN_HOST_RETURN
                  : Note.WORKLOAD_TO_OWN_HOST_ACCEPT);
    }
    assertThat(
            Explanation.explain(told, tcp("198.51.100.1", "192.0.2.2", 2222))
                .ingress()
                .orElseThrow()
                .decision())
        .isEqualTo(new Decision.ByFailsafe(new FailsafePort(Protocol.TCP, 2222)));
    Explanation ssh = Explanation.explain(told, tcp("198.51.100.1", "192.0.2.2", 22));
    assertThat(ssh.verdict()).isEqualTo(Verdict.DENY);
    assertThat(ssh.notes()).isEmpty();
    assertThat(Explanation.explain(told, tcp("192.0.2.2", "198.51.100.1", 443)).verdict())
        .isEqualTo(Verdict.ALLOW);
    // Who may not open a flow to his own host, may to another.
    assertThat(Explanation.explain(told, tcp("10.0.1.1", "192.0.2.2", 2222)).verdict())
        .isEqualTo(Verdict.ALLOW);
  }

  @Test
  void whatStagedPoliciesWouldChange() {
    Explanation explanation =
        explain(
            """
            kind: NetworkPolicy
            metadata: {name: web, namespace: back}
            spec: {ingress: [{action: Allow}]}
            ---
            kind: StagedNetworkPolicy
            metadata: {name: web, namespace: back}
            spec: {stagedAction: Delete}
            ---
            kind: StagedGlobalNetworkPolicy
            metadata: {name: a-new}
            spec: {selector: role == "server", order: 1, ingress: [{action: Allow, protocol: UDP}]}
            ---
            kind: StagedGlobalNetworkPolicy
            metadata: {name: web}
            spec: {selector: role == "server", ingress: [{action: Deny}], order: 1}
            """,
            tcp("10.0.1.1", "10.0.1.2", 80));

    assertThat(explanation.verdict()).isEqualTo(Verdict.ALLOW);
    assertThat(explanation.staged())
        .extracting(
            effect ->
                effect.id()
                    + " "
                    + effect.action()
                    + " "
                    + effect.inForce()
                    + " "
                    + effect.outcome().verdict()
                    + " "
                    + effect.changesVerdict())
        .containsExactly(
            "a-new Set false ALLOW false",
            "web Set false DENY true",
            "back/web Delete true DENY true");
    assertThat(explanation.staged().getLast().action()).isEqualTo(StagedAction.Delete);
    assertThat(explanation.withAllStaged().orElseThrow().ingress().orElseThrow().decision())
        .isEqualTo(new Decision.ByRule(Kind.GLOBAL_NETWORK_POLICY, "web", 0, Verdict.DENY));
    assertThat(explain("", tcp("10.0.1.1", "10.0.1.2", 80)).withAllStaged()).isEmpty();
  }

  @Test
  void badQuestions() {
    assertThatThrownBy(() -> tcp("10.0.1.1", "fd00::1:2", 80))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("family");
    assertThatThrownBy(() -> Question.toPort(end("10.0.1.1"), end("10.0.1.2"), Protocol.ICMP, 80))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("port");
    assertThatThrownBy(() -> Question.of(end("10.0.1.1"), end("10.0.1.2"), Protocol.ICMPV6))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("ICMP");
    assertThatThrownBy(
            () ->
                explain(
                    "",
                    Question.of(
                        new End(IpAddress.parse("10.0.1.1"), Optional.of("nobody")),
                        end("10.0.1.2"),
                        Protocol.ICMP)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("nobody");
  }

  private static Walk ingress(String policies, Question question) {
    return explain(policies, question).ingress().orElseThrow();
  }

  private static Explanation explain(String policies, Question question) {
    return Explanation.explain(picture(policies), question);
  }

  private static Picture picture(String policies) {
    String manifest =
        (FLEET + "---\n" + policies).replaceAll("(?m)^kind:", "apiVersion: wayleave.io/v1\nkind:");
    return Picture.of(
        ResourceCodec.fromManifest(
            policies.isEmpty() ? manifest.substring(0, manifest.lastIndexOf("---")) : manifest));
  }

  private static Question tcp(String from, String to, int port) {
    return Question.toPort(end(from), end(to), Protocol.TCP, port);
  }

  private static Question udp(String from, String to, int port) {
    return Question.toPort(end(from), end(to), Protocol.UDP, port);
  }

  private static End end(String address) {
    return End.of(IpAddress.parse(address));
  }
}
