package io.wayleave.ipam;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import io.wayleave.model.Metadata;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class IpamTest {
  private final MemoryDatastore memory = new MemoryDatastore();
  private final CountingDatastore store = new CountingDatastore(memory);
  private final Pools pools = new Pools(store);

  @Test
  void anAllocationIsBlockHandleAndOwnerTogether() {
    pool("a", "10.0.0.0/24", 26);
    Ipam h1 = host("h1");
    Handle handle =
        h1.allocate(
            AllocationRequest.count("h1.c1.eth0", 1, 0)
                .withGeneration("g1")
                .withAttributes(Map.of("container", "c1"))
                .withOwner(
                    addresses ->
                        OwnerRecord.of(
                            "resources/workloadendpoints/h1.c1.eth0",
                            addresses.toString().getBytes(UTF_8))),
            deadline());
    IpAddress address = handle.addresses().getFirst();
    assertThat(Cidr.parse("10.0.0.0/24").contains(address)).isTrue();
    assertThat(h1.find("h1.c1.eth0", deadline())).contains(handle);
    assertThat(store.get("resources/workloadendpoints/h1.c1.eth0", deadline()).orElseThrow().text())
        .isEqualTo("[" + address + "]");
    assertThat(block(address).isUsed(address)).isTrue();
    assertThat(block(address).node()).contains("h1");
    Invariants.check(store);

    assertThat(h1.release("h1.c1.eth0", Optional.of("g1"), deadline()))
        .isEqualTo(Ipam.Released.RELEASED);
    assertThat(h1.find("h1.c1.eth0", deadline())).isEmpty();
    assertThat(store.get("resources/workloadendpoints/h1.c1.eth0", deadline())).isEmpty();
    assertThat(block(address).usedCount()).isZero();
    Invariants.check(store);
  }

  @Test
  void anAllocationFromTheHostsOwnBlockIsOneTransactionAndNoRead() {
    pool("a", "10.0.0.0/24", 26);
    Ipam h1 = host("h1");
    h1.allocate(AllocationRequest.count("first", 1, 0), deadline());
    store.reset();
    for (int i = 0; i < 63; i++) {
      h1.allocate(AllocationRequest.count("c" + i, 1, 0), deadline());
    }
    assertThat(store.commits()).isEqualTo(63);
    assertThat(store.reads()).isZero();
  }

  private IpPool pool(String name, String cidr, int blockSize) {
    IpPool pool = new IpPool(Metadata.of(name), IpPool.Spec.of(Cidr.parse(cidr), blockSize));
    pools.create(pool, deadline());
    return pool;
  }

  private Ipam host(String name) {
    return host(name, IpamOptions.defaults());
  }

  private Ipam host(String name, IpamOptions options) {
    return new Ipam(store, name, Map::of, options);
  }

  private Block block(IpAddress address) {
    return store.listAll(Keys.BLOCKS, deadline()).entries().stream()
        .map(BlockView::read)
        .filter(block -> block.cidr().contains(address))
        .findFirst()
        .orElseThrow();
  }

  private static Deadline deadline() {
    return Deadline.after(Duration.ofSeconds(30));
  }
}
