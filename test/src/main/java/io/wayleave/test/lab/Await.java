package io.wayleave.test.lab;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * The one place where the lab waits: for a condition, with a deadline, and never for a fixed time.
 * Safe from any thread; blocks the caller.
 */
public final class Await {
  private static final long FIRST_PAUSE_NANOS = Duration.ofMillis(5).toNanos();
  private static final long LONGEST_PAUSE_NANOS = Duration.ofMillis(100).toNanos();

  private Await() {}

  /** Waits until the condition holds. False when it still does not at the deadline. */
  public static boolean holds(Duration deadline, BooleanSupplier condition) {
    long end = System.nanoTime() + deadline.toNanos();
    long pause = FIRST_PAUSE_NANOS;
    while (true) {
      if (condition.getAsBoolean()) {
        return true;
      }
      if (System.nanoTime() - end >= 0) {
        return false;
      }
      if (Thread.currentThread().isInterrupted()) {
        throw new LabException("interrupted while waiting");
      }
      LockSupport.parkNanos(pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE_NANOS);
    }
  }

  /**
   * Waits until there is a value.
   *
   * @param what names the thing for the error, such as {@code "etcd answers"}
   * @param found what is there now, asked only for the error
   */
  public static <T> T value(
      String what, Duration deadline, Supplier<Optional<T>> value, Supplier<String> found) {
    Holder<T> holder = new Holder<>();
    if (!holds(deadline, () -> holder.set(value.get()))) {
      throw new LabException(
          what + ": not within " + deadline.toMillis() + " ms. Found: " + found.get());
    }
    return holder.value.orElseThrow();
  }

  /** Waits until the condition holds, and says what was found when it does not. */
  public static void until(
      String what, Duration deadline, BooleanSupplier condition, Supplier<String> found) {
    value(
        what,
        deadline,
        () -> condition.getAsBoolean() ? Optional.of(true) : Optional.empty(),
        found);
  }

  private static final class Holder<T> {
    private Optional<T> value = Optional.empty();

    private boolean set(Optional<T> next) {
      value = next;
      return next.isPresent();
    }
  }
}
