package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.deadline;
import static io.wayleave.ipam.Fixture.endpoint;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whole stories whose ends are known. */
@Timeout(60)
class IpamScenarioTest {
  private final MemoryDatastore memory = new MemoryDatastore();
  private final Fixture fixture = new Fixture(memory);

  @AfterEach
  void everythingFitsTogether() {
    Invariants.check(memory);
  }

  @Test
  void thirtyTwoHostsRaceForOneAddressEachInSixteenBlocks() throws Exception {
    fixture.pool("a", "10.0.0.0/22", 26);
    Set<IpAddress> given = new HashSet<>();
    CountDownLatch start = new CountDownLatch(1);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Handle>> racing = new ArrayList<>();
      for (int i = 0; i < 32; i++) {
        String name = "host-" + i;
        racing.add(
            threads.submit(
                () -> {
                  Ipam host = fixture.host(name);
                  start.await();
                  return host.allocate(endpoint(name + ".c"), deadline());
                }));
      }
      start.countDown();
      for (Future<Handle> each : racing) {
        given.addAll(each.get(30, TimeUnit.SECONDS).addresses());
      }
    }
    assertThat(given).hasSize(32);
    assertThat(fixture.affinities())
        .hasSize(16)
        .allMatch(affinity -> affinity.state() == Affinity.State.CONFIRMED);
    for (Affinity affinity : fixture.affinities()) {
      assertThat(fixture.blockOf(affinity.block().address()).node()).contains(affinity.node());
    }
  }

  @Test
  void oneHostGetsEveryAddressOfAPoolAndNotOneMore() {
    fixture.pool("a", "10.0.0.0/24", 26);
    Ipam h1 = fixture.host("h1");
    Set<IpAddress> given = new HashSet<>();
    for (int i = 0; i < 256; i++) {
      given.addAll(h1.allocate(endpoint("c" + i), deadline()).addresses());
    }
    assertThat(given).hasSize(256);
    assertThatThrownBy(() -> h1.allocate(endpoint("c256"), deadline()))
        .isInstanceOf(IpamException.Exhausted.class)
        .hasMessageContaining("all its 4 blocks claimed");
  }

  @Test
  void theLimitOfBlocksPerHostHoldsAndIsNamed() {
    fixture.pool("a", "10.0.0.0/24", 26);
    for (int limit = 1; limit <= 2; limit++) {
      Ipam host = fixture.host("h" + limit, Fixture.options("x").withMaxBlocksPerHost(limit));
      int given = 0;
      try {
        while (true) {
          host.allocate(
              AllocationRequest.count("h" + limit + "." + given, 1, 0)
                  .withOwner(_ -> OwnerRecord.none()),
              deadline());
          given++;
        }
      } catch (IpamException.Exhausted e) {
        assertThat(e)
            .hasMessageContaining("h" + limit + " holds " + limit + " blocks")
            .hasMessageContaining("maxBlocksPerHost " + limit);
      }
      assertThat(given).isEqualTo(64 * limit);
    }
  }

  @Test
  void strictAffinityWithTwoBlocksOfFourGivesEightAndFailsTheNinth() {
    fixture.pool("a", "10.0.0.0/28", 30);
    // Another host's block, with free addresses that must not be used.
    fixture.host("other").allocate(endpoint("other.c"), deadline());
    Ipam h1 =
        fixture.host("h1", Fixture.options("x").withStrictAffinity(true).withMaxBlocksPerHost(2));
    for (int i = 0; i < 8; i++) {
      h1.allocate(endpoint("c" + i), deadline());
    }
    assertThatThrownBy(() -> h1.allocate(endpoint("c8"), deadline()))
        .isInstanceOf(IpamException.Exhausted.class)
        .hasMessageContaining("maxBlocksPerHost 2")
        .hasMessageContaining("strictAffinity");
    assertThatThrownBy(
            () ->
                h1.allocate(
                    AllocationRequest.oneOfEachFamily("named")
                        .withAddresses(
                            List.of(
                                fixture.blocks().stream()
                                    .filter(block -> block.belongsTo("other"))
                                    .findFirst()
                                    .orElseThrow()
                                    .cidr()
                                    .last())),
                    deadline()))
        .isInstanceOf(IpamException.AddressRefused.class)
        .hasMessageContaining("strictAffinity");
  }

  @Test
  void aRangeIsClaimedByOneHostOnlyAndAPartOfABlockByNone() {
    fixture.pool("a", "10.0.0.0/16", 26);
    Ipam a = fixture.host("a");
    Ipam b = fixture.host("b");
    Cidr range = Cidr.parse("10.0.7.0/24");
    assertThat(a.claimAffinity(range, deadline()))
        .satisfies(
            claimed -> {
              assertThat(claimed.claimed()).hasSize(4);
              assertThat(claimed.failed()).isEmpty();
            });
    assertThat(b.claimAffinity(range, deadline()))
        .satisfies(
            claimed -> {
              assertThat(claimed.claimed()).isEmpty();
              assertThat(claimed.failed()).hasSize(4);
            });
    assertThatThrownBy(() -> a.claimAffinity(Cidr.parse("10.0.8.0/27"), deadline()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("10.0.8.0/27")
        .hasMessageContaining("/26");
    assertThatThrownBy(() -> a.claimAffinity(Cidr.parse("10.1.0.0/24"), deadline()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("a 10.0.0.0/16");
    // The claimed blocks are what the host uses.
    assertThat(a.allocate(endpoint("c"), deadline()).addresses().getFirst())
        .matches(range::contains);
  }

  @Test
  void anAddressAskedForByNameIsGivenOnceAndAgainAfterItsRelease() {
    fixture.pool("a", "192.168.0.0/16", 26);
    Ipam h1 = fixture.host("h1");
    Ipam h2 = fixture.host("h2");
    IpAddress wanted = IpAddress.parse("192.168.123.123");
    assertThat(h1.allocate(named("c1", wanted), deadline()).addresses()).containsExactly(wanted);
    assertThatThrownBy(() -> h1.allocate(named("c2", wanted), deadline()))
        .isInstanceOf(IpamException.AddressRefused.class)
        .hasMessageContaining("192.168.123.123")
        .hasMessageContaining("in use");
    assertThatThrownBy(() -> h2.allocate(named("c2", wanted), deadline()))
        .isInstanceOf(IpamException.AddressRefused.class);
    assertThat(h1.release("c1", Optional.empty(), deadline())).isEqualTo(Ipam.Released.RELEASED);
    assertThat(h2.allocate(named("c1", wanted), deadline()).addresses()).containsExactly(wanted);
    assertThatThrownBy(() -> h1.allocate(named("c3", IpAddress.parse("10.9.9.9")), deadline()))
        .isInstanceOf(IpamException.AddressRefused.class)
        .hasMessageContaining("in no pool")
        .hasMessageContaining("a 192.168.0.0/16");
  }

  @Test
  void anAddressInUseOutlivesTheAffinityOfItsBlock() {
    fixture.pool("a", "10.0.0.0/30", 30);
    Ipam h1 = fixture.host("h1");
    Ipam h2 = fixture.host("h2");
    IpAddress used = h1.allocate(endpoint("c"), deadline()).addresses().getFirst();
    Cidr block = Cidr.parse("10.0.0.0/30");
    assertThat(h2.releaseAffinity(block, deadline())).isFalse();
    assertThat(h1.releaseAffinity(block, deadline())).isTrue();
    assertThat(fixture.blockOf(used).node()).isEmpty();
    assertThat(fixture.affinities()).isEmpty();
    assertThatThrownBy(() -> h2.allocate(named("d", used), deadline()))
        .isInstanceOf(IpamException.AddressRefused.class);
    for (int i = 0; i < 3; i++) {
      assertThat(h2.allocate(endpoint("d" + i), deadline()).addresses()).doesNotContain(used);
    }
    assertThatThrownBy(() -> h2.allocate(endpoint("d3"), deadline()))
        .isInstanceOf(IpamException.Exhausted.class);
    assertThat(fixture.blockOf(used).node()).contains("h2");
    assertThat(h1.release("c", Optional.empty(), deadline())).isEqualTo(Ipam.Released.RELEASED);
  }

  @Test
  void anEmptyBlockGoesWithItsAffinityAndTheLastReleaseTakesANobodysBlockAlong() {
    fixture.pool("a", "10.0.0.0/24", 26);
    Ipam h1 = fixture.host("h1");
    h1.allocate(endpoint("c"), deadline());
    Cidr cidr = fixture.blocks().getFirst().cidr();
    h1.releaseAffinity(cidr, deadline());
    assertThat(fixture.blocks()).hasSize(1);
    h1.release("c", Optional.empty(), deadline());
    assertThat(fixture.blocks()).isEmpty();
    h1.allocate(endpoint("c"), deadline());
    h1.release("c", Optional.empty(), deadline());
    h1.releaseAffinity(cidr, deadline());
    assertThat(fixture.blocks()).isEmpty();
    assertThat(fixture.affinities()).isEmpty();
  }

  @Test
  void whenAllBlocksAreClaimedAddressesAreBorrowedAndGivenBack() {
    fixture.pool("a", "10.0.0.0/29", 30);
    fixture.host("h1").allocate(endpoint("c1"), deadline());
    fixture.host("h2").allocate(endpoint("c2"), deadline());
    Ipam h3 = fixture.host("h3");
    IpAddress borrowed = h3.allocate(endpoint("c3"), deadline()).addresses().getFirst();
    assertThat(fixture.blockOf(borrowed).belongsTo("h3")).isFalse();
    assertThat(new IpamInspector(memory).addresses(Cidr.parse("10.0.0.0/29"), deadline()))
        .extracting(usage -> usage.handle().id() + " " + usage.borrowed())
        .containsExactlyInAnyOrder("c1 false", "c2 false", "c3 true");
    h3.release("c3", Optional.empty(), deadline());
    assertThat(fixture.blockOf(borrowed).isUsed(borrowed)).isFalse();
  }

  private static AllocationRequest named(String handle, IpAddress address) {
    return AllocationRequest.oneOfEachFamily(handle)
        .withAddresses(List.of(address))
        .withOwner(addresses -> Fixture.owner(handle, addresses));
  }
}
