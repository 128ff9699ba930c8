package io.wayleave.cni;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class KeyedLockTest {
  private static final Duration LONG = Duration.ofSeconds(20);

  private final KeyedLock<String> lock = new KeyedLock<>();

  @Test
  void oneKeyIsHeldOnceAndOthersAreFree() throws Exception {
    KeyedLock.Held held = lock.acquire("a", Duration.ZERO).orElseThrow();

    assertThat(elsewhere("a", Duration.ofMillis(1))).isFalse();
    assertThat(elsewhere("b", Duration.ZERO)).isTrue();

    held.close();
    assertThat(elsewhere("a", Duration.ZERO)).isTrue();
  }

  @Test
  void whoWaitsGetsItWhenItIsReleased() throws Exception {
    KeyedLock.Held held = lock.acquire("a", Duration.ZERO).orElseThrow();
    CompletableFuture<Boolean> waiting =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return elsewhere("a", LONG);
              } catch (Exception e) {
                throw new AssertionError(e);
              }
            });
    assertThat(waiting.isDone()).isFalse();

    held.close();

    assertThat(waiting.get(20, TimeUnit.SECONDS)).isTrue();
  }

  /** Whether another thread gets it; it gives it back at once. */
  private boolean elsewhere(String key, Duration timeout) throws Exception {
    return CompletableFuture.supplyAsync(
            () -> {
              try {
                Optional<KeyedLock.Held> held = lock.acquire(key, timeout);
                held.ifPresent(KeyedLock.Held::close);
                return held.isPresent();
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            },
            task -> Thread.ofPlatform().start(task))
        .get(20, TimeUnit.SECONDS);
  }
}
