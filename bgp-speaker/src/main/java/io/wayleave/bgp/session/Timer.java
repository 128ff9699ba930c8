package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Optional;

/**
 * One timer that is mostly started again before it expires, as a hold timer is by each message:
 * starting it later than it would fire costs no new task, the old one looks again when it runs. NOT
 * thread safe.
 */
final class Timer {
  private final Loop loop;
  private final Runnable onExpiry;
  private Optional<Loop.Scheduled> scheduled = Optional.empty();
  private long scheduledFor;
  private boolean running;
  private long deadline;

  Timer(Loop loop, Runnable onExpiry) {
    this.loop = requireNonNull(loop, "loop is null");
    this.onExpiry = requireNonNull(onExpiry, "onExpiry is null");
  }

  void start(Duration after) {
    running = true;
    deadline = loop.nanoTime() + after.toNanos();
    if (scheduled.isPresent() && scheduledFor - deadline <= 0) {
      return;
    }
    scheduled.ifPresent(Loop.Scheduled::cancel);
    schedule(after);
  }

  void stop() {
    running = false;
    scheduled.ifPresent(Loop.Scheduled::cancel);
    scheduled = Optional.empty();
  }

  boolean running() {
    return running;
  }

  private void schedule(Duration after) {
    scheduledFor = deadline;
    scheduled = Optional.of(loop.schedule(after, this::wake));
  }

  private void wake() {
    scheduled = Optional.empty();
    if (!running) {
      return;
    }
    long left = deadline - loop.nanoTime();
    if (left > 0) {
      schedule(Duration.ofNanos(left));
      return;
    }
    running = false;
    onExpiry.run();
  }
}
