package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;

/**
 * Which traffic the endpoints that a selector chooses may receive and send: workload endpoints of
 * all namespaces, or of those that {@code namespaceSelector} chooses, and host endpoints. What
 * comes of several policies is explained in docs/policy.md.
 */
@JsonPropertyOrder({"metadata", "spec"})
public record GlobalNetworkPolicy(Metadata metadata, PolicySpec spec) implements Policy {
  @JsonCreator
  public GlobalNetworkPolicy {
    Absent.required("metadata", metadata, "metadata with a name");
    Absent.required("spec", spec, "a spec").check(true, false);
  }
}
