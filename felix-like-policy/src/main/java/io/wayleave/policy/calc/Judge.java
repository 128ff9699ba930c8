package io.wayleave.policy.calc;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Cidr;
import io.wayleave.model.Direction;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Kind;
import io.wayleave.model.PolicyRule;
import io.wayleave.model.PolicyRule.Entity;
import io.wayleave.model.PolicyRule.Icmp;
import io.wayleave.model.Port;
import io.wayleave.model.PortName;
import io.wayleave.model.PortRange;
import io.wayleave.model.Tier;
import io.wayleave.model.policy.Explanation.Verdict;
import io.wayleave.model.policy.Question;
import io.wayleave.policy.calc.ResolvedPolicies.TierPolicies;
import java.util.List;
import java.util.Optional;

/**
 * What the dataplane would do with a packet at one endpoint, by what a {@link PolicyCalculator} has
 * told last: the endpoint's tiers, policies and profiles, their rules, and the sets that those
 * refer to. It speaks of the packet that opens a flow and of one endpoint in one direction: whoever
 * judges a path asks for the sender's egress and the receiver's ingress.
 *
 * <p>It knows nothing of what the frame of the packet filter decides before policies are asked:
 * source addresses, neighbour discovery, failsafe ports, workload-to-host action. A policy that the
 * kernel refused, so that its endpoints are closed, is judged as it is meant.
 *
 * <p>A view of the calculator: valid after each {@link PolicyCalculator#flush}, on its thread.
 */
public final class Judge {
  private final PolicyCalculator calculator;

  public Judge(PolicyCalculator calculator) {
    this.calculator = requireNonNull(calculator, "calculator is null");
  }

  /**
   * What becomes of the packet at a workload endpoint of this node.
   *
   * @param id {@code Resource.id()} of the endpoint
   * @param direction of the packet, seen from the endpoint
   * @param packet of which addresses, protocol, ports and ICMP message count, not who its ends are
   * @return empty when there is no such endpoint on this node, so that nothing passes
   */
  public Optional<Verdict> workload(String id, Direction direction, Question packet) {
    return calculator
        .policiesOf(Kind.WORKLOAD_ENDPOINT, id)
        .map(policies -> judge(policies, direction, packet));
  }

  /**
   * What becomes of a packet that a host endpoint of this node governs.
   *
   * @param id {@code Resource.id()} of the host endpoint
   * @param direction Ingress for what the host takes in, Egress for what it sends
   * @return empty when there is no such host endpoint on this node, so that it governs nothing
   */
  public Optional<Verdict> host(String id, Direction direction, Question packet) {
    return calculator
        .policiesOf(Kind.HOST_ENDPOINT, id)
        .map(policies -> judge(policies, direction, packet));
  }

  /** What policies decide of the packet. */
  public Verdict judge(ResolvedPolicies policies, Direction direction, Question packet) {
    for (TierPolicies tier : policies.tiers(direction)) {
      Optional<PolicyRule.Action> decided = ask(tier.policies(), direction, packet);
      boolean passed =
          decided
              .map(action -> action == PolicyRule.Action.Pass)
              .orElse(tier.defaultAction() == Tier.DefaultAction.Pass);
      if (!passed) {
        return verdict(decided);
      }
    }
    if (policies.openWithoutPolicies()) {
      return Verdict.ALLOW;
    }
    return verdict(ask(policies.profiles(), direction, packet));
  }

  private static Verdict verdict(Optional<PolicyRule.Action> decided) {
    return decided.equals(Optional.of(PolicyRule.Action.Allow)) ? Verdict.ALLOW : Verdict.DENY;
  }

  /** The action of the first rule that matches and decides; empty when there is none. */
  private Optional<PolicyRule.Action> ask(
      List<RuleBlock.Id> ids, Direction direction, Question packet) {
    for (RuleBlock.Id id : ids) {
      // What an endpoint refers to has been told before it.
      RuleBlock block = calculator.rules(id).orElseThrow();
      for (PolicyRule rule : block.rules(direction)) {
        if (rule.action() != PolicyRule.Action.Log && matches(rule, block, packet)) {
          return Optional.of(rule.action());
        }
      }
    }
    return Optional.empty();
  }

  private boolean matches(PolicyRule rule, RuleBlock block, Question packet) {
    return rule.concerns(packet.family())
        && rule.protocol().map(packet.protocol()::equals).orElse(true)
        && !rule.notProtocol().map(packet.protocol()::equals).orElse(false)
        && rule.icmp().map(icmp -> matches(icmp, packet)).orElse(true)
        && !rule.notIcmp().map(icmp -> matches(icmp, packet)).orElse(false)
        && matches(rule.source(), rule, block, packet.from().address(), packet.sourcePort())
        && matches(rule.destination(), rule, block, packet.to().address(), packet.port());
  }

  private static boolean matches(Icmp wanted, Question packet) {
    return packet
        .icmp()
        .map(
            sent ->
                wanted.type().map(type -> type == sent.type()).orElse(true)
                    && wanted.code().map(code -> code == sent.code()).orElse(true))
        .orElse(false);
  }

  private boolean matches(
      Optional<Entity> side, PolicyRule rule, RuleBlock block, IpAddress address, int port) {
    return side.isEmpty() || matches(side.get(), rule, block, address, port);
  }

  private boolean matches(
      Entity entity, PolicyRule rule, RuleBlock block, IpAddress address, int port) {
    return (entity.nets().isEmpty() || inAny(entity.nets(), address))
        && !inAny(entity.notNets(), address)
        && RuleSets.chosen(entity, block.namespace(), address.family())
            .map(set -> members(set).has(address))
            .orElse(true)
        && !RuleSets.excluded(entity, address.family())
            .map(set -> members(set).has(address))
            .orElse(false)
        && (entity.ports().isEmpty() || inAny(entity.ports(), entity, rule, block, address, port))
        && !inAny(entity.notPorts(), entity, rule, block, address, port);
  }

  private static boolean inAny(List<Cidr> nets, IpAddress address) {
    return nets.stream().anyMatch(net -> net.contains(address));
  }

  private boolean inAny(
      List<Port> ports,
      Entity entity,
      PolicyRule rule,
      RuleBlock block,
      IpAddress address,
      int number) {
    for (Port port : ports) {
      boolean matches =
          switch (port) {
            case PortRange range -> range.contains(number);
            case PortName name -> {
              SetId set =
                  RuleSets.named(
                      name,
                      rule.protocol().orElseThrow(),
                      entity,
                      block.namespace(),
                      address.family());
              yield members(set).has(address, rule.protocol().get(), number);
            }
          };
      if (matches) {
        return true;
      }
    }
    return false;
  }

  private SetMembers members(SetId set) {
    return calculator.members(set).orElseThrow();
  }
}
