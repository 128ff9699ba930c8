package io.wayleave.test.policy;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.PolicyRule;
import io.wayleave.model.PolicyRule.Action;
import io.wayleave.model.PolicyRule.Entity;
import io.wayleave.model.PolicyRule.Icmp;
import io.wayleave.model.Port;
import io.wayleave.model.PortName;
import io.wayleave.model.PortRange;
import io.wayleave.model.Protocol;
import io.wayleave.model.policy.Picture;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Rules with every field, most of which match one of some flows. NOT thread safe. */
final class RandomRules {
  static final List<String> PORT_NAMES = List.of("http", "dns", "admin");

  /** Echo and timestamp requests: what opens a flow. */
  static final List<Integer> ICMP_TYPES = List.of(8, 8, 13);

  /** Echo requests and node information queries. */
  static final List<Integer> ICMPV6_TYPES = List.of(128, 128, 139);

  private static final List<Integer> LENGTHS_V4 = List.of(0, 8, 16, 24, 25, 29, 30, 31, 32);
  private static final List<Integer> LENGTHS_V6 = List.of(0, 16, 64, 112, 120, 125, 126, 127, 128);
  private static final int TRIES = 8;

  private final Random random;
  private final RandomSelector selectors;
  private final NaiveEvaluator evaluator;
  private final List<Flow> around;

  RandomRules(Random random, RandomSelector selectors, Picture objects, List<Flow> around) {
    this.random = random;
    this.selectors = selectors;
    this.evaluator = new NaiveEvaluator(objects);
    this.around = List.copyOf(around);
  }

  List<PolicyRule> ofPolicy() {
    List<PolicyRule> rules = new ArrayList<>();
    for (int i = random.nextInt(10); i > 0; i--) {
      rules.add(
          rule(
              switch (random.nextInt(20)) {
                case 0, 1, 2, 3, 4, 5, 6, 7 -> Action.Allow;
                case 8, 9, 10, 11, 12 -> Action.Deny;
                case 13, 14, 15 -> Action.Log;
                default -> Action.Pass;
              }));
    }
    return rules;
  }

  List<PolicyRule> ofProfile() {
    List<PolicyRule> rules = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      rules.add(
          rule(
              switch (random.nextInt(6)) {
                case 0 -> Action.Log;
                case 1 -> Action.Deny;
                default -> Action.Allow;
              }));
    }
    return rules;
  }

  /** The net of some length around an address, so that its edges are near addresses in use. */
  static Cidr netAround(Random random, IpAddress address) {
    List<Integer> lengths = address.family() == Family.IPV4 ? LENGTHS_V4 : LENGTHS_V6;
    return Cidr.around(address, lengths.get(random.nextInt(lengths.size())));
  }

  private PolicyRule rule(Action action) {
    Flow flow = pick(around);
    boolean wanted = random.nextInt(4) > 0;
    PolicyRule rule = draw(action, flow);
    for (int i = 0; wanted && i < TRIES && !evaluator.matches(rule, flow, Optional.empty()); i++) {
      rule = draw(action, flow);
    }
    return rule;
  }

  private PolicyRule draw(Action action, Flow flow) {
    Optional<Integer> version =
        random.nextInt(5) == 0
            ? Optional.of(flow.family() == Family.IPV4 ? 4 : 6)
            : Optional.empty();
    Optional<Protocol> protocol = Optional.empty();
    Optional<Protocol> notProtocol = Optional.empty();
    Optional<Icmp> icmp = Optional.empty();
    Optional<Icmp> notIcmp = Optional.empty();
    switch (random.nextInt(9)) {
      case 0 -> {}
      case 1 -> notProtocol = Optional.of(otherProtocol());
      case 2, 3, 4 -> {
        boolean v4 = flow.family() == Family.IPV4;
        protocol = Optional.of(v4 ? Protocol.ICMP : Protocol.ICMPV6);
        if (random.nextInt(5) < 4) {
          icmp = Optional.of(message(v4));
        }
        if (random.nextInt(5) < 4) {
          notIcmp = Optional.of(message(v4));
        }
      }
      default -> {
        boolean own = random.nextInt(3) > 0;
        protocol = Optional.of(own ? Protocol.of(flow.protocol()) : otherProtocol());
        // ICMP of the other family cannot stand beside an ipVersion.
        if (protocol.get().equals(Protocol.ICMP) || protocol.get().equals(Protocol.ICMPV6)) {
          version = Optional.empty();
        }
      }
    }
    boolean ports = protocol.map(p -> Flow.hasPorts(p.number())).orElse(false);
    return new PolicyRule(
        action,
        version,
        protocol,
        notProtocol,
        icmp,
        notIcmp,
        side(flow.source(), flow.sourcePort(), ports, version.isPresent()),
        side(flow.destination(), flow.destinationPort(), ports, version.isPresent()),
        Optional.empty());
  }

  private Protocol otherProtocol() {
    return pick(
        List.of(
            Protocol.TCP,
            Protocol.UDP,
            Protocol.ICMP,
            Protocol.ICMPV6,
            Protocol.SCTP,
            Protocol.UDPLITE,
            Protocol.of(99),
            Protocol.of(253)));
  }

  private Icmp message(boolean v4) {
    return new Icmp(
        Optional.of(pick(v4 ? ICMP_TYPES : ICMPV6_TYPES)),
        random.nextBoolean() ? Optional.of(random.nextInt(2)) : Optional.empty());
  }

  private Optional<Entity> side(IpAddress address, int port, boolean ports, boolean oneFamily) {
    if (random.nextInt(5) < 2 && !ports) {
      return Optional.empty();
    }
    List<Cidr> nets = new ArrayList<>();
    List<Cidr> notNets = new ArrayList<>();
    Optional<String> selector = Optional.empty();
    Optional<String> notSelector = Optional.empty();
    Optional<String> namespaceSelector = Optional.empty();
    if (random.nextInt(4) == 0) {
      addNets(nets, address, oneFamily);
    }
    if (random.nextInt(5) == 0) {
      addNets(notNets, address, oneFamily);
    }
    if (random.nextInt(4) == 0) {
      selector = Optional.of(selectors.ofObjects());
    }
    if (random.nextInt(6) == 0) {
      notSelector = Optional.of(selectors.ofObjects());
    }
    if (random.nextInt(6) == 0) {
      namespaceSelector = Optional.of(selectors.ofNamespaces());
    }
    List<Port> some = new ArrayList<>();
    List<Port> notThese = new ArrayList<>();
    if (ports && random.nextInt(2) == 0) {
      addPorts(some, port);
    }
    if (ports && random.nextInt(5) < 2) {
      // Around the flow's own port the rule would not match the flow.
      addPorts(notThese, random.nextInt(3) == 0 ? port : pick(RandomFlows.PORTS));
    }
    return Optional.of(
        new Entity(nets, notNets, selector, notSelector, namespaceSelector, some, notThese));
  }

  private void addNets(List<Cidr> nets, IpAddress address, boolean oneFamily) {
    for (int i = 1 + random.nextInt(2); i > 0; i--) {
      Flow other = pick(around);
      IpAddress center = random.nextInt(3) > 0 ? address : other.source();
      if (!oneFamily || center.family() == address.family()) {
        nets.add(netAround(random, center));
      }
    }
  }

  private void addPorts(List<Port> ports, int port) {
    for (int i = 1 + random.nextInt(3); i > 0; i--) {
      ports.add(
          switch (random.nextInt(6)) {
            case 0, 1 -> new PortName(pick(PORT_NAMES));
            case 2 -> new PortRange(port, Math.min(65535, port + 1 + random.nextInt(100)));
            case 3 -> new PortRange(Math.max(0, port - 1 - random.nextInt(1000)), port);
            case 4 -> PortRange.of(pick(RandomFlows.PORTS));
            default -> PortRange.of(port);
          });
    }
    if (random.nextInt(12) == 0) {
      // More than one match of a kernel's rule can hold.
      for (int i = 0; i < 16; i++) {
        ports.add(PortRange.of(100 + 2 * i));
      }
    }
  }

  private <T> T pick(List<T> items) {
    return items.get(random.nextInt(items.size()));
  }
}
