package io.wayleave.ipam;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.InvalidInputException;
import java.util.random.RandomGenerator;

/**
 * How a host takes addresses.
 *
 * @param strictAffinity whether a host uses the addresses of its own blocks only, also when no
 *     block is left to claim
 * @param maxBlocksPerHost how many blocks of each family a host may hold
 * @param random where attempts and incarnations get their names from
 */
public record IpamOptions(boolean strictAffinity, int maxBlocksPerHost, RandomGenerator random) {
  public static final int DEFAULT_MAX_BLOCKS_PER_HOST = 20;

  public IpamOptions {
    requireNonNull(random, "random is null");
    if (maxBlocksPerHost < 1) {
      throw new InvalidInputException(
          "maxBlocksPerHost", Integer.toString(maxBlocksPerHost), "1 or more");
    }
  }

  /** Borrowing allowed, at most 20 blocks. */
  public static IpamOptions defaults() {
    return new IpamOptions(
        false, DEFAULT_MAX_BLOCKS_PER_HOST, RandomGenerator.of("L64X128MixRandom"));
  }

  public IpamOptions withStrictAffinity(boolean strict) {
    return new IpamOptions(strict, maxBlocksPerHost, random);
  }

  public IpamOptions withMaxBlocksPerHost(int most) {
    return new IpamOptions(strictAffinity, most, random);
  }
}
