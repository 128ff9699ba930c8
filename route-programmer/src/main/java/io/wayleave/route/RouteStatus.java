package io.wayleave.route;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * How the programmer is doing.
 *
 * @param wanted destinations by source, those that a preferred source hides left out
 * @param programmed those of them that the kernel has as wanted
 * @param failing those that it has not, at most {@link #MOST_FAILING} of them
 * @param failingCount all that it has not
 * @param stale our routes in the kernel that nobody wants (yet) and that wait for a source to be in
 *     sync
 * @param inSync the sources that told everything they had
 * @param sinceResync age of the last comparison with everything that the kernel has
 */
public record RouteStatus(
    Map<RouteSource, Integer> wanted,
    Map<RouteSource, Integer> programmed,
    List<RouteState> failing,
    int failingCount,
    int stale,
    Set<RouteSource> inSync,
    Optional<Duration> sinceResync) {
  public static final int MOST_FAILING = 100;
}
