package io.wayleave.agent;

import io.wayleave.cni.Readiness;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** Lets ADDs wait until the agent has come up, and says what it still waits for. */
record ReadyWhenRunning(CompletableFuture<Void> ready, Supplier<String> notReady)
    implements Readiness {
  @Override
  public Optional<String> awaitReady(Duration timeout) throws InterruptedException {
    try {
      ready.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
      return Optional.empty();
    } catch (TimeoutException e) {
      return Optional.of(notReady.get());
    } catch (ExecutionException e) {
      return Optional.of(e.getCause().getMessage());
    }
  }
}
