package io.wayleave.bgp.session;

import java.time.Duration;
import java.time.Instant;

/**
 * The one thread that owns a speaker: its connections, state machines and tables. Everything in
 * this package runs on it; only {@link #execute} may be called from other threads. In tests it is a
 * virtual one whose time moves when the test says so.
 */
public interface Loop {
  /** Monotonic time, of no meaning but as a difference. */
  long nanoTime();

  /** The time of day, to be shown to people only. */
  Instant wallClock();

  /** Runs the task on the thread after what is queued already. Thread safe. */
  void execute(Runnable task);

  /** Whether the caller is on the thread. */
  boolean inLoop();

  Scheduled schedule(Duration after, Runnable task);

  /** A task in the future. */
  interface Scheduled {
    /** It will not run, if it has not yet. */
    void cancel();
  }
}
