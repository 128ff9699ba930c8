package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.deadline;
import static io.wayleave.ipam.Fixture.endpoint;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.testing.DelegatingDatastore;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpReservation;
import io.wayleave.model.Metadata;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Records that a newer version wrote, and data of others under our prefix: each is named, none is
 * changed, and nothing is guessed about what it may say.
 */
@Timeout(60)
class UnreadableRecordsTest {
  private static final String NEWER = "{\"schema\":2}";
  private static final String NEWER_RESOURCE = "{\"apiVersion\":\"wayleave.io/v2\"}";
  private static final String TOO_NEW =
      ".schema: \"2\" is not allowed; allowed: 1 to 1; a newer version of Wayleave wrote this";

  private final MemoryDatastore store = new MemoryDatastore();
  private final Fixture fixture = new Fixture(store);
  private final Ipam h1 = fixture.host("h1");
  private final Map<String, String> bad = new HashMap<>();

  @BeforeEach
  void start() {
    fixture.pool("a", "10.0.0.0/29", 30);
  }

  @AfterEach
  void nothingWasChangedAndTheRestFitsTogether() {
    Transaction.Builder deletion = Transaction.builder();
    bad.forEach(
        (key, value) -> {
          assertThat(store.get(key, deadline())).map(Entry::text).as(key).contains(value);
          deletion.delete(key);
        });
    var _ = store.commit(deletion.build(), deadline());
    Invariants.check(store);
  }

  private void put(String key, String value) {
    bad.put(key, value);
    var _ = store.commit(Transaction.builder().put(key, value).build(), deadline());
  }

  private static void assertRefused(ThrowingCallable what, String... words) {
    assertThatThrownBy(what)
        .isInstanceOfAny(InvalidInputException.class, IpamException.class)
        .hasMessageContainingAll(words);
  }

  @Test
  void everyKindOfValueSaysItsSchema() {
    h1.allocate(AllocationRequest.count("c", 1, 0), deadline());
    List<String> kinds = List.of(Keys.BLOCKS, Keys.AFFINITIES, Keys.HANDLES, IpamKeys.OWNERS);
    for (String kind : kinds) {
      assertThat(store.listAll(kind, deadline()).entries())
          .as(kind)
          .isNotEmpty()
          .allMatch(entry -> entry.text().contains("\"schema\":1"));
    }
    assertThat(store.listAll(Keys.RESOURCES, deadline()).entries())
        .isNotEmpty()
        .allMatch(entry -> entry.text().contains("\"apiVersion\":\"wayleave.io/v1\""));
  }

  @Test
  void aHandleIsNeitherReplacedNorReleased() {
    put("ipam/handles/c", NEWER);
    String named = "ipam/handles/c" + TOO_NEW;
    assertRefused(() -> h1.allocate(endpoint("c"), deadline()), named);
    assertRefused(() -> h1.release("c", Optional.empty(), deadline()), named);
    assertRefused(() -> h1.find("c", deadline()), named);
    assertThat(new IpamInspector(store).handles(deadline()).unreadable())
        .singleElement()
        .satisfies(unreadable -> assertThat(unreadable.reason()).contains(named));
    h1.allocate(endpoint("d"), deadline());
  }

  @Test
  void aBlockIsNeitherUsedNorClaimedNorDeletedWithItsPool() {
    put("ipam/blocks/10.0.0.0-30", NEWER);
    String named = "ipam/blocks/10.0.0.0-30" + TOO_NEW;
    // The other block, and then none.
    assertThat(h1.allocate(AllocationRequest.count("c", 4, 0), deadline()).addresses())
        .allMatch(Cidr.parse("10.0.0.4/30")::contains);
    assertRefused(() -> h1.allocate(endpoint("d"), deadline()), "pool a");
    assertRefused(
        () ->
            h1.allocate(
                AllocationRequest.oneOfEachFamily("d")
                    .withAddresses(List.of(IpAddress.parse("10.0.0.1"))),
                deadline()),
        "10.0.0.1",
        "10.0.0.0/30 cannot be read");
    assertThat(h1.claimAffinity(Cidr.parse("10.0.0.0/30"), deadline()).failed()).hasSize(1);
    h1.release("c", Optional.empty(), deadline());
    assertRefused(() -> fixture.pools.delete("a", false, deadline()), named);
    assertThat(fixture.pools.list(deadline()).resources())
        .singleElement()
        .matches(pool -> !pool.spec().disabled());

    // By force the pool goes, and no other is created that would cut the block differently.
    fixture.pools.delete("a", true, deadline());
    assertRefused(() -> fixture.pool("b", "10.0.0.0/28", 29), "10.0.0.0/30");
    fixture.pool("b", "10.0.0.0/28", 30);
  }

  @Test
  void aClaimIsNotOverwritten() {
    put("ipam/affinities/h1/10.0.0.0-30", NEWER);
    put("ipam/affinities/h1/foreign", "?");
    assertThat(h1.allocate(AllocationRequest.count("c", 4, 0), deadline()).addresses())
        .allMatch(Cidr.parse("10.0.0.4/30")::contains);
    assertRefused(() -> h1.allocate(endpoint("d"), deadline()), "pool a");
  }

  @Test
  void aClaimThatComesBetweenIsNotOverwrittenEither() {
    h1.allocate(AllocationRequest.count("c", 4, 0), deadline());
    Cidr other =
        fixture.blocks().getFirst().cidr().equals(Cidr.parse("10.0.0.0/30"))
            ? Cidr.parse("10.0.0.4/30")
            : Cidr.parse("10.0.0.0/30");
    // Without another look at the affinities.
    assertThat(h1.releaseAffinity(other, deadline())).isFalse();
    String key = IpamKeys.affinity("h1", other);
    Ipam slow =
        new Fixture(
                new DelegatingDatastore(store) {
                  @Override
                  public TransactionResult commit(Transaction transaction, Deadline deadline) {
                    if (!bad.containsKey(key)) {
                      put(key, NEWER);
                    }
                    return super.commit(transaction, deadline);
                  }
                })
            .host("h1");
    assertRefused(() -> slow.allocate(endpoint("d"), deadline()), key + TOO_NEW);
  }

  @Test
  void aReservationKeepsEverythingBackButWhatIsAskedForByName() {
    h1.allocate(endpoint("before"), deadline());
    new IpamSettings(store)
        .create(
            new IpReservation(
                Metadata.of("r"), new IpReservation.Spec(List.of(Cidr.parse("10.9.0.0/16")))),
            deadline());
    put("resources/ipreservations/r", NEWER_RESOURCE);
    assertRefused(
        () -> h1.allocate(endpoint("c"), deadline()),
        "pool a (10.0.0.0/29) gives nothing, since resources/ipreservations/r cannot be read",
        "apiVersion: \"wayleave.io/v2\"",
        "allowed: wayleave.io/v1",
        "what helps: upgrade this agent, or mend or delete resources/ipreservations/r");
    h1.allocate(
        AllocationRequest.oneOfEachFamily("named")
            .withAddresses(List.of(IpAddress.parse("10.0.0.6"))),
        deadline());
  }

  @Test
  void aConfigurationKeepsEverythingBack() {
    put("resources/ipamconfigurations/default", NEWER_RESOURCE);
    assertRefused(
        () -> h1.allocate(endpoint("c"), deadline()),
        "resources/ipamconfigurations/default cannot be read",
        "\"wayleave.io/v2\"");
    assertRefused(
        () ->
            h1.allocate(
                AllocationRequest.oneOfEachFamily("named")
                    .withAddresses(List.of(IpAddress.parse("10.0.0.6"))),
                deadline()),
        "resources/ipamconfigurations/default cannot be read");
  }

  @Test
  void aPoolGivesNothingIsNamedAndNoOtherIsCreatedThatItMightOverlap() {
    put("resources/ippools/n", NEWER_RESOURCE);
    h1.allocate(AllocationRequest.count("c", 8, 0), deadline());
    assertRefused(
        () -> h1.allocate(endpoint("d"), deadline()),
        "pool n (range unknown) cannot be read: resources/ippools/n",
        "\"wayleave.io/v2\"");
    assertRefused(
        () -> h1.allocate(endpoint("d").withPools(Family.IPV4, List.of("n")), deadline()),
        "ipv4Pools: \"n\"",
        "resources/ippools/n",
        "\"wayleave.io/v2\"");
    assertRefused(() -> fixture.pool("b", "10.1.0.0/24", 26), "spec.cidr", "resources/ippools/n");
  }

  @Test
  void foreignDataIsLeftAloneAndInNobodysWay() {
    put("ipam/blocks/something", "?");
    put("ipam/blocks/10.0.0.0-30/deeper", "?");
    put("ipam/else", "?");
    put("ipam/handles/some thing", "?");
    put("elsewhere/entirely", "?");
    Handle handle = h1.allocate(AllocationRequest.count("c", 8, 0), deadline());
    assertThat(handle.addresses()).hasSize(8);
    h1.release("c", Optional.empty(), deadline());
    assertThat(new IpamInspector(store).handles(deadline()).unreadable())
        .singleElement()
        .satisfies(bad -> assertThat(bad.key()).isEqualTo("ipam/handles/some thing"));
    assertThat(new IpamInspector(store).report(deadline()).unreadable()).hasSize(2);
  }
}
