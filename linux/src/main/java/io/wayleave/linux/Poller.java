package io.wayleave.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;

/**
 * Lets one thread wait for several descriptors and for other threads at once. The waiting thread
 * owns it (a platform thread: it blocks); {@link #wakeUp} may be called from any thread.
 */
public final class Poller implements AutoCloseable {
  private static final int WAKE_UP_BIT = 1;

  private final Fd wakeUp;

  private Poller(Fd wakeUp) {
    this.wakeUp = wakeUp;
  }

  public static Poller open() throws IOException {
    return new Poller(Fd.ofResult(Libc.eventfd(0, Libc.EFD_FLAGS), "make an eventfd"));
  }

  /**
   * Waits until one of the descriptors can be read, the time is over, or {@link #wakeUp} was
   * called. Which of them it was does not matter to callers: they look everywhere without waiting.
   *
   * @param timeout longest wait, rounded up to milliseconds; zero or less only looks
   * @throws ClosedFdException when this or one of the descriptors is closed
   */
  public void await(List<Fd> readable, Duration timeout) throws IOException {
    int[] numbers = new int[readable.size() + 1];
    short[] events = new short[numbers.length];
    int pinned = 0;
    numbers[0] = wakeUp.acquire();
    events[0] = Libc.POLLIN;
    try {
      for (Fd fd : readable) {
        numbers[pinned + 1] = fd.acquire();
        events[pinned + 1] = Libc.POLLIN;
        pinned++;
      }
      wait(numbers, events, timeout);
    } finally {
      for (Fd fd : readable.subList(0, pinned)) {
        fd.release();
      }
      wakeUp.release();
    }
  }

  /** Ends the current or the next wait. */
  public void wakeUp() {
    int eventfd;
    try {
      eventfd = wakeUp.acquire();
    } catch (ClosedFdException e) {
      // Closing woke everybody.
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      // A full counter (EAGAIN) is a wake-up that is already waiting.
      Libc.write(eventfd, arena.allocateFrom(ValueLayout.JAVA_LONG, 1L));
    } finally {
      wakeUp.release();
    }
  }

  @Override
  public void close() {
    wakeUp();
    wakeUp.close();
  }

  private static void wait(int[] numbers, short[] events, Duration timeout) throws IOException {
    long millis = Math.clamp(timeout.plusNanos(999_999).toMillis(), 0, Integer.MAX_VALUE);
    int ready = Libc.poll(numbers, events, (int) millis);
    // An interrupted wait ends early, as a wake-up does.
    if (ready < 0 && ready != -Errno.EINTR.number()) {
      throw new SystemCallException("wait for " + (numbers.length - 1) + " descriptors", -ready);
    }
    if (ready > 0 && (ready & WAKE_UP_BIT) != 0) {
      try (Arena arena = Arena.ofConfined()) {
        Libc.read(numbers[0], arena.allocate(8, 8));
      }
    }
  }
}
