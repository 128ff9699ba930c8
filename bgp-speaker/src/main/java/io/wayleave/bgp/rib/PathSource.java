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
   * source, which takes the place of this one path by path.
   *
   * @param peer the peer's configured name, the key of the Adj-RIB-In
   * @param localAddress our end of the connection
   * @param client whether it is our client as a route reflector (RFC 4456)
   * @param generation counts the sessions with this peer, and the times that it told all again
   */
  record Peer(
      String peer,
      IpAddress address,
      IpAddress localAddress,
      Asn asn,
      boolean internal,
      RouterId routerId,
      boolean client,
      int generation)
      implements PathSource {
    public Peer {
      requireNonNull(peer, "peer is null");
      requireNonNull(address, "address is null");
      requireNonNull(localAddress, "localAddress is null");
      requireNonNull(asn, "asn is null");
      requireNonNull(routerId, "routerId is null");
    }

    Peer withClient(boolean changed) {
      return changed == client
          ? this
          : new Peer(peer, address, localAddress, asn, internal, routerId, changed, generation);
    }

    /** The same session, after another beginning of its routes. */
    public Peer withGeneration(int changed) {
      return new Peer(peer, address, localAddress, asn, internal, routerId, client, changed);
    }

    @Override
    public boolean equals(Object other) {
      return this == other
          || (other instanceof Peer that
              && generation == that.generation
              && peer.equals(that.peer)
              && address.equals(that.address)
              && localAddress.equals(that.localAddress)
              && asn.equals(that.asn)
              && internal == that.internal
              && client == that.client
              && routerId.equals(that.routerId));
    }

    @Override
    public int hashCode() {
      return peer.hashCode() * 31 + generation;
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
