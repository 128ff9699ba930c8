package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.List;

/**
 * Addresses that are in a pool and are not given to who asks for any. Who asks for one of them by
 * name gets it, and those that are in use stay with their owners.
 */
@JsonPropertyOrder({"metadata", "spec"})
public record IpReservation(Metadata metadata, Spec spec) implements Resource {
  @JsonCreator
  public IpReservation {
    Absent.required("metadata", metadata, "metadata with a name");
    Absent.required("spec", spec, "a spec with reservedCIDRs");
  }

  /**
   * What is reserved.
   *
   * @param reservedCIDRs networks and single addresses, of both families, inside pools or not
   */
  public record Spec(List<Cidr> reservedCIDRs) {
    @JsonCreator
    public Spec {
      reservedCIDRs = Absent.orEmpty(reservedCIDRs);
      if (reservedCIDRs.isEmpty()) {
        throw new InvalidInputException(
            "reservedCIDRs", "[]", "at least one network or address, such as 10.244.0.0/28");
      }
    }
  }
}
