package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.deadline;
import static io.wayleave.ipam.Fixture.endpoint;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.OutcomeUnknownException;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.testing.Await;
import io.wayleave.datastore.testing.DelegatingDatastore;
import io.wayleave.ipam.Ipam.Released;
import io.wayleave.model.InvalidInputException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many releases at once on one host. */
@Timeout(60)
class ReleasesTest {
  private final MemoryDatastore memory = new MemoryDatastore();
  private final GatedDatastore store = new GatedDatastore(memory);
  private final CountingDatastore counting = new CountingDatastore(store);
  private final Fixture fixture = new Fixture(memory);
  private final Ipam h1 = new Fixture(counting).host("h1");
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @BeforeEach
  void start() {
    fixture.pool("a", "10.0.0.0/23", 25);
    h1.allocate(endpoint("first"), deadline());
  }

  @AfterEach
  void end() {
    threads.shutdownNow();
    Invariants.check(memory);
  }

  private void given(int count) {
    for (int i = 0; i < count; i++) {
      h1.allocate(endpoint("c" + i), deadline());
    }
    store.handles.clear();
    counting.reset();
  }

  /** The release of "first" is held back until all others wait for their turn. */
  private List<Future<Released>> release(List<Callable<Released>> more)
      throws InterruptedException {
    List<Callable<Released>> all = new ArrayList<>();
    all.add(() -> release("first"));
    all.addAll(more);
    List<Future<Released>> results = store.together(all);
    return results.subList(1, results.size());
  }

  private Released release(String id) {
    return h1.release(id, Optional.empty(), deadline());
  }

  private List<Callable<Released>> containers(int count) {
    List<Callable<Released>> calls = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String id = "c" + i;
      calls.add(() -> release(id));
    }
    return calls;
  }

  private int used() {
    return fixture.blocks().stream().mapToInt(Block::usedCount).sum();
  }

  @Test
  void thoseThatWaitAreReadAndWrittenTogether() throws Exception {
    given(100);
    for (Future<Released> result : release(containers(100))) {
      assertThat(result.get()).isEqualTo(Released.RELEASED);
    }
    assertThat(used()).isZero();
    assertThat(store.handles).containsExactly(1, 60, 40);
    assertThat(counting.commits()).isEqualTo(3);
    assertThat(counting.reads()).isEqualTo(6); // handles, then their owner records
  }

  /** Something is written to an owner record before the first commit. */
  private Ipam besideAWriter(AtomicInteger commits) {
    return new Fixture(
            new DelegatingDatastore(memory) {
              @Override
              public TransactionResult commit(Transaction transaction, Deadline deadline) {
                if (commits.getAndIncrement() == 0) {
                  var _ =
                      memory.commit(
                          Transaction.builder().put(Fixture.ownerKey("first"), "labelled").build(),
                          deadline);
                }
                return super.commit(transaction, deadline);
              }
            })
        .host("h1");
  }

  @Test
  void anOwnerRecordThatChangesMeanwhileIsNotDeletedUnseen() {
    AtomicInteger commits = new AtomicInteger();
    assertThat(besideAWriter(commits).release("first", Optional.empty(), deadline()))
        .isEqualTo(Released.RELEASED);
    assertThat(commits).hasValue(2);
    assertThat(memory.get(Fixture.ownerKey("first"), deadline())).isEmpty();
  }

  @Test
  void anOwnerRecordThatSomebodyRemovedAndWroteAgainMeanwhileIsNotDeletedUnseen() {
    var _ =
        memory.commit(Transaction.builder().delete(Fixture.ownerKey("first")).build(), deadline());
    AtomicInteger commits = new AtomicInteger();
    assertThat(besideAWriter(commits).release("first", Optional.empty(), deadline()))
        .isEqualTo(Released.RELEASED);
    assertThat(commits).hasValue(1);
    assertThat(memory.get(Fixture.ownerKey("first"), deadline())).isPresent();
    var _ =
        memory.commit(Transaction.builder().delete(Fixture.ownerKey("first")).build(), deadline());
  }

  @Test
  void eachSucceedsOrFailsByItself() throws Exception {
    given(3);
    var _ =
        memory.commit(
            Transaction.builder()
                .put(IpamKeys.handle("newer"), "{\"schema\":2,\"id\":\"newer\"}")
                .build(),
            deadline());
    List<Future<Released>> results =
        release(
            List.of(
                () -> release("c0"),
                () -> release("never"),
                () -> h1.release("c1", Optional.of("another"), deadline()),
                () -> release("newer"),
                () -> release("c0"),
                () -> release("c2")));
    assertThat(results.get(0).get()).isEqualTo(Released.RELEASED);
    assertThat(results.get(1).get()).isEqualTo(Released.NOT_FOUND);
    assertThat(results.get(2).get()).isEqualTo(Released.OTHER_GENERATION);
    assertThatThrownBy(results.get(3)::get)
        .cause()
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("ipam/handles/newer.schema: \"2\"");
    assertThat(results.get(4).get()).isEqualTo(Released.NOT_FOUND);
    assertThat(results.get(5).get()).isEqualTo(Released.RELEASED);
    assertThat(h1.find("c1", deadline())).isPresent();
    assertThat(used()).isEqualTo(1);
    assertThat(store.handles).containsExactly(1, 2);
    var _ =
        memory.commit(Transaction.builder().delete(IpamKeys.handle("newer")).build(), deadline());
  }

  @Test
  void aBlockThatCannotBeReadConcernsItsOwnAddressesOnly() throws Exception {
    given(1);
    Ipam h2 = fixture.host("h2");
    h2.allocate(endpoint("other"), deadline());
    Block others =
        fixture.blocks().stream().filter(each -> each.belongsTo("h2")).findFirst().orElseThrow();
    String key = IpamKeys.block(others.cidr());
    byte[] whole = memory.get(key, deadline()).orElseThrow().value();
    var _ = memory.commit(Transaction.builder().put(key, "{\"schema\":3}").build(), deadline());
    List<Future<Released>> results = release(List.of(() -> release("other"), () -> release("c0")));
    assertThatThrownBy(results.get(0)::get)
        .cause()
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(key + ".schema: \"3\"");
    assertThat(results.get(1).get()).isEqualTo(Released.RELEASED);
    var _ = memory.commit(Transaction.builder().put(key, whole).build(), deadline());
    assertThat(release("other")).isEqualTo(Released.RELEASED);
  }

  @Test
  void anUnknownOutcomeIsFoundOutForEachOfThem() throws Exception {
    for (FaultyDatastore.Fault fault :
        List.of(FaultyDatastore.Fault.LOST_ANSWER, FaultyDatastore.Fault.LOST_REQUEST)) {
      given(2);
      store.fault = Optional.of(fault);
      Map<String, Predicate<Handle>> both = new TreeMap<>(Map.of("c0", _ -> true, "c1", _ -> true));
      assertThat(h1.releaseAll(both, List.of(), deadline()).values())
          .containsExactly(Released.RELEASED, Released.RELEASED);
      assertThat(used()).isEqualTo(1);
      Invariants.check(memory);
    }
    given(10);
    store.fault = Optional.of(FaultyDatastore.Fault.LOST_ANSWER);
    for (Future<Released> result : release(containers(10))) {
      assertThat(result.get()).isEqualTo(Released.RELEASED);
    }
    assertThat(used()).isZero();
  }

  @Test
  void whenTheLeaderFailsTheOthersGoOnByThemselves() throws Exception {
    given(10);
    store.fault = Optional.of(FaultyDatastore.Fault.UNAVAILABLE);
    int failed = 0;
    for (Future<Released> result : release(containers(10))) {
      try {
        assertThat(result.get()).isEqualTo(Released.RELEASED);
      } catch (ExecutionException e) {
        assertThat(e).cause().isInstanceOf(DatastoreUnavailableException.class);
        failed++;
      }
    }
    assertThat(failed).isEqualTo(1);
    assertThat(used()).isEqualTo(1);
  }

  @Test
  void whoWaitsInVainReleasesNothingLater() throws Exception {
    given(2);
    store.gated = true;
    Future<Released> first = threads.submit(() -> release("first"));
    Await.until("first", Duration.ofSeconds(20), () -> store.arrived.get() == 1);
    assertThatThrownBy(
            () -> h1.release("c0", Optional.empty(), Deadline.after(Duration.ofMillis(20))))
        .isInstanceOf(DatastoreUnavailableException.class)
        .isNotInstanceOf(OutcomeUnknownException.class);
    store.gate.countDown();
    assertThat(first.get()).isEqualTo(Released.RELEASED);
    assertThat(release("c1")).isEqualTo(Released.RELEASED);
    assertThat(h1.find("c0", deadline())).isPresent();
  }

  @Test
  void keysThatMustBeAbsentHoldBackAllThatNameThemAndNoOther() {
    given(2);
    Ipam h2 = fixture.host("h2");
    h2.allocate(endpoint("x"), deadline());
    var _ = memory.commit(Transaction.builder().put("presence/h2", "{}").build(), deadline());
    Map<String, Predicate<Handle>> meant = new TreeMap<>(Map.of("x", _ -> true, "none", _ -> true));
    assertThat(h1.releaseAll(meant, List.of("presence/h2"), deadline()))
        .isEqualTo(Map.of("x", Released.OTHER_GENERATION, "none", Released.NOT_FOUND));
    assertThat(h1.find("x", deadline())).isPresent();
    assertThat(h1.releaseAll(Map.of("c0", _ -> true), List.of("presence/h3"), deadline()))
        .isEqualTo(Map.of("c0", Released.RELEASED));
  }
}
