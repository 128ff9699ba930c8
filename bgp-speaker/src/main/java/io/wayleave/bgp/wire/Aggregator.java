package io.wayleave.bgp.wire;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Asn;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;

/** AGGREGATOR, RFC 4271 section 5.1.7: who formed the aggregate. */
public record Aggregator(Asn as, IpAddress address) {
  public Aggregator {
    requireNonNull(as, "as is null");
    if (address.family() != Family.IPV4) {
      throw new IllegalArgumentException("aggregator " + address + " is not an IPv4 address");
    }
  }

  @Override
  public String toString() {
    return "AS" + as + " " + address;
  }
}
