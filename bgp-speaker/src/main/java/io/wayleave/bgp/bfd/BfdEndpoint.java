package io.wayleave.bgp.bfd;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.util.Optional;

/**
 * The path that a session watches.
 *
 * @param interfaceIndex the only interface that it uses; 0 for any, which an IPv6 link-local peer
 *     cannot have
 * @param local own address, of the same family; empty lets the kernel choose
 */
public record BfdEndpoint(IpAddress peer, int interfaceIndex, Optional<IpAddress> local) {
  public BfdEndpoint {
    requireNonNull(peer, "peer is null");
    requireNonNull(local, "local is null");
    if (peer.isUnspecified() || peer.isMulticast()) {
      throw new InvalidInputException("peer", peer.toString(), "the address of one host");
    }
    if (interfaceIndex < 0) {
      throw new InvalidInputException("interface", Integer.toString(interfaceIndex), "0 or more");
    }
    if (interfaceIndex == 0 && peer.family() == Family.IPV6 && peer.isLinkLocal()) {
      throw new InvalidInputException(
          "interface", "0", "an interface for the link-local address " + peer);
    }
    if (local.isPresent() && local.get().family() != peer.family()) {
      throw new InvalidInputException(
          "local", local.get().toString(), "an address of the family of " + peer);
    }
  }

  public static BfdEndpoint of(IpAddress peer) {
    return new BfdEndpoint(peer, 0, Optional.empty());
  }

  public static BfdEndpoint of(IpAddress peer, int interfaceIndex) {
    return new BfdEndpoint(peer, interfaceIndex, Optional.empty());
  }

  public BfdEndpoint from(IpAddress own) {
    return new BfdEndpoint(peer, interfaceIndex, Optional.of(own));
  }

  @Override
  public String toString() {
    return peer
        + (interfaceIndex == 0 ? "" : "%" + interfaceIndex)
        + local.map(own -> " from " + own).orElse("");
  }
}
