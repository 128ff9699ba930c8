package io.wayleave.test.policy;

import java.util.Arrays;
import java.util.List;

/** Durations of the same thing, in milliseconds. */
record Times(double median, double p99) {
  static Times ofNanos(List<Long> nanos) {
    double[] sorted = nanos.stream().mapToDouble(it -> it / 1e6).sorted().toArray();
    return new Times(sorted[sorted.length / 2], sorted[sorted.length * 99 / 100]);
  }

  static double median(List<Double> values) {
    double[] sorted = values.stream().mapToDouble(it -> it).toArray();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
