package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.deadline;
import static io.wayleave.ipam.Fixture.endpoint;
import static io.wayleave.ipam.Fixture.poolOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.ResourceConflictException;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import io.wayleave.model.IpReservation;
import io.wayleave.model.IpamConfiguration;
import io.wayleave.model.Kind;
import io.wayleave.model.Metadata;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Which pool, block and address is chosen, and why others are not. */
@Timeout(60)
class IpamSelectionTest {
  private final MemoryDatastore store = new MemoryDatastore();
  private final Fixture fixture = new Fixture(store);
  private final IpamSettings settings = new IpamSettings(store);
  private final ManualClock clock = new ManualClock();

  @AfterEach
  void everythingFitsTogether() {
    Invariants.check(store);
  }

  private Ipam host(String name) {
    return fixture.host(name, Fixture.options(name).withClock(clock));
  }

  private void pool(IpPool pool, UnaryOperator<IpPool.Spec> change) {
    fixture.pools.create(new IpPool(pool.metadata(), change.apply(pool.spec())), deadline());
  }

  private static IpAddress only(Handle handle) {
    assertThat(handle.addresses()).hasSize(1);
    return handle.addresses().getFirst();
  }

  private static IpReservation reservation(String name, String... cidrs) {
    return new IpReservation(
        Metadata.of(name), new IpReservation.Spec(Arrays.stream(cidrs).map(Cidr::parse).toList()));
  }

  private void configure(
      Boolean strict, Integer mostBlocks, Boolean autoAllocate, Integer reuseDelay) {
    settings.create(
        IpamConfiguration.of(
            new IpamConfiguration.Spec(
                Optional.ofNullable(strict),
                Optional.ofNullable(mostBlocks),
                Optional.ofNullable(autoAllocate),
                Optional.ofNullable(reuseDelay))),
        deadline());
  }

  @Test
  void aManualPoolIsForWhoAsksForItOrForAnAddressOfIt() {
    pool(
        poolOf("m", "10.0.0.0/24", 26),
        spec -> spec.withAssignmentMode(IpPool.AssignmentMode.Manual));
    Ipam h1 = host("h1");
    assertThatThrownBy(() -> h1.allocate(endpoint("a"), deadline()))
        .isInstanceOf(IpamException.Exhausted.class)
        .hasMessageContaining("pool m (10.0.0.0/24) is for who asks for it by name")
        .hasMessageContaining("ask for pool m");
    assertThat(only(h1.allocate(endpoint("a").withPools(Family.IPV4, List.of("m")), deadline())))
        .matches(Cidr.parse("10.0.0.0/24")::contains);
    IpAddress named = IpAddress.parse("10.0.0.200");
    assertThat(
            only(
                h1.allocate(
                    AllocationRequest.oneOfEachFamily("b").withAddresses(List.of(named)),
                    deadline())))
        .isEqualTo(named);
  }

  @Test
  void poolsOfOneFamilyAreAskedForByNameOrCidrAndDoNotConcernTheOther() {
    fixture.pool("a", "10.0.0.0/28", 30);
    fixture.pool("b", "10.0.1.0/30", 30);
    fixture.pool("c", "fd00::/124", 126);
    fixture.pool("d", "fd00:1::/124", 126);
    Ipam h1 = host("h1");
    AllocationRequest both = AllocationRequest.oneOfEachFamily("x");
    assertThat(
            h1.allocate(both.withPools(Family.IPV4, List.of("10.0.1.0/30")), deadline())
                .addresses())
        .satisfiesExactly(
            v4 -> assertThat(Cidr.parse("10.0.1.0/30").contains(v4)).isTrue(),
            v6 -> assertThat(Cidr.parse("fd00::/124").contains(v6)).isTrue());
    assertThat(
            h1.allocate(
                    AllocationRequest.count("y", 1, 1).withPools(Family.IPV6, List.of("d")),
                    deadline())
                .addresses())
        .satisfiesExactly(
            v4 -> assertThat(Cidr.parse("10.0.0.0/23").contains(v4)).isTrue(),
            v6 -> assertThat(Cidr.parse("fd00:1::/124").contains(v6)).isTrue());

    // A family that is asked for by its pools is never left out.
    fixture.pools.setDisabled("b", true, deadline());
    assertThatThrownBy(
            () ->
                h1.allocate(
                    AllocationRequest.oneOfEachFamily("z").withPools(Family.IPV4, List.of("b")),
                    deadline()))
        .isInstanceOf(IpamException.Exhausted.class)
        .hasMessageContaining("no IPv4 address")
        .hasMessageContaining("pool b (10.0.1.0/30) is disabled")
        .hasMessageContaining("pool a (10.0.0.0/28) was not asked for");
    assertThat(h1.find("z", deadline())).isEmpty();
    for (String wrong : List.of("nope", "c", "fd00::/124", "10.0.0.0/29")) {
      assertThatThrownBy(
              () ->
                  h1.allocate(
                      AllocationRequest.oneOfEachFamily("z").withPools(Family.IPV4, List.of(wrong)),
                      deadline()))
          .isInstanceOfSatisfying(
              InvalidInputException.class,
              e -> {
                assertThat(e.field()).isEqualTo("ipv4Pools");
                assertThat(e.value()).isEqualTo(wrong);
              });
    }
  }

  @Test
  void aPoolServesItsUsesOnly() {
    pool(poolOf("t", "10.0.0.0/24", 26), spec -> spec.withAllowedUses(List.of(IpPool.Use.Tunnel)));
    Ipam h1 = host("h1");
    assertThatThrownBy(() -> h1.allocate(endpoint("a"), deadline()))
        .isInstanceOf(IpamException.Exhausted.class)
        .hasMessageContaining("is for uses [Tunnel] only, and this is Workload")
        .hasMessageContaining("add Workload to allowedUses of pool t");
    Handle tunnel =
        h1.allocate(AllocationRequest.count("tunnel", 1, 0).withUse(IpPool.Use.Tunnel), deadline());
    assertThat(h1.find("tunnel", deadline()).orElseThrow().use()).isEqualTo(IpPool.Use.Tunnel);
    // It has no endpoint, and an owner record all the same.
    assertThat(tunnel.owners()).containsExactly("ipam/owners/tunnel");
    assertThat(store.get("ipam/owners/tunnel", deadline()).orElseThrow().text())
        .contains("\"use\":\"Tunnel\"")
        .contains(only(tunnel).toString());
    h1.release("tunnel", Optional.empty(), deadline());
    assertThat(store.get("ipam/owners/tunnel", deadline())).isEmpty();
  }

  @Test
  void aPoolsNamespaceSelectorIsHonoured() {
    pool(poolOf("f", "10.0.0.0/24", 26), spec -> spec.withNamespaceSelector("tier == 'front'"));
    Ipam h1 = host("h1");
    assertThatThrownBy(
            () ->
                h1.allocate(endpoint("a").withNamespaceLabels(Map.of("tier", "back")), deadline()))
        .isInstanceOf(IpamException.Exhausted.class)
        .hasMessageContaining("is for namespaces that match tier == 'front'")
        .hasMessageContaining("{tier=back}");
    assertThatThrownBy(() -> h1.allocate(endpoint("a"), deadline()))
        .isInstanceOf(IpamException.Exhausted.class);
    h1.allocate(endpoint("a").withNamespaceLabels(Map.of("tier", "front")), deadline());
  }

  @Test
  void reservedAddressesAreGivenByNameOnlyFromTheNextAllocationOn() {
    fixture.pool("a", "10.0.0.0/29", 30);
    Ipam h1 = host("h1");
    h1.allocate(endpoint("first"), deadline());
    settings.create(reservation("r", "10.0.0.0/30", "10.0.0.4", "192.168.0.0/16"), deadline());
    Handle rest = h1.allocate(AllocationRequest.count("rest", 3, 0), deadline());
    assertThat(rest.addresses()).noneMatch(Cidr.parse("10.0.0.0/30")::contains);
    assertThatThrownBy(() -> h1.allocate(endpoint("more"), deadline()))
        .isInstanceOf(IpamException.Exhausted.class)
        .hasMessageContaining("keeps [10.0.0.0/30, 10.0.0.4/32] back (IPReservation)");
    IpAddress named = IpAddress.parse("10.0.0.2");
    assertThat(
            h1.allocate(
                    AllocationRequest.oneOfEachFamily("named").withAddresses(List.of(named)),
                    deadline())
                .addresses())
        .containsExactly(named);
    settings.delete(Kind.IP_RESERVATION, "r", deadline());
    h1.allocate(endpoint("more"), deadline());
  }

  @Test
  void aPoolThatIsReservedAltogetherIsFullAtOnceHoweverLarge() {
    fixture.pool("a", "fd00::/64", 122);
    settings.create(reservation("r", "fd00::/48"), deadline());
    assertThatThrownBy(() -> host("h1").allocate(AllocationRequest.count("c", 0, 1), deadline()))
        .isInstanceOf(IpamException.Exhausted.class)
        .hasMessageContaining("IPReservation");
  }

  @Test
  void theConfigurationIsMindedFromTheNextAllocationOn() {
    fixture.pool("a", "10.0.0.0/28", 30);
    Ipam h1 = host("h1");
    h1.allocate(AllocationRequest.count("c", 4, 0), deadline());
    configure(true, 1, null, null);
    assertThatThrownBy(() -> h1.allocate(endpoint("d"), deadline()))
        .isInstanceOf(IpamException.Exhausted.class)
        .hasMessageContaining("h1 holds 1 blocks, its limit (maxBlocksPerHost 1)")
        .hasMessageContaining("what helps: raise maxBlocksPerHost");
    settings.delete(Kind.IPAM_CONFIGURATION, "default", deadline());
    configure(null, 0, false, null);
    assertThatThrownBy(() -> h1.allocate(endpoint("d"), deadline()))
        .isInstanceOf(IpamException.Exhausted.class)
        .hasMessageContaining("autoAllocateBlocks is false");
    assertThatThrownBy(() -> configure(null, null, null, null))
        .isInstanceOfSatisfying(
            ResourceConflictException.class,
            e -> assertThat(e.problem()).isEqualTo(ResourceConflictException.Problem.EXISTS));
    settings.delete(Kind.IPAM_CONFIGURATION, "default", deadline());
    h1.allocate(endpoint("d"), deadline());
    assertThat(fixture.blocks()).hasSize(2);
  }

  @Test
  void aFreedAddressRestsWhileThereIsAnyOther() {
    fixture.pool("a", "10.0.0.0/29", 30);
    Ipam h1 = host("h1");
    Handle first = h1.allocate(AllocationRequest.count("c", 4, 0), deadline());
    h1.release("c", Optional.empty(), deadline());
    // A new block rather than one of these.
    Handle second = h1.allocate(AllocationRequest.count("d", 4, 0), deadline());
    assertThat(second.addresses()).doesNotContainAnyElementsOf(first.addresses());
    // Nothing else is left.
    Handle third = h1.allocate(AllocationRequest.count("e", 1, 0), deadline());
    assertThat(first.addresses()).containsAll(third.addresses());
    h1.release("d", Optional.empty(), deadline());
    clock.pass(Duration.ofSeconds(60));
    assertThat(h1.allocate(AllocationRequest.count("f", 7, 0), deadline()).addresses())
        .containsAll(second.addresses());
  }

  @Test
  void anotherHostsIdleBlockIsTakenAfterAMinuteAndOneInUseIsNot() {
    fixture.pool("a", "10.0.0.0/29", 30);
    Ipam h1 = host("h1");
    h1.allocate(AllocationRequest.count("c", 4, 0), deadline());
    h1.allocate(endpoint("d"), deadline());
    h1.release("c", Optional.empty(), deadline());
    assertThat(fixture.blocks()).hasSize(2).allMatch(block -> block.belongsTo("h1"));
    Ipam h2 = host("h2");
    // Too young: borrowed.
    h2.allocate(endpoint("e"), deadline());
    assertThat(fixture.blocks()).allMatch(block -> block.belongsTo("h1"));
    h2.release("e", Optional.empty(), deadline());
    clock.pass(Duration.ofSeconds(62));
    Handle taken = h2.allocate(endpoint("f"), deadline());
    assertThat(fixture.blockOf(only(taken)).belongsTo("h2")).isTrue();
    assertThat(fixture.affinities())
        .extracting(Affinity::node)
        .containsExactlyInAnyOrder("h1", "h2");
    // The other one has an address in use.
    Handle more = h2.allocate(AllocationRequest.count("g", 4, 0), deadline());
    assertThat(fixture.blocks()).filteredOn(block -> block.belongsTo("h1")).hasSize(1);
    assertThat(more.addresses()).hasSize(4);
    // And its host finds its way.
    h1.allocate(endpoint("h"), deadline());
  }

  @Test
  void withoutAutomaticBlocksNoneIsTakenFromAnother() {
    fixture.pool("a", "10.0.0.0/30", 30);
    host("h1").claimAffinity(Cidr.parse("10.0.0.0/30"), deadline());
    configure(null, null, false, null);
    clock.pass(Duration.ofHours(1));
    host("h2").allocate(endpoint("c"), deadline());
    assertThat(fixture.blocks()).allMatch(block -> block.belongsTo("h1"));
  }
}
