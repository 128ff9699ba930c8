package io.wayleave.policy.calc;

import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.IpAddress;

/**
 * Receives what changed in the desired dataplane state, once per change. Everything that a put
 * refers to has been put before it, and nothing is removed while something still refers to it.
 */
public interface CalculationSink {
  void putSet(AddressSetId set);

  void addMember(AddressSetId set, IpAddress member);

  void putPolicy(GlobalNetworkPolicy policy);

  void putEndpoint(EndpointPolicies endpoint);

  void removeEndpoint(String name);

  void removePolicy(String name);

  void removeMember(AddressSetId set, IpAddress member);

  /** The set goes with all its members, which are not removed one by one. */
  void removeSet(AddressSetId set);
}
