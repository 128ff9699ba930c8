package io.wayleave.test.ipam;

import io.wayleave.datastore.testing.EtcdServer;
import java.io.IOException;
import java.io.PrintStream;

/** What is measured. Each writes a table in Markdown. */
enum BenchPart {
  /** One host, one allocation after the other, beside one bare transaction of the same size. */
  SEQUENTIAL("sequential"),
  /** Many hosts at once, beside as many clients with bare transactions. */
  CONCURRENT("concurrent"),
  /** A pool in which next to nothing is free, and then nothing, beside an empty one. */
  FULL("full"),
  /** A host that has just started, in a fabric with many addresses in use. */
  FAN_IN("fan-in");

  private final String label;

  BenchPart(String label) {
    this.label = label;
  }

  String label() {
    return label;
  }

  /**
   * Measures.
   *
   * @param etcd empty
   * @param scale part of the load, above 0 and at most 1
   */
  void run(EtcdServer etcd, double scale, PrintStream out)
      throws IOException, InterruptedException {
    switch (this) {
      case SEQUENTIAL -> SequentialBench.run(etcd, scale, out);
      case CONCURRENT -> ConcurrentBench.run(etcd, scale, out);
      case FULL -> FullPoolBench.run(etcd, scale, out);
      case FAN_IN -> FanInBench.run(etcd, scale, out);
    }
  }

  /** So much of a number, at least one. */
  static int scaled(int number, double scale) {
    return Math.max(1, (int) Math.round(number * scale));
  }
}
