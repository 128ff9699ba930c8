package io.wayleave.policy.dataplane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.model.status.CounterReport;
import io.wayleave.model.status.CounterReport.Count;
import io.wayleave.policy.Fixtures;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.dataplane.PolicyRenderer.Rendering;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class RuleCountersTest {
  private static final RuleBlock BLOCK =
      Fixtures.rules(
          "p",
          """
          ingress:
          - {action: Log, protocol: UDP, destination: {ports: [a, b, 7]}}
          - action: Allow
            protocol: TCP
            source: {ports: [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31]}
            destination: {ports: [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31]}
          - {action: Deny, ipVersion: 6}
          - {action: Pass}
          egress:
          - {action: Allow}
          """);

  /** A chain as iptables-save prints it, the first rule with one packet, the next with two, … */
  private static String saved(String chain, List<String> rules) {
    StringBuilder text = new StringBuilder(":" + chain + " - [0:0]\n");
    for (int i = 0; i < rules.size(); i++) {
      text.append("[%d:%d] -A %s ".formatted(i + 1, 100 * (i + 1), chain))
          .append("-m mark ! --mark 0x1234abc/0x0 ")
          .append(rules.get(i))
          .append('\n');
    }
    return text.toString();
  }

  private static CountedChain counted(Direction direction, Family family, Optional<String> closed) {
    Rendering rendering = PolicyRenderer.render(BLOCK, direction, family);
    return new CountedChain(
        BLOCK, direction, family, rendering.chain().name(), rendering.actsFor(), closed);
  }

  private static List<String> rules(Direction direction, Family family) {
    return PolicyRenderer.render(BLOCK, direction, family).chain().rules();
  }

  private static CounterReport report(List<CountedChain> chains, String saved) {
    return new RuleCounters(
            (command, _) -> {
              assertThat(command).containsExactly("iptables-nft-save", "-c", "-t", "filter");
              return new CommandRunner.Result(0, saved, "");
            },
            IptablesBackend.NFT,
            EnumSet.of(Family.IPV4),
            chains,
            Map.of(BLOCK.id(), "mine"))
        .read("n1");
  }

  @Test
  void aPolicysRuleHasTheSumOfTheRulesThatActForIt() {
    Rendering rendering = PolicyRenderer.render(BLOCK, Direction.Ingress, Family.IPV4);
    // The mark is cleared and the source ports are marked: two rules hold sixteen ports.
    assertThat(rendering.actsFor())
        .containsExactly(0, 0, 0, Rendering.HELPER, Rendering.HELPER, Rendering.HELPER, 1, 1, 3);
    CounterReport report =
        report(
            List.of(
                counted(Direction.Egress, Family.IPV4, Optional.empty()),
                counted(Direction.Ingress, Family.IPV4, Optional.empty())),
            saved("wl-gi-p", rules(Direction.Ingress, Family.IPV4))
                + saved("wl-go-p", rules(Direction.Egress, Family.IPV4))
                + "[9:9] -A INPUT -j wl-gi-p\n");
    assertThat(report.problems()).isEmpty();
    assertThat(report.policies())
        .containsExactly(
            new CounterReport.Policy(
                "GlobalNetworkPolicy p",
                "Ingress",
                List.of(
                    rule(1, "spec.ingress[0]", "Log", 1 + 2 + 3),
                    rule(2, "spec.ingress[1]", "Allow", 7 + 8),
                    new CounterReport.Rule(
                        3, "spec.ingress[2]", "Deny", Optional.empty(), Optional.empty()),
                    rule(4, "spec.ingress[3]", "Pass", 9))),
            new CounterReport.Policy(
                "GlobalNetworkPolicy p", "Egress", List.of(rule(1, "spec.egress[0]", "Allow", 1))));
  }

  @Test
  void aChainThatIsNotAsWrittenIsNotCounted() {
    List<String> written = rules(Direction.Ingress, Family.IPV4);
    List<String> more = new ArrayList<>(written);
    more.addFirst("-j RETURN");
    List<String> swapped = new ArrayList<>(written);
    swapped.addFirst(swapped.removeLast());
    for (List<String> other : List.of(more, swapped, List.<String>of())) {
      CounterReport report =
          report(
              List.of(counted(Direction.Ingress, Family.IPV4, Optional.empty())),
              saved("wl-gi-p", other));
      assertThat(report.problems())
          .containsExactly(
              "GlobalNetworkPolicy p, Ingress, IPv4: the kernel's chain wl-gi-p is not as it was"
                  + " written; the agent repairs it, try again");
      assertThat(report.policies().getFirst().rules())
          .allMatch(rule -> rule.ipv4().isEmpty() && rule.ipv6().isEmpty());
    }
  }

  @Test
  void aClosedChainTellsWhatItDenied() {
    CounterReport report =
        report(
            List.of(counted(Direction.Ingress, Family.IPV4, Optional.of("no such match"))),
            saved("wl-gi-p", List.of("-j DROP")));
    assertThat(report.problems())
        .containsExactly(
            "GlobalNetworkPolicy p, Ingress, IPv4: it is closed and denied 1 packets of 100"
                + " bytes: no such match");
  }

  @Test
  void endpointsChainsTellWhatIsDecidedWithoutARule() {
    List<String> asked =
        List.of(
            "-j wl-gi-p",
            "-m mark --mark 0x0/0x30000 -g wl-deny",
            "-m mark --mark 0x10000/0x10000 -j RETURN",
            "-j MARK --set-xmark 0x0/0x20000",
            "-j wl-pi-p");
    List<String> ofHost = new ArrayList<>();
    ofHost.add("-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN");
    ofHost.add("-m conntrack --ctstate INVALID -j DROP");
    ofHost.addAll(asked);
    ofHost.add("-m mark --mark 0x10000/0x10000 -j RETURN");
    ofHost.add("-m mark --mark 0x20000/0x20000 -j RETURN");
    ofHost.add("-g wl-deny");
    CounterReport report =
        report(
            List.of(counted(Direction.Ingress, Family.IPV4, Optional.empty())),
            saved("wl-gi-p", rules(Direction.Ingress, Family.IPV4))
                + saved("wl-in-0123456789abcdef", asked)
                + saved("wl-in-aaaabbbbccccdddd", asked)
                + saved("wl-hi-0123456789abcdef", ofHost)
                + saved("wl-eg-0123456789abcdef", List.of("-g wl-pass"))
                // Where the set of addresses cannot be asked.
                + saved(
                    "wl-from-wl",
                    List.of("-i wl1 -s 10.0.0.1/32 " + FrameRenderer.ESTABLISHED_PASSES))
                + saved(
                    "wl-to-wl-0",
                    List.of(
                        "-o wl1 -g wl-in-0123456789abcdef",
                        "-o wl1 " + FrameRenderer.ESTABLISHED_PASSES))
                + FrameRenderer.frame(HostRules.DEFAULT, Family.IPV4, true).stream()
                    .map(chain -> saved(chain.name(), chain.rules()))
                    .collect(Collectors.joining())
                // Not of an endpoint.
                + saved("wl-in-short", List.of("-g wl-deny")));
    assertThat(report.others())
        .containsExactlyInAnyOrder(
            // The third and the fourth rule of wl-FORWARD, the first of wl-to, the second of a
            // tree.
            other("workload", "Ingress", "established flow", "Allow", 3 + 4 + 1 + 2),
            // The second and the fourth rule of wl-FORWARD, the second of wl-wl-to-host, and the
            // first of wl-from and of a tree.
            other("workload", "Egress", "established flow", "Allow", 2 + 4 + 2 + 1 + 1),
            // The first of wl-FORWARD and of wl-wl-to-host, and the sixth of wl-host-to-wl.
            other("workload", "both", "established flow that is forbidden now", "Deny", 1 + 1 + 6),
            // Five interfaces are not asked before.
            other("workload", "Ingress", "invalid to connection tracking", "Deny", 7),
            other("workload", "Egress", "invalid to connection tracking", "Deny", 7),
            other("workload", "Ingress", "default action of tier mine", "Deny", 2 + 2),
            other("workload", "Ingress", "no policy decides, and there is no profile", "Allow", 11),
            other("workload", "Egress", "no policy decides, and there is no profile", "Allow", 11),
            other("workload", "Ingress", "no profile allows it", "Deny", 12),
            other("workload", "Egress", "no profile allows it", "Deny", 12),
            other("host", "Ingress", "established flow", "Allow", 1),
            other("host", "Ingress", "invalid to connection tracking", "Deny", 2),
            other("host", "Ingress", "default action of tier mine", "Deny", 4),
            other("host", "Ingress", "no policy decides, and there is no profile", "Allow", 9),
            other("host", "Ingress", "no profile allows it", "Deny", 10));
  }

  @Test
  void whatCannotBeReadIsSaid() {
    RuleCounters counters =
        new RuleCounters(
            (_, _) -> new CommandRunner.Result(4, "", "no permission\n"),
            IptablesBackend.LEGACY,
            Set.of(Family.IPV6),
            List.of(),
            Map.of());
    assertThatThrownBy(() -> counters.read("n1"))
        .isInstanceOf(DataplaneException.class)
        .hasMessage("ip6tables-legacy-save -c -t filter failed: no permission");
  }

  private static CounterReport.Rule rule(int number, String field, String action, int packets) {
    return new CounterReport.Rule(number, field, action, count(packets), Optional.empty());
  }

  private static CounterReport.Other other(
      String endpoints, String direction, String why, String action, int packets) {
    return new CounterReport.Other(
        endpoints, direction, why, action, count(packets), Optional.empty());
  }

  private static Optional<Count> count(int packets) {
    return Optional.of(new Count(packets, 100L * packets));
  }
}
