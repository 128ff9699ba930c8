package io.wayleave.test.policy;

import io.wayleave.model.Cidr;
import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.NetworkPolicy;
import io.wayleave.model.Policy;
import io.wayleave.model.PolicyRule;
import io.wayleave.model.PolicyRule.Entity;
import io.wayleave.model.PolicySpec;
import io.wayleave.model.Profile;
import io.wayleave.model.Protocol;
import io.wayleave.model.StagedGlobalNetworkPolicy;
import io.wayleave.model.StagedNetworkPolicy;
import io.wayleave.model.policy.Picture;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Rules without one of their fields: how a fleet is made smaller, and what a judge that overlooks
 * the field would see.
 */
final class RuleEdits {
  private RuleEdits() {}

  /** For each field, the rule without it; ports go before the protocol that allows them. */
  static Map<String, UnaryOperator<PolicyRule>> withoutEach() {
    Map<String, UnaryOperator<PolicyRule>> edits = new LinkedHashMap<>();
    for (Side side : Side.values()) {
      String prefix = side.name() + ".";
      edits.put(prefix + "nets", on(side, e -> entity(e, List.of(), e.notNets())));
      edits.put(prefix + "notNets", on(side, e -> entity(e, e.nets(), List.of())));
      edits.put(
          prefix + "selector",
          on(side, e -> selecting(e, Optional.empty(), e.notSelector(), e.namespaceSelector())));
      edits.put(
          prefix + "notSelector",
          on(side, e -> selecting(e, e.selector(), Optional.empty(), e.namespaceSelector())));
      edits.put(
          prefix + "namespaceSelector",
          on(side, e -> selecting(e, e.selector(), e.notSelector(), Optional.empty())));
      edits.put(prefix + "ports", on(side, e -> e.ports().isEmpty() ? e : ported(e, false)));
      edits.put(prefix + "notPorts", on(side, e -> e.notPorts().isEmpty() ? e : ported(e, true)));
    }
    edits.put("icmp", r -> rule(r, r.ipVersion(), r.protocol(), r.notProtocol(), false, true));
    edits.put("notICMP", r -> rule(r, r.ipVersion(), r.protocol(), r.notProtocol(), true, false));
    edits.put(
        "notProtocol", r -> rule(r, r.ipVersion(), r.protocol(), Optional.empty(), true, true));
    edits.put(
        "protocol", r -> rule(r, r.ipVersion(), Optional.empty(), r.notProtocol(), true, true));
    edits.put(
        "ipVersion", r -> rule(r, Optional.empty(), r.protocol(), r.notProtocol(), true, true));
    return edits;
  }

  /** The fleet with each rule changed; a rule that would not be valid stays as it is. */
  static Picture edit(Picture fleet, UnaryOperator<PolicyRule> edit) {
    return Fleets.edit(
        fleet,
        resource ->
            switch (resource) {
              case Policy policy -> withRules(policy, edit);
              case Profile profile ->
                  new Profile(
                      profile.metadata(),
                      new Profile.Spec(
                          edited(profile.spec().ingress(), edit),
                          edited(profile.spec().egress(), edit),
                          profile.spec().labelsToApply()));
              default -> resource;
            });
  }

  static Policy withRules(Policy policy, UnaryOperator<PolicyRule> edit) {
    PolicySpec spec = policy.spec();
    return withRules(policy, edited(spec.ingress(), edit), edited(spec.egress(), edit));
  }

  static Policy withRules(Policy policy, List<PolicyRule> ingress, List<PolicyRule> egress) {
    PolicySpec spec = policy.spec();
    return withSpec(
        policy,
        new PolicySpec(
            spec.tier(),
            spec.order(),
            spec.selector(),
            spec.namespaceSelector(),
            spec.types(),
            ingress,
            egress,
            spec.stagedAction()));
  }

  static Policy withSpec(Policy policy, PolicySpec spec) {
    return switch (policy) {
      case NetworkPolicy p -> new NetworkPolicy(p.metadata(), spec);
      case GlobalNetworkPolicy p -> new GlobalNetworkPolicy(p.metadata(), spec);
      case StagedNetworkPolicy p -> new StagedNetworkPolicy(p.metadata(), spec);
      case StagedGlobalNetworkPolicy p -> new StagedGlobalNetworkPolicy(p.metadata(), spec);
    };
  }

  private static List<PolicyRule> edited(List<PolicyRule> rules, UnaryOperator<PolicyRule> edit) {
    return rules.stream()
        .map(
            rule -> {
              try {
                return edit.apply(rule);
              } catch (InvalidInputException e) {
                return rule;
              }
            })
        .toList();
  }

  private enum Side {
    source,
    destination
  }

  private static UnaryOperator<PolicyRule> on(Side side, UnaryOperator<Entity> edit) {
    return r ->
        new PolicyRule(
            r.action(),
            r.ipVersion(),
            r.protocol(),
            r.notProtocol(),
            r.icmp(),
            r.notIcmp(),
            side == Side.source ? r.source().map(edit) : r.source(),
            side == Side.destination ? r.destination().map(edit) : r.destination(),
            r.metadata());
  }

  private static Entity entity(Entity e, List<Cidr> nets, List<Cidr> notNets) {
    return new Entity(
        nets,
        notNets,
        e.selector(),
        e.notSelector(),
        e.namespaceSelector(),
        e.ports(),
        e.notPorts());
  }

  private static Entity selecting(
      Entity e,
      Optional<String> selector,
      Optional<String> notSelector,
      Optional<String> namespaceSelector) {
    return new Entity(
        e.nets(), e.notNets(), selector, notSelector, namespaceSelector, e.ports(), e.notPorts());
  }

  private static Entity ported(Entity e, boolean keepPorts) {
    return new Entity(
        e.nets(),
        e.notNets(),
        e.selector(),
        e.notSelector(),
        e.namespaceSelector(),
        keepPorts ? e.ports() : List.of(),
        keepPorts ? List.of() : e.notPorts());
  }

  private static PolicyRule rule(
      PolicyRule r,
      Optional<Integer> ipVersion,
      Optional<Protocol> protocol,
      Optional<Protocol> notProtocol,
      boolean keepIcmp,
      boolean keepNotIcmp) {
    return new PolicyRule(
        r.action(),
        ipVersion,
        protocol,
        notProtocol,
        keepIcmp ? r.icmp() : Optional.empty(),
        keepNotIcmp ? r.notIcmp() : Optional.empty(),
        r.source(),
        r.destination(),
        r.metadata());
  }
}
