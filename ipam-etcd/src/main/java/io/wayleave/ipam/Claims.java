package io.wayleave.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Claims and gives up whole blocks, apart from any allocation. Each is one transaction of block and
 * affinity; no pending state is needed, as nothing else has to fit in between. NOT thread safe.
 */
final class Claims {
  private static final Logger log = LoggerFactory.getLogger(Claims.class);

  /** Blocks in one call: what a person may mean by a range. */
  private static final int MAX_BLOCKS = 4096;

  private static final int MAX_ATTEMPTS = 20;

  private final Datastore datastore;
  private final String node;
  private final HostMemory memory;
  private final Supplier<String> names;
  private final long now;

  Claims(Datastore datastore, String node, HostMemory memory, Supplier<String> names, long now) {
    this.datastore = datastore;
    this.node = node;
    this.memory = memory;
    this.names = names;
    this.now = now;
  }

  Ipam.Claimed claim(Cidr range, Deadline deadline) {
    PoolTable.Pool pool =
        memory
            .pools()
            .containing(range)
            .orElseThrow(
                () ->
                    new InvalidInputException(
                        "range",
                        range.toString(),
                        "a range within a pool: " + memory.pools().describe()));
    if (pool.resource().spec().disabled()) {
      // It may be about to be deleted, and its blocks are gone over already.
      throw new InvalidInputException(
          "range",
          range.toString(),
          "a range within a pool that gives addresses: " + pool.name() + " is disabled");
    }
    int bits = pool.blockSize() - range.prefixLength();
    if (bits < 0) {
      throw new InvalidInputException(
          "range",
          range.toString(),
          "whole blocks of pool " + pool.name() + ", each a /" + pool.blockSize());
    }
    if (bits > 12) {
      throw new InvalidInputException(
          "range", range.toString(), "at most " + MAX_BLOCKS + " blocks at once");
    }
    List<Cidr> claimed = new ArrayList<>();
    List<Cidr> failed = new ArrayList<>();
    for (long i = 0; i < 1L << bits; i++) {
      long step = i << (pool.cidr().family().bits() - pool.blockSize());
      Cidr block = new Cidr(range.address().plus(step), pool.blockSize());
      (claimOne(pool, block, deadline) ? claimed : failed).add(block);
    }
    return new Ipam.Claimed(claimed, failed);
  }

  private boolean claimOne(PoolTable.Pool pool, Cidr cidr, Deadline deadline) {
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      Optional<BlockView.Held> held = memory.view().get(cidr);
      if (held.isPresent() && held.get().block().node().isPresent()) {
        return held.get().block().belongsTo(node);
      }
      if (held.isEmpty() && memory.view().exists(cidr)) {
        return false;
      }
      Block block =
          held.map(known -> known.block().claimedBy(node, now))
              .orElseGet(() -> Block.empty(cidr, pool.name(), Optional.of(node), names.get(), now));
      String key = IpamKeys.block(cidr);
      Transaction.Builder transaction =
          Transaction.builder()
              .ifUnchanged(pool.key(), pool.version())
              .ifSame(key, held.map(BlockView.Held::version))
              .put(key, block.toJson())
              .put(
                  IpamKeys.affinity(node, cidr),
                  new Affinity(node, cidr, Affinity.State.CONFIRMED).toJson());
      switch (datastore.commit(transaction.build(), deadline)) {
        case TransactionResult.Committed committed -> {
          memory.wrote(block, committed.versionOf(key));
          return true;
        }
        case TransactionResult.Failed failed -> {
          if (failed.because(pool.key())) {
            throw new IpamException.Contended(
                "claim of " + cidr + ", whose pool " + pool.name() + " was changed,", 1);
          }
          memory.learn(failed, List.of(cidr));
        }
      }
    }
    throw new IpamException.Contended("claim of " + cidr, MAX_ATTEMPTS);
  }

  /**
   * Releases every block of the host, and deletes affinities to which there is no block. What
   * cannot be read is left alone.
   */
  List<Cidr> releaseAll(List<String> absent, Deadline deadline) {
    List<Cidr> released = new ArrayList<>();
    for (Entry entry : datastore.listAll(IpamKeys.affinities(node), deadline).entries()) {
      Cidr cidr;
      try {
        cidr = Affinity.read(entry).block();
      } catch (InvalidInputException e) {
        log.warn("affinity not readable, left alone: {}", e.getMessage());
        continue;
      }
      if (release(cidr, absent, deadline)) {
        released.add(cidr);
      } else if (isNotOurs(cidr)) {
        // The block was looked at before the affinity: it may have been claimed with it since.
        Transaction.Builder transaction =
            Transaction.builder()
                .ifUnchanged(entry)
                .ifSame(IpamKeys.block(cidr), memory.view().get(cidr).map(BlockView.Held::version))
                .delete(entry.key());
        absent.forEach(transaction::ifAbsent);
        TransactionResult _ = datastore.commit(transaction.build(), deadline);
      }
    }
    return released;
  }

  /** Not so: a block of the host's that was kept because the host is back, or cannot be read. */
  private boolean isNotOurs(Cidr cidr) {
    return memory
        .view()
        .get(cidr)
        .map(held -> !held.block().belongsTo(node))
        .orElseGet(() -> !memory.view().exists(cidr));
  }

  boolean release(Cidr cidr, List<String> absent, Deadline deadline) {
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      Optional<BlockView.Held> held = memory.view().get(cidr);
      if (held.isEmpty() || !held.get().block().belongsTo(node)) {
        return false;
      }
      String key = IpamKeys.block(cidr);
      Block left = held.get().block().abandoned();
      boolean empty = left.usedCount() == 0;
      Transaction.Builder transaction =
          Transaction.builder()
              .ifUnchanged(key, held.get().version())
              .delete(IpamKeys.affinity(node, cidr));
      absent.forEach(transaction::ifAbsent);
      if (empty) {
        transaction.delete(key);
      } else {
        transaction.put(key, left.toJson());
      }
      switch (datastore.commit(transaction.build(), deadline)) {
        case TransactionResult.Committed committed -> {
          if (empty) {
            memory.deleted(cidr);
          } else {
            memory.wrote(left, committed.versionOf(key));
          }
          return true;
        }
        case TransactionResult.Failed failed -> {
          if (absent.stream().anyMatch(failed::because)) {
            return false;
          }
          memory.learn(failed, List.of(cidr));
        }
      }
    }
    throw new IpamException.Contended("release of block " + cidr, MAX_ATTEMPTS);
  }
}
