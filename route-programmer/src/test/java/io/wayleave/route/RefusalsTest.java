package io.wayleave.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Cidr;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class RefusalsTest {
  private static final RouteSettings SETTINGS = RouteSettings.DEFAULT;
  private static final Duration LONGEST = Duration.ofSeconds(90);
  private static final RouteKey KEY = new RouteKey(Cidr.parse("10.1.0.7/32"), 77);
  // A clock may run over between two readings.
  private static final long NOW = Long.MAX_VALUE - 5;

  private final Refusals refusals = new Refusals(SETTINGS);

  @Test
  void pausesDoubleUpToTheLongest() {
    long now = NOW;
    Duration pause = SETTINGS.firstRetry();
    for (int attempt = 1; attempt <= 100; attempt++) {
      assertThat(refusals.note(KEY, "reason " + attempt, now)).isEqualTo(attempt == 1);
      assertThat(refusals.untilNext(now, LONGEST)).isEqualTo(pause);
      assertThat(refusals.mustWait(KEY, now + pause.toNanos() - 1)).isTrue();
      now += pause.toNanos();
      assertThat(refusals.mustWait(KEY, now)).isFalse();
      pause = pause.multipliedBy(2);
      if (pause.compareTo(SETTINGS.lastRetry()) > 0) {
        pause = SETTINGS.lastRetry();
      }
    }
    assertThat(refusals.get(KEY).orElseThrow())
        .extracting(Refusals.Refused::reason, Refusals.Refused::attempts, Refusals.Refused::since)
        .containsExactly("reason 100", 100, NOW);
  }

  @Test
  void whatIsForgottenStartsOver() {
    refusals.note(KEY, "a", NOW);
    refusals.note(KEY, "b", NOW);
    refusals.forget(KEY);

    assertThat(refusals.get(KEY)).isEmpty();
    assertThat(refusals.mustWait(KEY, NOW)).isFalse();
    assertThat(refusals.untilNext(NOW, LONGEST)).isEqualTo(LONGEST);
    assertThat(refusals.note(KEY, "c", NOW)).isTrue();
    assertThat(refusals.untilNext(NOW, LONGEST)).isEqualTo(SETTINGS.firstRetry());
  }

  @Test
  void aChangeMakesAllWorthATryAndKeepsTheirHistory() {
    refusals.note(KEY, "a", NOW);
    refusals.retryAll(NOW + 1);

    assertThat(refusals.mustWait(KEY, NOW + 1)).isFalse();
    assertThat(refusals.untilNext(NOW + 1, LONGEST)).isZero();
    assertThat(refusals.get(KEY).orElseThrow().attempts()).isEqualTo(1);
  }
}
