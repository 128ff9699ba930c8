package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;

/**
 * A {@link GlobalNetworkPolicy} that is tried out: it changes no verdict, and {@code netctl policy
 * explain} says what it would have done.
 */
@JsonPropertyOrder({"metadata", "spec"})
public record StagedGlobalNetworkPolicy(Metadata metadata, PolicySpec spec) implements Policy {
  @JsonCreator
  public StagedGlobalNetworkPolicy {
    Absent.required("metadata", metadata, "metadata with a name");
    Absent.required("spec", spec, "a spec").check(true, true);
  }
}
