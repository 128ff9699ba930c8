package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.container;
import static io.wayleave.ipam.Fixture.deadline;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.testing.DelegatingDatastore;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import io.wayleave.model.Kind;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Each class of problem is planted, found, and mended or left with the reason. */
@Timeout(60)
class IpamCheckTest {
  private final MemoryDatastore store = new MemoryDatastore();
  private final ManualClock clock = new ManualClock();
  private final Fixture fixture = new Fixture(store);
  private final IpamCheck check = new IpamCheck(store, clock);
  private final Ipam h1 = fixture.host("h1");
  private Handle handle;
  private Cidr cidr;
  private IpAddress address;

  @BeforeEach
  void allocateOne() {
    fixture.pool("a", "10.0.0.0/24", 26);
    fixture.node("h1");
    h1.claimAffinity(Cidr.parse("10.0.0.0/26"), deadline());
    handle = h1.allocate(container("h1", "c"), deadline());
    cidr = handle.assigned().getFirst().block();
    address = handle.addresses().getFirst();
    assertThat(check.run(false, deadline()))
        .isEqualTo(new IpamCheck.Report(List.of(), List.of(), 1, 1));
  }

  @Test
  void allocatedByANodeThatIsGone() {
    fixture.removeNode("h1");
    assertMended(
        IpamProblem.Kind.ALLOCATED_BUT_UNUSED,
        "h1.c.eth0",
        List.of(address),
        "node h1 does not exist and shows no sign of life");
    assertThat(fixture.blocks()).allMatch(block -> block.usedCount() == 0);
    Invariants.check(store);
  }

  @Test
  void aNodeThatComesBackAtTheMomentOfMendingKeepsItsAddresses() {
    fixture.removeNode("h1");
    Datastore returning =
        new DelegatingDatastore(store) {
          @Override
          public TransactionResult commit(Transaction transaction, Deadline deadline) {
            fixture.node("h1");
            return super.commit(transaction, deadline);
          }
        };
    assertThat(new IpamCheck(returning, clock).run(true, deadline()).findings()).isEmpty();
    assertThat(h1.find("h1.c.eth0", deadline())).isPresent();
  }

  @Test
  void anAddressOfAHandleThatIsFreeInItsBlock() {
    changeBlock(block -> block.release(handle.addresses(), 0));
    assertMended(
        IpamProblem.Kind.IN_USE_BUT_UNALLOCATED,
        cidr.toString(),
        List.of(address),
        "does not have as taken");
    assertThat(fixture.blockOf(address).isUsed(address)).isTrue();
    Invariants.check(store);
  }

  @Test
  void anAddressOfAHandleWhoseBlockIsLost() {
    delete(IpamKeys.block(cidr));
    delete(IpamKeys.affinity("h1", cidr));
    assertLeft(
        IpamProblem.Kind.IN_USE_BUT_UNALLOCATED,
        cidr.toString(),
        "which does not exist",
        "the block is lost");
  }

  @Test
  void anAddressOfABlockThatWasMadeAnew() {
    put(IpamKeys.block(cidr), Block.empty(cidr, "a", Optional.of("h1"), "anew", 0).toJson());
    assertLeft(
        IpamProblem.Kind.IN_USE_BUT_UNALLOCATED,
        cidr.toString(),
        "does not have as taken",
        "made anew");
  }

  @Test
  void anEndpointWithAnAddressThatIsFree() {
    String key = endpoint("other", "10.0.0.99");
    assertLeft(
        IpamProblem.Kind.IN_USE_BUT_UNALLOCATED, key, "free in their blocks", "has no handle");
  }

  @Test
  void addressesInUseOutsidePools() {
    fixture.pools.delete("a", true, deadline());
    assertLeft(
        IpamProblem.Kind.IN_USE_OUTSIDE_POOLS,
        cidr.toString(),
        "lies in no pool",
        "they stay with their owners");
    String key = endpoint("other", "192.0.2.1");
    assertLeft(
        IpamProblem.Kind.IN_USE_OUTSIDE_POOLS, key, "no pool and no block", "they stay with");
  }

  @Test
  void aHandleWithoutAddresses() {
    putHandle("empty", List.of(IpamKeys.owner("empty")), List.of());
    assertMended(IpamProblem.Kind.HANDLE_WITHOUT_ADDRESSES, "empty", List.of(), "has no address");
    putHandle("empty", List.of(handle.owners().getFirst()), List.of());
    assertLeft(IpamProblem.Kind.HANDLE_WITHOUT_ADDRESSES, "empty", "has no address", "exists");
  }

  @Test
  void addressesThatNoHandleHas() {
    leak("10.0.0.7", "10.0.0.9");
    assertMended(
        IpamProblem.Kind.ADDRESS_WITHOUT_HANDLE,
        cidr.toString(),
        List.of(IpAddress.parse("10.0.0.7"), IpAddress.parse("10.0.0.9")),
        "no handle has them");
    assertThat(fixture.blockOf(address).usedAddresses()).containsExactly(address);
    Invariants.check(store);
  }

  @Test
  void addressesThatNoHandleHasStayWhileSomethingElseMayHaveThem() {
    leak("10.0.0.7");
    String key = endpoint("other", "10.0.0.7");
    assertLeft(
        IpamProblem.Kind.ADDRESS_WITHOUT_HANDLE, cidr.toString(), "no handle", key + " has an");
    delete(key);
    put(key, new byte[] {1});
    assertLeft(
        IpamProblem.Kind.ADDRESS_WITHOUT_HANDLE, cidr.toString(), "no handle", "cannot be read");
    delete(key);
    put(Keys.HANDLES + "broken", new byte[] {1});
    assertLeft(
        IpamProblem.Kind.ADDRESS_WITHOUT_HANDLE, cidr.toString(), "no handle", "cannot be read");
  }

  @Test
  void blocksThatOverlapOrAreOfAnotherSize() {
    Cidr part = Cidr.parse("10.0.0.32/28");
    put(IpamKeys.block(part), Block.empty(part, "a", Optional.of("h1"), "1", 0).toJson());
    put(IpamKeys.affinity("h1", part), claim("h1", part));
    assertThat(found(IpamProblem.Kind.INVALID_BLOCK))
        .extracting(IpamProblem::detail)
        .anyMatch(detail -> detail.contains("overlaps block " + cidr))
        .anyMatch(detail -> detail.contains("cut into blocks of /26"));
    check.run(true, deadline());
    assertThat(fixture.blocks()).extracting(Block::cidr).containsExactly(cidr);
    Invariants.check(store);

    Cidr large = Cidr.parse("10.0.0.128/25");
    Block block = Block.empty(large, "a", Optional.empty(), "1", 0);
    put(IpamKeys.block(large), block.take(IpAddress.parse("10.0.0.130")).orElseThrow().toJson());
    putHandle(
        "large",
        List.of(handle.owners().getFirst()),
        List.of(new Handle.Assigned(IpAddress.parse("10.0.0.130"), large, "1")));
    assertLeft(
        IpamProblem.Kind.INVALID_BLOCK, large.toString(), "blocks of /26", "has addresses in use");
  }

  @Test
  void anAddressWithSeveralOwners() {
    putHandle("thief", handle.owners(), handle.assigned());
    assertLeft(
        IpamProblem.Kind.SEVERAL_OWNERS,
        address.toString(),
        "handles h1.c.eth0, thief have it",
        "delete one");
    delete(IpamKeys.handle("thief"));
    endpoint("other", address.toString());
    assertLeft(
        IpamProblem.Kind.SEVERAL_OWNERS,
        address.toString(),
        "and so has handle h1.c.eth0",
        "delete one");
  }

  @Test
  void whatSeveralHaveIsNotReleasedWithTheNodeOfOne() {
    fixture.node("h2");
    put(
        IpamKeys.handle("thief"),
        new Handle(
                "thief",
                "h2",
                "",
                "t",
                IpPool.Use.Workload,
                Map.of(),
                handle.owners(),
                handle.assigned())
            .toJson());
    fixture.removeNode("h1");
    assertLeft(
        IpamProblem.Kind.ALLOCATED_BUT_UNUSED, "h1.c.eth0", "does not exist", "another handle's");
  }

  @Test
  void aHandleWithoutItsOwnerRecord() {
    delete(handle.owners().getFirst());
    assertLeft(
        IpamProblem.Kind.OWNER_RECORD_MISSING,
        "h1.c.eth0",
        "does not exist",
        "the container may be running");
    putHandle("none", List.of(), handle.assigned());
    assertThat(found(IpamProblem.Kind.OWNER_RECORD_MISSING))
        .extracting(IpamProblem::detail)
        .contains("names no owner record");
  }

  @Test
  void anOwnerRecordWithoutHandle() {
    IpAddress held =
        h1.allocate(AllocationRequest.count("plain", 1, 0), deadline()).addresses().getFirst();
    String key = IpamKeys.owner("plain");
    byte[] record = store.get(key, deadline()).orElseThrow().value();
    h1.release("plain", Optional.empty(), deadline());
    leak(held.toString());
    put(key, record);
    assertLeft(
        IpamProblem.Kind.OWNER_RECORD_WITHOUT_HANDLE,
        key,
        "no handle names it",
        "node h1 is there");
    fixture.removeNode("h1");
    check.run(true, deadline());
    assertThat(store.get(key, deadline())).isEmpty();
    assertThat(check.run(false, deadline()).findings()).isEmpty();
  }

  @Test
  void anAffinityWithoutItsBlock() {
    put(IpamKeys.affinity("h2", cidr), claim("h2", cidr));
    assertMended(
        IpamProblem.Kind.AFFINITY_WITHOUT_BLOCK,
        IpamKeys.affinity("h2", cidr),
        List.of(),
        "belongs to h1");
    Cidr none = Cidr.parse("10.0.0.192/26");
    put(IpamKeys.affinity("h1", none), claim("h1", none));
    assertMended(
        IpamProblem.Kind.AFFINITY_WITHOUT_BLOCK,
        IpamKeys.affinity("h1", none),
        List.of(),
        "does not exist");
    put(IpamKeys.affinity("h1", none), new Affinity("h1", none, Affinity.State.PENDING).toJson());
    assertThat(check.run(false, deadline()).findings()).as("a claim under way").isEmpty();
  }

  @Test
  void aBlockWithoutAffinity() {
    delete(IpamKeys.affinity("h1", cidr));
    assertMended(
        IpamProblem.Kind.BLOCK_WITHOUT_AFFINITY, cidr.toString(), List.of(), "which has no claim");
    put(IpamKeys.affinity("h1", cidr), new Affinity("h1", cidr, Affinity.State.PENDING).toJson());
    assertMended(
        IpamProblem.Kind.BLOCK_WITHOUT_AFFINITY,
        cidr.toString(),
        List.of(),
        "only a pending claim");
    Invariants.check(store);
  }

  @Test
  void anEmptyBlockOutsidePools() {
    Cidr outside = Cidr.parse("10.9.0.0/26");
    put(IpamKeys.block(outside), Block.empty(outside, "z", Optional.of("h1"), "1", 0).toJson());
    put(IpamKeys.affinity("h1", outside), claim("h1", outside));
    assertMended(
        IpamProblem.Kind.BLOCK_OUTSIDE_POOLS, outside.toString(), List.of(), "lies in no pool");
    assertThat(fixture.affinities()).hasSize(1);
    Invariants.check(store);
  }

  @Test
  void whatCannotBeReadIsNotTouched() {
    String block = IpamKeys.block(Cidr.parse("10.0.0.64/26"));
    put(block, "no JSON".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    assertLeft(IpamProblem.Kind.UNREADABLE_VALUE, block, "a JSON object", "not touched");
    put(block, "{\"schema\": 2}".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    assertLeft(IpamProblem.Kind.NEWER_SCHEMA, block, "\"2\" is not allowed", "newer version");
    put(block, new byte[0]);
    assertLeft(IpamProblem.Kind.UNREADABLE_VALUE, block, "a JSON object", "not touched");
    delete(block);
    String pool = ResourceStore.key(Kind.IP_POOL, "broken");
    put(pool, "{}".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    assertLeft(IpamProblem.Kind.UNREADABLE_VALUE, pool, "", "not touched");
  }

  @Test
  void aKeyThatIsNoneOfOursOrAnothers() {
    put("ipam/foreign", new byte[] {1});
    assertLeft(IpamProblem.Kind.WRONG_KEY, "ipam/foreign", "nothing of Wayleave", "whoever put it");
    delete("ipam/foreign");
    put(Keys.BLOCKS + "10.0.0.64-26", Block.empty(cidr, "a", Optional.empty(), "1", 0).toJson());
    assertLeft(
        IpamProblem.Kind.WRONG_KEY,
        Keys.BLOCKS + "10.0.0.64-26",
        "its value belongs under " + IpamKeys.block(cidr),
        "whoever put it");
  }

  @Test
  void manyProblemsAtOnceAreMendedOneAfterTheOther() {
    for (int i = 0; i < 150; i++) {
      h1.allocate(container("h1", "n" + i), deadline());
    }
    for (Block block : fixture.blocks()) {
      put(
          IpamKeys.block(block.cidr()),
          Block.empty(block.cidr(), "a", block.node(), block.incarnation(), 0).toJson());
      delete(IpamKeys.affinity("h1", block.cidr()));
    }
    leak("10.0.0.63");
    IpamCheck.Report report = check.run(true, deadline());
    assertThat(report.remaining()).isZero();
    assertThat(report.findings()).hasSizeGreaterThan(6);
    assertThat(report.handles()).isEqualTo(151);
    Invariants.check(store);
    assertThat(check.run(false, deadline()).findings()).isEmpty();
  }

  private List<IpamProblem> found(IpamProblem.Kind kind) {
    return check.run(false, deadline()).findings().stream()
        .map(IpamCheck.Finding::problem)
        .filter(problem -> problem.kind() == kind)
        .toList();
  }

  /** It is found, would be mended, is mended, and then nothing is wrong any more. */
  private void assertMended(
      IpamProblem.Kind kind, String subject, List<IpAddress> addresses, String detail) {
    IpamCheck.Report seen = check.run(false, deadline());
    assertThat(seen.findings())
        .singleElement()
        .satisfies(
            finding -> {
              assertThat(finding.problem().kind()).isEqualTo(kind);
              assertThat(finding.problem().subject()).isEqualTo(subject);
              assertThat(finding.problem().addresses()).isEqualTo(addresses);
              assertThat(finding.problem().detail()).contains(detail);
              assertThat(finding.outcome()).isEqualTo(IpamCheck.Outcome.FIXABLE);
            });
    assertThat(seen.remaining()).isEqualTo(1);
    IpamCheck.Report fixed = check.run(true, deadline());
    assertThat(fixed.findings())
        .singleElement()
        .extracting(IpamCheck.Finding::outcome)
        .isEqualTo(IpamCheck.Outcome.FIXED);
    assertThat(fixed.remaining()).isZero();
    assertThat(check.run(false, deadline()).findings()).isEmpty();
  }

  /** It is found, and neither it nor anything else of the store is touched. */
  private void assertLeft(IpamProblem.Kind kind, String subject, String detail, String note) {
    IpamCheck.Report report = check.run(false, deadline());
    var before = store.listAll("", deadline()).entries();
    assertThat(report.findings())
        .anySatisfy(
            finding -> {
              assertThat(finding.problem().kind()).isEqualTo(kind);
              assertThat(finding.problem().subject()).isEqualTo(subject);
              assertThat(finding.problem().detail()).contains(detail);
              assertThat(finding.outcome()).isEqualTo(IpamCheck.Outcome.LEFT);
              assertThat(finding.note()).contains(note);
            });
    assertThat(check.run(true, deadline()).findings())
        .filteredOn(finding -> finding.problem().kind() == kind)
        .extracting(finding -> finding.problem().subject(), IpamCheck.Finding::outcome)
        .contains(org.assertj.core.groups.Tuple.tuple(subject, IpamCheck.Outcome.LEFT));
    assertThat(store.listAll("", deadline()).entries()).isEqualTo(before);
  }

  private static byte[] claim(String node, Cidr block) {
    return new Affinity(node, block, Affinity.State.CONFIRMED).toJson();
  }

  /** An endpoint with this address and without a handle; returns its key. */
  private String endpoint(String container, String with) {
    OwnerRecord record = Fixture.endpointRecord("h1", container, List.of(IpAddress.parse(with)));
    record.puts().forEach(this::put);
    return record.puts().keySet().iterator().next();
  }

  private void putHandle(String id, List<String> owners, List<Handle.Assigned> assigned) {
    put(
        IpamKeys.handle(id),
        new Handle(id, "h1", "", "x", IpPool.Use.Workload, Map.of(), owners, assigned).toJson());
  }

  /** Marks these as taken, without a handle. */
  private void leak(String... addresses) {
    for (String each : addresses) {
      changeBlock(block -> block.take(IpAddress.parse(each)).orElseThrow());
    }
  }

  private void changeBlock(UnaryOperator<Block> change) {
    put(IpamKeys.block(cidr), change.apply(fixture.blockOf(cidr.address())).toJson());
  }

  private void put(String key, byte[] value) {
    store.commit(Transaction.builder().put(key, value).build(), deadline());
  }

  private void delete(String key) {
    store.commit(Transaction.builder().delete(key).build(), deadline());
  }
}
