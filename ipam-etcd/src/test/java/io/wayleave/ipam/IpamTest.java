package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.deadline;
import static io.wayleave.ipam.Fixture.endpoint;
import static io.wayleave.ipam.Fixture.ownerKey;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.Syncer;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.testing.Await;
import io.wayleave.datastore.testing.DelegatingDatastore;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpReservation;
import io.wayleave.model.Kind;
import io.wayleave.model.Metadata;
import io.wayleave.model.Update;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class IpamTest {
  private final MemoryDatastore memory = new MemoryDatastore();
  private final CountingDatastore store = new CountingDatastore(memory);
  private final Fixture fixture = new Fixture(store);

  @AfterEach
  void everythingFitsTogether() {
    memory.reconnect();
    Invariants.check(memory);
  }

  @Test
  void anAllocationIsBlockHandleAndOwnerTogether() {
    fixture.pool("a", "10.0.0.0/24", 26);
    Ipam h1 = fixture.host("h1");
    Handle handle =
        h1.allocate(
            endpoint("h1.c1.eth0").withGeneration("g1").withAttributes(Map.of("container", "c1")),
            deadline());
    IpAddress address = handle.addresses().getFirst();
    assertThat(Cidr.parse("10.0.0.0/24").contains(address)).isTrue();
    assertThat(handle.attributes()).containsEntry("container", "c1");
    assertThat(handle.allocatedAt()).isPresent();
    assertThat(h1.find("h1.c1.eth0", deadline())).contains(handle);
    assertThat(store.get(ownerKey("h1.c1.eth0"), deadline()).orElseThrow().text())
        .isEqualTo("[" + address + "]");
    assertThat(fixture.blockOf(address).usedAddresses()).containsExactly(address);
    assertThat(fixture.blockOf(address).node()).contains("h1");
    Invariants.check(store);

    assertThat(h1.release("h1.c1.eth0", Optional.of("g1"), deadline()))
        .isEqualTo(Ipam.Released.RELEASED);
    assertThat(h1.find("h1.c1.eth0", deadline())).isEmpty();
    assertThat(store.get(ownerKey("h1.c1.eth0"), deadline())).isEmpty();
    assertThat(fixture.blockOf(address).usedCount()).isZero();
  }

  @Test
  void anAllocationFromTheHostsOwnBlockIsOneTransactionAndNoRead() {
    fixture.pool("a", "10.0.0.0/24", 26);
    Ipam h1 = fixture.host("h1");
    h1.allocate(endpoint("first"), deadline());
    store.reset();
    for (int i = 0; i < 63; i++) {
      h1.allocate(endpoint("c" + i), deadline());
    }
    assertThat(store.commits()).isEqualTo(63);
    assertThat(store.reads()).isZero();
  }

  @Test
  void aReleaseIsTwoReadsAndOneTransaction() {
    fixture.pool("a", "10.0.0.0/24", 26);
    Ipam h1 = fixture.host("h1");
    h1.allocate(endpoint("c"), deadline());
    store.reset();
    h1.release("c", Optional.empty(), deadline());
    assertThat(store.commits()).isEqualTo(1);
    assertThat(store.reads()).isEqualTo(2);
  }

  @Test
  void releasingTwiceOrWhatNeverWasIsNoError() {
    fixture.pool("a", "10.0.0.0/24", 26);
    Ipam h1 = fixture.host("h1");
    assertThat(h1.release("c", Optional.empty(), deadline())).isEqualTo(Ipam.Released.NOT_FOUND);
    h1.allocate(endpoint("c"), deadline());
    assertThat(h1.release("c", Optional.empty(), deadline())).isEqualTo(Ipam.Released.RELEASED);
    assertThat(h1.release("c", Optional.empty(), deadline())).isEqualTo(Ipam.Released.NOT_FOUND);
  }

  @Test
  void aLateReleaseDoesNotTouchALaterGeneration() {
    fixture.pool("a", "10.0.0.0/32", 32);
    Ipam h1 = fixture.host("h1");
    h1.allocate(endpoint("c").withGeneration("1"), deadline());
    h1.release("c", Optional.of("1"), deadline());
    Handle second = h1.allocate(endpoint("c").withGeneration("2"), deadline());
    assertThat(h1.release("c", Optional.of("1"), deadline()))
        .isEqualTo(Ipam.Released.OTHER_GENERATION);
    assertThat(h1.find("c", deadline())).contains(second);
    assertThat(store.get(ownerKey("c"), deadline())).isPresent();
  }

  @Test
  void aReleaseDoesNotFreeAnAddressOfABlockThatWasMadeAnew() {
    fixture.pool("a", "10.0.0.0/30", 30);
    Ipam h1 = fixture.host("h1");
    Handle old = h1.allocate(endpoint("old"), deadline());
    String handleKey = IpamKeys.handle("old");
    byte[] record = store.get(handleKey, deadline()).orElseThrow().value();
    h1.release("old", Optional.empty(), deadline());
    h1.releaseAffinity(Cidr.parse("10.0.0.0/30"), deadline());
    Handle current = fixture.host("h2").allocate(endpoint("new"), deadline());
    assertThat(current.addresses()).isEqualTo(old.addresses());
    // A handle that came back from a backup, or from a program with a defect.
    memory.commit(Transaction.builder().put(handleKey, record).build(), deadline());
    assertThat(h1.release("old", Optional.empty(), deadline())).isEqualTo(Ipam.Released.RELEASED);
    assertThat(fixture.blockOf(current.addresses().getFirst()).usedAddresses())
        .isEqualTo(current.addresses());
  }

  @Test
  void aHandleInUseIsRefusedAndShown() {
    fixture.pool("a", "10.0.0.0/24", 26);
    Ipam h1 = fixture.host("h1");
    Handle first = h1.allocate(endpoint("c"), deadline());
    assertThatThrownBy(() -> h1.allocate(endpoint("c"), deadline()))
        .isInstanceOfSatisfying(
            IpamException.HandleExists.class, e -> assertThat(e.handle()).isEqualTo(first))
        .hasMessageContaining(first.addresses().toString());
  }

  @Test
  void anOwnerRecordThatExistsIsNotOverwritten() {
    fixture.pool("a", "10.0.0.0/24", 26);
    memory.commit(Transaction.builder().put("other/record", "mine").build(), deadline());
    assertThatThrownBy(
            () ->
                fixture
                    .host("h1")
                    .allocate(
                        AllocationRequest.count("c", 1, 0)
                            .withOwner(_ -> OwnerRecord.of("other/record", new byte[0])),
                        deadline()))
        .isInstanceOf(IpamException.OwnerExists.class)
        .hasMessageContaining("other/record");
    assertThat(store.get("other/record", deadline()).orElseThrow().text()).isEqualTo("mine");
    assertThat(fixture.affinities()).isEmpty();
  }

  @Test
  void aClaimThatCameThroughLateKeepsItsAffinity() {
    fixture.pool("a", "10.0.0.0/30", 30);
    Cidr block = Cidr.parse("10.0.0.0/30");
    // What h1 took for lost is done when it begins to claim the block again.
    AtomicReference<Runnable> late =
        new AtomicReference<>(
            () ->
                assertThat(fixture.host("h1").claimAffinity(block, deadline()).claimed())
                    .containsExactly(block));
    Datastore store =
        new DelegatingDatastore(memory) {
          @Override
          public TransactionResult commit(Transaction transaction, Deadline deadline) {
            String key = IpamKeys.affinity("h1", block);
            if (transaction.operations().stream().anyMatch(one -> one.key().equals(key))) {
              late.getAndSet(() -> {}).run();
            }
            return super.commit(transaction, deadline);
          }
        };
    assertThat(new Fixture(store).host("h1").allocate(endpoint("c"), deadline()).addresses())
        .hasSize(1);
    assertThat(fixture.blocks()).hasSize(1);
    assertThat(fixture.affinities()).hasSize(1);
  }

  @Test
  void dualStackIsBothOrNone() {
    fixture.pool("v4", "10.0.0.0/24", 26);
    fixture.pool("v6", "fd00::/127", 127);
    Ipam h1 = fixture.host("h1");
    for (String name : List.of("c1", "c2")) {
      Handle handle = h1.allocate(AllocationRequest.oneOfEachFamily(name), deadline());
      assertThat(handle.addresses())
          .extracting(IpAddress::family)
          .containsExactly(Family.IPV4, Family.IPV6);
    }
    int before = fixture.blocks().stream().mapToInt(Block::usedCount).sum();
    assertThatThrownBy(() -> h1.allocate(AllocationRequest.oneOfEachFamily("c3"), deadline()))
        .isInstanceOfSatisfying(
            IpamException.Exhausted.class, e -> assertThat(e.family()).isEqualTo(Family.IPV6));
    assertThat(fixture.blocks().stream().mapToInt(Block::usedCount).sum()).isEqualTo(before);
    assertThat(h1.find("c3", deadline())).isEmpty();
  }

  @Test
  void oneOfEachFamilyTakesTheFamiliesThatHavePools() {
    fixture.pool("v6", "fd00::/120", 122);
    Ipam h1 = fixture.host("h1");
    assertThat(h1.allocate(AllocationRequest.oneOfEachFamily("c1"), deadline()).addresses())
        .extracting(IpAddress::family)
        .containsExactly(Family.IPV6);
    // A pool that is created later is noticed at the next allocation.
    fixture.pool("v4", "10.0.0.0/24", 26);
    assertThat(h1.allocate(AllocationRequest.oneOfEachFamily("c2"), deadline()).addresses())
        .hasSize(2);
    assertThat(
            h1.allocate(
                    AllocationRequest.oneOfEachFamily("c3")
                        .withAddresses(List.of(IpAddress.parse("10.0.0.77"))),
                    deadline())
                .addresses())
        .hasSize(2)
        .startsWith(IpAddress.parse("10.0.0.77"));
  }

  @Test
  void severalAddressesComeInOneTransactionAlsoFromSeveralBlocks() {
    fixture.pool("a", "10.0.0.0/24", 28);
    Ipam h1 = fixture.host("h1");
    Handle handle = h1.allocate(AllocationRequest.count("many", 60, 0), deadline());
    assertThat(handle.addresses()).hasSize(60).doesNotHaveDuplicates();
    assertThat(fixture.blocks()).hasSize(4);
    Invariants.check(store);
    assertThat(h1.release("many", Optional.empty(), deadline())).isEqualTo(Ipam.Released.RELEASED);
    assertThat(fixture.blocks()).allMatch(block -> block.usedCount() == 0);
    assertThatThrownBy(() -> AllocationRequest.count("more", 61, 0))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("60");
  }

  @Test
  void aDisabledPoolGivesNothingFromTheNextAllocationOn() {
    fixture.pool("a", "10.0.0.0/24", 26);
    Ipam h1 = fixture.host("h1");
    h1.allocate(endpoint("c1"), deadline());
    fixture.pools.replace(
        Fixture.poolOf("a", "10.0.0.0/24", 26, true, "all()"), Optional.empty(), deadline());
    assertThatThrownBy(() -> h1.allocate(endpoint("c2"), deadline()))
        .isInstanceOf(IpamException.Exhausted.class)
        .hasMessageContaining("pool a (10.0.0.0/24) is disabled");
    fixture.pool("b", "10.1.0.0/24", 26);
    assertThat(h1.allocate(endpoint("c2"), deadline()).addresses().getFirst())
        .matches(Cidr.parse("10.1.0.0/24")::contains);
    assertThat(h1.release("c1", Optional.empty(), deadline())).isEqualTo(Ipam.Released.RELEASED);
  }

  @Test
  void aPoolsNodeSelectorIsHonoured() {
    fixture.pools.create(Fixture.poolOf("a", "10.0.0.0/24", 26, false, "host == 'h1'"), deadline());
    fixture.pools.create(Fixture.poolOf("b", "10.1.0.0/24", 26, false, "host == 'h2'"), deadline());
    assertThat(fixture.host("h2").allocate(endpoint("c2"), deadline()).addresses().getFirst())
        .matches(Cidr.parse("10.1.0.0/24")::contains);
    assertThatThrownBy(() -> fixture.host("h3").allocate(endpoint("c3"), deadline()))
        .isInstanceOf(IpamException.Exhausted.class)
        .hasMessageContaining("host == 'h1'")
        .hasMessageContaining("h3 does not");
  }

  @Test
  void poolsCanBeAskedForByName() {
    fixture.pool("a", "10.0.0.0/24", 26);
    fixture.pool("b", "10.1.0.0/24", 26);
    Ipam h1 = fixture.host("h1");
    assertThat(
            h1.allocate(endpoint("c").withPools(Family.IPV4, List.of("b")), deadline())
                .addresses()
                .getFirst())
        .matches(Cidr.parse("10.1.0.0/24")::contains);
    assertThatThrownBy(
            () -> h1.allocate(endpoint("d").withPools(Family.IPV4, List.of("nope")), deadline()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("nope")
        .hasMessageContaining("a 10.0.0.0/24, b 10.1.0.0/24");
  }

  @Test
  void aChangeOfAnotherPoolCostsNoRetryAndOneOfTheSettingsOneAtMost() {
    CountingDatastore counting = new CountingDatastore(store);
    fixture.pool("a", "10.0.0.0/24", 26);
    Ipam h1 = new Fixture(counting).host("h1");
    h1.allocate(endpoint("warm"), deadline());
    IpamSettings settings = new IpamSettings(store);
    IpReservation elsewhere =
        new IpReservation(
            Metadata.of("r"), new IpReservation.Spec(List.of(Cidr.parse("192.168.0.0/16"))));
    List<Runnable> others =
        List.of(
            () -> fixture.pool("b", "10.1.0.0/24", 26),
            () -> fixture.pools.setDisabled("b", true, deadline()),
            () -> fixture.pools.delete("b", false, deadline()));
    List<Runnable> concerned =
        List.of(
            () -> settings.create(elsewhere, deadline()),
            () -> settings.delete(Kind.IP_RESERVATION, "r", deadline()),
            () -> {
              fixture.pools.setDisabled("a", true, deadline());
              fixture.pools.setDisabled("a", false, deadline());
            });
    int name = 0;
    for (Runnable change : others) {
      change.run();
      assertCommits(counting, h1, name++, 1);
    }
    for (Runnable change : concerned) {
      change.run();
      assertCommits(counting, h1, name++, 2);
      assertCommits(counting, h1, name++, 1);
    }
  }

  @Test
  void whoLeavesAFamilyOutMindsEveryPoolAndWhoGetsBothDoesNot() {
    CountingDatastore counting = new CountingDatastore(store);
    fixture.pool("a", "10.0.0.0/24", 26);
    Ipam h1 = new Fixture(counting).host("h1");
    h1.allocate(AllocationRequest.oneOfEachFamily("warm"), deadline());
    fixture.pool("b", "10.1.0.0/24", 26);
    assertCommits(counting, h1, AllocationRequest.oneOfEachFamily("c1"), 2);
    assertCommits(counting, h1, AllocationRequest.oneOfEachFamily("c2"), 1);
    fixture.pool("c", "fd00::/120", 122);
    assertThat(h1.allocate(AllocationRequest.oneOfEachFamily("c3"), deadline()).addresses())
        .hasSize(2);
    fixture.pools.delete("b", false, deadline());
    assertCommits(counting, h1, AllocationRequest.oneOfEachFamily("c4"), 1);
  }

  private static void assertCommits(CountingDatastore counting, Ipam host, int name, int commits) {
    assertCommits(counting, host, endpoint("c" + name), commits);
  }

  private static void assertCommits(
      CountingDatastore counting, Ipam host, AllocationRequest request, int commits) {
    counting.reset();
    host.allocate(request, deadline());
    assertThat(counting.commits()).isEqualTo(commits);
    // Who was refused reads the pools, the settings and the guards, and no block.
    assertThat(counting.reads()).isEqualTo(commits == 1 ? 0 : 4);
  }

  @Test
  void withoutAnyPoolTheErrorSaysSo() {
    assertThatThrownBy(() -> fixture.host("h1").allocate(endpoint("c"), deadline()))
        .isInstanceOf(IpamException.Exhausted.class)
        .hasMessageContaining("there is no IPv4 pool");
    assertThatThrownBy(
            () -> fixture.host("h1").allocate(AllocationRequest.oneOfEachFamily("c"), deadline()))
        .isInstanceOf(IpamException.Exhausted.class);
  }

  @Test
  void anExhaustionSaysForEachPoolWhyItGaveNothing() {
    fixture.pool("full", "10.0.0.0/31", 31);
    fixture.pools.create(Fixture.poolOf("off", "10.1.0.0/24", 26, true, "all()"), deadline());
    Ipam h1 = fixture.host("h1");
    h1.allocate(AllocationRequest.count("c", 2, 0), deadline());
    assertThatThrownBy(() -> h1.allocate(endpoint("d"), deadline()))
        .isInstanceOfSatisfying(
            IpamException.Exhausted.class,
            e ->
                assertThat(e.verdicts())
                    .extracting(IpamException.PoolVerdict::pool)
                    .containsExactlyInAnyOrder("full", "off"))
        .hasMessageContaining("pool full (10.0.0.0/31) has all its 1 blocks claimed")
        .hasMessageContaining("pool off (10.1.0.0/24) is disabled")
        .hasMessageContaining("add a pool or free addresses");
  }

  @Test
  void anAddressFreedByAnotherIsFoundBeforeANewBlockIsClaimed() {
    fixture.pool("a", "10.0.0.0/24", 30);
    Ipam h1 = fixture.host("h1");
    for (int i = 0; i < 4; i++) {
      h1.allocate(endpoint("c" + i), deadline());
    }
    // Garbage collection on another host, long enough ago.
    InstantSource earlier = () -> Instant.now().minusSeconds(120);
    fixture
        .host("h2", Fixture.options("h2").withClock(earlier))
        .release("c2", Optional.empty(), deadline());
    h1.allocate(endpoint("d"), deadline());
    assertThat(fixture.blocks()).hasSize(1);
  }

  @Test
  void aStoreThatIsAwayFailsWithItsOwnExceptionAndNothingIsWrittenLater() {
    fixture.pool("a", "10.0.0.0/24", 26);
    Ipam h1 = fixture.host("h1");
    h1.allocate(endpoint("c1"), deadline());
    memory.disconnect();
    assertThatThrownBy(() -> h1.allocate(endpoint("c2"), deadline()))
        .isInstanceOf(DatastoreUnavailableException.class);
    assertThatThrownBy(() -> h1.release("c1", Optional.empty(), deadline()))
        .isInstanceOf(DatastoreUnavailableException.class);
    memory.reconnect();
    assertThat(h1.find("c2", deadline())).isEmpty();
    assertThat(h1.allocate(endpoint("c2"), deadline()).addresses()).hasSize(1);
  }

  @Test
  void aDeadlineThatHasPassedIsUnavailable() {
    fixture.pool("a", "10.0.0.0/24", 26);
    Ipam h1 = fixture.host("h1");
    assertThatThrownBy(() -> h1.allocate(endpoint("c"), Deadline.after(Duration.ZERO)))
        .isInstanceOf(DatastoreUnavailableException.class);
  }

  @Test
  void recordsThatCannotBeReadAreLeftAlone() {
    fixture.pool("a", "10.0.0.0/29", 30);
    memory.commit(
        Transaction.builder()
            .put("ipam/blocks/10.0.0.0-30", "{\"schema\":9}")
            .put("ipam/blocks/not-a-block", "x")
            .build(),
        deadline());
    Ipam h1 = fixture.host("h1");
    Handle handle = h1.allocate(AllocationRequest.count("c", 4, 0), deadline());
    assertThat(handle.addresses()).allMatch(Cidr.parse("10.0.0.4/30")::contains);
    assertThatThrownBy(() -> h1.allocate(endpoint("d"), deadline()))
        .isInstanceOf(IpamException.Exhausted.class);
    assertThatThrownBy(
            () ->
                h1.allocate(
                    endpoint("e").withAddresses(List.of(IpAddress.parse("10.0.0.1"))), deadline()))
        .isInstanceOf(IpamException.AddressRefused.class)
        .hasMessageContaining("cannot be read");
    assertThat(store.get("ipam/blocks/10.0.0.0-30", deadline()).orElseThrow().text())
        .isEqualTo("{\"schema\":9}");
    memory.commit(
        Transaction.builder()
            .delete("ipam/blocks/10.0.0.0-30")
            .delete("ipam/blocks/not-a-block")
            .build(),
        deadline());
  }

  @Test
  void blocksAreFollowed() {
    fixture.pool("a", "10.0.0.0/24", 26);
    Map<Cidr, Block> seen = new ConcurrentHashMap<>();
    Syncer.Listener<Cidr, Block> listener =
        update -> {
          switch (update) {
            case Update.Put<Cidr, Block>(Cidr cidr, Block block) -> seen.put(cidr, block);
            case Update.Delete<Cidr, Block>(Cidr cidr) -> seen.remove(cidr);
            case Update.InSync<Cidr, Block> _ -> {}
          }
        };
    Ipam h1 = fixture.host("h1");
    try (Syncer<?, ?> _ = h1.follow(listener)) {
      h1.allocate(endpoint("c"), deadline());
      Cidr cidr = fixture.blocks().getFirst().cidr();
      Await.until("told", Duration.ofSeconds(20), () -> seen.keySet().equals(Set.of(cidr)));
      assertThat(seen.get(cidr).belongsTo("h1")).isTrue();
      h1.release("c", Optional.empty(), deadline());
      h1.releaseAffinity(cidr, deadline());
      Await.until("gone", Duration.ofSeconds(20), seen::isEmpty);
    }
  }

  @Test
  void aNodesNameIsOneSegmentOfAKey() {
    for (String name : List.of("", "a/b", "a\n")) {
      assertThatThrownBy(() -> fixture.host(name))
          .as(name)
          .isInstanceOf(InvalidInputException.class);
    }
    assertThatThrownBy(() -> AllocationRequest.count("a/b", 1, 0))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("handle:");
  }
}
