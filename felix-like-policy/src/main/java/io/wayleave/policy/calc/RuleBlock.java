package io.wayleave.policy.calc;

import io.wayleave.model.Direction;
import io.wayleave.model.Kind;
import io.wayleave.model.Policy;
import io.wayleave.model.PolicyRule;
import io.wayleave.model.Profile;
import io.wayleave.model.policy.SubjectSelector;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The rules of a policy or of a profile.
 *
 * @param namespace to which the selectors of its rules are bound; empty when they are to none
 * @param types the directions that it governs; a profile governs both
 */
public record RuleBlock(
    Id id,
    Optional<String> namespace,
    Set<Direction> types,
    List<PolicyRule> ingress,
    List<PolicyRule> egress) {

  /**
   * What tells one block from all others: {@code GlobalNetworkPolicy web}, {@code Profile base}.
   */
  public record Id(Kind kind, String id) {
    static Id of(Policy policy) {
      return new Id(policy.kind(), policy.id());
    }

    @Override
    public String toString() {
      return kind.title() + " " + id;
    }
  }

  public RuleBlock {
    types = Set.copyOf(types);
    ingress = List.copyOf(ingress);
    egress = List.copyOf(egress);
  }

  public static RuleBlock of(Policy policy) {
    return new RuleBlock(
        Id.of(policy),
        SubjectSelector.namespaceOf(policy),
        policy.spec().types(),
        policy.spec().ingress(),
        policy.spec().egress());
  }

  public static RuleBlock of(Profile profile) {
    return new RuleBlock(
        new Id(Kind.PROFILE, profile.name()),
        Optional.empty(),
        EnumSet.allOf(Direction.class),
        profile.spec().ingress(),
        profile.spec().egress());
  }

  /** The rules of one direction, in order. */
  public List<PolicyRule> rules(Direction direction) {
    return switch (direction) {
      case Ingress -> ingress;
      case Egress -> egress;
    };
  }
}
