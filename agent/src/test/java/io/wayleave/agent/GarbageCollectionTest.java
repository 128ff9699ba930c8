package io.wayleave.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.admin.Endpoint;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.Transaction;
import io.wayleave.ipam.AllocationRequest;
import io.wayleave.ipam.GarbageCollector;
import io.wayleave.ipam.Ipam;
import io.wayleave.ipam.IpamOptions;
import io.wayleave.ipam.Pools;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpPool;
import io.wayleave.model.Metadata;
import io.wayleave.model.status.AgentStatus.GarbageStatus;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two agents of a fabric of three nodes, of which one is gone. */
@Timeout(60)
class GarbageCollectionTest {
  private static final Duration GRACE = Duration.ofSeconds(30);

  private final MemoryDatastore store = new MemoryDatastore();
  private final Set<String> alive = new HashSet<>();
  private final List<String> asked = new ArrayList<>();
  private Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private long nanos;
  private final InstantSource clock = () -> now;
  private final Ipam h1 = ipam("h1");
  private final Ipam h2 = ipam("h2");
  private final GarbageCollection first = collection(h1, "h1");
  private final GarbageCollection second = collection(h2, "h2");

  @BeforeEach
  void start() {
    new Pools(store)
        .create(
            new IpPool(Metadata.of("a"), IpPool.Spec.of(Cidr.parse("10.0.0.0/24"), 28)),
            deadline());
    put(Keys.presence("h1"));
    put(Keys.presence("h2"));
  }

  @AfterEach
  void end() {
    store.close();
  }

  private static Deadline deadline() {
    return Deadline.after(Duration.ofSeconds(10));
  }

  private Ipam ipam(String node) {
    return new Ipam(store, node, Map::of, IpamOptions.defaults());
  }

  private GarbageCollection collection(Ipam ipam, String node) {
    return new GarbageCollection(
        store,
        new GarbageCollector(
            store,
            ipam,
            handle -> {
              asked.add(node + " " + handle.id());
              return alive.contains(handle.id());
            },
            GRACE,
            () -> nanos),
        node,
        () -> List.of(node + ".lost"),
        () -> true,
        Duration.ofMillis(1),
        clock);
  }

  private void pass(Duration time) {
    now = now.plus(time);
    nanos += time.toNanos();
  }

  private void put(String key) {
    var _ = store.commit(Transaction.builder().put(key, "{}").build(), deadline());
  }

  private void delete(String key) {
    var _ = store.commit(Transaction.builder().delete(key).build(), deadline());
  }

  private static void allocate(Ipam ipam, String id) {
    var _ = ipam.allocate(AllocationRequest.count(id, 1, 0), deadline());
  }

  private boolean exists(String id) {
    return h1.find(id, deadline()).isPresent();
  }

  private int blocks() {
    return store.listAll(Keys.BLOCKS, deadline()).entries().size();
  }

  @Test
  void eachCollectsItsOwnAndTheFirstByNameWhatNodesLeft() {
    allocate(h1, "h1.lives");
    alive.add("h1.lives");
    allocate(h2, "h2.lost");
    allocate(h2, "h2.lives");
    alive.add("h2.lives");
    allocate(ipam("h3"), "h3.x");
    assertThat(blocks()).isEqualTo(3);

    second.run();
    pass(GRACE);
    second.run();
    assertThat(exists("h2.lost")).isFalse();
    assertThat(exists("h3.x")).isTrue();
    // It did not look at those of which it knows that they are there.
    assertThat(asked).doesNotContain("h2 h2.lives");
    assertThat(second.status())
        .isEqualTo(
            new GarbageStatus(
                2, Optional.of("2026-01-01T00:00:30Z"), false, 0, 1, 0, 0, Optional.empty()));

    first.run();
    assertThat(first.status().suspected()).isEqualTo(1);
    pass(GRACE);
    first.run();
    assertThat(exists("h3.x")).isFalse();
    assertThat(blocks()).isEqualTo(2);
    assertThat(exists("h1.lives")).isTrue();
    assertThat(exists("h2.lives")).isTrue();
    assertThat(first.status())
        .isEqualTo(
            new GarbageStatus(
                2, Optional.of("2026-01-01T00:01:00Z"), true, 0, 1, 1, 0, Optional.empty()));
  }

  @Test
  void aStepOfTheWallClockIsSeenInTheStatusAndNowhereElse() {
    allocate(h2, "h2.lost");
    second.run();
    now = now.plus(Duration.ofDays(1));
    second.run();
    assertThat(exists("h2.lost")).isTrue();
    assertThat(second.status().last()).contains("2026-01-02T00:00:00Z");
    now = now.minus(Duration.ofDays(2));
    nanos += GRACE.toNanos();
    second.run();
    assertThat(exists("h2.lost")).isFalse();
  }

  @Test
  void whenTheFirstIsGoneTheNextOneLooksForAll() {
    allocate(h1, "h1.x");
    delete(Keys.presence("h1"));
    second.run();
    pass(GRACE);
    second.run();
    assertThat(exists("h1.x")).isFalse();
    assertThat(second.status().fabric()).isTrue();
    assertThat(second.status().blocks()).isEqualTo(1);
  }

  @Test
  void oneWithoutALifeSignLooksForItsOwnOnly() {
    delete(Keys.presence("h1"));
    delete(Keys.presence("h2"));
    first.run();
    assertThat(first.status().fabric()).isFalse();
    assertThat(first.status().lastError()).isEmpty();
  }

  @Test
  void whatFailsIsNotedAndTriedAgain() {
    store.disconnect();
    GarbageCollection impatient =
        new GarbageCollection(
            store,
            new GarbageCollector(store, h2, _ -> false, GRACE, () -> nanos),
            "h2",
            () -> {
              throw new IOException("no netlink");
            },
            () -> true,
            Duration.ofMillis(1),
            clock);
    store.reconnect();
    impatient.run();
    assertThat(impatient.status().lastError()).contains("no netlink");
    assertThat(impatient.status().failures()).isEqualTo(1);
    second.run();
    assertThat(second.status().lastError()).isEmpty();
  }

  @Test
  void itRunsAgainAndAgainOnceTheAgentDoes() throws InterruptedException {
    CountDownLatch looks = new CountDownLatch(3);
    CountDownLatch asks = new CountDownLatch(2);
    GarbageCollection running =
        new GarbageCollection(
            store,
            new GarbageCollector(store, h2, _ -> false, GRACE, () -> nanos),
            "h2",
            () -> {
              looks.countDown();
              return List.of();
            },
            () -> {
              asks.countDown();
              return asks.getCount() == 0;
            },
            Duration.ofMillis(1),
            clock);
    assertThat(running.status()).isEqualTo(GarbageStatus.NEVER);
    try (GarbageCollection _ = running.start()) {
      assertThat(looks.await(20, TimeUnit.SECONDS)).isTrue();
    }
    long runs = running.status().runs();
    assertThat(runs).isGreaterThanOrEqualTo(2);
    assertThat(asks.getCount()).isZero();
  }

  @Test
  void itsMetricsComeAfterThoseOfBgp() {
    Endpoint bgp = Endpoint.get(() -> new Endpoint.Text("text/plain", "bgp 1\n"));
    GarbageStatus status =
        new GarbageStatus(
            4, Optional.of("1970-01-01T00:01:00Z"), true, 3, 2, 1, 1, Optional.empty());
    Endpoint.Text text =
        (Endpoint.Text)
            GarbageMetrics.after(bgp, () -> Optional.of(status)).answer().apply(Map.of());
    assertThat(text.text().lines().filter(line -> !line.startsWith("#")))
        .containsExactly(
            "bgp 1",
            "wayleave_ipam_gc_runs_total 4",
            "wayleave_ipam_gc_failures_total 1",
            "wayleave_ipam_gc_released_handles_total 2",
            "wayleave_ipam_gc_returned_blocks_total 1",
            "wayleave_ipam_gc_suspected_handles 3",
            "wayleave_ipam_gc_last_run_timestamp_seconds 60");
    assertThat(
            ((Endpoint.Text) GarbageMetrics.after(bgp, Optional::empty).answer().apply(Map.of()))
                .text())
        .isEqualTo("bgp 1\n");
  }
}
