package io.wayleave.ipam;

import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Syncer;
import io.wayleave.datastore.Version;
import io.wayleave.model.Cidr;
import io.wayleave.model.Update;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongSupplier;

/**
 * All blocks of all hosts as a watch tells them: what a host looks at, instead of reading them all,
 * when its own blocks do not do. It lags behind the store by as long as a message takes; what is
 * planned by it is compared with the store by the transaction. Thread safe.
 */
final class WatchedBlocks implements Syncer.Listener<Cidr, BlockView.Held> {
  /**
   * A watch that tells is not later than that. After it, what it has told counts alone: of two
   * changes it may have told the second only, and then it never tells what is expected.
   */
  private static final long LATEST_NANOS = Duration.ofSeconds(1).toNanos();

  private final Syncer.Listener<Cidr, Block> next;
  private final LongSupplier nanoTime;

  // Guarded by this.
  private final TreeMap<Cidr, BlockView.Held> blocks = new TreeMap<>();
  // What this host did, or a refusal told it, and the watch has not told yet.
  private final Map<Cidr, Expected> expected = new HashMap<>();
  // Networks with a record that this version cannot read, and why.
  private final TreeMap<Cidr, String> unreadable = new TreeMap<>();
  private boolean inSync;
  private boolean connected;

  /**
   * @param next is told the blocks too
   */
  WatchedBlocks(Syncer.Listener<Cidr, Block> next) {
    this(next, System::nanoTime);
  }

  WatchedBlocks(Syncer.Listener<Cidr, Block> next, LongSupplier nanoTime) {
    this.next = next;
    this.nanoTime = nanoTime;
  }

  /**
   * A block in a state that is known otherwise.
   *
   * @param held empty: there is no such block
   */
  private record Expected(Optional<BlockView.Held> held, long nanos) {
    private Optional<Version> version() {
      return held.map(BlockView.Held::version);
    }
  }

  /** All blocks, and the networks with a record that cannot be read and why. */
  record Told(NavigableMap<Cidr, BlockView.Held> blocks, NavigableMap<Cidr, String> unreadable) {}

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

  /**
   * This host wrote a block, or a refusal showed it.
   *
   * @param held empty: there is no such block any more
   */
  synchronized void expect(Cidr cidr, Optional<BlockView.Held> held) {
    Expected known = new Expected(held, nanoTime.getAsLong());
    if (told(cidr).equals(known.version())) {
      expected.remove(cidr);
    } else {
      expected.put(cidr, known);
    }
  }

  private Optional<Version> told(Cidr cidr) {
    return Optional.ofNullable(blocks.get(cidr)).map(BlockView.Held::version);
  }

  /**
   * The blocks as told, with what this host knows better; empty when they cannot be trusted to be
   * complete.
   */
  synchronized Optional<Told> current() {
    if (!inSync || !connected) {
      return Optional.empty();
    }
    TreeMap<Cidr, BlockView.Held> all = new TreeMap<>(blocks);
    long now = nanoTime.getAsLong();
    expected.values().removeIf(each -> now - each.nanos() > LATEST_NANOS);
    expected.forEach(
        (cidr, known) ->
            known.held().ifPresentOrElse(held -> all.put(cidr, held), () -> all.remove(cidr)));
    return Optional.of(new Told(all, new TreeMap<>(unreadable)));
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
          unreadable.remove(cidr);
          arrived(cidr);
        }
        case Update.Delete<Cidr, BlockView.Held>(Cidr cidr) -> {
          blocks.remove(cidr);
          arrived(cidr);
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

  private void arrived(Cidr cidr) {
    Expected known = expected.get(cidr);
    if (known != null && known.version().equals(told(cidr))) {
      expected.remove(cidr);
    }
  }

  @Override
  public void onBatchEnd() {
    next.onBatchEnd();
  }

  @Override
  public void onInvalid(String key, String reason) {
    // Foreign data names none, and is left alone.
    IpamKeys.network(key)
        .ifPresent(
            cidr -> {
              synchronized (this) {
                unreadable.put(cidr, reason);
                // It is not as this host wrote it, and will not be again.
                expected.remove(cidr);
              }
            });
    next.onInvalid(key, reason);
  }

  @Override
  public void onInvalidGone(String key) {
    IpamKeys.network(key)
        .ifPresent(
            cidr -> {
              synchronized (this) {
                unreadable.remove(cidr);
              }
            });
    next.onInvalidGone(key);
  }

  @Override
  public void onStatus(Syncer.Status status) {
    synchronized (this) {
      connected = status.connected();
    }
    next.onStatus(status);
  }
}
