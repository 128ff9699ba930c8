package io.wayleave.bgp;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.PooledByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Has Netty follow every buffer while the tests of a class run, and fails the class when one was
 * dropped that nobody had released. Netty finds that out from the garbage collector and says so in
 * its log only; so that silence proves something, a buffer is dropped on purpose at the end, and
 * its report is waited for.
 */
public final class NoLeaks implements BeforeAllCallback, AfterAllCallback {
  private static final Duration LONG = Duration.ofSeconds(30);

  // Held, because the log manager forgets a logger that nobody holds.
  private static final Logger LOGGER = Logger.getLogger(ResourceLeakDetector.class.getName());

  private final Queue<String> reports = new ConcurrentLinkedQueue<>();
  private final Handler recorder =
      new Handler() {
        @Override
        public void publish(LogRecord report) {
          reports.add(report.getMessage());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };
  private ResourceLeakDetector.Level former = ResourceLeakDetector.getLevel();

  @Override
  public void beforeAll(ExtensionContext context) {
    begin();
  }

  @Override
  public void afterAll(ExtensionContext context) {
    assertThat(end()).as("buffers that were dropped and not released").isEmpty();
  }

  void begin() {
    LOGGER.addHandler(recorder);
    former = ResourceLeakDetector.getLevel();
    ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
    waitForSentinel("before");
    reports.clear();
  }

  /** Stops following, and returns what was reported. */
  List<String> end() {
    try {
      waitForSentinel("after");
      // Netty may find the sentinel before another that was dropped with it.
      waitForSentinel("after that");
      List<String> found = new ArrayList<>(reports);
      found.removeIf(report -> report.contains(sentinel("")));
      return found;
    } finally {
      ResourceLeakDetector.setLevel(former);
      LOGGER.removeHandler(recorder);
    }
  }

  private String sentinel(String when) {
    return "sentinel of " + System.identityHashCode(this) + " " + when;
  }

  private void waitForSentinel(String when) {
    drop(sentinel(when));
    Await.until(
        "Netty reports the buffer that was dropped " + when,
        LONG,
        () -> {
          System.gc();
          // Reports are made when another buffer is followed.
          for (int i = 0; i < 50; i++) {
            PooledByteBufAllocator.DEFAULT.directBuffer(8).release();
          }
          return reports.stream().anyMatch(report -> report.contains(sentinel(when)));
        },
        () -> reports);
  }

  /** A method of its own, so that no frame keeps the buffer. */
  static void drop(String hint) {
    PooledByteBufAllocator.DEFAULT.directBuffer(8).touch(hint);
  }
}
