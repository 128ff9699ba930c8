package io.wayleave.ipam;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** Time that passes when a test says so, on the wall and as {@link System#nanoTime} has it. */
final class ManualClock implements InstantSource {
  private volatile Instant now = Instant.ofEpochSecond(1_900_000_000L);
  private volatile Duration passed = Duration.ZERO;

  @Override
  public Instant instant() {
    return now;
  }

  long nanoTime() {
    return Long.MAX_VALUE + passed.toNanos(); // it may overflow, so it does
  }

  void pass(Duration time) {
    now = now.plus(time);
    passed = passed.plus(time);
  }

  /** Somebody sets the wall clock. */
  void step(Duration by) {
    now = now.plus(by);
  }
}
