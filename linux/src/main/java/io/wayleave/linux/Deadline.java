package io.wayleave.linux;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** A point in time after which a wait for a descriptor is given up. */
final class Deadline {
  private static final long LONGEST_POLL_MILLIS = Integer.MAX_VALUE;

  private final long start = System.nanoTime();
  private final Duration timeout;

  private Deadline(Duration timeout) {
    this.timeout = timeout;
  }

  static Deadline in(Duration timeout) {
    return new Deadline(timeout);
  }

  /** Waits until the descriptor is ready; false when the time is over. */
  boolean await(int fd, int events) throws IOException {
    while (true) {
      Duration left = timeout.minusNanos(System.nanoTime() - start);
      // Rounded up, so that a wait does not end a fraction too early and spin.
      long millis = left.isNegative() ? 0 : left.plusNanos(999_999).toMillis();
      int ready =
          Libc.poll(
              new int[] {fd},
              new short[] {(short) events},
              (int) Math.min(millis, LONGEST_POLL_MILLIS));
      if (ready > 0) {
        return true;
      }
      if (ready < 0 && Errno.of(-ready) != Errno.EINTR) {
        throw new SystemCallException("wait for descriptor " + fd, -ready);
      }
      if (ready == 0 && millis == 0) {
        return false;
      }
    }
  }

  /** Lets a little time pass; false when the time is over. */
  boolean pause(Duration pause) {
    LockSupport.parkNanos(pause.toNanos());
    return System.nanoTime() - start < timeout.toNanos();
  }

  Duration timeout() {
    return timeout;
  }
}
