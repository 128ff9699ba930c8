package io.wayleave.bgp.daemon;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has a program closed by whatever ends its process but SIGKILL: SIGTERM, SIGINT, {@link
 * System#exit}. It is there before the program starts: a signal that comes meanwhile waits for the
 * start, as half of a program has nothing that could end it. The close runs on a thread of its own.
 */
public final class OrderlyEnd implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(OrderlyEnd.class);

  /** Longer than any start that comes to an end. */
  private static final Duration START_TIME = Duration.ofSeconds(30);

  private final CompletableFuture<Optional<AutoCloseable>> started = new CompletableFuture<>();

  private OrderlyEnd() {}

  /** Starts a program. */
  @FunctionalInterface
  public interface Start<T> {
    T start() throws IOException;
  }

  /**
   * Starts the program; when the process ends after that, the program is closed first.
   *
   * @throws IOException of the start, after which there is nothing to close
   */
  public static <T extends AutoCloseable> T start(Start<T> start) throws IOException {
    OrderlyEnd end = new OrderlyEnd();
    Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name("wayleave-stop").unstarted(end));
    try {
      T program = start.start();
      end.started.complete(Optional.of(program));
      return program;
    } finally {
      // The caller may end the process because of what was thrown.
      end.started.complete(Optional.empty());
    }
  }

  @Override
  public void run() {
    try {
      Optional<AutoCloseable> program = started.get(START_TIME.toMillis(), TimeUnit.MILLISECONDS);
      if (program.isPresent()) {
        program.get().close();
      }
    } catch (TimeoutException e) {
      log.warn("ended while it started");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      throw new IllegalStateException("only ever completed normally", e);
    } catch (Exception e) {
      log.error("not closed cleanly", e);
    }
  }
}
