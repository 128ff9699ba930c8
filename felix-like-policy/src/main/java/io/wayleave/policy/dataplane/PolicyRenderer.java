package io.wayleave.policy.dataplane;

import io.wayleave.model.Cidr;
import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.model.PolicyRule;
import io.wayleave.model.PolicyRule.Entity;
import io.wayleave.model.PolicyRule.Icmp;
import io.wayleave.model.Port;
import io.wayleave.model.PortName;
import io.wayleave.model.PortRange;
import io.wayleave.model.Protocol;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.calc.RuleSets;
import io.wayleave.policy.calc.SetId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The rules of a block as iptables rules of one family. Its chain decides by dropping, or by going
 * to {@link ChainNames#ALLOW} or {@link ChainNames#PASS}, which set the mark that the endpoint's
 * chain asks for; a packet that no rule matches falls out of the end.
 *
 * <p>A rule becomes one iptables rule where it can, since iptables matches when all of its matches
 * do. A list on one side is alternatives, so it becomes several: networks, when they are more than
 * a few, are put into a set of their own; ports are cut into what a match holds, and rules with
 * long lists of ports on both sides first mark what the one list has and then ask the other, so
 * that the number grows with the sum of the lists and never with their product. A rule that cannot
 * match a packet of the family is left out. Pure.
 */
final class PolicyRenderer {
  /** What one multiport match holds; a range counts twice (xt_multiport). */
  private static final int MULTIPORT_SLOTS = 15;

  /** So many networks are compared one by one, which costs no more than the look into a set. */
  private static final int FEW_NETS = 4;

  /** What xt_icmp takes for "any type" of IPv4. */
  private static final int ICMP_ANY = 255;

  /** A side of the packet, in the words of the matches. */
  private enum Side {
    SOURCE("-s", "src", "--sports"),
    DESTINATION("-d", "dst", "--dports");

    private final String net;
    private final String set;
    private final String ports;

    Side(String net, String set, String ports) {
      this.net = net;
      this.set = set;
      this.ports = ports;
    }
  }

  /**
   * The chain, and what it needs.
   *
   * @param actsFor for each rule of the chain, the place of the block's rule that it acts for; each
   *     packet that a rule of the block matches meets one such; {@link #HELPER} for those that only
   *     prepare it
   * @param lists sets that are to be made for it, by name, with their members
   * @param sets all sets that it refers to, those of {@code lists} included
   */
  record Rendering(
      Chain chain, List<Integer> actsFor, Map<String, List<Cidr>> lists, Set<String> sets) {
    /** Of a rule of the chain that does nothing but to prepare those after it. */
    static final int HELPER = -1;

    Rendering {
      actsFor = List.copyOf(actsFor);
      lists = Map.copyOf(lists);
      sets = Set.copyOf(sets);
    }
  }

  private final RuleBlock block;
  private final Family family;
  private final Map<String, List<Cidr>> lists = new LinkedHashMap<>();
  private final Set<String> sets = new LinkedHashSet<>();
  private final List<String> rendered = new ArrayList<>();
  private final List<Integer> actsFor = new ArrayList<>();

  private PolicyRenderer(RuleBlock block, Family family) {
    this.block = block;
    this.family = family;
  }

  static Rendering render(RuleBlock block, Direction direction, Family family) {
    PolicyRenderer renderer = new PolicyRenderer(block, family);
    String chain = ChainNames.rules(direction, block.id());
    List<PolicyRule> rules = block.rules(direction);
    for (int i = 0; i < rules.size(); i++) {
      renderer.render(i, rules.get(i), verdict(rules.get(i), new LogPrefix(chain, i)));
    }
    return new Rendering(
        Chain.policy(chain, renderer.rendered), renderer.actsFor, renderer.lists, renderer.sets);
  }

  private static String verdict(PolicyRule rule, LogPrefix log) {
    return rule.action() == PolicyRule.Action.Log ? log.target() : target(rule.action());
  }

  /** The target of the rules that act for a rule with this action, without its options. */
  static String target(PolicyRule.Action action) {
    return switch (action) {
      case Allow -> "-g " + ChainNames.ALLOW;
      case Deny -> "-g " + ChainNames.DENY;
      case Log -> LogPrefix.TARGET;
      case Pass -> "-g " + ChainNames.PASS;
    };
  }

  /** What a packet must be to match a rule. */
  private static final class Conditions {
    private String protocol = "";

    /** Other matches that must all hold. */
    private final List<String> all = new ArrayList<>();

    /** Lists of matches of each of which one must hold. */
    private final List<List<String>> anyOf = new ArrayList<>();

    private boolean impossible;

    void oneOf(List<String> alternatives) {
      if (alternatives.size() == 1) {
        all.add(alternatives.getFirst());
      } else {
        anyOf.add(alternatives);
      }
    }
  }

  private void render(int place, PolicyRule rule, String verdict) {
    if (!rule.concerns(family)) {
      return;
    }
    Conditions conditions = new Conditions();
    protocol(rule, conditions);
    // The kernel compares the IP header first, whatever the order; sets come last as the dearest.
    boolean goesOn = rule.action() == PolicyRule.Action.Log;
    onBothSides(rule, (side, entity) -> ports(side, entity, rule.protocol(), goesOn, conditions));
    icmp(rule, conditions);
    onBothSides(rule, (side, entity) -> nets(side, entity, conditions));
    onBothSides(rule, (side, entity) -> selected(side, entity, conditions));
    if (!conditions.impossible) {
      write(place, conditions, verdict);
    }
  }

  @FunctionalInterface
  private interface EntityRenderer {
    void render(Side side, Entity entity);
  }

  private static void onBothSides(PolicyRule rule, EntityRenderer renderer) {
    rule.source().ifPresent(entity -> renderer.render(Side.SOURCE, entity));
    rule.destination().ifPresent(entity -> renderer.render(Side.DESTINATION, entity));
  }

  private void write(int place, Conditions conditions, String verdict) {
    String protocol = conditions.protocol;
    String all = String.join(" ", conditions.all);
    List<List<String>> anyOf = conditions.anyOf;
    switch (anyOf.size()) {
      case 0 -> add(place, protocol, all, verdict);
      case 1 -> anyOf.getFirst().forEach(match -> add(place, protocol, all, match, verdict));
      case 2 -> {
        add(Rendering.HELPER, Marks.set(Marks.NOT_LISTED));
        anyOf
            .getFirst()
            .forEach(match -> add(Rendering.HELPER, protocol, all, match, Marks.set(Marks.LISTED)));
        // Ports are matched beside a protocol only, although the mark implies it.
        anyOf
            .getLast()
            .forEach(match -> add(place, protocol, Marks.has(Marks.LISTED), match, verdict));
      }
      default -> throw new IllegalStateException("only ports are lists on both sides: " + anyOf);
    }
  }

  private void add(int actsForRule, String... parts) {
    actsFor.add(actsForRule);
    rendered.add(Stream.of(parts).filter(part -> !part.isEmpty()).collect(Collectors.joining(" ")));
  }

  private static void protocol(PolicyRule rule, Conditions conditions) {
    Optional<Protocol> protocol = rule.protocol();
    if (protocol.isEmpty()) {
      rule.notProtocol().ifPresent(not -> conditions.protocol = "! -p " + name(not));
    } else if (protocol.equals(rule.notProtocol())) {
      conditions.impossible = true;
    } else {
      // iptables takes one protocol, and this one is none other.
      conditions.protocol = "-p " + name(protocol.get());
    }
  }

  private static String name(Protocol protocol) {
    return protocol.equals(Protocol.ICMPV6)
        ? "ipv6-icmp"
        : protocol.toString().toLowerCase(Locale.ROOT);
  }

  private void icmp(PolicyRule rule, Conditions conditions) {
    rule.icmp().ifPresent(icmp -> conditions.all.add(icmp("", icmp)));
    rule.notIcmp().ifPresent(not -> conditions.all.add(icmp("! ", not)));
  }

  private String icmp(String not, Icmp icmp) {
    int type = icmp.type().orElseThrow();
    String text = type + icmp.code().map(code -> "/" + code).orElse("");
    return switch (family) {
      case IPV4 ->
          type == ICMP_ANY ? lastIcmpType(not, icmp) : "-m icmp " + not + "--icmp-type " + text;
      case IPV6 -> "-m icmp6 " + not + "--icmpv6-type " + text;
    };
  }

  /** Looks at the bytes behind the IPv4 header, whose length is in its first byte (RFC 791 3.1). */
  private static String lastIcmpType(String not, Icmp icmp) {
    String value = icmp.code().map(code -> "16=" + (ICMP_ANY << 8 | code)).orElse("24=" + ICMP_ANY);
    return "-m u32 " + not + "--u32 \"0>>22&0x3C@0>>" + value + "\"";
  }

  private void ports(
      Side side,
      Entity entity,
      Optional<Protocol> protocol,
      boolean goesOn,
      Conditions conditions) {
    if (!entity.ports().isEmpty()) {
      conditions.oneOf(alternatives(side, entity, protocol, goesOn));
    }
    conditions.all.addAll(multiports(side, "! ", entity.notPorts()));
    names(entity.notPorts())
        .forEach(name -> conditions.all.add(port(side, "! ", name, entity, protocol)));
  }

  /**
   * The ports as matches of which one must hold.
   *
   * @param goesOn whether a packet that one of them has meets the next one too: then no packet is
   *     of two, or it would be logged twice
   */
  private List<String> alternatives(
      Side side, Entity entity, Optional<Protocol> protocol, boolean goesOn) {
    List<String> alternatives = new ArrayList<>(multiports(side, "", entity.ports()));
    List<String> before = new ArrayList<>(multiports(side, "! ", entity.ports()));
    for (PortName name : names(entity.ports())) {
      String match = port(side, "", name, entity, protocol);
      alternatives.add(goesOn ? String.join(" ", concat(before, match)) : match);
      before.add(port(side, "! ", name, entity, protocol));
    }
    return alternatives;
  }

  private static List<String> concat(List<String> matches, String last) {
    List<String> all = new ArrayList<>(matches);
    all.add(last);
    return all;
  }

  private String port(
      Side side, String not, PortName name, Entity entity, Optional<Protocol> protocol) {
    // A rule with ports has a protocol: PolicyRule refuses others.
    SetId set = RuleSets.named(name, protocol.orElseThrow(), entity, block.namespace(), family);
    return inSet(not, ChainNames.set(set), side.set + "," + side.set);
  }

  private static List<PortName> names(List<Port> ports) {
    return ports.stream()
        .filter(PortName.class::isInstance)
        .map(PortName.class::cast)
        .distinct()
        .toList();
  }

  private static List<String> multiports(Side side, String not, List<Port> ports) {
    List<String> matches = new ArrayList<>();
    List<PortRange> chunk = new ArrayList<>();
    int slots = 0;
    for (PortRange range : merged(ports)) {
      int needed = range.first() == range.last() ? 1 : 2;
      if (slots + needed > MULTIPORT_SLOTS) {
        matches.add(multiport(side, not, chunk));
        chunk.clear();
        slots = 0;
      }
      chunk.add(range);
      slots += needed;
    }
    if (!chunk.isEmpty()) {
      matches.add(multiport(side, not, chunk));
    }
    return matches;
  }

  private static String multiport(Side side, String not, List<PortRange> ports) {
    return ports.stream()
        .map(PortRange::toString)
        .collect(Collectors.joining(",", "-m multiport " + not + side.ports + " ", ""));
  }

  /** The same ports in as few ranges as there can be, so that no two alternatives overlap. */
  private static List<PortRange> merged(List<Port> ports) {
    List<PortRange> sorted =
        ports.stream()
            .filter(PortRange.class::isInstance)
            .map(PortRange.class::cast)
            .sorted(Comparator.comparingInt(PortRange::first))
            .toList();
    List<PortRange> merged = new ArrayList<>();
    for (PortRange range : sorted) {
      if (!merged.isEmpty() && range.first() <= merged.getLast().last() + 1) {
        PortRange last = merged.removeLast();
        merged.add(new PortRange(last.first(), Math.max(last.last(), range.last())));
      } else {
        merged.add(range);
      }
    }
    return merged;
  }

  private void nets(Side side, Entity entity, Conditions conditions) {
    boolean compared = false;
    if (!entity.nets().isEmpty()) {
      List<Cidr> nets = ofFamily(entity.nets());
      if (nets.isEmpty()) {
        conditions.impossible = true;
      } else if (!isEverything(nets)) {
        // Only one list becomes several rules, or their number would be a product.
        if (nets.size() == 1 || (nets.size() <= FEW_NETS && conditions.anyOf.isEmpty())) {
          conditions.oneOf(nets.stream().map(net -> side.net + " " + net).toList());
          compared = true;
        } else {
          conditions.all.add(inSet("", list(nets), side.set));
        }
      }
    }
    List<Cidr> not = ofFamily(entity.notNets());
    if (isEverything(not)) {
      conditions.impossible = true;
    } else if (not.size() == 1 && !compared) {
      conditions.all.add("! " + side.net + " " + not.getFirst());
    } else if (!not.isEmpty()) {
      // iptables compares each address once.
      conditions.all.add(inSet("! ", list(not), side.set));
    }
  }

  private void selected(Side side, Entity entity, Conditions conditions) {
    RuleSets.chosen(entity, block.namespace(), family)
        .ifPresent(set -> conditions.all.add(inSet("", ChainNames.set(set), side.set)));
    RuleSets.excluded(entity, family)
        .ifPresent(set -> conditions.all.add(inSet("! ", ChainNames.set(set), side.set)));
  }

  /** The networks of this family without those that lie in others, sorted. */
  private List<Cidr> ofFamily(List<Cidr> nets) {
    SortedSet<Cidr> sorted =
        nets.stream()
            .filter(net -> net.family() == family)
            .collect(Collectors.toCollection(TreeSet::new));
    List<Cidr> widest = new ArrayList<>();
    for (Cidr net : sorted) {
      // In this order a network comes right before what lies in it.
      if (widest.isEmpty() || !widest.getLast().contains(net)) {
        widest.add(net);
      }
    }
    return widest;
  }

  private static boolean isEverything(List<Cidr> nets) {
    return nets.size() == 1 && nets.getFirst().prefixLength() == 0;
  }

  private String list(List<Cidr> nets) {
    String name = ChainNames.list(family, nets);
    lists.put(name, nets);
    return name;
  }

  private String inSet(String not, String set, String flags) {
    sets.add(set);
    return "-m set " + not + "--match-set " + set + " " + flags;
  }
}
