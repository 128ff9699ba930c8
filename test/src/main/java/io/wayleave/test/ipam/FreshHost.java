package io.wayleave.test.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.Datastores;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Syncer;
import io.wayleave.ipam.Ipam;
import io.wayleave.model.Update;
import io.wayleave.model.WorkloadEndpoint;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A host that has just started and follows all blocks of the fabric, and all endpoints when told.
 * Prints a line when it is in sync, and lives until its input ends.
 */
final class FreshHost {
  /** The beginning of the line; then milliseconds since it began to follow, and what it knows. */
  static final String IN_SYNC = "in-sync ";

  private static final double NANOS_PER_MILLI = 1e6;

  private FreshHost() {}

  /** Keeps what it is told of, as an agent does. */
  private static final class Follower<K, V> implements Syncer.Listener<K, V> {
    private final CountDownLatch inSync;
    private final AtomicLong known;
    private final List<V> kept = new ArrayList<>();

    Follower(CountDownLatch inSync, AtomicLong known) {
      this.inSync = inSync;
      this.known = known;
    }

    @Override
    public void onUpdate(Update<K, V> update) {
      switch (update) {
        case Update.Put<K, V>(K _, V value) -> {
          kept.add(value);
          known.incrementAndGet();
        }
        case Update.Delete<K, V> _ -> {}
        case Update.InSync<K, V> _ -> inSync.countDown();
      }
    }
  }

  /** Arguments: URL, whether it follows the endpoints too. */
  @SuppressWarnings("SystemOut") // how it tells its parent
  public static void main(String[] arguments) throws IOException, InterruptedException {
    boolean endpoints = Boolean.parseBoolean(arguments[1]);
    CountDownLatch inSync = new CountDownLatch(endpoints ? 2 : 1);
    AtomicLong known = new AtomicLong();
    long start = System.nanoTime();
    try (Datastore datastore = Datastores.open(arguments[0], DatastoreOptions.DEFAULTS)) {
      Ipam ipam = BenchPool.host(datastore, "fresh");
      List<Syncer<?, ?>> syncers = new ArrayList<>();
      syncers.add(ipam.follow(new Follower<>(inSync, known)));
      if (endpoints) {
        syncers.add(
            new ResourceStore(datastore)
                .follow(WorkloadEndpoint.class, new Follower<>(inSync, known)));
      }
      inSync.await();
      System.out.println(
          IN_SYNC + Math.round((System.nanoTime() - start) / NANOS_PER_MILLI) + " " + known);
      if (System.in.read() < 0) {
        syncers.forEach(Syncer::close);
      }
    }
  }
}
