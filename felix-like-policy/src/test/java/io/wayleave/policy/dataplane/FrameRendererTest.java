package io.wayleave.policy.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.model.Kind;
import io.wayleave.model.Tier.DefaultAction;
import io.wayleave.model.policy.FailsafePort;
import io.wayleave.model.policy.HostSettings;
import io.wayleave.model.policy.WorkloadToHost;
import io.wayleave.policy.calc.ResolvedPolicies;
import io.wayleave.policy.calc.ResolvedPolicies.TierPolicies;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.dataplane.FrameRenderer.HostInterface;
import io.wayleave.policy.dataplane.TableWalk.End;
import io.wayleave.policy.dataplane.TableWalk.Packet;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class FrameRendererTest {
  private static final int ALLOWED = 0x10000;
  private static final ResolvedPolicies OPEN =
      new ResolvedPolicies(List.of(), List.of(), List.of(), true);
  private static final ResolvedPolicies GOVERNED =
      new ResolvedPolicies(
          List.of(
              new TierPolicies("first", DefaultAction.Pass, List.of(id("a"), id("b"))),
              new TierPolicies("default", DefaultAction.Deny, List.of(id("c")))),
          List.of(),
          List.of(new RuleBlock.Id(Kind.PROFILE, "p")),
          false);

  @Test
  void tiersThenProfilesThenTheEnd() {
    assertThat(FrameRenderer.decision(Direction.Ingress, GOVERNED).rules())
        .containsExactly(
            "-j wl-gi-a",
            "-m mark --mark 0x0/0x30000 -j wl-gi-b",
            "-m mark --mark 0x10000/0x10000 -j RETURN",
            "-j MARK --set-xmark 0x0/0x20000",
            "-j wl-gi-c",
            "-m mark --mark 0x0/0x30000 -g wl-deny",
            "-m mark --mark 0x10000/0x10000 -j RETURN",
            "-j MARK --set-xmark 0x0/0x20000",
            "-j wl-pi-p");
    assertThat(FrameRenderer.decision(Direction.Egress, OPEN).rules())
        .containsExactly("-g wl-pass");
    // The usual one is short: there is one for nearly every container of a host.
    assertThat(
            FrameRenderer.decision(
                    Direction.Ingress,
                    new ResolvedPolicies(
                        GOVERNED.ingress().subList(1, 2), List.of(), List.of(), true))
                .rules())
        .containsExactly("-j wl-gi-c", "-m mark --mark 0x0/0x30000 -g wl-deny");
  }

  @Test
  void whoIsGovernedAlikeSharesAChain() {
    Chain one = FrameRenderer.decision(Direction.Ingress, GOVERNED);
    assertThat(one).isEqualTo(FrameRenderer.decision(Direction.Ingress, GOVERNED));
    List<ResolvedPolicies> others = new ArrayList<>();
    others.add(OPEN);
    others.add(new ResolvedPolicies(GOVERNED.ingress(), List.of(), List.of(), false));
    others.add(
        new ResolvedPolicies(GOVERNED.ingress().reversed(), List.of(), GOVERNED.profiles(), false));
    others.add(new ResolvedPolicies(GOVERNED.ingress(), List.of(), GOVERNED.profiles(), true));
    assertThat(others)
        .extracting(policies -> FrameRenderer.decision(Direction.Ingress, policies).name())
        .doesNotContain(one.name())
        .doesNotHaveDuplicates();
    assertThat(one.name()).hasSizeLessThanOrEqualTo(ChainNames.MAX_LENGTH);
  }

  /** What a block does with the packet at hand. */
  private enum Verdict {
    ALLOW("-g wl-allow"),
    DENY("-g wl-deny"),
    PASS("-g wl-pass"),
    NOTHING("");

    private final String rule;

    Verdict(String rule) {
      this.rule = rule;
    }
  }

  /** Thousands of random tiers against what the words of the model say. */
  @Test
  void everyWalkThroughTiersEndsAsTheModelSays() {
    int allowed = 0;
    for (int seed = 0; seed < 5_000; seed++) {
      Random random = new Random(seed);
      Map<RuleBlock.Id, Verdict> verdicts = new HashMap<>();
      List<TierPolicies> tiers = new ArrayList<>();
      for (int tier = random.nextInt(4); tier > 0; tier--) {
        List<RuleBlock.Id> policies = new ArrayList<>();
        for (int policy = 1 + random.nextInt(3); policy > 0; policy--) {
          RuleBlock.Id id = id("t" + tier + "p" + policy);
          policies.add(id);
          verdicts.put(id, verdict(random, true));
        }
        tiers.add(
            new TierPolicies(
                "t" + tier,
                random.nextInt(3) == 0 ? DefaultAction.Deny : DefaultAction.Pass,
                policies));
      }
      List<RuleBlock.Id> profiles = new ArrayList<>();
      for (int profile = random.nextInt(3); profile > 0; profile--) {
        RuleBlock.Id id = new RuleBlock.Id(Kind.PROFILE, "r" + profile);
        profiles.add(id);
        verdicts.put(id, verdict(random, false));
      }
      ResolvedPolicies policies =
          new ResolvedPolicies(tiers, tiers, profiles, profiles.isEmpty() && random.nextBoolean());
      boolean expected = expected(policies, verdicts);
      allowed += expected ? 1 : 0;
      for (Direction direction : Direction.values()) {
        Map<String, List<String>> chains = frame(WorkloadToHost.Return, Family.IPV4);
        verdicts.forEach(
            (id, verdict) ->
                chains.put(
                    ChainNames.rules(direction, id),
                    Stream.of(verdict.rule).filter(rule -> !rule.isEmpty()).toList()));
        decide(chains, direction, policies);
        // Whatever marks it comes with.
        End end =
            TableWalk.walk(
                chains,
                direction == Direction.Egress ? "wl-from" : "wl-to",
                Packet.through("wl1", "wl1"),
                random.nextInt(8) << 16);
        assertThat(end.verdict()).as("seed %s", seed).isEqualTo(expected ? "RETURN" : "DROP");
        assertThat(!expected || (end.mark() & ALLOWED) != 0).as("mark, seed %s", seed).isTrue();

        Chain host =
            FrameRenderer.hostDecision(direction, policies, HostRules.DEFAULT, Family.IPV4);
        chains.put(host.name(), host.rules());
        assertThat(
                TableWalk.walk(chains, host.name(), Packet.in("eth0"), random.nextInt(8) << 16)
                    .verdict())
            .as("host endpoint, seed %s", seed)
            .isEqualTo(expected ? "RETURN" : "DROP");
      }
    }
    assertThat(allowed).isBetween(1_000, 4_000);
  }

  private static Verdict verdict(Random random, boolean mayPass) {
    return switch (random.nextInt(mayPass ? 5 : 4)) {
      case 0 -> Verdict.ALLOW;
      case 1 -> Verdict.DENY;
      case 4 -> Verdict.PASS;
      default -> Verdict.NOTHING;
    };
  }

  private static boolean expected(ResolvedPolicies policies, Map<RuleBlock.Id, Verdict> verdicts) {
    for (TierPolicies tier : policies.ingress()) {
      Verdict decided =
          tier.policies().stream()
              .map(verdicts::get)
              .filter(verdict -> verdict != Verdict.NOTHING)
              .findFirst()
              .orElse(tier.defaultAction() == DefaultAction.Deny ? Verdict.DENY : Verdict.PASS);
      if (decided != Verdict.PASS) {
        return decided == Verdict.ALLOW;
      }
    }
    return policies.profiles().stream()
        .map(verdicts::get)
        .filter(verdict -> verdict != Verdict.NOTHING)
        .findFirst()
        .map(verdict -> verdict == Verdict.ALLOW)
        .orElse(policies.openWithoutPolicies());
  }

  @Test
  void establishedFlowsAskNoPolicyAndInvalidPacketsAreDropped() {
    Map<String, List<String>> chains = frame(WorkloadToHost.Return, Family.IPV4);
    ResolvedPolicies closed = new ResolvedPolicies(List.of(), List.of(), List.of(), false);
    decide(chains, Direction.Ingress, closed);
    Packet packet = Packet.out("wl1").knowing("dst");
    assertThat(TableWalk.walk(chains, "wl-to", packet, 0).verdict()).isEqualTo("DROP");
    End established = TableWalk.walk(chains, "wl-to", packet.inState("ESTABLISHED"), 0);
    assertThat(established.verdict()).isEqualTo("RETURN");
    assertThat(established.mark()).isEqualTo(ALLOWED);
    assertThat(established.rules()).isLessThanOrEqualTo(2);
    decide(chains, Direction.Ingress, OPEN);
    assertThat(TableWalk.walk(chains, "wl-to", packet, 0).verdict()).isEqualTo("RETURN");
    assertThat(TableWalk.walk(chains, "wl-to", packet.inState("INVALID"), 0).verdict())
        .isEqualTo("DROP");
  }

  @Test
  void whatAContainerSendsToItsHost() {
    for (WorkloadToHost action : WorkloadToHost.values()) {
      Map<String, List<String>> chains = frame(action, Family.IPV6);
      add(chains, FrameRenderer.hostDispatch(List.of()));
      chains.put("wl-from-wl", List.of("-i wl1 -s fd00::1/128 -g wl-allow", "-j DROP"));
      Packet own = Packet.in("wl1").from("fd00::1").knowing("src");
      assertThat(input(chains, own))
          .isEqualTo(
              switch (action) {
                case Return -> "RETURN";
                case Accept -> "ACCEPT";
                case Drop -> "DROP";
              });
      // Answers to what the host began.
      assertThat(input(chains, own.inState("ESTABLISHED"))).isIn("RETURN", "ACCEPT");
      assertThat(input(chains, Packet.in("wl1").from("fd00::2"))).isEqualTo("DROP");
      assertThat(input(chains, Packet.in("wl2").from("fd00::1"))).isEqualTo("DROP");
      assertThat(input(chains, Packet.in("wl1").from("fe80::1").icmp6(135))).isEqualTo("RETURN");
      assertThat(input(chains, Packet.in("wl1").from("::").icmp6(136))).isEqualTo("RETURN");
      assertThat(input(chains, Packet.in("wl1").from("fe80::1").icmp6(128))).isEqualTo("DROP");
      // Not ours, whatever mark others gave it.
      for (String other : List.of("wlan0", "eth0", "lo")) {
        assertThat(TableWalk.walk(chains, "wl-INPUT", Packet.in(other), ALLOWED).verdict())
            .isEqualTo("RETURN");
      }
    }
  }

  @Test
  void whatIsForwardedNeedsBothEnds() {
    Map<String, List<String>> chains = frame(WorkloadToHost.Return, Family.IPV4);
    chains.put("wl-from-wl", List.of("-i wl1 -g wl-allow", "-j DROP"));
    chains.put("wl-to-wl", List.of("-o wl1 -g wl-allow", "-j DROP"));
    assertThat(forward(chains, "wl1", "eth0")).isEqualTo("ACCEPT");
    assertThat(forward(chains, "eth0", "wl1")).isEqualTo("ACCEPT");
    assertThat(forward(chains, "wl1", "wl1")).isEqualTo("ACCEPT");
    assertThat(forward(chains, "wl1", "wl2")).isEqualTo("DROP");
    assertThat(forward(chains, "wl2", "wl1")).isEqualTo("DROP");
    assertThat(forward(chains, "wl1", "wlan0")).isEqualTo("ACCEPT");
    assertThat(forward(chains, "eth0", "eth1")).isEqualTo("RETURN");
    assertThat(forward(chains, "wlan0", "eth1")).isEqualTo("RETURN");
  }

  /** The trees stop everything, so what is accepted did not come to them. */
  @Test
  void establishedFlowsBetweenKnownAddressesAreForwardedWithoutTheTrees() {
    Map<String, List<String>> chains = frame(WorkloadToHost.Return, Family.IPV4);
    chains.put("wl-from-wl", List.of("-j DROP"));
    chains.put("wl-to-wl", List.of("-j DROP"));
    Packet out = Packet.through("wl1", "eth0").knowing("src");
    Packet in = Packet.through("eth0", "wl1").knowing("dst");
    Packet here = Packet.through("wl1", "wl2").knowing("src", "dst");
    for (Packet packet : List.of(out, in, here)) {
      for (String state : List.of("ESTABLISHED", "RELATED")) {
        End end = TableWalk.walk(chains, "wl-FORWARD", packet.inState(state), ALLOWED);
        assertThat(end.verdict()).as("%s", packet).isEqualTo("ACCEPT");
        assertThat(end.rules()).isLessThanOrEqualTo(4);
      }
      for (String state : List.of("NEW", "INVALID", "UNTRACKED")) {
        assertThat(forward(chains, packet.inState(state))).as("%s", packet).isEqualTo("DROP");
      }
      // Forged, or by an interface of no endpoint.
      assertThat(forward(chains, packet.knowing().inState("ESTABLISHED"))).isEqualTo("DROP");
    }
    for (Packet packet :
        List.of(
            here.knowing("src"),
            here.knowing("dst"),
            Packet.through("wl1", "wlan0"),
            Packet.through("wlan0", "wl1"))) {
      assertThat(forward(chains, packet.inState("ESTABLISHED"))).as("%s", packet).isEqualTo("DROP");
    }
    for (Packet packet :
        List.of(
            Packet.through("wl1", "wlan0").knowing("src"),
            Packet.through("wlan0", "wl1").knowing("dst"))) {
      assertThat(forward(chains, packet.inState("ESTABLISHED")))
          .as("%s", packet)
          .isEqualTo("ACCEPT");
    }
    // Neither is ours, and what others do with established flows is theirs.
    for (Packet packet :
        List.of(
            Packet.through("eth0", "eth1"),
            Packet.through("wlan0", "eth0"),
            Packet.through("eth0", "wlan0"))) {
      assertThat(forward(chains, packet.inState("ESTABLISHED"))).isEqualTo("RETURN");
    }
  }

  @Test
  void establishedFlowsOfKnownAddressesComeToTheHostWithoutTheTree() {
    for (WorkloadToHost action : WorkloadToHost.values()) {
      Map<String, List<String>> chains = frame(action, Family.IPV4);
      add(
          chains,
          FrameRenderer.hostDispatch(
              List.of(new HostInterface("*", named("all-in"), named("all-out")))));
      chains.put("wl-from-wl", List.of("-j DROP"));
      Packet answer = Packet.in("wl1").knowing("src").inState("ESTABLISHED");
      assertThat(input(chains, answer))
          .isEqualTo(action == WorkloadToHost.Return ? "RETURN" : "ACCEPT");
      assertThat(input(chains, answer.knowing())).isEqualTo("DROP");
      assertThat(input(chains, answer.inState("NEW"))).isEqualTo("DROP");
    }
  }

  @Test
  void packetsOfForbiddenFlowsAreDroppedOnEachWayAndFirst() {
    for (Family family : Family.values()) {
      Map<String, List<String>> chains = frame(WorkloadToHost.Accept, family);
      add(chains, FrameRenderer.hostDispatch(List.of()));
      for (Packet packet :
          List.of(
              Packet.through("wl1", "eth0"),
              Packet.through("eth0", "wl1"),
              Packet.through("wl1", "wl2"),
              Packet.in("wl1"),
              Packet.out("wl1"))) {
        String chain =
            packet.in().isEmpty()
                ? "wl-OUTPUT"
                : packet.out().isEmpty() ? "wl-INPUT" : "wl-FORWARD";
        Packet known = packet.knowing("src", "dst").inState("ESTABLISHED");
        assertThat(TableWalk.walk(chains, chain, known, 0).verdict())
            .as("%s", packet)
            .isEqualTo("ACCEPT");
        assertThat(TableWalk.walk(chains, chain, known.ofForbiddenFlow(), 0).verdict())
            .as("%s", packet)
            .isEqualTo("DROP");
      }
      assertThat(
              FrameRenderer.frame(
                  new HostRules(
                      new HostSettings(WorkloadToHost.Accept, List.of(), List.of()), false, false),
                  family,
                  true))
          .flatExtracting(Chain::rules)
          .noneMatch(rule -> rule.contains("connmark"));
    }
  }

  @Test
  void withoutTheSetNoRuleAsksForIt() {
    List<String> rules =
        FrameRenderer.frame(HostRules.DEFAULT, Family.IPV4, false).stream()
            .flatMap(chain -> chain.rules().stream())
            .toList();
    assertThat(rules).isNotEmpty().noneMatch(rule -> rule.contains("-m set"));
  }

  @Test
  void theFirstHostInterfaceThatFitsDecides() {
    Map<String, List<String>> chains = frame(WorkloadToHost.Return, Family.IPV4);
    chains.put("wl-from-wl", List.of("-i wl1 -g wl-allow", "-j DROP"));
    add(
        chains,
        FrameRenderer.hostDispatch(
            List.of(
                new HostInterface("eth0", named("eth0-in"), named("eth0-out")),
                new HostInterface("od d\"\\", named("odd-in"), named("odd-out")),
                new HostInterface("*", named("all-in"), named("all-out")))));
    assertThat(chains.get("wl-INPUT")).contains("-i \"od d\\\"\\\\\" -g odd-in");
    chains.get("wl-INPUT").removeIf(rule -> rule.contains("odd"));
    chains.get("wl-OUTPUT").removeIf(rule -> rule.contains("odd"));
    assertThat(input(chains, Packet.in("eth0"))).isEqualTo("eth0-in");
    assertThat(input(chains, Packet.in("eth1"))).isEqualTo("all-in");
    assertThat(input(chains, Packet.in("wlan0"))).isEqualTo("all-in");
    assertThat(input(chains, Packet.in("lo"))).isEqualTo("RETURN");
    assertThat(input(chains, Packet.in("wl1"))).isEqualTo("RETURN");
    assertThat(output(chains, "eth0")).isEqualTo("eth0-out");
    assertThat(output(chains, "wlan0")).isEqualTo("all-out");
    assertThat(output(chains, "lo")).isEqualTo("RETURN");
    // From the host to its own containers, known or not.
    assertThat(output(chains, "wl7")).isEqualTo("ACCEPT");
  }

  @Test
  void failsafePortsComeBeforePolicies() {
    ResolvedPolicies closed = new ResolvedPolicies(List.of(), List.of(), List.of(), false);
    Map<String, List<String>> chains = new HashMap<>();
    Chain in =
        FrameRenderer.hostDecision(Direction.Ingress, closed, HostRules.DEFAULT, Family.IPV6);
    Chain out =
        FrameRenderer.hostDecision(Direction.Egress, closed, HostRules.DEFAULT, Family.IPV6);
    add(chains, List.of(in, out));
    assertThat(in.rules())
        .startsWith(
            "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
            "-p tcp -m multiport --dports 22,179,2379,2380,5473,6443,6666,6667 -j RETURN",
            "-p udp -m multiport --dports 68 -j RETURN");
    assertThat(decided(chains, in, Packet.in("eth0").to("tcp", 22))).isEqualTo("RETURN");
    assertThat(decided(chains, in, Packet.in("eth0").to("udp", 22))).isEqualTo("wl-deny");
    assertThat(decided(chains, in, Packet.in("eth0").to("udp", 53))).isEqualTo("wl-deny");
    assertThat(decided(chains, out, Packet.out("eth0").to("udp", 53))).isEqualTo("RETURN");
    assertThat(decided(chains, out, Packet.out("eth0").to("tcp", 22))).isEqualTo("wl-deny");
    assertThat(decided(chains, in, Packet.in("eth0").icmp6(135))).isEqualTo("RETURN");
    assertThat(decided(chains, out, Packet.out("eth0").icmp6(136))).isEqualTo("RETURN");
    assertThat(decided(chains, in, Packet.in("eth0").icmp6(128))).isEqualTo("wl-deny");
    assertThat(decided(chains, in, Packet.in("eth0").inState("ESTABLISHED"))).isEqualTo("RETURN");

    // More than one match holds.
    List<FailsafePort> many = new ArrayList<>();
    for (int port = 1; port <= 20; port++) {
      many.add(FailsafePort.parse("sctp:" + port));
    }
    Chain own =
        FrameRenderer.hostDecision(
            Direction.Ingress,
            closed,
            new HostRules(new HostSettings(WorkloadToHost.Return, many, List.of()), false, true),
            Family.IPV4);
    assertThat(own.rules())
        .contains(
            "-p sctp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15 -j RETURN",
            "-p sctp -m multiport --dports 16,17,18,19,20 -j RETURN");
  }

  /** Leads packets of wl1 to this decision. */
  private static void decide(
      Map<String, List<String>> chains, Direction direction, ResolvedPolicies policies) {
    Chain decision = FrameRenderer.decision(direction, policies);
    chains.put(decision.name(), decision.rules());
    boolean from = direction == Direction.Egress;
    chains.put(
        from ? "wl-from-wl" : "wl-to-wl",
        List.of((from ? "-i" : "-o") + " wl1 -g " + decision.name(), "-j DROP"));
  }

  private static RuleBlock.Id id(String name) {
    return new RuleBlock.Id(Kind.GLOBAL_NETWORK_POLICY, name);
  }

  private static Chain named(String name) {
    return Chain.structure(name, List.of());
  }

  private static Map<String, List<String>> frame(WorkloadToHost action, Family family) {
    Map<String, List<String>> chains = new HashMap<>();
    add(
        chains,
        FrameRenderer.frame(
            new HostRules(new HostSettings(action, List.of(), List.of()), false, true),
            family,
            true));
    return chains;
  }

  private static void add(Map<String, List<String>> chains, List<Chain> more) {
    more.forEach(chain -> chains.put(chain.name(), new ArrayList<>(chain.rules())));
  }

  private static String decided(Map<String, List<String>> chains, Chain chain, Packet packet) {
    return TableWalk.walk(chains, chain.name(), packet, 0).verdict();
  }

  private static String input(Map<String, List<String>> chains, Packet packet) {
    return TableWalk.walk(chains, "wl-INPUT", packet, 0).verdict();
  }

  private static String output(Map<String, List<String>> chains, String interfaceName) {
    return TableWalk.walk(chains, "wl-OUTPUT", Packet.out(interfaceName), ALLOWED).verdict();
  }

  private static String forward(Map<String, List<String>> chains, String in, String out) {
    return forward(chains, Packet.through(in, out));
  }

  private static String forward(Map<String, List<String>> chains, Packet packet) {
    return TableWalk.walk(chains, "wl-FORWARD", packet, ALLOWED).verdict();
  }
}
