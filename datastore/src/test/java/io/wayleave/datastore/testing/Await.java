package io.wayleave.datastore.testing;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waits for a condition with a deadline; the one place of these tests where time passes. */
public final class Await {
  private static final long STEP_NANOS = Duration.ofMillis(5).toNanos();

  private Await() {}

  /** Returns when the condition holds, or fails with what it was. */
  public static void until(String what, Duration limit, BooleanSupplier condition) {
    until(what, limit, () -> condition.getAsBoolean() ? Optional.of(true) : Optional.empty());
  }

  /** Returns what the supplier has as soon as it has something. */
  public static <T> T until(String what, Duration limit, Supplier<Optional<T>> supplier) {
    long end = System.nanoTime() + limit.toNanos();
    while (true) {
      Optional<T> value = supplier.get();
      if (value.isPresent()) {
        return value.get();
      }
      if (System.nanoTime() - end > 0) {
        throw new AssertionError("not within " + limit.toMillis() + " ms: " + what);
      }
      LockSupport.parkNanos(STEP_NANOS);
    }
  }
}
