package io.wayleave.test.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.DatastoreUrl;
import io.wayleave.datastore.Datastores;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.testing.EtcdServer;
import io.wayleave.ipam.Ipam;
import io.wayleave.test.lab.LabException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;

/**
 * Many hosts that allocate at the same time, each with a connection of its own and one container
 * after the other, and as many clients with bare transactions of the same size. All are threads of
 * this process. Counts what was refused and done again.
 */
final class ConcurrentBench {
  private static final int HOSTS = 32;
  private static final int EACH = 300;
  private static final int WARM_UP = 60;
  private static final double GOAL = 0.5;
  private static final double NANOS_PER_SECOND = 1e9;

  private ConcurrentBench() {}

  static void run(EtcdServer etcd, double scale, PrintStream out) throws InterruptedException {
    int each = BenchPart.scaled(EACH, scale);
    // The first claims a block, and the second is the example.
    int warmUp = Math.max(2, BenchPart.scaled(WARM_UP, scale));
    Round warm = allocations(etcd, "/warm", warmUp);
    Transaction example = warm.stores().getFirst().allocation().orElseThrow();
    double _ = bare(etcd, "warm", example, warmUp);

    double bare = bare(etcd, "bare", example, each);
    Round round = allocations(etcd, "/measured", each);
    int commits = round.stores().stream().mapToInt(ObservedDatastore::commits).sum();
    int claims = round.stores().stream().mapToInt(ObservedDatastore::refusedClaims).sum();
    int others = round.stores().stream().mapToInt(ObservedDatastore::refusedOthers).sum();
    out.printf("Concurrent: %d hosts, %d allocations each%n%n", HOSTS, each);
    out.printf(
        "| | seconds | a second | ratio | goal | transactions | refused: claims of blocks |"
            + " refused: others (goal 0) |%n| --- | --- | --- | --- | --- | --- | --- | --- |%n");
    int all = HOSTS * each;
    out.printf(
        "| allocations | %.2f | %.0f | %.2f | ≥ %.1f | %d | %d | %d |%n",
        round.seconds(),
        all / round.seconds(),
        bare / round.seconds(),
        GOAL,
        commits,
        claims,
        others);
    out.printf("| bare transactions | %.2f | %.0f | 1 | | %d | | |%n", bare, all / bare, all);
  }

  private record Round(double seconds, List<ObservedDatastore> stores) {}

  private static Round allocations(EtcdServer etcd, String prefix, int each)
      throws InterruptedException {
    String url = etcd.url() + prefix;
    List<ObservedDatastore> stores = new ArrayList<>();
    try (Datastore first = Datastores.open(url, DatastoreOptions.DEFAULTS)) {
      BenchPool.create(first, 16);
      for (int i = 0; i < HOSTS; i++) {
        stores.add(new ObservedDatastore(Datastores.open(url, DatastoreOptions.DEFAULTS)));
        // Connected before the clock starts, as the bare clients are.
        var _ = stores.getLast().get("none", BenchPool.deadline());
      }
      double seconds =
          atOnce(
              host -> {
                String name = "host-" + host;
                Ipam ipam = BenchPool.host(stores.get(host), name);
                return () -> {
                  for (int i = 0; i < each; i++) {
                    var _ = ipam.allocate(BenchPool.container(name, i), BenchPool.deadline());
                  }
                };
              });
      return new Round(seconds, stores);
    } finally {
      stores.forEach(Datastore::close);
    }
  }

  private static double bare(EtcdServer etcd, String name, Transaction example, int each)
      throws InterruptedException {
    List<BareTransactions> clients = new ArrayList<>();
    try {
      for (int i = 0; i < HOSTS; i++) {
        clients.add(
            new BareTransactions(
                etcd.clientPort(), name + i, DatastoreUrl.DEFAULT_PREFIX + "/", example));
      }
      return atOnce(
          host ->
              () -> {
                for (int i = 0; i < each; i++) {
                  clients.get(host).commit();
                }
              });
    } finally {
      clients.forEach(BareTransactions::close);
    }
  }

  /** Runs one for each host, on threads that begin together; returns seconds until all are done. */
  private static double atOnce(IntFunction<Runnable> work) throws InterruptedException {
    CountDownLatch start = new CountDownLatch(1);
    try (ExecutorService threads = Executors.newFixedThreadPool(HOSTS)) {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < HOSTS; i++) {
        Runnable one = work.apply(i);
        running.add(
            threads.submit(
                () -> {
                  start.await();
                  one.run();
                  return null;
                }));
      }
      long began = System.nanoTime();
      start.countDown();
      for (Future<?> each : running) {
        var _ = each.get();
      }
      return (System.nanoTime() - began) / NANOS_PER_SECOND;
    } catch (ExecutionException e) {
      throw new LabException("a client failed: " + e.getCause().getMessage(), e.getCause());
    }
  }
}
