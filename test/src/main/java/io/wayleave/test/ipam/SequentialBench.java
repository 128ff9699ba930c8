package io.wayleave.test.ipam;

import io.wayleave.datastore.DatastoreUrl;
import io.wayleave.datastore.testing.EtcdServer;
import io.wayleave.ipam.Ipam;
import java.io.PrintStream;

/**
 * Allocations of one host, one after the other, and bare transactions of the same size, in turns,
 * so that a slow moment of the machine hits both. Each 64th allocation claims a block.
 */
final class SequentialBench {
  private static final int WARM_UP = 1_000;
  private static final int ROUNDS = 2_000;
  private static final double GOAL = 1.5;

  private SequentialBench() {}

  static void run(EtcdServer etcd, double scale, PrintStream out) {
    Samples allocations = new Samples();
    Samples bare = new Samples();
    try (ObservedDatastore store = new ObservedDatastore(etcd.connect())) {
      BenchPool.create(store, 16);
      Ipam host = BenchPool.host(store, "host");
      int warmUp = BenchPart.scaled(WARM_UP, scale);
      for (int i = 0; i <= warmUp; i++) {
        var _ = host.allocate(BenchPool.container("host", i), BenchPool.deadline());
      }
      try (BareTransactions transactions =
          new BareTransactions(
              etcd.clientPort(),
              "bare",
              DatastoreUrl.DEFAULT_PREFIX + "/",
              store.allocation().orElseThrow())) {
        for (int i = 0; i < warmUp; i++) {
          transactions.commit();
        }
        int rounds = BenchPart.scaled(ROUNDS, scale);
        for (int i = 0; i < rounds; i++) {
          int number = warmUp + 1 + i;
          allocations.time(
              () -> {
                var _ = host.allocate(BenchPool.container("host", number), BenchPool.deadline());
              });
          bare.time(transactions::commit);
        }
        out.printf(
            "Sequential: %d allocations of one host and %1$d bare transactions (%s) in turns,"
                + " milliseconds%n%n",
            rounds, transactions);
      }
    }
    out.printf(
        "| | median | 95 %% below | ratio of medians | goal |%n| --- | --- | --- | --- | --- |%n");
    out.printf(
        "| allocation | %.2f | %.2f | %.2f | ≤ %.1f |%n",
        allocations.median(),
        allocations.percentile(95),
        allocations.median() / bare.median(),
        GOAL);
    out.printf("| bare transaction | %.2f | %.2f | 1 | |%n", bare.median(), bare.percentile(95));
  }
}
