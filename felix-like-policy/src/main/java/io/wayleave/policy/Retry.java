package io.wayleave.policy;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Optional;

/**
 * When something that failed is tried again: after pauses that double from {@link #FIRST} to a
 * longest one. It has no clock. NOT thread safe.
 */
final class Retry {
  static final Duration FIRST = Duration.ofMillis(100);

  private final Duration longest;
  private int failures;
  private long notBefore;
  private Optional<String> why = Optional.empty();

  Retry(Duration longest) {
    this.longest = requireNonNull(longest, "longest is null");
  }

  /**
   * It failed, once more or for the first time.
   *
   * @param now monotonic time in nanoseconds
   * @return the pause before the next attempt
   */
  Duration failed(long now, String reason) {
    Duration pause = FIRST;
    for (int i = 0; i < failures && pause.compareTo(longest) < 0; i++) {
      pause = pause.multipliedBy(2);
    }
    pause = pause.compareTo(longest) < 0 ? pause : longest;
    failures++;
    notBefore = now + pause.toNanos();
    why = Optional.of(reason);
    return pause;
  }

  void succeeded() {
    failures = 0;
    why = Optional.empty();
  }

  /** Why the last attempt failed; empty when it succeeded, or there was none. */
  Optional<String> why() {
    return why;
  }

  boolean isFailing() {
    return failures > 0;
  }

  /** How many attempts have failed since the last one that succeeded. */
  int failures() {
    return failures;
  }

  /** Nanoseconds until the next attempt; 0 when it may be made now. */
  long pause(long now) {
    return failures == 0 ? 0 : Math.max(0, notBefore - now);
  }
}
