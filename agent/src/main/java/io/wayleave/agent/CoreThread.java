package io.wayleave.agent;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that owns the agent's picture of the fabric. Tasks run one after the other in the
 * order given; one that fails is logged and the next one runs. After {@link #close} tasks are
 * dropped.
 */
final class CoreThread implements Executor, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(CoreThread.class);
  private static final int CLOSE_SECONDS = 10;

  private final ScheduledExecutorService executor =
      Executors.newSingleThreadScheduledExecutor(
          task -> Thread.ofPlatform().name("wayleave-core").daemon().unstarted(task));

  @Override
  public void execute(Runnable task) {
    try {
      executor.execute(guarded(task));
    } catch (RejectedExecutionException e) {
      log.debug("task came after the end");
    }
  }

  /** Runs it once, later. */
  void after(Duration delay, Runnable task) {
    try {
      var _ = executor.schedule(guarded(task), delay.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      log.debug("delayed task came after the end");
    }
  }

  /** Runs it again and again, that long after each end. */
  void every(Duration pause, Runnable task) {
    var _ =
        executor.scheduleWithFixedDelay(
            guarded(task), pause.toNanos(), pause.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Runs it, and answers with what it returns; fails when it throws or the thread has ended. */
  <T> CompletableFuture<T> ask(Supplier<T> question) {
    return begin(() -> CompletableFuture.completedFuture(question.get()));
  }

  /** Runs what begins something, and answers when that is done. */
  <T> CompletableFuture<T> begin(Supplier<CompletableFuture<T>> beginning) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    try {
      executor.execute(
          () -> {
            try {
              var _ =
                  beginning
                      .get()
                      .whenComplete(
                          (value, error) -> {
                            if (error == null) {
                              answer.complete(value);
                            } else {
                              answer.completeExceptionally(error);
                            }
                          });
            } catch (RuntimeException e) {
              answer.completeExceptionally(e);
            }
          });
    } catch (RejectedExecutionException e) {
      answer.completeExceptionally(new IllegalStateException("the agent is stopping", e));
    }
    return answer;
  }

  /** Waits for the task in progress; those behind it do not run any more. */
  @Override
  public void close() {
    executor.shutdownNow();
    try {
      if (!executor.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        log.warn("core thread did not end within {} s", CLOSE_SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static Runnable guarded(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (RuntimeException e) {
        log.error("a task of the core failed", e);
      }
    };
  }
}
