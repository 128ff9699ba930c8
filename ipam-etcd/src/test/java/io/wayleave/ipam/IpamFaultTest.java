package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.deadline;
import static io.wayleave.ipam.Fixture.endpoint;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.OutcomeUnknownException;
import io.wayleave.datastore.ResourceConflictException;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every operation is failed at every one of its commits in every way, and then done again: nothing
 * is lost, doubled or left behind.
 */
@Timeout(60)
class IpamFaultTest {
  private static final String NAME = "h1.c.eth0";

  /** An operation, the state that it starts from, and whether it is settled by doing it again. */
  record Operation(
      String name, Consumer<Fixture> before, BiConsumer<Ipam, Fixture> run, boolean allocates) {
    Operation(String name, Consumer<Fixture> before, Consumer<Ipam> run, boolean allocates) {
      this(name, before, (ipam, _) -> run.accept(ipam), allocates);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Operation> operations() {
    Consumer<Fixture> pools =
        fixture -> {
          fixture.pool("v4", "10.0.0.0/29", 30);
          fixture.pool("v6", "fd00::/125", 126);
        };
    return Stream.of(
        new Operation(
            "allocation that claims",
            pools,
            ipam -> ipam.allocate(endpoint(NAME), deadline()),
            true),
        new Operation(
            "allocation from an own block",
            pools.andThen(fixture -> fixture.host("h1").allocate(endpoint("first"), deadline())),
            ipam -> ipam.allocate(endpoint(NAME), deadline()),
            true),
        new Operation(
            "allocation that borrows",
            pools.andThen(
                fixture -> fixture.host("h2").claimAffinity(Cidr.parse("10.0.0.0/29"), deadline())),
            ipam -> ipam.allocate(endpoint(NAME), deadline()),
            true),
        new Operation(
            "allocation that takes the last address",
            pools.andThen(
                fixture ->
                    fixture.host("h1").allocate(AllocationRequest.count("rest", 7, 0), deadline())),
            ipam -> ipam.allocate(endpoint(NAME), deadline()),
            true),
        new Operation(
            "dual-stack allocation",
            pools,
            ipam ->
                ipam.allocate(
                    AllocationRequest.oneOfEachFamily(NAME)
                        .withOwner(addresses -> Fixture.owner(NAME, addresses)),
                    deadline()),
            true),
        new Operation(
            "named allocation",
            pools,
            ipam ->
                ipam.allocate(
                    AllocationRequest.oneOfEachFamily(NAME)
                        .withAddresses(
                            List.of(IpAddress.parse("10.0.0.5"), IpAddress.parse("fd00::5")))
                        .withOwner(addresses -> Fixture.owner(NAME, addresses)),
                    deadline()),
            true),
        new Operation(
            "release",
            pools.andThen(fixture -> fixture.host("h1").allocate(endpoint(NAME), deadline())),
            ipam -> ipam.release(NAME, Optional.empty(), deadline()),
            false),
        new Operation(
            "release of the last address of nobody's block",
            pools.andThen(
                fixture -> {
                  Ipam h1 = fixture.host("h1");
                  h1.allocate(endpoint(NAME), deadline());
                  h1.releaseAffinity(fixture.blocks().getFirst().cidr(), deadline());
                }),
            ipam -> ipam.release(NAME, Optional.empty(), deadline()),
            false),
        new Operation(
            "claim of a range",
            pools,
            ipam -> ipam.claimAffinity(Cidr.parse("10.0.0.0/29"), deadline()),
            false),
        new Operation(
            "release of an affinity",
            pools.andThen(
                fixture -> fixture.host("h1").claimAffinity(Cidr.parse("10.0.0.0/29"), deadline())),
            ipam -> ipam.releaseAffinity(Cidr.parse("10.0.0.0/30"), deadline()),
            false),
        new Operation(
            "release of two handles together",
            pools.andThen(
                fixture -> {
                  fixture.host("h1").allocate(endpoint(NAME), deadline());
                  fixture.host("h1").allocate(endpoint("other"), deadline());
                }),
            ipam ->
                ipam.releaseAll(Map.of(NAME, _ -> true, "other", _ -> true), List.of(), deadline()),
            false),
        new Operation(
            "allocation that takes another host's idle block over",
            pools.andThen(
                fixture ->
                    fixture
                        .host("h2", longAgo())
                        .claimAffinity(Cidr.parse("10.0.0.0/29"), deadline())),
            ipam -> ipam.allocate(endpoint(NAME), deadline()),
            true),
        new Operation(
            "collection of a lost container",
            pools.andThen(fixture -> fixture.host("h1").allocate(endpoint(NAME), deadline())),
            IpamFaultTest::collect,
            false),
        new Operation(
            "collection of a lost node",
            pools.andThen(
                fixture -> {
                  Ipam h2 = fixture.host("h2");
                  h2.allocate(endpoint(NAME), deadline());
                  h2.claimAffinity(Cidr.parse("10.0.0.0/29"), deadline());
                }),
            IpamFaultTest::collect,
            false),
        new Operation(
            "disabling of a pool",
            pools,
            (_, fixture) -> fixture.pools.setDisabled("v4", true, deadline()),
            false),
        new Operation(
            "draining of a pool",
            pools.andThen(
                fixture -> fixture.host("h1").claimAffinity(Cidr.parse("10.0.0.0/29"), deadline())),
            (_, fixture) -> fixture.pools.drain("v4", deadline()),
            false),
        new Operation(
            "deletion of a pool",
            pools.andThen(
                fixture -> fixture.host("h1").claimAffinity(Cidr.parse("10.0.0.0/29"), deadline())),
            (_, fixture) -> deletePool(fixture),
            false),
        new Operation("creation of a pool", pools, (_, fixture) -> createPool(fixture), false));
  }

  /** Whose blocks others may take. */
  private static IpamOptions longAgo() {
    return Fixture.options("h2").withClock(() -> Instant.EPOCH);
  }

  /** Twice, for it believes nothing that it sees for the first time. */
  private static void collect(Ipam ipam, Fixture fixture) {
    GarbageCollector collector =
        new GarbageCollector(fixture.store, ipam, _ -> false, Duration.ZERO, System::nanoTime);
    var _ = collector.collect(deadline());
    var _ = collector.collect(deadline());
  }

  private static void deletePool(Fixture fixture) {
    try {
      fixture.pools.delete("v4", false, deadline());
    } catch (ResourceConflictException e) {
      assertThat(e.problem()).isEqualTo(ResourceConflictException.Problem.NOT_FOUND);
    }
    if (fixture.store.get("resources/ippools/v4", deadline()).isEmpty()) {
      assertThat(fixture.blocks()).isEmpty();
      assertThat(fixture.affinities()).isEmpty();
    }
  }

  private static void createPool(Fixture fixture) {
    try {
      fixture.pool("new", "10.0.1.0/29", 30);
    } catch (ResourceConflictException e) {
      assertThat(e.problem()).isEqualTo(ResourceConflictException.Problem.EXISTS);
    }
  }

  static Stream<Arguments> faults() {
    List<Arguments> all = new ArrayList<>();
    operations()
        .forEach(
            operation -> {
              for (FaultyDatastore.Fault fault : FaultyDatastore.Fault.values()) {
                all.add(Arguments.of(operation, fault));
              }
            });
    return all.stream();
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("faults")
  void nothingIsLostOrDoubled(Operation operation, FaultyDatastore.Fault fault) {
    int failed = 0;
    while (failAt(operation, fault, failed)) {
      failed++;
    }
    // At least one commit was failed, or nothing was tested.
    assertThat(failed).isPositive();
  }

  /** False: the operation has fewer commits than that, so nothing was failed. */
  private static boolean failAt(Operation operation, FaultyDatastore.Fault fault, int commit) {
    MemoryDatastore memory = new MemoryDatastore();
    FaultyDatastore faulty = new FaultyDatastore(memory);
    Fixture healthy = new Fixture(memory);
    operation.before().accept(healthy);
    faulty.failAt(commit, fault);
    Ipam host = new Fixture(faulty).host("h1");
    try {
      operation.run().accept(host, new Fixture(faulty));
    } catch (FaultyDatastore.Crash | DatastoreUnavailableException _) {
      // What became of it is looked at below.
    }
    boolean reached = faulty.commits() > commit;
    Invariants.check(memory);

    // The host starts again, or goes on: whoever asked asks again, as a runtime does.
    faulty.setScript(_ -> Optional.empty());
    Ipam next =
        switch (fault) {
          case CRASH_BEFORE, CRASH_AFTER -> new Fixture(faulty).host("h1");
          case UNAVAILABLE, LOST_REQUEST, LOST_ANSWER, LATE -> host;
        };
    if (operation.allocates()) {
      next.release(NAME, Optional.empty(), deadline());
      Invariants.check(memory);
    }
    operation.run().accept(next, new Fixture(faulty));
    Invariants.check(memory);
    List.copyOf(faulty.underWay()).forEach(late -> faulty.deliver(late, deadline()));
    Invariants.check(memory);
    if (operation.allocates()) {
      assertThat(next.find(NAME, deadline())).isPresent();
      next.release(NAME, Optional.empty(), deadline());
      Invariants.check(memory);
    }
    assertThat(next.find(NAME, deadline())).isEmpty();
    assertThat(healthy.affinities())
        .allMatch(affinity -> affinity.state() == Affinity.State.CONFIRMED);
    return reached;
  }

  @Test
  void aFailureAfterAnUnknownOutcomeDoesNotHideIt() {
    MemoryDatastore memory = new MemoryDatastore();
    FaultyDatastore faulty = new FaultyDatastore(memory);
    new Fixture(memory).pool("a", "10.0.0.0/30", 30);
    Ipam h1 = new Fixture(faulty).host("h1");
    faulty.setScript(
        _ ->
            Optional.of(
                faulty.commits() == 0
                    ? FaultyDatastore.Fault.LOST_REQUEST
                    : FaultyDatastore.Fault.UNAVAILABLE));

    assertThatThrownBy(() -> h1.allocate(endpoint(NAME), deadline()))
        .isInstanceOf(OutcomeUnknownException.class)
        .hasMessageContaining(NAME);

    // Later failures of the same host are what they are.
    faulty.setScript(_ -> Optional.of(FaultyDatastore.Fault.UNAVAILABLE));
    assertThatThrownBy(() -> h1.allocate(endpoint(NAME), deadline()))
        .isNotInstanceOf(OutcomeUnknownException.class);
  }

  @Test
  void anAnswerThatIsLostIsFoundOutAndTheAllocationSucceedsOnce() {
    MemoryDatastore memory = new MemoryDatastore();
    FaultyDatastore faulty = new FaultyDatastore(memory);
    Fixture fixture = new Fixture(memory);
    fixture.pool("a", "10.0.0.0/30", 30);
    Ipam h1 = new Fixture(faulty).host("h1");
    h1.allocate(AllocationRequest.count("rest", 3, 0), deadline());
    for (FaultyDatastore.Fault fault :
        List.of(FaultyDatastore.Fault.LOST_ANSWER, FaultyDatastore.Fault.LOST_REQUEST)) {
      faulty.failAt(0, fault);
      Handle handle = h1.allocate(endpoint(NAME), deadline());
      assertThat(memory.get(IpamKeys.handle(NAME), deadline()))
          .hasValueSatisfying(entry -> assertThat(Ipam.readHandle(entry)).isEqualTo(handle));
      assertThat(fixture.blocks().getFirst().freeCount()).isZero();
      faulty.failAt(0, fault);
      assertThat(h1.release(NAME, Optional.empty(), deadline())).isEqualTo(Ipam.Released.RELEASED);
      assertThat(fixture.blocks().getFirst().freeCount()).isEqualTo(1);
      Invariants.check(memory);
    }
  }
}
