package io.wayleave.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Transaction;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import io.wayleave.model.Kind;
import io.wayleave.model.MacAddress;
import io.wayleave.model.Metadata;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.WorkloadEndpoint;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Pools, hosts and requests of IPAM's tests, on one store. */
final class Fixture {
  final Datastore store;
  final Pools pools;

  Fixture(Datastore store) {
    this.store = store;
    this.pools = new Pools(store);
  }

  static Deadline deadline() {
    return Deadline.after(Duration.ofSeconds(30));
  }

  static IpPool poolOf(String name, String cidr, int blockSize) {
    return new IpPool(Metadata.of(name), IpPool.Spec.of(Cidr.parse(cidr), blockSize));
  }

  static IpPool poolOf(
      String name, String cidr, int blockSize, boolean disabled, String nodeSelector) {
    return new IpPool(
        Metadata.of(name),
        IpPool.Spec.of(Cidr.parse(cidr), blockSize)
            .withDisabled(disabled)
            .withNodeSelector(nodeSelector));
  }

  void pool(String name, String cidr, int blockSize) {
    pools.create(poolOf(name, cidr, blockSize), deadline());
  }

  Ipam host(String name) {
    return host(name, options(name));
  }

  Ipam host(String name, IpamOptions options) {
    return new Ipam(store, name, () -> Map.of("host", name), options);
  }

  /** The defaults, with names that are the same in every run. */
  static IpamOptions options(String seed) {
    return IpamOptions.defaults().withRandom(new SplittableRandom(seed.hashCode()));
  }

  /** One IPv4 address for an endpoint of that name, with its owner record. */
  static AllocationRequest endpoint(String name) {
    return AllocationRequest.count(name, 1, 0).withOwner(addresses -> owner(name, addresses));
  }

  static OwnerRecord owner(String name, List<IpAddress> addresses) {
    return OwnerRecord.of(ownerKey(name), addresses.toString().getBytes(StandardCharsets.UTF_8));
  }

  /** One IPv4 address for a container, with a real endpoint as its owner record. */
  static AllocationRequest container(String node, String container) {
    return AllocationRequest.count(WorkloadEndpoint.nameOf(node, container, "eth0"), 1, 0)
        .withOwner(addresses -> endpointRecord(node, container, addresses));
  }

  static OwnerRecord endpointRecord(String node, String container, List<IpAddress> addresses) {
    WorkloadEndpoint endpoint =
        new WorkloadEndpoint(
            Metadata.of(WorkloadEndpoint.nameOf(node, container, "eth0")),
            new WorkloadEndpoint.Spec(
                node,
                container,
                "eth0",
                "wl0",
                MacAddress.parse("02:00:00:00:00:01"),
                addresses.stream().map(IpAddress::toCidr).toList(),
                "net",
                "1"));
    return OwnerRecord.of(ResourceStore.key(endpoint), ResourceCodec.toJson(endpoint));
  }

  void node(String name) {
    store.commit(
        Transaction.builder().put(ResourceStore.key(Kind.NODE, name), "{}").build(), deadline());
  }

  void removeNode(String name) {
    store.commit(
        Transaction.builder().delete(ResourceStore.key(Kind.NODE, name)).build(), deadline());
  }

  static String ownerKey(String name) {
    return "resources/workloadendpoints/" + name;
  }

  List<Block> blocks() {
    return store.listAll(Keys.BLOCKS, deadline()).entries().stream().map(BlockView::read).toList();
  }

  Block blockOf(IpAddress address) {
    return blocks().stream()
        .filter(block -> block.cidr().contains(address))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no block has " + address));
  }

  List<Affinity> affinities() {
    return store.listAll(Keys.AFFINITIES, deadline()).entries().stream()
        .map(entry -> Affinity.fromJson(entry.value()))
        .toList();
  }
}
