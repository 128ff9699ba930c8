package io.wayleave.policy.calc;

import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Protocol;

/** What a set has; of the family of the set. */
public sealed interface SetMember {
  /** A network, or one address as a /32 or /128. A /0 is possible. */
  record Net(Cidr net) implements SetMember {
    // As a record's own, but fast from the first call: large sets are filled while nothing is
    // compiled yet.
    @Override
    public boolean equals(Object other) {
      return other instanceof Net that && net.equals(that.net);
    }

    @Override
    public int hashCode() {
      return net.hashCode();
    }
  }

  /** A port at an address. */
  record AddressPort(IpAddress address, Protocol protocol, int port) implements SetMember {}
}
