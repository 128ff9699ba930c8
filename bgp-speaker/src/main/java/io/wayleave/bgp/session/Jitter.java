package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.random.RandomGenerator;

/** Shortens a time by a random factor of 0.75 to 1.0 (RFC 4271 section 10). NOT thread safe. */
public final class Jitter {
  private final RandomGenerator random;

  public Jitter(RandomGenerator random) {
    this.random = requireNonNull(random, "random is null");
  }

  Duration apply(Duration time) {
    return Duration.ofNanos((long) (time.toNanos() * random.nextDouble(0.75, 1.0)));
  }
}
