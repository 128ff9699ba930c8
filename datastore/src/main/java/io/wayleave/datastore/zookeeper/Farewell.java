package io.wayleave.datastore.zookeeper;

import java.time.Duration;

/** Closes what waits for a server's answer to its farewell, and waits for that only a little. */
final class Farewell {
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  private Farewell() {}

  static void say(Runnable close) {
    Thread thread = Thread.ofPlatform().daemon().name("zookeeper-close").start(close);
    try {
      if (!thread.join(PATIENCE)) {
        // The server ends the session by its clock.
        thread.interrupt();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
