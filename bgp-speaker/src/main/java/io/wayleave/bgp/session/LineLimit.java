package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.function.LongConsumer;

/**
 * Keeps a peer, or all hosts of a range, from filling the log: in an interval, which begins with
 * its first line, the same line is written once, and no more than a few different ones of those
 * that what a peer sends may be in. Those do not keep out the few that are ours alone. What was
 * left out is told when the interval is over. Owned by the {@link Loop} thread.
 */
final class LineLimit {
  static final Duration INTERVAL = Duration.ofSeconds(30);
  static final int LINES = 10;

  private final Loop loop;
  private final LongConsumer leftOut;
  private final Timer end;
  private final Set<String> written = new HashSet<>();
  private final Set<String> ownWritten = new HashSet<>();
  private boolean begun;
  private long beganNanos;
  private long suppressed;

  /**
   * @param leftOut told at the end of an interval how many lines were left out in it, if any
   */
  LineLimit(Loop loop, LongConsumer leftOut) {
    this.loop = requireNonNull(loop, "loop is null");
    this.leftOut = requireNonNull(leftOut, "leftOut is null");
    end = new Timer(loop, this::over);
  }

  /** Whether a line that there may be any number of may be written now. */
  boolean admits(String line) {
    return admits(line, written, LINES);
  }

  /** Whether one of our few own lines may be written now, whatever else was written. */
  boolean admitsOwn(String line) {
    return admits(line, ownWritten, Integer.MAX_VALUE);
  }

  private boolean admits(String line, Set<String> among, int most) {
    long now = loop.nanoTime();
    if (!begun || now - beganNanos >= INTERVAL.toNanos()) {
      over();
      begun = true;
      beganNanos = now;
    }
    if (among.size() < most && among.add(line)) {
      return true;
    }
    if (suppressed++ == 0) {
      end.start(INTERVAL.minusNanos(now - beganNanos));
    }
    return false;
  }

  private void over() {
    end.stop();
    long count = suppressed;
    suppressed = 0;
    written.clear();
    ownWritten.clear();
    begun = false;
    if (count > 0) {
      leftOut.accept(count);
    }
  }
}
