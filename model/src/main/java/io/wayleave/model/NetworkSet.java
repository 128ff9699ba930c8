package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.List;

/** Networks that rules choose by labels, as an object of one namespace. */
@JsonPropertyOrder({"metadata", "spec"})
public record NetworkSet(Metadata metadata, Spec spec) implements Resource {
  @JsonCreator
  public NetworkSet {
    Absent.required("metadata", metadata, "metadata with a name");
    spec = spec == null ? new Spec(List.of()) : spec;
    metadata = metadata.namespaced();
  }

  /**
   * What is in it.
   *
   * @param nets networks and single addresses of both families; none is allowed
   */
  public record Spec(List<Cidr> nets) {
    @JsonCreator
    public Spec {
      nets = Absent.orEmpty(nets);
    }
  }
}
