package io.wayleave.ipam;

import io.wayleave.model.Cidr;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The order in which a host looks for a block to claim in a pool: from a place that its name gives,
 * onwards and around. Hosts so start at different places and seldom want the same block, and a host
 * that comes back finds those that it had.
 */
final class BlockWalk {
  /** Of a larger pool (IPv6), only the first so many blocks are used. */
  private static final int MAX_BLOCK_BITS = 50;

  private final Cidr pool;
  private final int blockSize;
  private final long count;
  private final long start;

  BlockWalk(Cidr pool, int blockSize, String node) {
    this.pool = pool;
    this.blockSize = blockSize;
    this.count = 1L << Math.min(MAX_BLOCK_BITS, blockSize - pool.prefixLength());
    this.start = Math.floorMod(hash(node), count);
  }

  /** How many blocks there are. */
  long count() {
    return count;
  }

  /**
   * The first block for which there is no objection.
   *
   * @param taken must object to finitely many, which bounds the walk
   * @param reserved networks of which no block is wanted; passed over as a whole, however large
   */
  Optional<Cidr> first(Predicate<Cidr> taken, List<Cidr> reserved) {
    long i = 0;
    while (i < count) {
      long index = (start + i) % count;
      Cidr block = block(index);
      Optional<Cidr> within = reserved.stream().filter(each -> each.contains(block)).findFirst();
      if (within.isPresent()) {
        i += Math.min(blocksLeft(within.get(), index), count - index);
      } else if (taken.test(block)) {
        i++;
      } else {
        return Optional.of(block);
      }
    }
    return Optional.empty();
  }

  /** How many blocks there are from this one to the end of the network that it lies in. */
  private long blocksLeft(Cidr network, long index) {
    if (network.contains(pool)) {
      return count;
    }
    int bits = blockSize - network.prefixLength();
    long inNetwork = 1L << Math.min(MAX_BLOCK_BITS, bits);
    return inNetwork - index % inNetwork;
  }

  private Cidr block(long index) {
    int hostBits = pool.family().bits() - blockSize;
    return new Cidr(pool.address().plus(index << hostBits), blockSize);
  }

  /** FNV-1a, 64 bits: spreads names that differ in one digit, and never changes. */
  private static long hash(String text) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < text.length(); i++) {
      hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
    }
    return hash ^ hash >>> 32;
  }
}
