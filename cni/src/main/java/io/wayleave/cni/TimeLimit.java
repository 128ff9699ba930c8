package io.wayleave.cni;

import java.time.Duration;

/** The time that one command has, shared by all its steps. */
final class TimeLimit {
  private final Duration total;
  private final long end;

  private TimeLimit(Duration total) {
    this.total = total;
    this.end = System.nanoTime() + total.toNanos();
  }

  static TimeLimit of(Duration total) {
    return new TimeLimit(total);
  }

  /** What is left, at least zero. */
  Duration remaining() {
    return Duration.ofNanos(Math.max(0, end - System.nanoTime()));
  }

  /** What is left, for a step that is worth beginning only when something is. */
  Duration remaining(String step) throws CniException {
    Duration left = remaining();
    if (left.isZero()) {
      throw CniException.tryAgain(
          "not done in time", "no time was left of " + total.toMillis() + " ms to " + step);
    }
    return left;
  }
}
