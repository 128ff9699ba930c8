package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.List;

/** Networks that rules choose by labels, as an object of no namespace. */
@JsonPropertyOrder({"metadata", "spec"})
public record GlobalNetworkSet(Metadata metadata, NetworkSet.Spec spec) implements Resource {
  @JsonCreator
  public GlobalNetworkSet {
    Absent.required("metadata", metadata, "metadata with a name");
    spec = spec == null ? new NetworkSet.Spec(List.of()) : spec;
  }
}
