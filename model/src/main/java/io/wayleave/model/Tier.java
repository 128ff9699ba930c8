package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.Optional;

/**
 * A group of policies that is asked as a whole, one after the other by {@code order} and then by
 * name. What no policy of it decides, of those that select the endpoint, gets the tier's default
 * action; a tier without such a policy is passed over.
 */
@JsonPropertyOrder({"metadata", "spec"})
public record Tier(Metadata metadata, Spec spec) implements Resource {
  /** The tier of policies that name none. It exists also when nobody wrote it. */
  public static final String DEFAULT = "default";

  private static final double DEFAULT_ORDER = 1_000_000;

  @JsonCreator
  public Tier {
    Absent.required("metadata", metadata, "metadata with a name");
    spec = spec == null ? new Spec(Optional.empty(), null) : spec;
  }

  /** What becomes of a packet that no policy of the tier decides. */
  public enum DefaultAction {
    /** It is dropped. */
    Deny,
    /** The next tier is asked. */
    Pass
  }

  /**
   * A tier of which only the name is known: the default tier, or one that policies name and nobody
   * wrote, which is the last and denies.
   */
  public static Tier implied(String name) {
    return new Tier(
        Metadata.of(name),
        new Spec(
            name.equals(DEFAULT) ? Optional.of(DEFAULT_ORDER) : Optional.empty(),
            DefaultAction.Deny));
  }

  /**
   * Order and default.
   *
   * @param order tiers with a lower number are asked first; absent is last
   * @param defaultAction Deny when absent
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Spec(Optional<Double> order, DefaultAction defaultAction) {
    @JsonCreator
    public Spec {
      order = Absent.orEmpty(order);
      defaultAction = Absent.orElse(defaultAction, DefaultAction.Deny);
      if (order.isPresent() && !Double.isFinite(order.get())) {
        throw new InvalidInputException("order", order.get().toString(), "a finite number");
      }
    }
  }
}
