package io.wayleave.bgp.fsm;

import io.wayleave.model.Asn;
import io.wayleave.model.RouterId;

/**
 * Which of two connections with one peer survives (RFC 4271 section 6.8). Both sides compute it
 * from the same numbers, so both keep the same connection.
 */
public final class Collision {
  /** Which side dialled the connection that stays. */
  public enum Winner {
    DIALLED_BY_US,
    DIALLED_BY_PEER
  }

  private Collision() {}

  /**
   * The connection that the side with the higher BGP identifier dialled stays; with equal
   * identifiers (possible across ASes, RFC 6286 section 2.3) the higher AS number decides.
   */
  public static Winner winner(RouterId ourId, Asn ourAs, RouterId peerId, Asn peerAs) {
    int order = ourId.compareTo(peerId);
    if (order == 0) {
      order = ourAs.compareTo(peerAs);
    }
    return order > 0 ? Winner.DIALLED_BY_US : Winner.DIALLED_BY_PEER;
  }
}
