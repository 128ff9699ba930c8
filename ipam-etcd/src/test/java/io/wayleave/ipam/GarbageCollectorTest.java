package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.deadline;
import static io.wayleave.ipam.Fixture.endpoint;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.testing.DelegatingDatastore;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpPool;
import io.wayleave.model.Kind;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class GarbageCollectorTest {
  private static final Duration GRACE = Duration.ofMinutes(5);

  private final MemoryDatastore store = new MemoryDatastore();
  private final Fixture fixture = new Fixture(store);
  private final ManualClock clock = new ManualClock();
  private final Ipam h1 = fixture.host("h1", Fixture.options("h1").withClock(clock));
  private final Set<String> alive = new HashSet<>();
  private final GarbageCollector collector =
      new GarbageCollector(
          store, h1, handle -> alive.contains(handle.id()), GRACE, clock::nanoTime);

  @BeforeEach
  void start() {
    fixture.pool("a", "10.0.0.0/24", 26);
    node("h1");
  }

  @AfterEach
  void everythingFitsTogether() {
    Invariants.check(store);
  }

  private void node(String name) {
    store.commit(
        Transaction.builder().put(ResourceStore.key(Kind.NODE, name), "{}").build(), deadline());
  }

  private void removeNode(String name) {
    store.commit(
        Transaction.builder().delete(ResourceStore.key(Kind.NODE, name)).build(), deadline());
  }

  private GarbageCollector.Collected collect() {
    return collector.collect(deadline());
  }

  @Test
  void anAddressIsReleasedWhenItsContainerIsGoneTwiceAndForTheGraceTime() {
    Handle handle = h1.allocate(endpoint("c"), deadline());
    h1.allocate(endpoint("d"), deadline());
    alive.add("d");
    clock.pass(Duration.ofHours(1));
    // However long it has been there: this is the first time that it is seen gone.
    assertThat(collect())
        .isEqualTo(new GarbageCollector.Collected(List.of(handle), List.of(), List.of()));
    clock.pass(GRACE.minusSeconds(1));
    assertThat(collect().suspected()).containsExactly(handle);
    clock.pass(Duration.ofSeconds(1));
    assertThat(collect().released()).containsExactly(handle);
    assertThat(h1.find("c", deadline())).isEmpty();
    assertThat(h1.find("d", deadline())).isPresent();
  }

  @Test
  void aStepOfTheWallClockNeitherShortensNorLengthensTheGraceTime() {
    Handle handle = h1.allocate(endpoint("c"), deadline());
    fixture.host("h2").allocate(endpoint("x"), deadline()); // whose node is gone
    assertThat(collect().suspected()).hasSize(2);
    clock.step(Duration.ofDays(1));
    assertThat(collect().suspected()).hasSize(2).contains(handle);
    assertThat(fixture.blocks()).hasSize(2);
    clock.step(Duration.ofDays(-2));
    clock.pass(GRACE);
    GarbageCollector.Collected collected = collect();
    assertThat(collected.released()).hasSize(2).contains(handle);
    assertThat(collected.blocks()).hasSize(1);
  }

  @Test
  void whoNamesTheSuspectsReadsNothingElse() {
    Handle lost = h1.allocate(endpoint("c"), deadline());
    h1.allocate(endpoint("d"), deadline());
    Ipam h2 = fixture.host("h2");
    h2.allocate(endpoint("x"), deadline());
    CountingDatastore counting = new CountingDatastore(store);
    GarbageCollector own =
        new GarbageCollector(
            counting, h1, handle -> alive.contains(handle.id()), GRACE, clock::nanoTime);
    assertThat(own.collectOwn(List.of(), deadline()).suspected()).isEmpty();
    assertThat(counting.reads()).isZero();
    // h2 is gone; but it was not asked for.
    List<String> ids = List.of("c", "never", "x");
    assertThat(own.collectOwn(ids, deadline()).suspected()).containsExactly(lost);
    assertThat(counting.reads()).isEqualTo(1);
    clock.pass(GRACE);
    assertThat(own.collectOwn(ids, deadline()).released()).containsExactly(lost);
    assertThat(h1.find("d", deadline())).isPresent();
    assertThat(h2.find("x", deadline())).isPresent();
  }

  @Test
  void manyAreReleasedInFewTransactionsAndTheirOwnerIsTold() {
    for (int i = 0; i < 60; i++) {
      h1.allocate(endpoint("c" + i), deadline());
    }
    Set<String> told = new HashSet<>();
    CountingDatastore counting = new CountingDatastore(store);
    Ipam again = new Ipam(counting, "h1", Map::of, Fixture.options("h1").withClock(clock));
    GarbageCollector own =
        new GarbageCollector(
            store,
            again,
            new GarbageCollector.Containers() {
              @Override
              public boolean exists(Handle handle) {
                return false;
              }

              @Override
              public void released(Handle handle) {
                told.add(handle.id());
              }
            },
            GRACE,
            clock::nanoTime);
    own.collect(deadline());
    clock.pass(GRACE);
    counting.reset();
    assertThat(own.collect(deadline()).released()).hasSize(60);
    assertThat(told).hasSize(60);
    assertThat(counting.commits()).isEqualTo(1);
  }

  @Test
  void whatCannotBeReadIsLeftAloneAndKeepsNothingElseBack() {
    Ipam h2 = fixture.host("h2", Fixture.options("h2").withClock(clock));
    h2.allocate(endpoint("x"), deadline());
    h2.allocate(AllocationRequest.count("y", 60, 0), deadline());
    Map<String, String> bad =
        Map.of(
            "ipam/handles/newer", "{\"schema\":2}",
            "ipam/affinities/h2/10.9.0.0-26", "{\"schema\":2}",
            "ipam/affinities/h2/foreign", "?",
            "ipam/affinities/foreign", "?",
            "ipam/blocks/foreign", "?");
    Transaction.Builder writes = Transaction.builder();
    bad.forEach(writes::put);
    store.commit(writes.build(), deadline());
    collect();
    clock.pass(GRACE);
    GarbageCollector.Collected collected = collect();
    assertThat(collected.released()).hasSize(2);
    assertThat(collected.blocks()).hasSize(1);
    Transaction.Builder deletes = Transaction.builder();
    bad.forEach(
        (key, value) -> {
          assertThat(store.get(key, deadline()).orElseThrow().text()).as(key).isEqualTo(value);
          deletes.delete(key);
        });
    store.commit(deletes.build(), deadline());
  }

  @Test
  void whoComesBackIsNoSuspectAnyMore() {
    h1.allocate(endpoint("c"), deadline());
    collect();
    clock.pass(GRACE);
    alive.add("c");
    assertThat(collect().suspected()).isEmpty();
    alive.remove("c");
    clock.pass(GRACE);
    assertThat(collect().released()).isEmpty();
    assertThat(h1.find("c", deadline())).isPresent();
  }

  @Test
  void anotherUseOfTheHandleIsAnotherSuspect() {
    h1.allocate(endpoint("c"), deadline());
    collect();
    h1.release("c", Optional.empty(), deadline());
    Handle again = h1.allocate(endpoint("c"), deadline());
    clock.pass(GRACE);
    assertThat(collect().released()).isEmpty();
    clock.pass(GRACE);
    assertThat(collect().released()).containsExactly(again);
  }

  @Test
  void whatCannotBeToldIsKeptAndATunnelLivesAsLongAsItsNode() {
    GarbageCollector blind =
        new GarbageCollector(
            store,
            h1,
            _ -> {
              throw new IllegalStateException("the runtime does not answer");
            },
            Duration.ZERO,
            clock::nanoTime);
    h1.allocate(endpoint("c"), deadline());
    h1.allocate(AllocationRequest.count("t", 1, 0).withUse(IpPool.Use.Tunnel), deadline());
    blind.collect(deadline());
    assertThat(blind.collect(deadline()).released()).isEmpty();
    alive.add("c");
    collect();
    clock.pass(GRACE);
    assertThat(collect().released()).isEmpty();
    assertThat(h1.find("t", deadline())).isPresent();
  }

  @Test
  void aNodeThatIsGoneGivesBackItsAddressesAndBlocks() {
    node("h2");
    Ipam h2 = fixture.host("h2", Fixture.options("h2").withClock(clock));
    h2.allocate(endpoint("x"), deadline());
    h2.allocate(AllocationRequest.count("t", 1, 0).withUse(IpPool.Use.Tunnel), deadline());
    h2.claimAffinity(Cidr.parse("10.0.0.0/25"), deadline());
    int blocks = fixture.blocks().size();
    collect();
    clock.pass(GRACE);
    assertThat(collect().suspected()).isEmpty();
    assertThat(fixture.blocks()).hasSize(blocks);

    removeNode("h2");
    assertThat(collect().suspected()).hasSize(2);
    clock.pass(GRACE);
    GarbageCollector.Collected collected = collect();
    assertThat(collected.released()).extracting(Handle::id).containsExactly("t", "x");
    assertThat(collected.blocks()).hasSize(blocks);
    assertThat(fixture.blocks()).isEmpty();
    assertThat(fixture.affinities()).isEmpty();
  }

  @Test
  void aNodeWithALifeSignIsNotGone() {
    Ipam h2 = fixture.host("h2");
    h2.allocate(endpoint("x"), deadline());
    store.commit(Transaction.builder().put(Keys.presence("h2"), "{}").build(), deadline());
    collect();
    clock.pass(GRACE);
    assertThat(collect().released()).isEmpty();
    store.commit(Transaction.builder().delete(Keys.presence("h2")).build(), deadline());
  }

  @Test
  void aNodeThatComesBackBetweenLookingAndReleasingKeepsEverything() {
    Ipam h2 = fixture.host("h2");
    h2.allocate(endpoint("x"), deadline());
    DelegatingDatastore racing =
        new DelegatingDatastore(store) {
          @Override
          public TransactionResult commit(Transaction transaction, Deadline deadline) {
            node("h2");
            return super.commit(transaction, deadline);
          }
        };
    Ipam slow = new Ipam(racing, "h3", Map::of, Fixture.options("h3").withClock(clock));
    GarbageCollector late = new GarbageCollector(store, slow, _ -> true, GRACE, clock::nanoTime);
    late.collect(deadline());
    clock.pass(GRACE);
    GarbageCollector.Collected collected = late.collect(deadline());
    assertThat(collected.released()).isEmpty();
    assertThat(collected.blocks()).isEmpty();
    assertThat(h2.find("x", deadline())).isPresent();
    assertThat(fixture.blocks()).hasSize(1).allMatch(block -> block.belongsTo("h2"));
  }
}
