package io.wayleave.ipam;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpamConfiguration;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * How a host takes addresses, where no {@link IpamConfiguration} says otherwise.
 *
 * @param strictAffinity whether a host uses the addresses of its own blocks only, also when no
 *     block is left to claim
 * @param maxBlocksPerHost how many blocks of each family a host may hold
 * @param autoAllocateBlocks whether a host claims blocks by itself
 * @param reuseDelay how long a freed address is given to nobody, as long as there is another; in
 *     whole seconds
 * @param clock tells when addresses are freed
 * @param random where attempts and incarnations get their names from
 */
public record IpamOptions(
    boolean strictAffinity,
    int maxBlocksPerHost,
    boolean autoAllocateBlocks,
    Duration reuseDelay,
    InstantSource clock,
    RandomGenerator random) {
  public static final int DEFAULT_MAX_BLOCKS_PER_HOST = 20;
  public static final Duration DEFAULT_REUSE_DELAY = Duration.ofMinutes(1);

  public IpamOptions {
    requireNonNull(clock, "clock is null");
    requireNonNull(random, "random is null");
    if (maxBlocksPerHost < 1) {
      throw new InvalidInputException(
          "maxBlocksPerHost", Integer.toString(maxBlocksPerHost), "1 or more");
    }
    if (reuseDelay.isNegative()
        || reuseDelay.toSeconds() > IpamConfiguration.MAX_REUSE_DELAY_SECONDS) {
      throw new InvalidInputException(
          "reuseDelay",
          reuseDelay.toString(),
          "0 to " + IpamConfiguration.MAX_REUSE_DELAY_SECONDS + " seconds");
    }
  }

  /** Borrowing allowed, at most 20 blocks, freed addresses rest for a minute. */
  public static IpamOptions defaults() {
    return new IpamOptions(
        false,
        DEFAULT_MAX_BLOCKS_PER_HOST,
        true,
        DEFAULT_REUSE_DELAY,
        InstantSource.system(),
        RandomGenerator.of("L64X128MixRandom"));
  }

  /** What is in force together with the fabric's configuration. */
  IpamOptions under(Optional<IpamConfiguration> configuration) {
    if (configuration.isEmpty()) {
      return this;
    }
    IpamConfiguration.Spec spec = configuration.get().spec();
    return new IpamOptions(
        spec.strictAffinity().orElse(strictAffinity),
        // In Calico's API, 0 stands for the default.
        spec.maxBlocksPerHost()
            .map(most -> most == 0 ? DEFAULT_MAX_BLOCKS_PER_HOST : most)
            .orElse(maxBlocksPerHost),
        spec.autoAllocateBlocks().orElse(autoAllocateBlocks),
        spec.reuseDelaySeconds().map(Duration::ofSeconds).orElse(reuseDelay),
        clock,
        random);
  }

  /** The time now, in seconds since 1970. */
  long now() {
    return clock.instant().getEpochSecond();
  }

  public IpamOptions withStrictAffinity(boolean strict) {
    return new IpamOptions(strict, maxBlocksPerHost, autoAllocateBlocks, reuseDelay, clock, random);
  }

  public IpamOptions withMaxBlocksPerHost(int most) {
    return new IpamOptions(strictAffinity, most, autoAllocateBlocks, reuseDelay, clock, random);
  }

  public IpamOptions withClock(InstantSource source) {
    return new IpamOptions(
        strictAffinity, maxBlocksPerHost, autoAllocateBlocks, reuseDelay, source, random);
  }

  public IpamOptions withRandom(RandomGenerator source) {
    return new IpamOptions(
        strictAffinity, maxBlocksPerHost, autoAllocateBlocks, reuseDelay, clock, source);
  }
}
