package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;

/**
 * Which traffic the workload endpoints of one namespace that a selector chooses may receive and
 * send. The selectors of its rules choose among the objects of the same namespace, unless a {@code
 * namespaceSelector} says otherwise.
 */
@JsonPropertyOrder({"metadata", "spec"})
public record NetworkPolicy(Metadata metadata, PolicySpec spec) implements Policy {
  @JsonCreator
  public NetworkPolicy {
    Absent.required("metadata", metadata, "metadata with a name");
    Absent.required("spec", spec, "a spec").check(false, false);
    metadata = metadata.namespaced();
  }
}
