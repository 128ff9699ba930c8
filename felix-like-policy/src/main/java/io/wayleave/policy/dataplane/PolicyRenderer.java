package io.wayleave.policy.dataplane;

import io.wayleave.model.Cidr;
import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.model.PolicyRule;
import io.wayleave.model.Port;
import io.wayleave.model.PortRange;
import io.wayleave.model.Protocol;
import io.wayleave.model.policy.SubjectSelector;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.calc.SetId;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The rules of a policy as iptables rules of one family. A policy's chain decides by dropping, or
 * by going to {@link ChainNames#ALLOW}, which sets the mark that the endpoint's chain asks for; a
 * packet that no rule matches falls out of the end. Pure.
 */
final class PolicyRenderer {
  /** What one multiport match holds; a range counts twice (xt_multiport). */
  private static final int MULTIPORT_SLOTS = 15;

  private PolicyRenderer() {}

  static Chain render(RuleBlock block, Direction direction, Family family) {
    List<PolicyRule> rules = block.rules(direction);
    String chain = ChainNames.policy(direction, block.id());
    List<String> rendered = new ArrayList<>();
    if (!rules.stream().allMatch(PolicyRenderer::isRendered)) {
      return Chain.policy(chain, List.of("-j DROP"));
    }
    rules.forEach(rule -> rendered.addAll(render(rule, block.namespace(), family)));
    return Chain.policy(chain, rendered);
  }

  /** What has no rendering yet closes its policy. */
  private static boolean isRendered(PolicyRule rule) {
    return (rule.action() == PolicyRule.Action.Allow || rule.action() == PolicyRule.Action.Deny)
        && rule.ipVersion().isEmpty()
        && rule.notProtocol().isEmpty()
        && rule.icmp().isEmpty()
        && rule.notIcmp().isEmpty()
        && rule.entities()
            .allMatch(
                entity ->
                    entity.notNets().isEmpty()
                        && entity.notSelector().isEmpty()
                        && entity.namespaceSelector().isEmpty()
                        && entity.notPorts().isEmpty()
                        && entity.ports().stream().allMatch(PortRange.class::isInstance));
  }

  /**
   * One rule: a packet matches it when it matches any of the results, which all decide alike. Lists
   * on either side are alternatives, so the result is their product; it is empty when the rule
   * cannot match a packet of this family.
   */
  private static List<String> render(PolicyRule rule, Optional<String> namespace, Family family) {
    if (!protocolExistsIn(family, rule.protocol())) {
      return List.of();
    }
    List<String> alternatives = List.of(protocol(rule.protocol()));
    alternatives =
        product(alternatives, side("src", "-s", "--sports", rule.source(), namespace, family));
    alternatives =
        product(alternatives, side("dst", "-d", "--dports", rule.destination(), namespace, family));
    String verdict =
        switch (rule.action()) {
          case Allow -> "-g " + ChainNames.ALLOW;
          case Deny -> "-j DROP";
          case Log, Pass -> throw new IllegalArgumentException("not rendered: " + rule);
        };
    return product(alternatives, List.of(verdict));
  }

  private static List<String> side(
      String flag,
      String netOption,
      String portOption,
      Optional<PolicyRule.Entity> entity,
      Optional<String> namespace,
      Family family) {
    if (entity.isEmpty()) {
      return List.of("");
    }
    List<String> matches = nets(netOption, entity.get().nets(), family);
    String selected =
        SubjectSelector.chosenBy(entity.get(), namespace)
            .map(chosen -> ChainNames.set(new SetId.Nets(chosen, family)))
            .map(set -> "-m set --match-set " + set + " " + flag)
            .orElse("");
    return product(
        product(matches, List.of(selected)), ports(portOption, ranges(entity.get().ports())));
  }

  private static List<String> nets(String option, List<Cidr> nets, Family family) {
    if (nets.isEmpty()) {
      return List.of("");
    }
    return nets.stream()
        .filter(net -> net.family() == family)
        .map(net -> net.prefixLength() == 0 ? "" : option + " " + net)
        .toList();
  }

  private static List<PortRange> ranges(List<Port> ports) {
    return ports.stream().map(PortRange.class::cast).toList();
  }

  private static List<String> ports(String option, List<PortRange> ports) {
    if (ports.isEmpty()) {
      return List.of("");
    }
    List<String> matches = new ArrayList<>();
    List<PortRange> chunk = new ArrayList<>();
    int slots = 0;
    for (PortRange range : ports) {
      int needed = range.first() == range.last() ? 1 : 2;
      if (slots + needed > MULTIPORT_SLOTS) {
        matches.add(multiport(option, chunk));
        chunk.clear();
        slots = 0;
      }
      chunk.add(range);
      slots += needed;
    }
    matches.add(multiport(option, chunk));
    return matches;
  }

  private static String multiport(String option, List<PortRange> ports) {
    return ports.stream()
        .map(PortRange::toString)
        .collect(Collectors.joining(",", "-m multiport " + option + " ", ""));
  }

  private static String protocol(Optional<Protocol> protocol) {
    return protocol
        .map(
            p ->
                p.equals(Protocol.ICMPV6)
                    ? "-p ipv6-icmp"
                    : "-p " + p.toString().toLowerCase(Locale.ROOT))
        .orElse("");
  }

  /** ICMP and ICMPv6 exist in one family each; a rule for the other's matches nothing. */
  private static boolean protocolExistsIn(Family family, Optional<Protocol> protocol) {
    return switch (family) {
      case IPV4 -> !protocol.equals(Optional.of(Protocol.ICMPV6));
      case IPV6 -> !protocol.equals(Optional.of(Protocol.ICMP));
    };
  }

  private static List<String> product(List<String> left, List<String> right) {
    List<String> joined = new ArrayList<>(left.size() * right.size());
    for (String a : left) {
      for (String b : right) {
        joined.add(a.isEmpty() ? b : b.isEmpty() ? a : a + " " + b);
      }
    }
    return joined;
  }
}
