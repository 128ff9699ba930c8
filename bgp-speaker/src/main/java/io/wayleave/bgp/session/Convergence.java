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
 * holds back nothing for longer than {@link GracefulRestart#reconnectWait}.
 *
 * <p>There are two questions. Best paths may be chosen once {@link #selectionDone}; a peer that
 * restarts itself or has no graceful restart is not waited for then, or two restarting speakers
 * would wait for each other. Routes of an earlier run may be swept once {@link #done}: such a
 * peer's routes are about to come, and sweeping before they do would leave a hole.
 *
 * <p>NOT thread safe; knows the time only as it is told.
 */
final class Convergence {
  /** What one peer owes. */
  private sealed interface Wait {
    /** No session yet. */
    record ForSession() implements Wait {}

    /** A session with graceful restart, and End-of-RIB of these families to come. */
    record ForEndOfRib(Set<Family> families) implements Wait {}

    /**
     * A session whose End-of-RIB nothing but the sweep waits for.
     *
     * @param certain whether it will come at all
     */
    record ForSweep(Set<Family> families, boolean certain) implements Wait {}
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
    Set<Family> families = EnumSet.copyOf(negotiated.families());
    Wait wait =
        negotiated
            .peerGracefulRestart()
            .<Wait>map(
                capability ->
                    capability.restarting()
                        ? new Wait.ForSweep(families, true)
                        : new Wait.ForEndOfRib(families))
            .orElseGet(() -> new Wait.ForSweep(families, false));
    waits.computeIfPresent(peer, (_, _) -> wait);
  }

  /** The session ended before the peer had sent everything: it may come back. */
  void lost(String peer) {
    waits.computeIfPresent(peer, (_, _) -> new Wait.ForSession());
  }

  void endOfRib(String peer, Family family) {
    waits.computeIfPresent(
        peer,
        (_, wait) -> {
          owed(wait).remove(family);
          return wait;
        });
    waits.values().removeIf(wait -> !(wait instanceof Wait.ForSession) && owed(wait).isEmpty());
  }

  private static Set<Family> owed(Wait wait) {
    return switch (wait) {
      case Wait.ForSession() -> EnumSet.noneOf(Family.class);
      case Wait.ForEndOfRib(Set<Family> families) -> families;
      case Wait.ForSweep(Set<Family> families, boolean _) -> families;
    };
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
      waits.values().removeIf(Convergence::mayNeverCome);
    }
  }

  private static boolean mayNeverCome(Wait wait) {
    return switch (wait) {
      case Wait.ForSession() -> true;
      case Wait.ForEndOfRib(Set<Family> _) -> false;
      case Wait.ForSweep(Set<Family> _, boolean certain) -> !certain;
    };
  }

  /** Whether best paths may be chosen. */
  boolean selectionDone() {
    return waits.values().stream().allMatch(Wait.ForSweep.class::isInstance);
  }

  /** Whether nothing is waited for at all. */
  boolean done() {
    return waits.isEmpty();
  }

  List<String> waitingFor() {
    return new ArrayList<>(waits.keySet());
  }
}
