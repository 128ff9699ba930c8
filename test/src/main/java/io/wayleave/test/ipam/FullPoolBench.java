package io.wayleave.test.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.Syncer;
import io.wayleave.datastore.testing.EtcdServer;
import io.wayleave.ipam.AllocationRequest;
import io.wayleave.ipam.Handle;
import io.wayleave.ipam.Ipam;
import io.wayleave.ipam.IpamException;
import io.wayleave.model.Cidr;
import io.wayleave.model.Update;
import io.wayleave.test.lab.LabException;
import java.io.PrintStream;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;

/**
 * A /16 pool whose blocks all belong to hosts and whose addresses are used but for one of a
 * thousand: what an allocation takes a host there that has no block, and, when the last one is
 * gone, a refusal, beside allocations in the same pool while it was empty. The host follows the
 * blocks, as an agent does.
 */
final class FullPoolBench {
  private static final int HOLDERS = 64;
  private static final int WARM_UP = 300;
  private static final int REFUSALS = 200;
  private static final double GOAL = 5;

  private FullPoolBench() {}

  static void run(EtcdServer etcd, double scale, PrintStream out) throws InterruptedException {
    int holders = BenchPart.scaled(HOLDERS, scale);
    int addresses = holders * BenchPool.PER_HOST;
    int free = Math.max(2, addresses / 1000);
    Samples empty = new Samples();
    Samples full = new Samples();
    Samples refusals = new Samples();
    try (Datastore store = etcd.connect()) {
      BenchPool pool =
          BenchPool.create(
              store, 32 - (Integer.SIZE - Integer.numberOfLeadingZeros(addresses - 1)));
      whileEmpty(store, free, empty);
      fill(pool, holders, addresses - free);
      try (Datastore own = etcd.connect()) {
        Ipam late = BenchPool.host(own, "late");
        try (Syncer<?, ?> _ = follow(late)) {
          for (int i = 0; i < free; i++) {
            int number = i;
            full.time(
                () -> {
                  var _ = late.allocate(BenchPool.container("late", number), BenchPool.deadline());
                });
          }
          for (int i = 0; i < BenchPart.scaled(REFUSALS, scale); i++) {
            refusals.time(() -> refused(late));
          }
        }
      }
      out.printf(
          "Full: pool %s, %d blocks, %d of %d addresses in use, milliseconds%n%n",
          pool.cidr(), addresses / BenchPool.PER_BLOCK, addresses - free, addresses);
    }
    out.printf(
        "| | median | 95 %% below | ratio of medians | goal |%n| --- | --- | --- | --- | --- |%n");
    out.printf(
        "| allocation in the empty pool | %.2f | %.2f | 1 | |%n",
        empty.median(), empty.percentile(95));
    row(out, "allocation of what is left", full, empty);
    row(out, "refusal when nothing is left", refusals, empty);
  }

  private static void row(PrintStream out, String what, Samples samples, Samples empty) {
    out.printf(
        "| %s | %.2f | %.2f | %.2f | ≤ %.0f |%n",
        what, samples.median(), samples.percentile(95), samples.median() / empty.median(), GOAL);
  }

  /** From an own block, and all is given back, block and all. */
  private static void whileEmpty(Datastore store, int count, Samples samples)
      throws InterruptedException {
    Ipam early = BenchPool.host(store, "early");
    try (Syncer<?, ?> _ = follow(early)) {
      for (int i = 0; i < WARM_UP + count; i++) {
        AllocationRequest request = BenchPool.container("early", i);
        if (i < WARM_UP) {
          var _ = early.allocate(request, BenchPool.deadline());
        } else {
          samples.time(
              () -> {
                var _ = early.allocate(request, BenchPool.deadline());
              });
        }
        var _ = early.release(request.handle(), Optional.empty(), BenchPool.deadline());
      }
    }
    giveBlocksBack(store, early);
  }

  private static void giveBlocksBack(Datastore store, Ipam host) {
    for (Entry entry : store.listAll(Keys.BLOCKS, BenchPool.deadline()).entries()) {
      Cidr block = Cidr.parse(Keys.lastSegment(entry.key()).replace('-', '/'));
      if (!host.releaseAffinity(block, BenchPool.deadline())) {
        throw new LabException("block " + block + " was not given back");
      }
    }
  }

  private static Syncer<?, ?> follow(Ipam host) throws InterruptedException {
    CountDownLatch inSync = new CountDownLatch(1);
    Syncer<?, ?> syncer =
        host.follow(
            update -> {
              if (update instanceof Update.InSync) {
                inSync.countDown();
              }
            });
    inSync.await();
    return syncer;
  }

  /** So many addresses, all blocks claimed; each host leaves about as many as the others. */
  private static void fill(BenchPool pool, int holders, int used) {
    int left = used;
    for (int i = 0; i < holders; i++) {
      Ipam holder = pool.holder(i);
      int own = left / (holders - i);
      left -= own;
      for (int given = 0; given < own; ) {
        int next = Math.min(AllocationRequest.MAX_ADDRESSES, own - given);
        String id = "holder-" + i + "." + given;
        var _ = holder.allocate(AllocationRequest.count(id, next, 0), BenchPool.deadline());
        given += next;
      }
    }
  }

  private static void refused(Ipam host) {
    try {
      Handle handle = host.allocate(BenchPool.container("late", -1), BenchPool.deadline());
      throw new LabException("something was free still: " + handle.addresses());
    } catch (IpamException.Exhausted _) {
      // As it should be.
    }
  }
}
