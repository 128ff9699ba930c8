package io.wayleave.test.ipam;

import java.util.Arrays;

/** Times that something took. NOT thread safe. */
final class Samples {
  private static final double NANOS_PER_MILLI = 1e6;

  private long[] nanos = new long[64];
  private int count;

  /** Runs it and notes how long that took. */
  void time(Runnable work) {
    long start = System.nanoTime();
    work.run();
    long took = System.nanoTime() - start;
    if (count == nanos.length) {
      nanos = Arrays.copyOf(nanos, 2 * count);
    }
    nanos[count++] = took;
  }

  /** In milliseconds. */
  double median() {
    return quantile(0.5);
  }

  /** In milliseconds: so many of a hundred took less. */
  double percentile(int percent) {
    return quantile(percent / 100.0);
  }

  private double quantile(double part) {
    long[] sorted = Arrays.copyOf(nanos, count);
    Arrays.sort(sorted);
    return sorted[Math.min(count - 1, (int) (count * part))] / NANOS_PER_MILLI;
  }
}
