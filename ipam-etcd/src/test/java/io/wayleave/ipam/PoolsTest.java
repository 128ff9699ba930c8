package io.wayleave.ipam;

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
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpPool;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PoolsTest {
  private final MemoryDatastore memory = new MemoryDatastore();
  private final Fixture fixture = new Fixture(memory);
  private final Pools pools = fixture.pools;

  @Test
  void aPoolThatOverlapsAnotherIsRefusedAndTheOtherIsNamed() {
    pools.create(poolOf("a", "10.0.0.0/16", 26), deadline());
    for (String cidr : new String[] {"10.0.0.0/16", "10.0.128.0/24", "10.0.0.0/8"}) {
      assertThatThrownBy(() -> pools.create(poolOf("b", cidr, 26), deadline()))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageStartingWith("spec.cidr:")
          .hasMessageContaining(cidr)
          .hasMessageContaining("a 10.0.0.0/16");
    }
    pools.create(poolOf("b", "10.1.0.0/16", 26), deadline());
    assertThat(pools.list(deadline()).resources())
        .extracting(IpPool::name)
        .containsExactly("a", "b");
  }

  @Test
  void aNameIsUsedOnce() {
    pools.create(poolOf("a", "10.0.0.0/16", 26), deadline());
    assertThatThrownBy(() -> pools.create(poolOf("a", "10.1.0.0/16", 26), deadline()))
        .isInstanceOf(ResourceConflictException.class)
        .hasMessageContaining("IPPool \"a\" exists already");
  }

  @Test
  void ofTwoOverlappingPoolsCreatedAtTheSameMomentOneIsRefused() {
    // The second is created after the first has looked and before it writes.
    AtomicReference<Runnable> between =
        new AtomicReference<>(() -> pools.create(poolOf("b", "10.0.0.0/24", 26), deadline()));
    Pools slow =
        new Pools(
            new DelegatingDatastore(memory) {
              @Override
              public TransactionResult commit(Transaction transaction, Deadline deadline) {
                between.getAndSet(() -> {}).run();
                return super.commit(transaction, deadline);
              }
            });
    assertThatThrownBy(() -> slow.create(poolOf("a", "10.0.0.0/16", 26), deadline()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("b 10.0.0.0/24");
    assertThat(pools.list(deadline()).resources()).extracting(IpPool::name).containsExactly("b");
  }

  @Test
  void cidrAndBlockSizeNeverChange() {
    pools.create(poolOf("a", "10.0.0.0/16", 26), deadline());
    assertThatThrownBy(
            () -> pools.replace(poolOf("a", "10.1.0.0/16", 26), Optional.empty(), deadline()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("spec.cidr:")
        .hasMessageContaining("10.0.0.0/16");
    assertThatThrownBy(() -> pools.apply(poolOf("a", "10.0.0.0/16", 28), deadline()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("spec.blockSize:")
        .hasMessageContaining("26");
  }

  @Test
  void applyCreatesChangesOrLeavesAsItIs() {
    assertThat(pools.apply(poolOf("a", "10.0.0.0/16", 26), deadline()))
        .isEqualTo(Pools.Applied.CREATED);
    assertThat(pools.apply(poolOf("a", "10.0.0.0/16", 26), deadline()))
        .isEqualTo(Pools.Applied.UNCHANGED);
    assertThat(pools.apply(poolOf("a", "10.0.0.0/16", 26, true, "all()"), deadline()))
        .isEqualTo(Pools.Applied.CHANGED);
    assertThat(pools.list(deadline()).resources().getFirst().spec().disabled()).isTrue();
  }

  @Test
  void aChangeNeedsThePoolAsItWasSeen() {
    pools.create(poolOf("a", "10.0.0.0/16", 26), deadline());
    var seen = pools.list(deadline()).items().getFirst().version();
    pools.replace(poolOf("a", "10.0.0.0/16", 26, true, "all()"), Optional.of(seen), deadline());
    assertThatThrownBy(
            () -> pools.replace(poolOf("a", "10.0.0.0/16", 26), Optional.of(seen), deadline()))
        .isInstanceOfSatisfying(
            ResourceConflictException.class,
            e -> assertThat(e.problem()).isEqualTo(ResourceConflictException.Problem.CHANGED));
    assertThatThrownBy(
            () -> pools.replace(poolOf("b", "10.2.0.0/16", 26), Optional.empty(), deadline()))
        .isInstanceOfSatisfying(
            ResourceConflictException.class,
            e -> assertThat(e.problem()).isEqualTo(ResourceConflictException.Problem.NOT_FOUND));
  }

  @Test
  void aPoolInUseIsDeletedByForceOnlyAndStaysAsItWas() {
    pools.create(poolOf("a", "10.0.0.0/24", 26), deadline());
    Ipam h1 = fixture.host("h1");
    h1.allocate(endpoint("c"), deadline());
    assertThatThrownBy(() -> pools.delete("a", false, deadline()))
        .isInstanceOf(Pools.InUseException.class)
        .hasMessageContaining("pool a has 1 addresses in use")
        .hasMessageContaining("h1");
    assertThat(pools.list(deadline()).resources()).containsExactly(poolOf("a", "10.0.0.0/24", 26));
    h1.allocate(endpoint("d"), deadline());

    pools.delete("a", true, deadline());
    assertThat(pools.list(deadline()).resources()).isEmpty();
    Invariants.check(memory);
    assertThatThrownBy(() -> h1.allocate(endpoint("e"), deadline()))
        .isInstanceOf(IpamException.Exhausted.class);
    // The addresses in use bar other pools from their block, but not the same pool again.
    assertThatThrownBy(() -> pools.create(poolOf("b", "10.0.0.0/24", 28), deadline()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("which a deleted pool left in use");
    pools.create(poolOf("b", "10.0.0.0/23", 26), deadline());
    assertThat(h1.release("c", Optional.empty(), deadline())).isEqualTo(Ipam.Released.RELEASED);
    h1.allocate(endpoint("e"), deadline());
    Invariants.check(memory);
  }

  @Test
  void aPoolIsDrainedAndThenDeleted() {
    pools.create(poolOf("a", "10.0.0.0/24", 28), deadline());
    Ipam h1 = fixture.host("h1");
    h1.claimAffinity(Cidr.parse("10.0.0.0/26"), deadline());
    Handle handle = h1.allocate(endpoint("c"), deadline());
    Pools.Drained left = pools.drain("a", deadline());
    assertThat(left).isEqualTo(new Pools.Drained(1, List.of(handle.assigned().getFirst().block())));
    assertThat(fixture.blocks()).hasSize(1);
    assertThatThrownBy(() -> h1.allocate(endpoint("d"), deadline()))
        .isInstanceOf(IpamException.Exhausted.class)
        .hasMessageContaining("enable pool a");
    assertThatThrownBy(() -> pools.delete("a", false, deadline()))
        .isInstanceOf(Pools.InUseException.class);
    assertThat(pools.list(deadline()).resources().getFirst().spec().disabled()).isTrue();
    h1.release("c", Optional.empty(), deadline());
    assertThat(pools.drain("a", deadline())).isEqualTo(new Pools.Drained(0, List.of()));
    assertThat(fixture.blocks()).isEmpty();
    assertThat(fixture.affinities()).isEmpty();
    assertThat(pools.setDisabled("a", false, deadline())).isTrue();
    assertThat(pools.setDisabled("a", false, deadline())).isFalse();
    h1.allocate(endpoint("d"), deadline());
    h1.release("d", Optional.empty(), deadline());
    pools.delete("a", false, deadline());
    assertThatThrownBy(() -> pools.drain("a", deadline()))
        .isInstanceOf(ResourceConflictException.class)
        .hasMessageContaining("does not exist");
  }

  @Test
  void anEmptyPoolGoesWithItsBlocks() {
    pools.create(poolOf("a", "10.0.0.0/22", 28), deadline());
    Ipam h1 = fixture.host("h1", Fixture.options("x").withMaxBlocksPerHost(100));
    h1.claimAffinity(Cidr.parse("10.0.0.0/22"), deadline());
    assertThat(fixture.blocks()).hasSize(64);
    pools.delete("a", false, deadline());
    assertThat(fixture.blocks()).isEmpty();
    assertThat(fixture.affinities()).isEmpty();
    assertThatThrownBy(() -> pools.delete("a", false, deadline()))
        .isInstanceOf(ResourceConflictException.class)
        .hasMessageContaining("does not exist");
  }

  @Test
  void anAllocationThatMeetsTheDeletionOfItsPoolGetsNothingFromIt() {
    pools.create(poolOf("a", "10.0.0.0/24", 26), deadline());
    Ipam slow = new Fixture(deletingPoolBeforeAllocation(memory)).host("h1");
    assertThatThrownBy(() -> slow.allocate(endpoint("c"), deadline()))
        .isInstanceOf(IpamException.Exhausted.class)
        .hasMessageContaining("there is no IPv4 pool");
    assertThat(fixture.blocks()).isEmpty();
    assertThat(fixture.affinities()).isEmpty();
  }

  @Test
  void withoutTheComparisonOfThePoolItWouldGetOne() {
    pools.create(poolOf("a", "10.0.0.0/24", 26), deadline());
    Datastore careless =
        BrokenDatastore.withoutConditions(
            deletingPoolBeforeAllocation(memory),
            condition -> condition.key().startsWith(Keys.RESOURCES));
    assertThat(new Fixture(careless).host("h1").allocate(endpoint("c"), deadline()).addresses())
        .hasSize(1);
    assertThat(pools.list(deadline()).resources()).isEmpty();
  }

  @Test
  void aPoolThatIsEnabledAndUsedWhileItIsDeletedStays() {
    pools.create(poolOf("a", "10.0.0.0/24", 26), deadline());
    Ipam h1 = fixture.host("h1");
    AtomicReference<Runnable> between =
        new AtomicReference<>(
            () -> {
              pools.setDisabled("a", false, deadline());
              h1.allocate(endpoint("c"), deadline());
            });
    Datastore busy =
        new DelegatingDatastore(memory) {
          @Override
          public TransactionResult commit(Transaction transaction, Deadline deadline) {
            if (transaction.operations().stream().anyMatch(Transaction.Delete.class::isInstance)) {
              between.getAndSet(() -> {}).run();
            }
            return super.commit(transaction, deadline);
          }
        };
    assertThatThrownBy(() -> new Pools(busy).delete("a", false, deadline()))
        .isInstanceOf(Pools.InUseException.class);
    assertThat(pools.list(deadline()).resources()).containsExactly(poolOf("a", "10.0.0.0/24", 26));
    Invariants.check(memory);
  }

  @Test
  void aDisabledPoolHasNoBlocksClaimed() {
    pools.create(poolOf("a", "10.0.0.0/24", 26), deadline());
    pools.setDisabled("a", true, deadline());
    assertThatThrownBy(
            () -> fixture.host("h1").claimAffinity(Cidr.parse("10.0.0.0/26"), deadline()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("a is disabled");
    assertThat(fixture.blocks()).isEmpty();
  }

  /** Deletes pool a after the first allocation has been planned and before it is written. */
  private Datastore deletingPoolBeforeAllocation(Datastore store) {
    AtomicReference<Runnable> between =
        new AtomicReference<>(() -> pools.delete("a", false, deadline()));
    return new DelegatingDatastore(store) {
      @Override
      public TransactionResult commit(Transaction transaction, Deadline deadline) {
        boolean allocates =
            transaction.operations().stream()
                .anyMatch(operation -> operation.key().startsWith(Keys.HANDLES));
        if (allocates) {
          between.getAndSet(() -> {}).run();
        }
        return super.commit(transaction, deadline);
      }
    };
  }
}
