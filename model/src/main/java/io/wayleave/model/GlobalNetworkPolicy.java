package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.wayleave.model.selector.Selector;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Which traffic the endpoints that a selector chooses may receive and send. An endpoint that no
 * policy selects in a direction is open in that direction; one that any selects is closed except
 * for what a rule allows. Policies are asked in the order of {@code order}, absent last, then of
 * their names; the first rule that matches decides.
 */
@JsonPropertyOrder({"metadata", "spec"})
public record GlobalNetworkPolicy(Metadata metadata, Spec spec) implements Resource {
  @JsonCreator
  public GlobalNetworkPolicy {
    Absent.required("metadata", metadata, "metadata with a name");
    Absent.required("spec", spec, "a spec");
  }

  /** A direction, seen from the endpoint. */
  public enum Direction {
    Ingress,
    Egress
  }

  /** What a matching rule decides. */
  public enum Action {
    Allow,
    Deny
  }

  /**
   * Selection, order and rules.
   *
   * @param order policies with a lower number are asked first; absent is last
   * @param selector which endpoints; {@code all()} when absent
   * @param types the directions that it governs; when absent, Ingress unless there are only egress
   *     rules, and Egress when there are any
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Spec(
      Optional<Double> order,
      String selector,
      Set<Direction> types,
      List<PolicyRule> ingress,
      List<PolicyRule> egress) {
    @JsonCreator
    public Spec {
      order = Absent.orEmpty(order);
      selector = Absent.orElse(selector, "all()");
      ingress = Absent.orEmpty(ingress);
      egress = Absent.orEmpty(egress);
      if (order.isPresent() && !Double.isFinite(order.get())) {
        throw new InvalidInputException("order", order.get().toString(), "a finite number");
      }
      try {
        Selector.parse(selector);
      } catch (InvalidInputException e) {
        throw e.within("selector");
      }
      types = types == null || types.isEmpty() ? impliedTypes(ingress, egress) : ordered(types);
      if (!types.contains(Direction.Ingress) && !ingress.isEmpty()) {
        throw new InvalidInputException(
            "types", types.toString(), "Ingress among them, because there are ingress rules");
      }
      if (!types.contains(Direction.Egress) && !egress.isEmpty()) {
        throw new InvalidInputException(
            "types", types.toString(), "Egress among them, because there are egress rules");
      }
    }

    public Selector parsedSelector() {
      return Selector.parse(selector);
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
      return java.util.Collections.unmodifiableSet(EnumSet.copyOf(types));
    }
  }
}
