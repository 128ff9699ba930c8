package io.wayleave.bgp;

import io.wayleave.model.InvalidInputException;
import java.time.Duration;
import java.util.Optional;

/**
 * The timers of one peering (RFC 4271 section 10).
 *
 * @param holdTime proposed in OPEN; the lower of both sides' wins and a third of it is the
 *     keepalive interval. 0 means neither, else 3 to 65535 seconds, whole seconds
 * @param connectRetry wait between attempts to connect; each wait is this times a random 0.75 to
 *     1.0
 * @param idleHold wait after a session failed before it is tried again; doubles with each failure
 *     in a row (RFC 4271 section 8.1.1, DampPeerOscillations)
 * @param idleHoldMax the wait never grows beyond this; a session that lasted this long counts as
 *     good and the wait starts from {@code idleHold} again
 * @param sendHold how long nothing can be sent before the session is given up (RFC 9687), more than
 *     the hold time; not watched when the negotiated hold time is zero; absent: the greater of 8
 *     minutes and twice the negotiated hold time (section 6)
 */
public record Timers(
    Duration holdTime,
    Duration connectRetry,
    Duration idleHold,
    Duration idleHoldMax,
    Optional<Duration> sendHold) {
  /**
   * Hold time 90 s as the RFC suggests; connect retry 2 s and idle hold 1 s to 30 s, which is far
   * below the RFC's 120 s: a host without its ToR is of no use, and a refused dial costs nothing.
   */
  public static final Timers DEFAULT =
      new Timers(
          Duration.ofSeconds(90),
          Duration.ofSeconds(2),
          Duration.ofSeconds(1),
          Duration.ofSeconds(30),
          Optional.empty());

  public Timers {
    long seconds = holdTime.toSeconds();
    // RFC 4271 section 4.2: the Hold Time MUST be either zero or at least three seconds.
    if (!holdTime.equals(Duration.ofSeconds(seconds))
        || (seconds != 0 && (seconds < 3 || seconds > 65535))) {
      throw new InvalidInputException(
          "holdTime", holdTime.toString(), "0 s, or whole seconds from 3 to 65535");
    }
    requirePositive("connectRetry", connectRetry);
    requirePositive("idleHold", idleHold);
    if (idleHoldMax.compareTo(idleHold) < 0) {
      throw new InvalidInputException(
          "idleHoldMax", idleHoldMax.toString(), "at least idleHold, here " + idleHold);
    }
    sendHold.ifPresent(
        time -> {
          requirePositive("sendHold", time);
          // RFC 9687 section 4.4; the negotiated hold time is never more than this one.
          if (time.compareTo(holdTime) <= 0) {
            throw new InvalidInputException(
                "sendHold", time.toString(), "more than holdTime, here " + holdTime);
          }
        });
  }

  public Timers withHoldTime(Duration time) {
    return new Timers(time, connectRetry, idleHold, idleHoldMax, sendHold);
  }

  public Timers withConnectRetry(Duration time) {
    return new Timers(holdTime, time, idleHold, idleHoldMax, sendHold);
  }

  public Timers withIdleHold(Duration first, Duration max) {
    return new Timers(holdTime, connectRetry, first, max, sendHold);
  }

  public Timers withSendHold(Duration time) {
    return new Timers(holdTime, connectRetry, idleHold, idleHoldMax, Optional.of(time));
  }

  private static void requirePositive(String field, Duration time) {
    if (time.isZero() || time.isNegative()) {
      throw new InvalidInputException(field, time.toString(), "more than 0 s");
    }
  }
}
