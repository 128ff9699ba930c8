package io.wayleave.policy.dataplane;

import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.Protocol;
import io.wayleave.model.Tier;
import io.wayleave.model.policy.FailsafePort;
import io.wayleave.model.policy.WorkloadToHost;
import io.wayleave.policy.calc.ResolvedPolicies;
import io.wayleave.policy.calc.ResolvedPolicies.TierPolicies;
import io.wayleave.policy.calc.RuleBlock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Everything but the policies' own rules: where packets enter our chains, how they find their
 * endpoint, and what an endpoint asks.
 *
 * <pre>
 *   FORWARD ─▶ wl-FORWARD   of a flow that policy forbids now: DROP, also in the other two
 *                           established, and of ours only from and to known addresses: ACCEPT
 *                           no marks
 *                           in by wl+  ─▶ wl-from
 *                           out by wl+ ─▶ wl-to
 *                           allowed? ACCEPT
 *   INPUT   ─▶ wl-INPUT     in by wl+  ─▶ wl-wl-to-host ─▶ wl-from, then as the host wants it;
 *                                         established from a known address: at once
 *                           else       ─▶ wl-hi-… of the host endpoint of the interface
 *   OUTPUT  ─▶ wl-OUTPUT    out by wl+ ─▶ wl-host-to-wl: ACCEPT
 *                           else       ─▶ wl-ho-… of the host endpoint of the interface
 *
 *   wl-from                 established from a known address: allowed
 *                           ─▶ wl-from-wl-… IF and its address ─▶ wl-eg-… ─▶ blocks
 *                           allowed or passed on? allowed, else denied
 *   wl-to                   the same with wl-to-wl-… IF ─▶ wl-in-… ─▶ blocks
 * </pre>
 *
 * <p>A block that denies a packet drops it. One that allows it sets a mark ({@link Marks}) and
 * returns, so that a packet between two containers of this host is asked on both sides; in FORWARD
 * it is then accepted, whatever rules (Docker's policy of DROP, say) follow. What comes from the
 * host itself is always allowed to its own containers, as in Calico, so that health checks work
 * under any policy. What a host endpoint allows is left to the host's own rules: they may be
 * stricter.
 *
 * <p>How an endpoint decides does not depend on which endpoint it is; so those that the same
 * policies govern share a chain, which is named after its content. It has nothing but the walk
 * through tiers and profiles: what is the same for all endpoints stands once, in front of the trees
 * and behind them, because the kernel checks all chains anew whenever one is written. The dispatch
 * chains end in DROP: an interface of ours that is not known passes nothing, also while no agent
 * runs.
 *
 * <p>Packets of established flows do not walk the trees, whose length grows with the number of
 * endpoints: one set has the addresses of all endpoints, each at its interface, and by it the first
 * rules accept them. What these rules do not take, a forged address or an unknown interface, is
 * left to the trees. Without the set the trees themselves accept established flows ({@link
 * #ESTABLISHED_PASSES}). {@link ChainNames#FOREIGN_INTERFACES} are asked nothing. Pure.
 */
final class FrameRenderer {
  /** What one multiport match holds (xt_multiport). */
  private static final int MULTIPORT_SLOTS = 15;

  private static final String OURS = ChainNames.INTERFACE_PREFIX + "+";
  private static final String DROP = "-j DROP";
  private static final String DENY = "-g " + ChainNames.DENY;
  private static final String ALLOW = "-g " + ChainNames.ALLOW;
  private static final String RETURN = "-j RETURN";
  private static final String ESTABLISHED = "-m conntrack --ctstate RELATED,ESTABLISHED ";
  private static final String INVALID = "-m conntrack --ctstate INVALID ";

  /** For the trees of a family that does not know the set of endpoints' addresses. */
  static final String ESTABLISHED_PASSES = ESTABLISHED + ALLOW;

  /**
   * Neighbour solicitation and advertisement, without which no packet finds its way. RFC 4861
   * section 7.1 makes a hop limit of 255 prove that they were not forwarded; so they are seen where
   * packets are for the host or of it, and never in FORWARD.
   */
  private static final List<String> NEIGHBOUR_DISCOVERY =
      List.of(neighbourDiscovery(135), neighbourDiscovery(136));

  private FrameRenderer() {}

  /** An interface, or {@link HostEndpoint#ALL_INTERFACES}, and how its packets are decided. */
  record HostInterface(String name, Chain ingress, Chain egress) {}

  /** The host's chain to ours. */
  static Map<String, Optional<String>> hooks() {
    Map<String, Optional<String>> hooks = new LinkedHashMap<>();
    hooks.put("FORWARD", Optional.of(ChainNames.FORWARD));
    hooks.put("INPUT", Optional.of(ChainNames.INPUT));
    hooks.put("OUTPUT", Optional.of(ChainNames.OUTPUT));
    return hooks;
  }

  /** No chain of the host leads to ours. */
  static Map<String, Optional<String>> noHooks() {
    Map<String, Optional<String>> none = new LinkedHashMap<>(hooks());
    none.replaceAll((_, _) -> Optional.empty());
    return none;
  }

  /**
   * The chains that do not depend on endpoints.
   *
   * @param knowsEndpoints whether the set {@link ChainNames#endpoints} is there and may be asked
   */
  static List<Chain> frame(HostRules host, Family family, boolean knowsEndpoints) {
    List<String> fromHost = new ArrayList<>(foreignInterfaces("-o"));
    fromHost.addAll(forbiddenFlows(host));
    fromHost.add("-j ACCEPT");
    return List.of(
        forward(host, family, knowsEndpoints),
        workload(Direction.Egress, family, knowsEndpoints),
        workload(Direction.Ingress, family, knowsEndpoints),
        workloadToHost(host, family, knowsEndpoints),
        Chain.structure(ChainNames.HOST_TO_WORKLOAD, fromHost),
        deny(host),
        Chain.structure(ChainNames.ALLOW, List.of(Marks.set(Marks.ALLOWED))),
        Chain.structure(ChainNames.PASS, List.of(Marks.set(Marks.PASSED))));
  }

  private static List<String> foreignInterfaces(String option) {
    return ChainNames.FOREIGN_INTERFACES.stream()
        .sorted()
        .map(foreign -> option + " " + foreign + "+ " + RETURN)
        .toList();
  }

  /** What all packets from (Egress) or to (Ingress) containers pass; it returns those it allows. */
  private static Chain workload(Direction direction, Family family, boolean knowsEndpoints) {
    boolean from = direction == Direction.Egress;
    List<String> rules = new ArrayList<>();
    if (knowsEndpoints) {
      rules.add(ESTABLISHED + isEndpoint(family, side(direction)) + ALLOW);
    }
    rules.addAll(foreignInterfaces(from ? "-i" : "-o"));
    rules.add(INVALID + DROP);
    // The packet may carry the mark of the other endpoint's decision.
    rules.add(Marks.set(Marks.UNDECIDED));
    rules.add("-j " + (from ? ChainNames.FROM_TREE : ChainNames.TO_TREE));
    rules.addAll(end(ALLOW));
    return Chain.structure(from ? ChainNames.FROM_WORKLOAD : ChainNames.TO_WORKLOAD, rules);
  }

  /** What becomes of a packet when all have been asked. */
  private static List<String> end(String allow) {
    return List.of(
        Marks.has(Marks.ALLOWED) + " " + RETURN, Marks.has(Marks.PASSED) + " " + allow, DENY);
  }

  /**
   * Once on each way of packets from and to containers, and before established flows pass. A flow
   * of the host to its own container is never marked, but the answers of the host are packets of a
   * flow that its container began.
   */
  private static List<String> forbiddenFlows(HostRules host) {
    return host.removeEstablished() ? List.of(Marks.ofForbiddenFlow() + " " + DENY) : List.of();
  }

  private static Chain forward(HostRules host, Family family, boolean knowsEndpoints) {
    List<String> rules = new ArrayList<>(forbiddenFlows(host));
    if (knowsEndpoints) {
      String from = isEndpoint(family, "src");
      String to = isEndpoint(family, "dst");
      rules.add("-i " + OURS + " ! -o " + OURS + " " + ESTABLISHED + from + "-j ACCEPT");
      rules.add("! -i " + OURS + " -o " + OURS + " " + ESTABLISHED + to + "-j ACCEPT");
      rules.add("-i " + OURS + " -o " + OURS + " " + ESTABLISHED + from + to + "-j ACCEPT");
    }
    rules.add(Marks.set(Marks.UNDECIDED));
    rules.add("-i " + OURS + " -j " + ChainNames.FROM_WORKLOAD);
    rules.add("-o " + OURS + " -j " + ChainNames.TO_WORKLOAD);
    rules.add(Marks.has(Marks.ALLOWED) + " -j ACCEPT");
    return Chain.structure(ChainNames.FORWARD, rules);
  }

  /** The match of what comes by an interface from its endpoint's address, or goes so to it. */
  private static String isEndpoint(Family family, String side) {
    return "-m set --match-set " + ChainNames.endpoints(family) + " " + side + "," + side + " ";
  }

  /**
   * Whether a rule lets packets of established flows pass that endpoints send (Egress) or receive.
   */
  static boolean passesEstablished(String rule, Direction direction) {
    return Arrays.stream(Family.values())
        .anyMatch(family -> rule.contains(isEndpoint(family, side(direction)).strip()));
  }

  /** Where a packet in this direction has the endpoint's address. */
  private static String side(Direction direction) {
    return switch (direction) {
      case Ingress -> "dst";
      case Egress -> "src";
    };
  }

  /** Where all go that a policy, a tier or the lack of a profile denies. */
  private static Chain deny(HostRules host) {
    return Chain.structure(
        ChainNames.DENY,
        host.logDenied() ? List.of(LogPrefix.deniedTarget(), DROP) : List.of(DROP));
  }

  private static Chain workloadToHost(HostRules host, Family family, boolean knowsEndpoints) {
    WorkloadToHost action = host.settings().workloadToHostAction();
    List<String> rules = new ArrayList<>(forbiddenFlows(host));
    if (knowsEndpoints) {
      rules.add(
          ESTABLISHED
              + isEndpoint(family, "src")
              + switch (action) {
                case Return -> "-g " + ChainNames.ALLOW;
                case Accept, Drop -> "-j ACCEPT";
              });
    }
    if (family == Family.IPV6) {
      // From link-local addresses and from ::, so before addresses are looked at.
      NEIGHBOUR_DISCOVERY.forEach(match -> rules.add(match + RETURN));
    }
    rules.add(Marks.set(Marks.UNDECIDED));
    rules.add("-j " + ChainNames.FROM_WORKLOAD);
    switch (action) {
      case Return -> {}
      case Accept -> rules.add(Marks.has(Marks.ALLOWED) + " -j ACCEPT");
      case Drop -> {
        rules.add(Marks.has(Marks.ALLOWED) + " " + ESTABLISHED + "-j ACCEPT");
        rules.add(Marks.has(Marks.ALLOWED) + " " + DROP);
      }
    }
    return Chain.structure(ChainNames.WORKLOAD_TO_HOST, rules);
  }

  /** Where packets for the host and of the host go; the first interface that fits decides. */
  static List<Chain> hostDispatch(List<HostInterface> interfaces) {
    List<String> in = new ArrayList<>();
    List<String> out = new ArrayList<>();
    in.add("-i " + OURS + " -j " + ChainNames.WORKLOAD_TO_HOST);
    out.add("-o " + OURS + " -j " + ChainNames.HOST_TO_WORKLOAD);
    for (HostInterface each : interfaces) {
      if (each.name().equals(HostEndpoint.ALL_INTERFACES)) {
        in.add("-i lo " + RETURN);
        out.add("-o lo " + RETURN);
        // What comes from a container has its verdict: only then is it marked here.
        in.add("-i " + OURS + " " + Marks.has(Marks.ALLOWED) + " " + RETURN);
        in.add("-g " + each.ingress().name());
        out.add("-g " + each.egress().name());
      } else {
        in.add("-i " + quoted(each.name()) + " -g " + each.ingress().name());
        out.add("-o " + quoted(each.name()) + " -g " + each.egress().name());
      }
    }
    return List.of(Chain.structure(ChainNames.INPUT, in), Chain.structure(ChainNames.OUTPUT, out));
  }

  /**
   * How an endpoint decides about a packet without marks: one that is allowed gets the mark of
   * that, or the one of being passed on by all; any other is dropped or comes back without a mark.
   */
  static Chain decision(Direction direction, ResolvedPolicies policies) {
    List<String> rules = walk(direction, policies);
    return Chain.structure(ChainNames.decision(direction, rules), rules);
  }

  /** How a host endpoint decides: it returns what it allows and drops the rest. */
  static Chain hostDecision(
      Direction direction, ResolvedPolicies policies, HostRules host, Family family) {
    List<String> rules = new ArrayList<>();
    rules.add(ESTABLISHED + RETURN);
    rules.addAll(failsafes(host.settings().failsafes(direction)));
    if (family == Family.IPV6) {
      NEIGHBOUR_DISCOVERY.forEach(match -> rules.add(match + RETURN));
    }
    rules.add(INVALID + DROP);
    rules.add(Marks.set(Marks.UNDECIDED));
    // In the chain itself: a walk that ends early returns from it, and means that it allows.
    rules.addAll(walk(direction, policies));
    rules.addAll(end(RETURN));
    return Chain.structure(ChainNames.hostDecision(direction, rules), rules);
  }

  private static List<String> failsafes(List<FailsafePort> ports) {
    Map<Protocol, List<Integer>> byProtocol = new LinkedHashMap<>();
    ports.stream()
        .distinct()
        .forEach(
            port ->
                byProtocol
                    .computeIfAbsent(port.protocol(), _ -> new ArrayList<>())
                    .add(port.port()));
    List<String> rules = new ArrayList<>();
    byProtocol.forEach(
        (protocol, numbers) -> {
          for (int i = 0; i < numbers.size(); i += MULTIPORT_SLOTS) {
            rules.add(
                "-p "
                    + protocol.toString().toLowerCase(Locale.ROOT)
                    + numbers.subList(i, Math.min(numbers.size(), i + MULTIPORT_SLOTS)).stream()
                        .map(Object::toString)
                        .collect(Collectors.joining(",", " -m multiport --dports ", " "))
                    + RETURN);
          }
        });
    return rules;
  }

  /**
   * Tiers, then profiles. A block that allows sets a mark, and so does one that passes on: then the
   * rest of its tier is not asked.
   */
  private static List<String> walk(Direction direction, ResolvedPolicies policies) {
    List<TierPolicies> tiers = policies.tiers(direction);
    List<String> rules = new ArrayList<>();
    // Whether a packet may come to the end of what there is so far without a mark.
    boolean undecided = true;
    for (TierPolicies tier : tiers) {
      leaveTier(rules);
      ask(direction, tier.policies(), rules);
      undecided = tier.defaultAction() == Tier.DefaultAction.Pass;
      if (!undecided) {
        rules.add(Marks.has(Marks.UNDECIDED) + " " + DENY);
      }
    }
    if (!policies.profiles().isEmpty()) {
      leaveTier(rules);
      ask(direction, policies.profiles(), rules);
      undecided = true;
    } else if (!policies.openWithoutPolicies() && !rules.isEmpty()) {
      rules.add(Marks.set(Marks.NOT_PASSED));
    }
    if (policies.openWithoutPolicies() && undecided) {
      rules.add(
          (rules.isEmpty() ? "" : Marks.has(Marks.UNDECIDED) + " ") + "-g " + ChainNames.PASS);
    }
    return rules;
  }

  /** Before the next tier, or the profiles, when there was a tier before. */
  private static void leaveTier(List<String> rules) {
    if (!rules.isEmpty()) {
      rules.add(Marks.has(Marks.ALLOWED) + " " + RETURN);
      rules.add(Marks.set(Marks.NOT_PASSED));
    }
  }

  private static void ask(Direction direction, List<RuleBlock.Id> blocks, List<String> into) {
    for (int i = 0; i < blocks.size(); i++) {
      into.add(
          (i == 0 ? "" : Marks.has(Marks.UNDECIDED) + " ")
              + "-j "
              + ChainNames.rules(direction, blocks.get(i)));
    }
  }

  private static String neighbourDiscovery(int type) {
    return "-p ipv6-icmp -m icmp6 --icmpv6-type " + type + " -m hl --hl-eq 255 ";
  }

  /** The kernel takes almost any character in the name of an interface. */
  private static String quoted(String name) {
    return name.matches("[A-Za-z0-9_.@-]+")
        ? name
        : '"' + name.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
