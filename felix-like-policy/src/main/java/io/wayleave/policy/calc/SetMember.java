package io.wayleave.policy.calc;

import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Protocol;

/** What a set has; of the family of the set. */
public sealed interface SetMember {
  /** A network, or one address as a /32 or /128. A /0 is possible. */
  record Net(Cidr net) implements SetMember {}

  /** A port at an address. */
  record AddressPort(IpAddress address, Protocol protocol, int port) implements SetMember {}
}
