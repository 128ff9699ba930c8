package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.container;
import static io.wayleave.ipam.Fixture.deadline;
import static io.wayleave.ipam.Fixture.endpoint;
import static io.wayleave.ipam.Fixture.poolOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.ResourceConflictException;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.testing.BrokenDatastore;
import io.wayleave.datastore.testing.DelegatingDatastore;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import io.wayleave.model.Metadata;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PoolSplitTest {
  private final MemoryDatastore store = new MemoryDatastore();
  private final Fixture fixture = new Fixture(store);
  private final Pools pools = fixture.pools;

  @Test
  void thePartsAreAlikeAndAddressesStay() {
    IpPool whole =
        new IpPool(
            Metadata.of("a", Map.of("team", "x")),
            IpPool.Spec.of(Cidr.parse("10.0.0.0/24"), 28)
                .withNodeSelector("has(host)")
                .withAssignmentMode(IpPool.AssignmentMode.Manual)
                .withDisableBGPExport(true));
    pools.create(whole, deadline());
    Ipam h1 = fixture.host("h1");
    Handle handle = h1.allocate(endpoint("c").withPools(Family.IPV4, List.of("a")), deadline());
    List<IpPool> parts = pools.split("a", 4, deadline());
    assertThat(pools.list(deadline()).resources()).isEqualTo(parts);
    assertThat(parts)
        .extracting(pool -> pool.name() + " " + pool.spec().cidr())
        .containsExactly(
            "a-0 10.0.0.0/26", "a-1 10.0.0.64/26", "a-2 10.0.0.128/26", "a-3 10.0.0.192/26");
    assertThat(parts)
        .allMatch(part -> part.metadata().labels().equals(Map.of("team", "x")))
        .allMatch(part -> part.spec().equals(whole.spec().withCidr(part.spec().cidr())));
    Invariants.check(store);

    // Whoever asks for the old pool by name gets an address of the new ones, also after another.
    pools.split("a-1", 2, deadline());
    for (String name : List.of("a", "a-1", "a-1-0")) {
      Handle next = h1.allocate(endpoint(name).withPools(Family.IPV4, List.of(name)), deadline());
      assertThat(next.addresses()).doesNotContainAnyElementsOf(handle.addresses());
    }
    assertThat(h1.find("a-1-0", deadline()).orElseThrow().addresses().getFirst())
        .matches(address -> Cidr.parse("10.0.0.64/27").contains(address));
    assertThat(h1.release("c", Optional.empty(), deadline())).isEqualTo(Ipam.Released.RELEASED);
    Invariants.check(store);
    assertThatThrownBy(
            () -> h1.allocate(endpoint("x").withPools(Family.IPV4, List.of("b")), deadline()))
        .isInstanceOf(InvalidInputException.class);
  }

  @Test
  void whatCannotBeDividedIsRefusedByNumber() {
    pools.create(poolOf("a", "10.0.0.0/24", 26), deadline());
    for (int parts : new int[] {-1, 0, 1, 3, 8, 128}) {
      assertThatThrownBy(() -> pools.split("a", parts, deadline()))
          .isInstanceOf(InvalidInputException.class)
          .hasMessage(
              "parts: \""
                  + parts
                  + "\" is not allowed; allowed: a power of 2, from 2 to 4, so that each part of"
                  + " 10.0.0.0/24 has a block of /26");
    }
    pools.create(poolOf("one", "10.1.0.0/26", 26), deadline());
    assertThatThrownBy(() -> pools.split("one", 2, deadline()))
        .hasMessageContaining("pool one 10.1.0.0/26 is a single block");
    pools.create(poolOf("a-1", "10.2.0.0/26", 26), deadline());
    assertThatThrownBy(() -> pools.split("a", 2, deadline()))
        .isInstanceOf(ResourceConflictException.class)
        .hasMessageContaining("a-1");
    assertThatThrownBy(() -> pools.split("none", 2, deadline()))
        .isInstanceOf(ResourceConflictException.class)
        .hasMessageContaining("none");
    assertThat(pools.list(deadline()).resources()).hasSize(3);
  }

  @Test
  void sixtyFourPartsFitOneTransactionInBothFamilies() {
    pools.create(poolOf("a", "10.0.0.0/16", 26), deadline());
    pools.create(poolOf("b", "fd00::/48", 122), deadline());
    assertThat(pools.split("a", 64, deadline()).getLast().spec().cidr())
        .isEqualTo(Cidr.parse("10.0.252.0/22"));
    assertThat(pools.split("b", 64, deadline()).getLast().spec().cidr())
        .isEqualTo(Cidr.parse("fd00:0:0:fc00::/54"));
    assertThat(pools.list(deadline()).resources()).hasSize(128);
  }

  @Test
  void anAllocationThatMeetsItIsPlannedAnew() {
    pools.create(poolOf("a", "10.0.0.0/24", 26), deadline());
    Ipam slow = new Fixture(splittingBeforeAllocation(store)).host("h1");
    Handle handle = slow.allocate(endpoint("c"), deadline());
    assertThat(pools.list(deadline()).resources()).hasSize(2);
    assertThat(handle.addresses()).hasSize(1);
    Invariants.check(store);
  }

  @Test
  void withoutTheGuardItWouldBeWrittenWithAPoolThatIsNoMore() {
    pools.create(poolOf("a", "10.0.0.0/24", 26), deadline());
    Datastore careless =
        BrokenDatastore.withoutConditions(
            splittingBeforeAllocation(store),
            condition ->
                condition.key().equals(Keys.POOL_GUARD)
                    || condition.key().startsWith(Keys.RESOURCES));
    new Fixture(careless).host("h1").allocate(endpoint("c"), deadline());
    assertThat(fixture.blocks()).singleElement().extracting(Block::pool).isEqualTo("a");
  }

  private Datastore splittingBeforeAllocation(Datastore under) {
    AtomicReference<Runnable> between =
        new AtomicReference<>(() -> pools.split("a", 2, deadline()));
    return new DelegatingDatastore(under) {
      @Override
      public TransactionResult commit(Transaction transaction, Deadline deadline) {
        if (transaction.operations().stream()
            .anyMatch(operation -> operation.key().startsWith(Keys.HANDLES))) {
          between.getAndSet(() -> {}).run();
        }
        return super.commit(transaction, deadline);
      }
    };
  }

  @Test
  void manyHostsGoOnAllocatingWhileItIsDividedAgainAndAgain() throws Exception {
    pools.create(poolOf("a", "10.0.0.0/20", 26), deadline());
    Set<IpAddress> given = new HashSet<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<List<IpAddress>>> hosts = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        String host = "h" + i;
        hosts.add(
            threads.submit(
                () -> {
                  Ipam ipam = fixture.host(host);
                  List<IpAddress> got = new ArrayList<>();
                  for (int n = 0; n < 150; n++) {
                    AllocationRequest request = container(host, "c" + n);
                    // Each of these fails the test when it is refused.
                    got.addAll(
                        ipam.allocate(
                                n % 2 == 0 ? request : request.withPools(Family.IPV4, List.of("a")),
                                deadline())
                            .addresses());
                  }
                  return got;
                }));
      }
      for (int level = 0; level < 4; level++) {
        for (IpPool pool : pools.list(deadline()).resources()) {
          pools.split(pool.name(), 2, deadline());
        }
      }
      for (Future<List<IpAddress>> host : hosts) {
        for (IpAddress address : host.get(30, TimeUnit.SECONDS)) {
          assertThat(given.add(address)).as("given once: " + address).isTrue();
        }
      }
    }
    assertThat(given).hasSize(600);
    assertThat(pools.list(deadline()).resources()).hasSize(16);
    Invariants.check(store);
  }
}
