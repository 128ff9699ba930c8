package io.wayleave.bgp.session;

import io.wayleave.bgp.GracefulRestart;
import io.wayleave.bgp.fsm.Negotiated;
import io.wayleave.model.Family;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which peers are still waited for after a start (RFC 4724 section 4.1): each that may still come,
 * until it said End-of-RIB for every family, but none beyond its deadline, so that a dead peer
 * holds back nothing for longer than {@link GracefulRestart#reconnectWait}. NOT thread safe; knows
 * the time only as it is told.
 */
final class Convergence {
  /** What one peer owes. */
  private sealed interface Wait {
    /** No session yet. */
    record ForSession() implements Wait {}

    /** A session, and End-of-RIB of these families to come. */
    record ForEndOfRib(Set<Family> families) implements Wait {}
  }

  private final Map<String, Wait> waits = new LinkedHashMap<>();
  private final long reconnectDeadline;
  private final long lastDeadline;

  Convergence(Collection<String> peers, GracefulRestart settings, long nowNanos) {
    peers.forEach(peer -> waits.put(peer, new Wait.ForSession()));
    Duration last = settings.selectionDeferral();
    Duration reconnect =
        settings.reconnectWait().compareTo(last) < 0 ? settings.reconnectWait() : last;
    reconnectDeadline = nowNanos + reconnect.toNanos();
    lastDeadline = nowNanos + last.toNanos();
  }

  /** The peer's session came up. */
  void established(String peer, Negotiated negotiated) {
    if (!waits.containsKey(peer)) {
      return;
    }
    boolean endOfRibWillCome =
        negotiated
            .peerGracefulRestart()
            // Section 4.1: a peer that restarted itself is not waited for, or both would wait.
            .map(capability -> !capability.restarting())
            .orElse(false);
    if (endOfRibWillCome) {
      Set<Family> families = EnumSet.copyOf(negotiated.families());
      waits.put(peer, new Wait.ForEndOfRib(families));
    } else {
      waits.remove(peer);
    }
  }

  /** The session ended before the peer had sent everything: it may come back. */
  void lost(String peer) {
    waits.computeIfPresent(peer, (_, _) -> new Wait.ForSession());
  }

  void endOfRib(String peer, Family family) {
    if (waits.get(peer) instanceof Wait.ForEndOfRib(Set<Family> families)) {
      families.remove(family);
      if (families.isEmpty()) {
        waits.remove(peer);
      }
    }
  }

  /** The peer is not configured any more. */
  void removed(String peer) {
    waits.remove(peer);
  }

  /** Gives up on those whose deadline is over. */
  void expire(long nowNanos) {
    if (nowNanos - lastDeadline >= 0) {
      waits.clear();
    } else if (nowNanos - reconnectDeadline >= 0) {
      waits.values().removeIf(Wait.ForSession.class::isInstance);
    }
  }

  boolean done() {
    return waits.isEmpty();
  }

  List<String> waitingFor() {
    return new ArrayList<>(waits.keySet());
  }
}
