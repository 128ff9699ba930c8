package io.wayleave.policy.calc;

import io.wayleave.model.Family;
import io.wayleave.model.PolicyRule;
import io.wayleave.model.PolicyRule.Action;
import io.wayleave.model.PolicyRule.Entity;
import io.wayleave.model.Port;
import io.wayleave.model.PortName;
import io.wayleave.model.Protocol;
import io.wayleave.model.policy.SubjectSelector;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Which sets rules refer to. Whoever reads rules finds the set of a field here. Pure. */
public final class RuleSets {
  private RuleSets() {}

  /** All sets that the rules refer to, of the families that each rule concerns. */
  public static Set<SetId> of(RuleBlock block) {
    Set<SetId> sets = new LinkedHashSet<>();
    Stream.concat(block.ingress().stream(), block.egress().stream())
        .forEach(rule -> addSets(rule, block.namespace(), sets));
    return sets;
  }

  private static void addSets(PolicyRule rule, Optional<String> namespace, Set<SetId> into) {
    rule.entities()
        .forEach(
            entity -> {
              // Selectors are read once for both families.
              Optional<SubjectSelector> chosen = SubjectSelector.chosenBy(entity, namespace);
              Optional<SubjectSelector> excluded = SubjectSelector.excludedBy(entity);
              for (Family family : Family.values()) {
                if (rule.concerns(family)) {
                  chosen.ifPresent(by -> into.add(new SetId.Nets(by, family)));
                  excluded.ifPresent(by -> into.add(new SetId.Nets(by, family)));
                  addNamed(rule, entity, chosen, family, into);
                }
              }
            });
  }

  private static void addNamed(
      PolicyRule rule,
      Entity entity,
      Optional<SubjectSelector> chosen,
      Family family,
      Set<SetId> into) {
    for (List<Port> ports : List.of(entity.ports(), entity.notPorts())) {
      for (Port port : ports) {
        if (port instanceof PortName name) {
          // A rule with ports has a protocol: PolicyRule refuses others.
          into.add(named(name, rule.protocol().orElseThrow(), chosen, family));
        }
      }
    }
  }

  /**
   * Whether rules would let more pass without the members that a selector chooses: they deny or
   * pass what is chosen, or allow or pass what is not.
   *
   * @param selector for which selectors that is asked
   */
  static boolean needMembers(RuleBlock block, Predicate<SubjectSelector> selector) {
    return Stream.concat(block.ingress().stream(), block.egress().stream())
        .anyMatch(
            rule ->
                rule.entities().anyMatch(e -> needsMembers(rule, e, block.namespace(), selector)));
  }

  private static boolean needsMembers(
      PolicyRule rule,
      Entity entity,
      Optional<String> namespace,
      Predicate<SubjectSelector> selector) {
    boolean takes = rule.action() == Action.Deny || rule.action() == Action.Pass;
    boolean gives = rule.action() == Action.Allow || rule.action() == Action.Pass;
    return (takes && SubjectSelector.chosenBy(entity, namespace).filter(selector).isPresent())
        || (gives && SubjectSelector.excludedBy(entity).filter(selector).isPresent());
  }

  /**
   * The set that has the address, by {@code selector} and {@code namespaceSelector}; empty when the
   * entity has neither.
   *
   * @param namespace of the {@link RuleBlock}
   */
  public static Optional<SetId> chosen(Entity entity, Optional<String> namespace, Family family) {
    return SubjectSelector.chosenBy(entity, namespace)
        .map(chosen -> new SetId.Nets(chosen, family));
  }

  /** The set that does not have the address, by {@code notSelector}; empty when there is none. */
  public static Optional<SetId> excluded(Entity entity, Family family) {
    return SubjectSelector.excludedBy(entity).map(excluded -> new SetId.Nets(excluded, family));
  }

  /**
   * The set that has address and port, or, for one of {@code notPorts}, has not.
   *
   * @param protocol of the rule
   * @param namespace of the {@link RuleBlock}
   */
  public static SetId named(
      PortName name, Protocol protocol, Entity entity, Optional<String> namespace, Family family) {
    return named(name, protocol, SubjectSelector.chosenBy(entity, namespace), family);
  }

  private static SetId named(
      PortName name, Protocol protocol, Optional<SubjectSelector> chosen, Family family) {
    return new SetId.NamedPort(chosen.orElse(SubjectSelector.ALL), name, protocol, family);
  }
}
