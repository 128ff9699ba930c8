package io.wayleave.datastore;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * The moment by which a call must have returned, on the monotonic clock. One deadline is handed
 * down through all calls of an operation, so that the operation as a whole keeps it.
 */
public final class Deadline {
  /** Longer than any process lives, short enough for nanosecond arithmetic. */
  private static final Duration LONGEST = Duration.ofDays(3650);

  private final Duration timeout;
  private final long nanoTime;

  private Deadline(Duration timeout, long nanoTime) {
    this.timeout = timeout;
    this.nanoTime = nanoTime;
  }

  /** This much from now. A negative duration is a deadline that has passed. */
  public static Deadline after(Duration timeout) {
    requireNonNull(timeout, "timeout is null");
    Duration bounded = timeout.compareTo(LONGEST) > 0 ? LONGEST : timeout;
    return new Deadline(bounded, System.nanoTime() + bounded.toNanos());
  }

  /** The earlier of this one and {@code timeout} from now. */
  public Deadline within(Duration limit) {
    Deadline other = after(limit);
    return other.nanoTime - nanoTime < 0 ? other : this;
  }

  /** What is left, at least zero. */
  public Duration remaining() {
    return Duration.ofNanos(Math.max(0, nanoTime - System.nanoTime()));
  }

  public boolean hasPassed() {
    return nanoTime - System.nanoTime() <= 0;
  }

  /** How long the operation was given in all; for error messages. */
  public Duration timeout() {
    return timeout;
  }

  @Override
  public String toString() {
    return timeout.toMillis() + " ms";
  }
}
