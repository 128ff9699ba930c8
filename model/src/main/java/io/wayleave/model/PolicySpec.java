package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.wayleave.model.PolicyRule.Action;
import io.wayleave.model.selector.Selector;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Selection, order and rules of a policy of any kind.
 *
 * @param tier name of the tier that it belongs to; {@link Tier#DEFAULT} when absent
 * @param order policies of a tier with a lower number are asked first; absent is last
 * @param selector which endpoints; {@code all()} when absent
 * @param namespaceSelector only workload endpoints in namespaces with matching labels; {@code
 *     global()}: only host endpoints. In global policies only
 * @param types the directions that it governs; when absent, Ingress unless there are only egress
 *     rules, and Egress when there are any
 * @param stagedAction what staging would do; in staged policies only
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record PolicySpec(
    String tier,
    Optional<Double> order,
    String selector,
    Optional<String> namespaceSelector,
    Set<Direction> types,
    List<PolicyRule> ingress,
    List<PolicyRule> egress,
    Optional<StagedAction> stagedAction) {

  /** What becomes of the policy of the same name when a staged one is put into force. */
  public enum StagedAction {
    /** It is written, or replaced. */
    Set,
    /** It is deleted. */
    Delete
  }

  @JsonCreator
  public PolicySpec {
    tier = Absent.orElse(tier, Tier.DEFAULT);
    order = Absent.orEmpty(order);
    selector = Absent.orElse(selector, "all()");
    namespaceSelector = Absent.orEmpty(namespaceSelector).filter(text -> !text.isEmpty());
    ingress = Absent.orEmpty(ingress);
    egress = Absent.orEmpty(egress);
    stagedAction = Absent.orEmpty(stagedAction);
    try {
      Metadata.of(tier);
    } catch (InvalidInputException e) {
      throw new InvalidInputException("tier", tier, e.allowed());
    }
    if (order.isPresent() && !Double.isFinite(order.get())) {
      throw new InvalidInputException("order", order.get().toString(), "a finite number");
    }
    Checks.selector("selector", selector);
    namespaceSelector.ifPresent(text -> Checks.selector("namespaceSelector", text));
    types = types == null || types.isEmpty() ? impliedTypes(ingress, egress) : ordered(types);
    checkDirection(Direction.Ingress, types, ingress);
    checkDirection(Direction.Egress, types, egress);
  }

  /** The rules of one direction, in order. */
  public List<PolicyRule> rules(Direction direction) {
    return switch (direction) {
      case Ingress -> ingress;
      case Egress -> egress;
    };
  }

  /** {@link #selector}, read. */
  public Selector parsedSelector() {
    return Selector.parse(selector);
  }

  /** {@link #namespaceSelector}, read. */
  public Optional<Selector> parsedNamespaceSelector() {
    return namespaceSelector.map(Selector::parse);
  }

  /** Whether some rule is a {@link Action#Log}. */
  public boolean logs() {
    return ingress.stream().anyMatch(rule -> rule.action() == Action.Log)
        || egress.stream().anyMatch(rule -> rule.action() == Action.Log);
  }

  /** Refuses what a policy of another kind may say only. */
  PolicySpec check(boolean global, boolean staged) {
    if (!global && namespaceSelector.isPresent()) {
      throw new InvalidInputException(
          "spec.namespaceSelector",
          namespaceSelector.get(),
          "nothing, as the policy governs its own namespace only; a GlobalNetworkPolicy may have"
              + " it");
    }
    if (!staged && stagedAction.isPresent()) {
      throw new InvalidInputException(
          "spec.stagedAction",
          stagedAction.get().toString(),
          "nothing, as the policy is not staged");
    }
    if (stagedAction.equals(Optional.of(StagedAction.Delete))
        && !(ingress.isEmpty() && egress.isEmpty())) {
      throw new InvalidInputException(
          "spec.stagedAction", "Delete", "Set, or Delete without ingress and egress rules");
    }
    return this;
  }

  private static void checkDirection(
      Direction direction, Set<Direction> types, List<PolicyRule> rules) {
    if (!types.contains(direction) && !rules.isEmpty()) {
      String name = direction == Direction.Ingress ? "ingress" : "egress";
      throw new InvalidInputException(
          "types",
          types.toString(),
          direction + " among them, because there are " + name + " rules");
    }
  }

  private static Set<Direction> impliedTypes(List<PolicyRule> ingress, List<PolicyRule> egress) {
    EnumSet<Direction> implied = EnumSet.noneOf(Direction.class);
    if (!ingress.isEmpty() || egress.isEmpty()) {
      implied.add(Direction.Ingress);
    }
    if (!egress.isEmpty()) {
      implied.add(Direction.Egress);
    }
    return ordered(implied);
  }

  private static Set<Direction> ordered(Set<Direction> types) {
    return Collections.unmodifiableSet(EnumSet.copyOf(types));
  }
}
