package io.wayleave.policy.calc;

import io.wayleave.model.WorkloadEndpoint;
import java.util.List;

/**
 * An endpoint of this node and the names of the policies that govern it, in the order in which they
 * are asked. No policy in a direction means that everything is allowed in it; with one or more,
 * what none of them decides is denied.
 */
public record EndpointPolicies(
    WorkloadEndpoint endpoint, List<String> ingress, List<String> egress) {
  public EndpointPolicies {
    ingress = List.copyOf(ingress);
    egress = List.copyOf(egress);
  }
}
