package io.wayleave.test.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.ipam.Pools;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import io.wayleave.model.Metadata;

/**
 * The pools of a stress run: eight blocks of each family and about four addresses for each host, so
 * that blocks always change hands and addresses are borrowed and used up.
 */
record StressPools(Cidr ipv4, int ipv4Block, Cidr ipv6, int ipv6Block) {
  private static final int BLOCK_BITS = 3;
  private static final int ADDRESSES_PER_HOST = 4;

  static StressPools forHosts(int hosts) {
    int bits = Integer.SIZE - Integer.numberOfLeadingZeros(hosts * ADDRESSES_PER_HOST - 1);
    return new StressPools(
        new Cidr(IpAddress.parse("10.0.0.0"), 32 - bits),
        32 - bits + BLOCK_BITS,
        new Cidr(IpAddress.parse("fd00::"), 128 - bits),
        128 - bits + BLOCK_BITS);
  }

  void create(Datastore datastore, Deadline deadline) {
    Pools pools = new Pools(datastore);
    pools.create(new IpPool(Metadata.of("v4"), IpPool.Spec.of(ipv4, ipv4Block)), deadline);
    pools.create(new IpPool(Metadata.of("v6"), IpPool.Spec.of(ipv6, ipv6Block)), deadline);
  }
}
