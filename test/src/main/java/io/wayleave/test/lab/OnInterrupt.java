package io.wayleave.test.lab;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Cleans up when the process is told to end (SIGINT, SIGTERM) before the work is done: interrupts
 * the thread that works, waits until it has stopped making things, and then removes what it made.
 * Made by the working thread, and closed by it when the work is over, however it went; from then on
 * nothing is cleaned up here.
 */
public final class OnInterrupt implements AutoCloseable {
  private static final long STOP_SECONDS = 30;

  private final CountDownLatch over = new CountDownLatch(1);
  private final Thread hook;

  public OnInterrupt(Runnable cleanUp) {
    Thread worker = Thread.currentThread();
    hook =
        new Thread(
            () -> {
              worker.interrupt();
              awaitOver();
              cleanUp.run();
            },
            "clean-up");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** Not longer than that: the clean-up works from what exists, whoever still makes more. */
  private void awaitOver() {
    try {
      boolean _ = over.await(STOP_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    over.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process is ending already, and the hook cleans up.
    }
  }
}
