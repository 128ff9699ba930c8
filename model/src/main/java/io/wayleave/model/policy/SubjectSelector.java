package io.wayleave.model.policy;

import io.wayleave.model.NetworkPolicy;
import io.wayleave.model.Policy;
import io.wayleave.model.PolicyRule.Entity;
import io.wayleave.model.StagedNetworkPolicy;
import io.wayleave.model.selector.Expression;
import io.wayleave.model.selector.Selector;
import java.util.Optional;

/**
 * Which objects a policy, or one side of a rule, chooses: by labels, and by the namespace that they
 * are in. Two are equal when they choose alike by their text. Immutable.
 *
 * @param namespace only objects of this namespace; any, also none, when absent
 * @param namespaceSelector only objects of namespaces with matching labels, or, when it is {@code
 *     global()}, of no namespace; any when absent
 * @param labels only objects with matching labels
 */
public record SubjectSelector(
    Optional<String> namespace, Optional<Selector> namespaceSelector, Selector labels) {
  /** Every object. */
  public static final SubjectSelector ALL =
      new SubjectSelector(Optional.empty(), Optional.empty(), Selector.all());

  /** The endpoints that a policy governs. Network sets are no endpoints; the caller knows. */
  public static SubjectSelector governedBy(Policy policy) {
    return new SubjectSelector(
        namespaceOf(policy),
        policy.spec().parsedNamespaceSelector(),
        policy.spec().parsedSelector());
  }

  /** The namespace that a policy is bound to, if it is. */
  public static Optional<String> namespaceOf(Policy policy) {
    return policy instanceof NetworkPolicy || policy instanceof StagedNetworkPolicy
        ? policy.metadata().namespace()
        : Optional.empty();
  }

  /**
   * The objects whose addresses one side of a rule may have, if it chooses by labels at all.
   *
   * @param namespace of the policy that the rule is of; empty when it is bound to none
   */
  public static Optional<SubjectSelector> chosenBy(Entity entity, Optional<String> namespace) {
    if (entity.selector().isEmpty() && entity.namespaceSelector().isEmpty()) {
      return Optional.empty();
    }
    Selector labels = entity.parsedSelector().orElse(Selector.all());
    return Optional.of(
        entity.namespaceSelector().isPresent()
            ? new SubjectSelector(Optional.empty(), entity.parsedNamespaceSelector(), labels)
            : new SubjectSelector(namespace, Optional.empty(), labels));
  }

  /** The objects whose addresses one side of a rule must not have, if it excludes by labels. */
  public static Optional<SubjectSelector> excludedBy(Entity entity) {
    return entity
        .parsedNotSelector()
        .map(labels -> new SubjectSelector(Optional.empty(), Optional.empty(), labels));
  }

  public boolean matches(Subject subject) {
    return (namespace.isEmpty() || namespace.equals(subject.namespace()))
        && (namespaceSelector.isEmpty() || matchesNamespace(namespaceSelector.get(), subject))
        && labels.matches(subject.labels());
  }

  private static boolean matchesNamespace(Selector selector, Subject subject) {
    if (selector.expression() instanceof Expression.Global) {
      return subject.namespace().isEmpty();
    }
    return subject.namespace().isPresent() && selector.matches(subject.namespaceLabels());
  }

  /** Says what it chooses; equal texts mean equal selectors. */
  @Override
  public String toString() {
    return namespace.map(name -> "namespace " + name + ", ").orElse("")
        + namespaceSelector.map(selector -> "namespaces " + selector + ", ").orElse("")
        + labels;
  }
}
