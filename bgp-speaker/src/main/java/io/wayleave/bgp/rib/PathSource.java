package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Asn;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;

/** Where a path comes from. */
public sealed interface PathSource {
  /** This speaker itself: a route it originates. */
  record Local() implements PathSource {
    static final Local INSTANCE = new Local();

    @Override
    public String toString() {
      return "local";
    }
  }

  /**
   * One session with a peer, from its OPEN on. The next session with the same peer is another
   * source, equal to this one if the peer did not change.
   *
   * @param peer the peer's configured name, the key of the Adj-RIB-In
   * @param localAddress our end of the connection
   * @param generation counts the sessions with this peer; not part of equality, so that a route
   *     that comes back unchanged after a restart is not a change
   */
  record Peer(
      String peer,
      IpAddress address,
      IpAddress localAddress,
      Asn asn,
      boolean internal,
      RouterId routerId,
      int generation)
      implements PathSource {
    public Peer {
      requireNonNull(peer, "peer is null");
      requireNonNull(address, "address is null");
      requireNonNull(localAddress, "localAddress is null");
      requireNonNull(asn, "asn is null");
      requireNonNull(routerId, "routerId is null");
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Peer that
          && peer.equals(that.peer)
          && address.equals(that.address)
          && localAddress.equals(that.localAddress)
          && asn.equals(that.asn)
          && internal == that.internal
          && routerId.equals(that.routerId);
    }

    @Override
    public int hashCode() {
      return peer.hashCode() * 31 + routerId.hashCode();
    }

    @Override
    public String toString() {
      return peer;
    }
  }

  /** Whether two paths of these sources replace each other. */
  static boolean same(PathSource one, PathSource other) {
    return switch (one) {
      case Local() -> other instanceof Local;
      case Peer peer -> other instanceof Peer that && peer.peer.equals(that.peer);
    };
  }
}
