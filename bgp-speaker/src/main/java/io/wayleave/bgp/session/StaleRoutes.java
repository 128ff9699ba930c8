package io.wayleave.bgp.session;

import io.wayleave.bgp.GracefulRestart;
import io.wayleave.bgp.fsm.DownCause;
import io.wayleave.bgp.fsm.Event;
import io.wayleave.bgp.fsm.Negotiated;
import io.wayleave.bgp.fsm.State;
import io.wayleave.bgp.wire.BgpMessage.Notification;
import io.wayleave.bgp.wire.Notifications;
import io.wayleave.model.Family;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * Which families of a peer have routes of an earlier session that are still used: the part of the
 * receiving speaker in RFC 4724 section 4.2. It decides; its owner removes routes and runs the
 * timer. NOT thread safe.
 */
final class StaleRoutes {
  private final Set<Family> stale = EnumSet.noneOf(Family.class);

  /**
   * What to do at a turn of a peer's life.
   *
   * @param drop families whose routes of earlier sessions go now
   * @param timer until the rest goes, unless something else happens before; empty leaves the timer
   *     as it is when something is stale still, and stops it otherwise
   */
  record Verdict(Set<Family> drop, Optional<Duration> timer) {}

  /** Families with stale routes. */
  Set<Family> families() {
    return Collections.unmodifiableSet(stale);
  }

  /**
   * The session ended. Routes stay if the connection went away silently (section 4.2), and where
   * RFC 8538 is negotiated also after a NOTIFICATION either way, so an expired hold timer too,
   * unless it was a Hard Reset (its section 4).
   */
  Verdict down(DownCause cause, Negotiated negotiated) {
    Optional<Duration> restartTime =
        negotiated
            .peerGracefulRestart()
            .map(capability -> Duration.ofSeconds(capability.restartTime()));
    Set<Family> keep = EnumSet.noneOf(Family.class);
    if (isGraceful(cause, negotiated) && restartTime.filter(time -> !time.isZero()).isPresent()) {
      keep.addAll(negotiated.restartable());
    }
    stale.clear();
    stale.addAll(keep);
    Set<Family> drop = EnumSet.allOf(Family.class);
    drop.removeAll(keep);
    return new Verdict(drop, keep.isEmpty() ? Optional.empty() : restartTime);
  }

  private static boolean isGraceful(DownCause cause, Negotiated negotiated) {
    return switch (cause) {
      case DownCause.TcpLost(String _) -> true;
      case DownCause.NotificationReceived(Notification received) ->
          negotiated.gracefulNotification() && !Notifications.isHardReset(received);
      case DownCause.NotificationSent(Notification sent) ->
          negotiated.gracefulNotification() && !Notifications.isHardReset(sent);
      case DownCause.LocalRestart() -> false;
      case DownCause.Unexpected(State _, Event _) -> false;
    };
  }

  /**
   * The session is back. What stays stale is what the peer says it kept forwarding for; it goes at
   * End-of-RIB.
   */
  Verdict up(Negotiated negotiated, GracefulRestart settings) {
    Set<Family> drop = EnumSet.copyOf(EnumSet.allOf(Family.class));
    drop.retainAll(stale);
    drop.removeAll(negotiated.forwardingPreserved());
    stale.removeAll(drop);
    return new Verdict(
        drop, stale.isEmpty() ? Optional.empty() : Optional.of(settings.staleTime()));
  }

  /** The peer has sent all it has of the family. */
  Verdict endOfRib(Family family) {
    return new Verdict(
        stale.remove(family) ? EnumSet.of(family) : EnumSet.noneOf(Family.class), Optional.empty());
  }

  /** The timer of the last verdict expired, or an attempt to come back was refused. */
  Verdict giveUp() {
    Set<Family> drop = EnumSet.noneOf(Family.class);
    drop.addAll(stale);
    stale.clear();
    return new Verdict(drop, Optional.empty());
  }
}
