package io.wayleave.agent;

import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Keys;
import io.wayleave.ipam.GarbageCollector;
import io.wayleave.model.status.AgentStatus.GarbageStatus;
import java.time.Duration;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Collects addresses whose owner is gone, now and then, on the thread {@code wayleave-gc}. Each
 * agent looks after the containers of its own host, which costs the datastore nothing while all of
 * them exist. What nodes left that are gone, one agent looks for: the first by name of those with a
 * life sign. Should two take themselves for the first for a moment, the collector's transactions
 * let each address be released once. {@link #status} from any thread.
 */
final class GarbageCollection implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(GarbageCollection.class);

  /** How long one collection may take: it may list all handles of the fabric. */
  private static final Duration RUN_TIME = Duration.ofMinutes(2);

  private static final Duration CLOSE_TIME = Duration.ofSeconds(3);

  private final Datastore datastore;
  private final GarbageCollector collector;
  private final String node;
  private final OwnHandles lost;
  private final BooleanSupplier ready;
  private final Duration interval;
  private final InstantSource clock;
  private final Thread thread =
      Thread.ofPlatform().daemon().name("wayleave-gc").unstarted(this::loop);
  private final CountDownLatch closing = new CountDownLatch(1);
  private volatile GarbageStatus status = GarbageStatus.NEVER;

  /** Handles of this host whose containers may be gone. */
  @FunctionalInterface
  interface OwnHandles {
    /**
     * Finds them.
     *
     * @throws Exception when that cannot be told now
     */
    List<String> find() throws Exception;
  }

  /**
   * Does nothing before {@link #start}.
   *
   * @param ready whether the agent runs; before, nothing is collected
   * @param interval from one end to the next beginning, give or take a fifth, so that agents that
   *     start together do not stay together
   */
  GarbageCollection(
      Datastore datastore,
      GarbageCollector collector,
      String node,
      OwnHandles lost,
      BooleanSupplier ready,
      Duration interval,
      InstantSource clock) {
    this.datastore = requireNonNull(datastore, "datastore is null");
    this.collector = requireNonNull(collector, "collector is null");
    this.node = requireNonNull(node, "node is null");
    this.lost = requireNonNull(lost, "lost is null");
    this.ready = requireNonNull(ready, "ready is null");
    this.interval = requireNonNull(interval, "interval is null");
    this.clock = requireNonNull(clock, "clock is null");
  }

  GarbageCollection start() {
    thread.start();
    return this;
  }

  private void loop() {
    while (pause()) {
      if (ready.getAsBoolean()) {
        run();
      }
    }
  }

  /** False: it is time to end. */
  private boolean pause() {
    long nanos = interval.toNanos();
    long random = ThreadLocalRandom.current().nextLong(nanos * 4 / 5, nanos * 6 / 5 + 1);
    try {
      return !closing.await(random, TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      return false;
    }
  }

  /** Collects once. What fails is noted, and tried again the next time. */
  void run() {
    Deadline deadline = Deadline.after(RUN_TIME);
    try {
      boolean forAll = isFirst(deadline);
      GarbageCollector.Collected collected =
          forAll ? collector.collect(deadline) : collector.collectOwn(lost.find(), deadline);
      status =
          status.after(
              now(),
              forAll,
              collected.suspected().size(),
              collected.released().size(),
              collected.blocks().size());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (DatastoreException e) {
      log.info("garbage not collected, trying again later: {}", e.getMessage());
      status = status.failed(now(), e.getMessage());
    } catch (Exception e) {
      log.warn("garbage not collected, trying again later", e);
      status = status.failed(now(), String.valueOf(e.getMessage()));
    }
  }

  private String now() {
    return clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
  }

  /** Whether of all agents with a life sign this one's name is the first. */
  private boolean isFirst(Deadline deadline) {
    // In order of name, so one entry is enough to know.
    return datastore.list(Keys.PRESENCE, Optional.empty(), 1, deadline).entries().stream()
        .anyMatch(first -> first.key().equals(Keys.presence(node)));
  }

  GarbageStatus status() {
    return status;
  }

  /** Ends the thread. */
  @Override
  public void close() {
    closing.countDown();
    thread.interrupt();
    try {
      if (thread.isAlive() && !thread.join(CLOSE_TIME)) {
        log.warn("garbage collection does not end, leaving it");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
