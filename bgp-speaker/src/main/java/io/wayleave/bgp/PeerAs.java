package io.wayleave.bgp;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Asn;

/** Which AS a peer may name in its OPEN. */
public sealed interface PeerAs {
  /** Whether a peer of that AS is wanted by a speaker of this one. */
  boolean accepts(Asn own, Asn remote);

  /** This one alone; the speaker's own makes it an iBGP peer. */
  record Exact(Asn asNumber) implements PeerAs {
    public Exact {
      requireNonNull(asNumber, "asNumber is null");
    }

    @Override
    public boolean accepts(Asn own, Asn remote) {
      return remote.equals(asNumber);
    }

    @Override
    public String toString() {
      return asNumber.toString();
    }
  }

  /** Any but the speaker's own. */
  record External() implements PeerAs {
    @Override
    public boolean accepts(Asn own, Asn remote) {
      return !remote.equals(own);
    }

    @Override
    public String toString() {
      return "external";
    }
  }

  /** The speaker's own, whatever it is. */
  record Internal() implements PeerAs {
    @Override
    public boolean accepts(Asn own, Asn remote) {
      return remote.equals(own);
    }

    @Override
    public String toString() {
      return "internal";
    }
  }
}
