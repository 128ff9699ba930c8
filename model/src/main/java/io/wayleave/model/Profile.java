package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.List;
import java.util.Map;

/**
 * Labels and rules for the endpoints that name the profile. The rules are asked when no policy has
 * decided; what no profile of an endpoint decides is denied.
 */
@JsonPropertyOrder({"metadata", "spec"})
public record Profile(Metadata metadata, Spec spec) implements Resource {
  @JsonCreator
  public Profile {
    Absent.required("metadata", metadata, "metadata with a name");
    spec = spec == null ? new Spec(List.of(), List.of(), Map.of()) : spec;
  }

  /**
   * Rules and labels.
   *
   * @param labelsToApply labels that the endpoints have beside their own
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Spec(
      List<PolicyRule> ingress, List<PolicyRule> egress, Map<String, String> labelsToApply) {
    @JsonCreator
    public Spec {
      ingress = checked("ingress", ingress);
      egress = checked("egress", egress);
      labelsToApply = labelsToApply == null ? Labels.NONE : Labels.copyOf(labelsToApply);
      Metadata.checkLabels("labelsToApply", labelsToApply);
    }

    /** The rules of one direction, in order. */
    public List<PolicyRule> rules(Direction direction) {
      return switch (direction) {
        case Ingress -> ingress;
        case Egress -> egress;
      };
    }

    private static List<PolicyRule> checked(String field, List<PolicyRule> rules) {
      List<PolicyRule> all = Absent.orEmpty(rules);
      for (int i = 0; i < all.size(); i++) {
        if (all.get(i).action() == PolicyRule.Action.Pass) {
          throw new InvalidInputException(
              field + "[" + i + "].action",
              "Pass",
              "Allow, Deny, Log: profiles are in no tier that could be left");
        }
      }
      return all;
    }
  }
}
