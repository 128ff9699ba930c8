package io.wayleave.bgp;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.InvalidInputException;
import java.time.Duration;
import java.util.Optional;

/**
 * How many prefixes of one family a peer may send (RFC 4271 section 6.7).
 *
 * @param limit received prefixes, usable or not; at least 1
 * @param warnAtPercent of the limit, 1 to 100: from there on the status and the log say so
 * @param excess what happens above the limit
 */
public record MaxPrefixes(int limit, int warnAtPercent, Excess excess) {

  /** What a peer gets that sends too many. */
  public sealed interface Excess {}

  /** A line in the log and in the status, nothing else. */
  public record Warn() implements Excess {}

  /**
   * Cease/Maximum Number of Prefixes Reached (RFC 4486).
   *
   * @param restartAfter when the session is tried again; empty: not before someone clears the peer
   */
  public record Shutdown(Optional<Duration> restartAfter) implements Excess {
    public Shutdown {
      restartAfter.ifPresent(
          wait -> {
            if (wait.compareTo(Duration.ofSeconds(1)) < 0) {
              throw new InvalidInputException("restartAfter", wait.toString(), "at least 1 s");
            }
          });
    }
  }

  public static final int DEFAULT_WARN_PERCENT = 75;

  public MaxPrefixes {
    requireNonNull(excess, "excess is null");
    if (limit < 1) {
      throw new InvalidInputException("limit", Integer.toString(limit), "1 or more");
    }
    if (warnAtPercent < 1 || warnAtPercent > 100) {
      throw new InvalidInputException("warnAtPercent", Integer.toString(warnAtPercent), "1 to 100");
    }
  }
}
