package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.deadline;
import static io.wayleave.ipam.Fixture.endpoint;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.OutcomeUnknownException;
import io.wayleave.datastore.Syncer;
import io.wayleave.datastore.testing.Await;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many allocations at once on one host. */
@Timeout(60)
class AllocationsTest {
  private final MemoryDatastore memory = new MemoryDatastore();
  private final GatedDatastore store = new GatedDatastore(memory);
  private final CountingDatastore counting = new CountingDatastore(store);
  private final Fixture fixture = new Fixture(counting);
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void end() {
    threads.shutdownNow();
    Invariants.check(memory);
  }

  /** The first allocation is held back until all others wait for their turn. */
  private List<Future<Handle>> allocate(Ipam ipam, List<AllocationRequest> requests)
      throws InterruptedException {
    return store.together(
        requests.stream()
            .<Callable<Handle>>map(request -> () -> ipam.allocate(request, deadline()))
            .toList());
  }

  private static List<AllocationRequest> endpoints(int count) {
    List<AllocationRequest> requests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      requests.add(endpoint("c" + i));
    }
    return requests;
  }

  @Test
  void thoseThatWaitAreWrittenTogetherAtMostSixtyInOneTransaction() throws Exception {
    fixture.pool("a", "10.0.0.0/23", 25);
    Ipam h1 = fixture.host("h1");
    h1.allocate(endpoint("warm"), deadline());
    store.handles.clear();
    counting.reset();
    List<IpAddress> given = new ArrayList<>();
    for (Future<Handle> result : allocate(h1, endpoints(100))) {
      given.addAll(result.get().addresses());
    }
    assertThat(given).hasSize(100).doesNotHaveDuplicates();
    assertThat(store.handles).containsExactly(1, 60, 39);
    assertThat(counting.commits()).isEqualTo(3);
    assertThat(counting.reads()).isZero();
  }

  @Test
  void eachSucceedsOrFailsByItself() throws Exception {
    fixture.pool("a", "10.0.0.0/29", 29);
    Ipam h1 = fixture.host("h1");
    h1.allocate(endpoint("there"), deadline());
    List<AllocationRequest> requests = new ArrayList<>(endpoints(3));
    requests.add(endpoint("there"));
    requests.add(endpoint("c1"));
    requests.add(AllocationRequest.count("much", 5, 0));
    requests.add(endpoint("other").withOwner(addresses -> Fixture.owner("c2", addresses)));
    requests.add(endpoint("last"));
    List<Future<Handle>> results = allocate(h1, requests);
    for (int i = 0; i < 3; i++) {
      assertThat(results.get(i).get().addresses()).hasSize(1);
    }
    assertFails(results.get(3), IpamException.HandleExists.class);
    assertFails(results.get(4), IpamException.HandleExists.class);
    assertFails(results.get(5), IpamException.Exhausted.class);
    assertFails(results.get(6), IpamException.OwnerExists.class);
    assertThat(results.get(7).get().addresses()).hasSize(1);
    assertThat(fixture.blocks().getFirst().usedCount()).isEqualTo(5);
  }

  @Test
  void whoseOwnerRecordCannotBeMadeFailsAlone() throws Exception {
    fixture.pool("a", "10.0.0.0/26", 26);
    Ipam h1 = fixture.host("h1");
    h1.allocate(endpoint("warm"), deadline());
    List<AllocationRequest> requests = new ArrayList<>(endpoints(8));
    requests.set(4, failing("c4", new InvalidInputException("labels", "x", "others")));
    requests.set(6, failing("c6", new IllegalStateException("a defect")));
    List<Future<Handle>> results = new ArrayList<>(allocate(h1, requests));
    assertFails(results.remove(6), IllegalStateException.class);
    assertFails(results.remove(4), InvalidInputException.class);
    for (Future<Handle> result : results) {
      assertThat(result.get().addresses()).hasSize(1);
    }
    assertThat(fixture.blocks().getFirst().usedCount()).isEqualTo(7);
  }

  private static AllocationRequest failing(String id, RuntimeException reason) {
    return endpoint(id)
        .withOwner(
            _ -> {
              throw reason;
            });
  }

  @Test
  void largeRecordsAreWrittenInSeveralTransactions() throws Exception {
    fixture.pool("a", "10.0.0.0/26", 26);
    Ipam h1 = fixture.host("h1");
    h1.allocate(endpoint("warm"), deadline());
    store.handles.clear();
    counting.reset();
    List<AllocationRequest> requests = new ArrayList<>();
    for (AllocationRequest request : endpoints(7)) {
      requests.add(request.withAttributes(Map.of("note", "x".repeat(120_000))));
    }
    for (Future<Handle> result : allocate(h1, requests)) {
      assertThat(result.get().addresses()).hasSize(1);
    }
    assertThat(store.handles).containsExactly(1, 4, 2);
  }

  private static void assertFails(Future<Handle> result, Class<?> by) {
    assertThatThrownBy(result::get).isInstanceOf(ExecutionException.class).cause().isInstanceOf(by);
  }

  @Test
  void anUnknownOutcomeIsFoundOutForEachOfThem() throws Exception {
    for (FaultyDatastore.Fault fault :
        List.of(FaultyDatastore.Fault.LOST_ANSWER, FaultyDatastore.Fault.LOST_REQUEST)) {
      MemoryDatastore empty = new MemoryDatastore();
      GatedDatastore gated = new GatedDatastore(empty);
      new Fixture(empty).pool("a", "10.0.0.0/24", 26);
      gated.fault = Optional.of(fault);
      Ipam h1 = new Fixture(gated).host("h1");
      assertThat(h1.allocate(endpoint("c"), deadline()).addresses()).hasSize(1);
      assertThat(new Fixture(empty).blocks().getFirst().usedCount()).isEqualTo(1);
      Invariants.check(empty);
    }
    fixture.pool("a", "10.0.0.0/24", 26);
    Ipam h1 = fixture.host("h1");
    h1.allocate(endpoint("warm"), deadline());
    store.fault = Optional.of(FaultyDatastore.Fault.LOST_ANSWER);
    store.gated = true;
    for (Future<Handle> result : allocate(h1, endpoints(10))) {
      assertThat(result.get().addresses()).hasSize(1);
    }
    assertThat(fixture.blocks().getFirst().usedCount()).isEqualTo(11);
  }

  @Test
  void whenTheLeaderFailsTheOthersGoOnByThemselves() throws Exception {
    fixture.pool("a", "10.0.0.0/24", 26);
    Ipam h1 = fixture.host("h1");
    h1.allocate(endpoint("warm"), deadline());
    store.fault = Optional.of(FaultyDatastore.Fault.UNAVAILABLE);
    int failed = 0;
    for (Future<Handle> result : allocate(h1, endpoints(10))) {
      try {
        assertThat(result.get().addresses()).hasSize(1);
      } catch (ExecutionException e) {
        assertThat(e).cause().isInstanceOf(DatastoreUnavailableException.class);
        failed++;
      }
    }
    assertThat(failed).isEqualTo(1);
    assertThat(fixture.blocks().getFirst().usedCount()).isEqualTo(10);
  }

  @Test
  void whoWaitsInVainGetsNothingLater() throws Exception {
    fixture.pool("a", "10.0.0.0/24", 26);
    Ipam h1 = fixture.host("h1");
    h1.allocate(endpoint("warm"), deadline());
    store.gated = true;
    Future<Handle> first = threads.submit(() -> h1.allocate(endpoint("c0"), deadline()));
    Await.until("first", Duration.ofSeconds(20), () -> store.arrived.get() == 1);
    assertThatThrownBy(() -> h1.allocate(endpoint("late"), Deadline.after(Duration.ofMillis(20))))
        .isInstanceOf(DatastoreUnavailableException.class)
        .isNotInstanceOf(OutcomeUnknownException.class);
    store.gate.countDown();
    first.get();
    h1.allocate(endpoint("c1"), deadline());
    assertThat(h1.find("late", deadline())).isEmpty();
  }

  @Test
  void aFullPoolIsKnownAtOnceByTheWatchAndFreeAgainWhenAnotherReleases() {
    fixture.pool("a", "10.0.0.0/28", 30);
    Ipam h1 = fixture.host("h1");
    Ipam h2 = fixture.host("h2");
    try (Syncer<?, ?> _ = h1.follow(_ -> {})) {
      h2.allocate(AllocationRequest.count("most", 15, 0), deadline());
      h1.allocate(endpoint("c"), deadline());
      Await.until(
          "counted",
          Duration.ofSeconds(20),
          () -> h1.poolUse().stream().anyMatch(use -> use.used() == 16));
      assertThat(h1.poolUse())
          .containsExactly(new Ipam.PoolUse("a", Cidr.parse("10.0.0.0/28"), 16, 16));
      assertThat(h1.poolUse().getFirst().free()).isZero();
      counting.reset();
      for (int i = 0; i < 10; i++) {
        assertThatThrownBy(() -> h1.allocate(endpoint("d"), deadline()))
            .isInstanceOf(IpamException.Exhausted.class);
      }
      // The guard each time, and nothing else.
      assertThat(counting.reads()).isEqualTo(10);
      assertThat(counting.commits()).isZero();
      h2.release("most", Optional.empty(), deadline());
      Await.until("freed", Duration.ofSeconds(20), () -> h1.poolUse().getFirst().used() == 1);
      assertThat(h1.allocate(endpoint("d"), deadline()).addresses()).hasSize(1);
      // A new pool is noticed too.
      h2.allocate(AllocationRequest.count("rest", 14, 0), deadline());
      fixture.pool("b", "10.1.0.0/28", 30);
      h1.allocate(endpoint("e"), deadline());
    }
  }
}
