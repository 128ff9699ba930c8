package io.wayleave.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.Version;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a host knows of pools and blocks without reading: as it read them last, with what it wrote
 * itself and what refusals told. NOT thread safe, but for {@link #watch}.
 */
final class HostMemory {
  private static final Logger log = LoggerFactory.getLogger(HostMemory.class);

  private final Datastore datastore;
  private final String node;
  private final PoolTable pools = new PoolTable();
  private final BlockView view = new BlockView();
  private boolean loaded;
  private boolean poolsAreOld;
  private volatile Optional<WatchedBlocks> watched = Optional.empty();

  HostMemory(Datastore datastore, String node) {
    this.datastore = datastore;
    this.node = node;
  }

  PoolTable pools() {
    return pools;
  }

  BlockView view() {
    return view;
  }

  /** False: it may be wrong, or never was right. */
  boolean isLoaded() {
    return loaded;
  }

  /** Something happened that it does not know. */
  void forget() {
    loaded = false;
  }

  /** A pool or a setting is not as it was read; what is known of blocks is as good as before. */
  void forgetPools() {
    poolsAreOld = true;
  }

  /** Reads the pools anew when something about them was found to have changed. */
  void recallPools(Deadline deadline) {
    if (poolsAreOld) {
      readPools(deadline);
    }
  }

  private void readPools(Deadline deadline) {
    pools.refresh(datastore, deadline);
    poolsAreOld = false;
  }

  /** From now on, {@link #refresh} takes the blocks from here when it can. */
  void watch(WatchedBlocks blocks) {
    watched = Optional.of(blocks);
  }

  Optional<WatchedBlocks> watched() {
    return watched;
  }

  /** This host wrote a block. */
  void wrote(Block block, Version version) {
    view.put(block, version);
    expect(block.cidr());
  }

  /** This host deleted a block. */
  void deleted(Cidr cidr) {
    view.remove(cidr);
    expect(cidr);
  }

  /** What is known now of this block, the watch will tell later. */
  private void expect(Cidr cidr) {
    watched.ifPresent(blocks -> blocks.expect(cidr, view.get(cidr)));
  }

  /** Takes over what a refusal tells of these blocks. */
  void learn(TransactionResult.Failed failed, Collection<Cidr> blocks) {
    for (Cidr cidr : blocks) {
      view.update(cidr, Optional.ofNullable(failed.current().get(IpamKeys.block(cidr))));
      // A record that cannot be read is not as if there were none.
      if (view.get(cidr).isPresent() || !view.exists(cidr)) {
        expect(cidr);
      }
    }
  }

  /**
   * Comes up to date at the price of one small read when a watch tells the blocks, so that a full
   * pool is known as full at once.
   */
  void refresh(Deadline deadline) {
    Optional<WatchedBlocks.Told> told = watched.flatMap(WatchedBlocks::current);
    if (!loaded || told.isEmpty()) {
      load(deadline);
      return;
    }
    if (!PoolGuard.read(datastore, deadline).equals(pools.guard())) {
      readPools(deadline);
    }
    view.replaceBy(told.get());
  }

  /** Reads everything anew and deletes what a crash of this host left half-claimed. */
  void load(Deadline deadline) {
    readPools(deadline);
    boolean settled = true;
    Map<Cidr, String> unreadable = new HashMap<>();
    for (Entry entry : datastore.listAll(IpamKeys.affinities(node), deadline).entries()) {
      try {
        Affinity affinity = Affinity.read(entry);
        if (affinity.state() == Affinity.State.PENDING) {
          settled &= withdraw(affinity.block(), entry.version(), deadline);
        }
      } catch (InvalidInputException e) {
        log.warn("affinity not readable, left alone: {}", e.getMessage());
        IpamKeys.network(entry.key()).ifPresent(cidr -> unreadable.put(cidr, e.getMessage()));
      }
    }
    view.refresh(datastore, deadline);
    // A claim of it would have to overwrite what cannot be read.
    unreadable.forEach(view::avoid);
    loaded = settled;
  }

  /**
   * Takes a pending claim back; what cannot be taken back now is when everything is read anew.
   *
   * @return whether it was answered
   */
  boolean withdraw(Cidr block, Version pending, Deadline deadline) {
    String key = IpamKeys.affinity(node, block);
    try {
      TransactionResult _ =
          datastore.commit(
              Transaction.builder().ifUnchanged(key, pending).delete(key).build(), deadline);
      return true;
    } catch (DatastoreException e) {
      log.info("pending claim left behind block={}: {}", block, e.getMessage());
      loaded = false;
      return false;
    }
  }
}
