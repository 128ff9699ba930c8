package io.wayleave.ipam;

import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Syncer;
import io.wayleave.datastore.Version;
import io.wayleave.model.Cidr;
import io.wayleave.model.Update;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * All blocks of all hosts as a watch tells them: what a host looks at, instead of reading them all,
 * when its own blocks do not do. It lags behind the store by as long as a message takes; what is
 * planned by it is compared with the store by the transaction. Thread safe.
 */
final class WatchedBlocks implements Syncer.Listener<Cidr, BlockView.Held> {
  private final Syncer.Listener<Cidr, Block> next;

  // Guarded by this.
  private final TreeMap<Cidr, BlockView.Held> blocks = new TreeMap<>();
  // What this host wrote and the watch has not told yet; empty: it deleted the block.
  private final Map<Cidr, Optional<Version>> expected = new HashMap<>();
  private int unreadable;
  private boolean inSync;
  private boolean connected;

  /**
   * @param next is told the blocks too
   */
  WatchedBlocks(Syncer.Listener<Cidr, Block> next) {
    this.next = next;
  }

  static final class Decoder implements Syncer.Decoder<Cidr, BlockView.Held> {
    @Override
    public Cidr key(String key) {
      return IpamKeys.cidr(key);
    }

    @Override
    public BlockView.Held value(Cidr cidr, Entry entry) {
      return new BlockView.Held(BlockView.read(entry), entry.version());
    }
  }

  /** This host wrote a block, or deleted it. */
  synchronized void expect(Cidr cidr, Optional<Version> version) {
    Optional<Version> told = Optional.ofNullable(blocks.get(cidr)).map(BlockView.Held::version);
    if (!told.equals(version)) {
      expected.put(cidr, version);
    }
  }

  /**
   * The blocks; empty when they may lack what this host did itself, or cannot be trusted to be
   * complete.
   */
  synchronized Optional<NavigableMap<Cidr, BlockView.Held>> current() {
    return inSync && connected && unreadable == 0 && expected.isEmpty()
        ? Optional.of(new TreeMap<>(blocks))
        : Optional.empty();
  }

  /** Addresses in use within the networks of these pools, in their order. */
  synchronized Optional<List<Long>> used(List<Cidr> pools) {
    if (!inSync) {
      return Optional.empty();
    }
    return Optional.of(
        pools.stream()
            .map(
                pool ->
                    blocks.subMap(pool, true, pool.last().toCidr(), true).values().stream()
                        .mapToLong(held -> held.block().usedCount())
                        .sum())
            .toList());
  }

  @Override
  public void onUpdate(Update<Cidr, BlockView.Held> update) {
    synchronized (this) {
      switch (update) {
        case Update.Put<Cidr, BlockView.Held>(Cidr cidr, BlockView.Held held) -> {
          blocks.put(cidr, held);
          expected.remove(cidr, Optional.of(held.version()));
        }
        case Update.Delete<Cidr, BlockView.Held>(Cidr cidr) -> {
          blocks.remove(cidr);
          expected.remove(cidr, Optional.empty());
        }
        case Update.InSync<Cidr, BlockView.Held>() -> inSync = true;
      }
    }
    next.onUpdate(
        switch (update) {
          case Update.Put<Cidr, BlockView.Held>(Cidr cidr, BlockView.Held held) ->
              new Update.Put<>(cidr, held.block());
          case Update.Delete<Cidr, BlockView.Held>(Cidr cidr) -> new Update.Delete<>(cidr);
          case Update.InSync<Cidr, BlockView.Held>() -> new Update.InSync<>();
        });
  }

  @Override
  public void onBatchEnd() {
    next.onBatchEnd();
  }

  @Override
  public void onInvalid(String key, String reason) {
    synchronized (this) {
      unreadable++;
    }
    next.onInvalid(key, reason);
  }

  @Override
  public void onStatus(Syncer.Status status) {
    synchronized (this) {
      connected = status.connected();
    }
    next.onStatus(status);
  }
}
