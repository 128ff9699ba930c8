package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.deadline;
import static io.wayleave.ipam.Fixture.endpoint;
import static io.wayleave.ipam.Fixture.ownerKey;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.Transaction;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each check of {@link Invariants} finds the damage that it is for. */
class InvariantsTest {
  private final MemoryDatastore store = new MemoryDatastore();
  private final Fixture fixture = new Fixture(store);
  private Handle handle;
  private Cidr cidr;

  @BeforeEach
  void allocateOne() {
    fixture.pool("a", "10.0.0.0/24", 26);
    handle = fixture.host("h1").allocate(endpoint("c"), deadline());
    cidr = handle.assigned().getFirst().block();
    Invariants.check(store);
  }

  @Test
  void anAddressWithTwoHandles() {
    put(
        IpamKeys.handle("other"),
        new Handle(
                "other", "h2", "", "2", IpPool.Use.Workload, Map.of(), List.of(), handle.assigned())
            .toJson());
    assertFound(handle.addresses().getFirst() + " has two holders");
    assertFound("handle other names no owner record");
  }

  @Test
  void anAddressThatIsFreeInItsBlock() {
    changeBlock(block -> block.release(handle.addresses(), 0));
    assertFound("is free in its block");
  }

  @Test
  void anAddressInNoBlock() {
    delete(IpamKeys.block(cidr));
    assertFound("is in no block");
    assertFound("affinity of h1 for " + cidr + " has no block");
  }

  @Test
  void anAddressOfABlockThatWasMadeAnew() {
    Block anew = Block.empty(cidr, "a", Optional.of("h1"), "anew", 0);
    put(IpamKeys.block(cidr), anew.take(handle.addresses().getFirst()).orElseThrow().toJson());
    assertFound("is in no block");
  }

  @Test
  void aUsedAddressWithoutHandle() {
    delete(IpamKeys.handle("c"));
    assertFound(handle.addresses().getFirst() + " is used in " + cidr + " and has no handle");
    assertFound("owner record " + ownerKey("c") + " has no handle");
  }

  @Test
  void aHandleWithoutOwnerRecord() {
    delete(ownerKey("c"));
    assertFound("handle c has no owner record");
  }

  @Test
  void overlappingBlocks() {
    Cidr part = new Cidr(cidr.address(), 28);
    put(IpamKeys.block(part), Block.empty(part, "a", Optional.empty(), "1", 0).toJson());
    assertFound("overlap");
  }

  @Test
  void twoHostsForOneBlock() {
    put(IpamKeys.affinity("h2", cidr), new Affinity("h2", cidr, Affinity.State.CONFIRMED).toJson());
    assertFound("is confirmed for h1 and h2");
  }

  @Test
  void aBlockWhoseAffinityIsOnlyPending() {
    put(IpamKeys.affinity("h1", cidr), new Affinity("h1", cidr, Affinity.State.PENDING).toJson());
    assertFound("is confirmed for nobody");
  }

  @Test
  void aBlockThatIsTooLarge() {
    Cidr large = Cidr.parse("10.1.0.0/20");
    Block block = Block.empty(large, "x".repeat(8000), Optional.empty(), "1", 0);
    put(IpamKeys.block(large), block.take(1000, Block.Terms.NONE).block().toJson());
    assertFound("bytes");
  }

  private void changeBlock(UnaryOperator<Block> change) {
    Block block = fixture.blockOf(IpAddress.parse(cidr.address().toString()));
    put(IpamKeys.block(cidr), change.apply(block).toJson());
  }

  private void assertFound(String violation) {
    assertThat(Invariants.violations(store)).anyMatch(found -> found.contains(violation));
  }

  private void put(String key, byte[] value) {
    store.commit(Transaction.builder().put(key, value).build(), deadline());
  }

  private void delete(String key) {
    store.commit(Transaction.builder().delete(key).build(), deadline());
  }
}
