package io.wayleave.test.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.ipam.AllocationRequest;
import io.wayleave.ipam.Ipam;
import io.wayleave.ipam.IpamOptions;
import io.wayleave.ipam.OwnerRecord;
import io.wayleave.ipam.Pools;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import io.wayleave.model.MacAddress;
import io.wayleave.model.Metadata;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.WorkloadEndpoint;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** The pool, hosts and requests of the benchmark: as the CNI plugin asks. */
final class BenchPool {
  static final int BLOCK_SIZE = 26;
  static final int PER_BLOCK = 64;

  /** Blocks that each host gets that is to hold many. */
  static final int BLOCKS_PER_HOST = 16;

  static final int PER_HOST = BLOCKS_PER_HOST * PER_BLOCK;

  private static final IpAddress FIRST = IpAddress.parse("10.64.0.0");

  private final Datastore store;
  private final Cidr cidr;

  private BenchPool(Datastore store, Cidr cidr) {
    this.store = store;
    this.cidr = cidr;
  }

  /** Creates it, empty. */
  static BenchPool create(Datastore store, int prefixLength) {
    Cidr cidr = new Cidr(FIRST, prefixLength);
    new Pools(store)
        .create(new IpPool(Metadata.of("bench"), IpPool.Spec.of(cidr, BLOCK_SIZE)), deadline());
    return new BenchPool(store, cidr);
  }

  Cidr cidr() {
    return cidr;
  }

  static Deadline deadline() {
    return Deadline.after(Duration.ofSeconds(30));
  }

  /** A host that may have as many blocks as a measurement needs. */
  static Ipam host(Datastore store, String name) {
    return new Ipam(store, name, Map::of, IpamOptions.defaults().withMaxBlocksPerHost(1_000));
  }

  /** A host that holds the blocks of its number. */
  Ipam holder(int number) {
    Ipam ipam = host(store, "holder-" + number);
    Ipam.Claimed claimed =
        ipam.claimAffinity(new Cidr(FIRST.plus((long) number * PER_HOST), 32 - 10), deadline());
    if (claimed.claimed().size() != BLOCKS_PER_HOST) {
      throw new IllegalStateException("not all blocks could be claimed: " + claimed);
    }
    return ipam;
  }

  /** One address for a container's interface, with its endpoint. */
  static AllocationRequest container(String host, int number) {
    String id = "%016x%048x".formatted(host.hashCode(), number);
    String name = WorkloadEndpoint.nameOf(host, id, "eth0");
    return AllocationRequest.count(name, 1, 0)
        .withGeneration("%016x".formatted(number))
        .withAttributes(Map.of("containerID", id, "endpoint", "eth0", "network", "wayleave"))
        .withOwner(addresses -> endpoint(host, id, name, addresses));
  }

  private static OwnerRecord endpoint(
      String host, String id, String name, List<IpAddress> addresses) {
    WorkloadEndpoint endpoint =
        new WorkloadEndpoint(
            Metadata.of(name, Map.of("app", "bench", "tier", "front")),
            new WorkloadEndpoint.Spec(
                host,
                id,
                "eth0",
                "wl0123456789a",
                new MacAddress(0x0200_0000_0001L),
                addresses.stream().map(IpAddress::toCidr).toList(),
                "wayleave",
                "%016x".formatted(1)));
    return OwnerRecord.of(ResourceStore.key(endpoint), ResourceCodec.toJson(endpoint));
  }
}
