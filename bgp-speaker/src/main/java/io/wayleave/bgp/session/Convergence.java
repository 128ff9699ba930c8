package io.wayleave.bgp.session;

import io.wayleave.bgp.GracefulRestart;
import io.wayleave.bgp.fsm.Negotiated;
import io.wayleave.model.Family;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which peers are still waited for after a start (RFC 4724 section 4.1): each that may still come,
 * until it said End-of-RIB for every family, but none beyond a deadline of its own.
 *
 * <p>There are two questions. Best paths may be chosen once {@link #selectionDone}; as section 4.1
 * has it, a peer that restarts itself (R bit) or has no graceful restart is not waited for then, or
 * two restarting speakers would wait for each other. Routes of an earlier run may be swept once
 * {@link #done}: such a peer's routes are about to come, so they get {@link
 * GracefulRestart#reconnectWait} from the session on, and no more: FRR sets the R bit at its every
 * start and may say End-of-RIB minutes later.
 *
 * <p>Who comes by a range is not known before. A range is waited for as a peer without a session
 * is, and whoever else gets a session in that time is waited for as the others are.
 *
 * <p>NOT thread safe; knows the time only as it is told.
 */
final class Convergence {
  /** What one peer owes, and until when it is waited for. */
  private sealed interface Wait {
    long deadline();

    /** No session yet. */
    record ForSession(long deadline) implements Wait {}

    /** A session with graceful restart, and End-of-RIB of these families to come. */
    record ForEndOfRib(Set<Family> families, long deadline) implements Wait {}

    /** A session whose End-of-RIB nothing but the sweep waits for. */
    record ForSweep(Set<Family> families, long deadline) implements Wait {}
  }

  private final Map<String, Wait> waits = new LinkedHashMap<>();
  // Who is or was waited for by name: once done it stays so.
  private final Set<String> known = new HashSet<>();
  private final Set<String> ranges;
  private final long reconnectNanos;
  private final long endOfRibNanos;
  // However often a session comes and goes.
  private final long lastDeadline;

  /**
   * Waits from now on.
   *
   * @param peers names of those that can be waited for by name
   * @param ranges names of the ranges by which others may come
   */
  Convergence(
      Collection<String> peers,
      Collection<String> ranges,
      GracefulRestart settings,
      long nowNanos) {
    reconnectNanos = settings.reconnectWait().toNanos();
    endOfRibNanos = settings.selectionDeferral().toNanos();
    lastDeadline = nowNanos + reconnectNanos + endOfRibNanos;
    this.ranges = Set.copyOf(ranges);
    known.addAll(peers);
    Wait first = new Wait.ForSession(nowNanos + reconnectNanos);
    peers.forEach(peer -> waits.put(peer, first));
    ranges.forEach(range -> waits.put(range, first));
  }

  /** The peer's session came up. */
  void established(String peer, Negotiated negotiated, long nowNanos) {
    Set<Family> families = EnumSet.copyOf(negotiated.families());
    boolean sendsAllNow =
        negotiated.peerGracefulRestart().filter(restart -> !restart.restarting()).isPresent();
    Wait wait =
        sendsAllNow
            ? new Wait.ForEndOfRib(families, bounded(nowNanos + endOfRibNanos))
            : new Wait.ForSweep(families, bounded(nowNanos + reconnectNanos));
    boolean byRange = ranges.stream().anyMatch(waits::containsKey) && known.add(peer);
    if (byRange || waits.containsKey(peer)) {
      waits.put(peer, wait);
    }
  }

  /** The session ended before the peer had sent everything: it may come back. */
  void lost(String peer, long nowNanos) {
    Wait wait = new Wait.ForSession(bounded(nowNanos + reconnectNanos));
    waits.computeIfPresent(peer, (_, _) -> wait);
  }

  private long bounded(long deadline) {
    return deadline - lastDeadline > 0 ? lastDeadline : deadline;
  }

  void endOfRib(String peer, Family family) {
    waits.computeIfPresent(
        peer,
        (_, wait) -> {
          owed(wait).remove(family);
          return wait instanceof Wait.ForSession || !owed(wait).isEmpty() ? wait : null;
        });
  }

  private static Set<Family> owed(Wait wait) {
    return switch (wait) {
      case Wait.ForSession(long _) -> EnumSet.noneOf(Family.class);
      case Wait.ForEndOfRib(Set<Family> families, long _) -> families;
      case Wait.ForSweep(Set<Family> families, long _) -> families;
    };
  }

  /** The peer is not configured any more, or came by a range and left; it may come once more. */
  void removed(String peer) {
    waits.remove(peer);
    known.remove(peer);
  }

  /** Gives up on those whose deadline is over. */
  void expire(long nowNanos) {
    waits.values().removeIf(wait -> nowNanos - wait.deadline() >= 0);
  }

  /** How long until {@link #expire} may give up on somebody; empty when nobody is waited for. */
  Optional<Duration> untilNextDeadline(long nowNanos) {
    return waits.values().stream()
        .map(wait -> Duration.ofNanos(Math.max(0, wait.deadline() - nowNanos)))
        .min(Comparator.naturalOrder());
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
