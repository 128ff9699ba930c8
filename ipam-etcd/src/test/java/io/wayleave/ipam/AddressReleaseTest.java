package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.container;
import static io.wayleave.ipam.Fixture.deadline;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.testing.DelegatingDatastore;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class AddressReleaseTest {
  private final MemoryDatastore store = new MemoryDatastore();
  private final ManualClock clock = new ManualClock();
  private final Fixture fixture = new Fixture(store);
  private final AddressRelease release = new AddressRelease(store, clock);
  private final Ipam h1 = fixture.host("h1");
  private Handle handle;
  private IpAddress address;

  @BeforeEach
  void allocateTwo() {
    fixture.pool("a", "10.0.0.0/24", 26);
    fixture.node("h1");
    h1.claimAffinity(Cidr.parse("10.0.0.0/26"), deadline());
    handle =
        h1.allocate(container("h1", "c").withWanted(new AllocationRequest.Count(2, 0)), deadline());
    address = handle.addresses().getLast();
  }

  @Test
  void whoLivesKeepsItUnlessForced() {
    assertThat(release.release(address, false, deadline()))
        .isEqualTo(
            new AddressRelease.Alive(
                handle,
                "node h1 is there, and so is the owner record"
                    + " resources/workloadendpoints/h1.c.eth0"));
    Invariants.check(store);
    assertThat(release.release(address, true, deadline()))
        .isEqualTo(new AddressRelease.Released(handle));
    assertThat(fixture.blockOf(address).usedCount()).isZero();
    Invariants.check(store);
    assertThat(release.release(address, true, deadline()))
        .isEqualTo(new AddressRelease.NotAllocated("it is free in block 10.0.0.0/26"));
  }

  @Test
  void whoseNodeIsGoneLosesIt() {
    fixture.removeNode("h1");
    assertThat(release.release(address, false, deadline()))
        .isEqualTo(new AddressRelease.Released(handle));
    Invariants.check(store);
  }

  @Test
  void aNodeThatComesBackMeanwhileKeepsIt() {
    fixture.removeNode("h1");
    AtomicReference<Runnable> between = new AtomicReference<>(() -> fixture.node("h1"));
    assertThat(new AddressRelease(before(between), clock).release(address, false, deadline()))
        .isInstanceOf(AddressRelease.Alive.class);
    assertThat(h1.find(handle.id(), deadline())).isPresent();
  }

  @Test
  void whoGotItMeanwhileKeepsIt() {
    AtomicReference<Runnable> between =
        new AtomicReference<>(
            () -> {
              h1.release(handle.id(), Optional.empty(), deadline());
              h1.allocate(
                  container("h1", "next")
                      .withAddresses(List.of(address))
                      .withWanted(new AllocationRequest.Count(0, 0)),
                  deadline());
              fixture.removeNode("h1");
              fixture.node("h1");
            });
    AddressRelease.Outcome outcome =
        new AddressRelease(before(between), clock).release(address, true, deadline());
    // By force, and after it has looked again: the new owner is named.
    assertThat(outcome)
        .isInstanceOfSatisfying(
            AddressRelease.Released.class,
            released -> assertThat(released.handle().id()).isEqualTo("h1.next.eth0"));
    Invariants.check(store);
  }

  @Test
  void anAddressWithoutHandleIsFreed() {
    IpAddress lost = IpAddress.parse("10.0.0.40");
    Block block = fixture.blockOf(lost);
    put(IpamKeys.block(block.cidr()), block.take(lost).orElseThrow().toJson());
    assertThat(release.release(lost, false, deadline()))
        .isEqualTo(new AddressRelease.Freed(block.cidr()));
    Invariants.check(store);
    put(IpamKeys.block(block.cidr()), block.take(lost).orElseThrow().toJson());
    put(Keys.HANDLES + "broken", new byte[] {1});
    assertThat(release.release(lost, true, deadline()))
        .isEqualTo(
            new AddressRelease.Refused("no readable handle has it, but ipam/handles/broken may"));
  }

  @Test
  void whatIsNotAllocatedSaysWhy() {
    assertThat(release.release(IpAddress.parse("10.0.0.33"), false, deadline()))
        .isEqualTo(new AddressRelease.NotAllocated("it is free in block 10.0.0.0/26"));
    assertThat(release.release(IpAddress.parse("10.0.0.233"), false, deadline()))
        .isEqualTo(new AddressRelease.NotAllocated("no host has claimed its block of pool a"));
    assertThat(release.release(IpAddress.parse("192.0.2.1"), false, deadline()))
        .isEqualTo(new AddressRelease.NotAllocated("it lies in no pool"));
  }

  @Test
  void whatTwoHaveIsGivenToNobody() {
    put(
        IpamKeys.handle("thief"),
        new Handle(
                "thief",
                "h2",
                "",
                "t",
                IpPool.Use.Workload,
                Map.of(),
                List.of(),
                List.of(handle.assigned().getFirst()))
            .toJson());
    for (IpAddress each : handle.addresses()) {
      assertThat(release.release(each, true, deadline()))
          .isInstanceOf(AddressRelease.Refused.class);
    }
    assertThat(fixture.blockOf(Cidr.parse("10.0.0.0/26").address()).usedCount()).isEqualTo(2);
  }

  private void put(String key, byte[] value) {
    store.commit(Transaction.builder().put(key, value).build(), deadline());
  }

  private Datastore before(AtomicReference<Runnable> between) {
    return new DelegatingDatastore(store) {
      @Override
      public TransactionResult commit(Transaction transaction, Deadline deadline) {
        between.getAndSet(() -> {}).run();
        return super.commit(transaction, deadline);
      }
    };
  }
}
