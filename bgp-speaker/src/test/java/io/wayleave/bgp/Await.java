package io.wayleave.bgp;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waits for real things to happen, with a deadline. */
final class Await {
  private static final Duration POLL = Duration.ofMillis(20);

  private Await() {}

  /**
   * Returns once the condition holds.
   *
   * @param evidence what to show when it does not in time
   */
  static void until(String what, Duration most, BooleanSupplier condition, Supplier<?> evidence) {
    long deadline = System.nanoTime() + most.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("not in " + most + ": " + what + "\n" + evidence.get());
      }
      LockSupport.parkNanos(POLL.toNanos());
    }
  }

  /** The condition must hold at every look for this long. */
  static void always(String what, Duration time, BooleanSupplier condition, Supplier<?> evidence) {
    long deadline = System.nanoTime() + time.toNanos();
    while (System.nanoTime() - deadline < 0) {
      if (!condition.getAsBoolean()) {
        throw new AssertionError("not always: " + what + "\n" + evidence.get());
      }
      LockSupport.parkNanos(POLL.toNanos());
    }
  }
}
