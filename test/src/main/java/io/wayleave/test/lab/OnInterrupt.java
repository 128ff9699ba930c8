package io.wayleave.test.lab;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Cleans up when the process is told to end (SIGINT, SIGTERM) before the work is done. Closed when
 * the work is done, however it went; from then on nothing is cleaned up here.
 */
final class OnInterrupt implements AutoCloseable {
  private final AtomicBoolean armed = new AtomicBoolean(true);
  private final Thread hook;

  OnInterrupt(Runnable cleanUp) {
    hook =
        new Thread(
            () -> {
              if (armed.get()) {
                cleanUp.run();
              }
            },
            "clean-up");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  @Override
  public void close() {
    armed.set(false);
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process is ending already, and the hook cleans up or has done so.
    }
  }
}
