package io.wayleave.route;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What the kernel refused, why, and when each is worth another try: after a first pause, then after
 * one twice as long, up to a longest. Times are those of {@link System#nanoTime}. NOT thread safe.
 */
final class Refusals {
  private final Map<RouteKey, Refused> refused = new HashMap<>();
  private final RouteSettings settings;

  /** Attempts so far, the time of the first and the time before which there is no other. */
  record Refused(String reason, int attempts, long since, long notBefore) {}

  Refusals(RouteSettings settings) {
    this.settings = settings;
  }

  /** Returns whether it is the first time. */
  boolean note(RouteKey key, String reason, long now) {
    Refused before = refused.get(key);
    int attempts = before == null ? 1 : before.attempts() + 1;
    long first = settings.firstRetry().toNanos();
    // The shift is bounded, so that it cannot run over; the longest pause is reached long before.
    long pause = Math.min(first << Math.min(attempts - 1, 20), settings.lastRetry().toNanos());
    long since = before == null ? now : before.since();
    refused.put(key, new Refused(reason, attempts, since, now + pause));
    return before == null;
  }

  void forget(RouteKey key) {
    refused.remove(key);
  }

  Optional<Refused> get(RouteKey key) {
    return Optional.ofNullable(refused.get(key));
  }

  boolean mustWait(RouteKey key, long now) {
    Refused known = refused.get(key);
    return known != null && now - known.notBefore() < 0;
  }

  /** Something changed that may be what they waited for. */
  void retryAll(long now) {
    refused.replaceAll(
        (key, known) -> new Refused(known.reason(), known.attempts(), known.since(), now));
  }

  /** Until the next is worth a try, at most {@code longest}. */
  Duration untilNext(long now, Duration longest) {
    long next = longest.toNanos();
    for (Refused known : refused.values()) {
      next = Math.min(next, known.notBefore() - now);
    }
    return Duration.ofNanos(Math.max(next, 0));
  }
}
