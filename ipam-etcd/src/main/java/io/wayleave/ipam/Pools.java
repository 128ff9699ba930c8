package io.wayleave.ipam;

import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.ResourceConflictException;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.Version;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import io.wayleave.model.Kind;
import io.wayleave.model.Metadata;
import io.wayleave.model.ResourceCodec;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Creates, changes and deletes pools. Every change of a pool bumps one guard key in the same
 * transaction, so that of two people who create overlapping pools at the same moment one is
 * refused, and every host notices before its next allocation. Thread safe; blocks.
 */
public final class Pools {
  private static final int MAX_ATTEMPTS = 20;

  /** Blocks deleted in one transaction, each with its affinity. */
  private static final int BLOCKS_AT_ONCE = 50;

  /** The most parts of one {@link #split}: what fits one transaction. */
  public static final int MAX_PARTS = 64;

  private static final int MAX_PART_BITS = 6;

  /** Annotation of a pool: the names, with blanks between, of those that it was split from. */
  static final String SPLIT_FROM = "wayleave.io/split-from";

  private final Datastore datastore;
  private final ResourceStore resources;

  /** What {@link #apply} did. */
  public enum Applied {
    CREATED,
    CHANGED,
    UNCHANGED
  }

  public Pools(Datastore datastore) {
    this.datastore = requireNonNull(datastore, "datastore is null");
    this.resources = new ResourceStore(datastore);
  }

  /** All pools, in order of name. */
  public ResourceStore.Listing<IpPool> list(Deadline deadline) {
    return resources.list(IpPool.class, deadline);
  }

  /**
   * Checks a pool that is to be created or replaced, and changes nothing: for whoever writes
   * several and wants to know beforehand. The writing checks again.
   *
   * @param beside pools that are to be written along with it, itself among them or not
   * @throws InvalidInputException as {@link #create} and {@link #replace} would
   */
  public void check(IpPool pool, Collection<IpPool> beside, Deadline deadline) {
    resources
        .get(IpPool.class, pool.name(), deadline)
        .ifPresentOrElse(
            existing -> checkFixed(pool, existing.resource()),
            () -> checkOverlap(pool, beside, deadline));
  }

  /**
   * Writes a new pool.
   *
   * @throws InvalidInputException when it overlaps a pool, or blocks that a deleted pool left in
   *     use
   * @throws ResourceConflictException when a pool of that name exists
   */
  public void create(IpPool pool, Deadline deadline) {
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      PoolGuard guard = PoolGuard.read(datastore, deadline);
      checkOverlap(pool, List.of(), deadline);
      String key = ResourceStore.key(pool);
      TransactionResult result =
          datastore.commit(
              guard.changingPools().ifAbsent(key).put(key, ResourceCodec.toJson(pool)).build(),
              deadline);
      if (result.isCommitted()) {
        return;
      }
      if (((TransactionResult.Failed) result).because(key)) {
        throw new ResourceConflictException(
            ResourceConflictException.Problem.EXISTS, Kind.IP_POOL, pool.name());
      }
    }
    throw new IpamException.Contended("creation of pool " + pool.name(), MAX_ATTEMPTS);
  }

  /**
   * Changes a pool. Its CIDR and block size never change: containers have addresses by them.
   *
   * @param read the state that the caller has seen; empty: whatever it is
   * @throws ResourceConflictException when it is not there, or not as the caller saw it
   */
  public void replace(IpPool pool, Optional<Version> read, Deadline deadline) {
    String key = ResourceStore.key(pool);
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      PoolGuard guard = PoolGuard.read(datastore, deadline);
      ResourceStore.Stored<IpPool> existing =
          resources
              .get(IpPool.class, pool.name(), deadline)
              .orElseThrow(
                  () -> conflict(ResourceConflictException.Problem.NOT_FOUND, pool.name()));
      if (read.isPresent() && !read.get().equals(existing.version())) {
        throw conflict(ResourceConflictException.Problem.CHANGED, pool.name());
      }
      checkFixed(pool, existing.resource());
      TransactionResult result =
          datastore.commit(
              guard
                  .changingPools()
                  .ifUnchanged(key, existing.version())
                  .put(key, ResourceCodec.toJson(pool))
                  .build(),
              deadline);
      if (result.isCommitted()) {
        return;
      }
    }
    throw new IpamException.Contended("change of pool " + pool.name(), MAX_ATTEMPTS);
  }

  /** Creates the pool, or makes the one of that name equal to it. */
  public Applied apply(IpPool pool, Deadline deadline) {
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      try {
        Optional<ResourceStore.Stored<IpPool>> existing =
            resources.get(IpPool.class, pool.name(), deadline);
        if (existing.isEmpty()) {
          create(pool, deadline);
          return Applied.CREATED;
        }
        if (existing.get().resource().equals(pool)) {
          return Applied.UNCHANGED;
        }
        replace(pool, Optional.of(existing.get().version()), deadline);
        return Applied.CHANGED;
      } catch (ResourceConflictException e) {
        // Created, changed or deleted between reading and writing: look again.
        if (deadline.hasPassed()) {
          throw e;
        }
      }
    }
    throw new IpamException.Contended("change of pool " + pool.name(), MAX_ATTEMPTS);
  }

  /**
   * Lets a pool give addresses, or none. Those in use stay.
   *
   * @return whether that changed anything
   * @throws ResourceConflictException when there is no such pool
   */
  public boolean setDisabled(String name, boolean disabled, Deadline deadline) {
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      ResourceStore.Stored<IpPool> stored = stored(name, deadline);
      if (stored.resource().spec().disabled() == disabled) {
        return false;
      }
      try {
        replace(withDisabled(stored.resource(), disabled), Optional.of(stored.version()), deadline);
        return true;
      } catch (ResourceConflictException e) {
        if (deadline.hasPassed()) {
          throw e;
        }
      }
    }
    throw new IpamException.Contended("change of pool " + name, MAX_ATTEMPTS);
  }

  /**
   * Divides a pool into equal ones, NAME-0 and so on, in one transaction while hosts go on
   * allocating. Nothing happens to blocks and addresses: a block is its pool's by lying in it and
   * by its size, which stays. An allocation that was planned with the old pool is refused, since
   * that is no more, and planned anew with the new ones, which also answer to the old one's name.
   *
   * @param parts how many: a power of 2, 2 to {@value #MAX_PARTS}
   * @return the new pools
   * @throws InvalidInputException when it cannot be divided so
   * @throws ResourceConflictException when there is no such pool, or one that has a new one's name
   */
  public List<IpPool> split(String name, int parts, Deadline deadline) {
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      PoolGuard guard = PoolGuard.read(datastore, deadline);
      ResourceStore.Stored<IpPool> whole = stored(name, deadline);
      List<IpPool> pools = parts(whole.resource(), parts);
      String key = ResourceStore.key(whole.resource());
      Transaction.Builder transaction = guard.changingPools().ifUnchanged(key, whole.version());
      for (IpPool part : pools) {
        String partKey = ResourceStore.key(part);
        transaction.ifAbsent(partKey).put(partKey, ResourceCodec.toJson(part));
      }
      // Last, so that whoever watches never sees an address without its pool.
      transaction.delete(key);
      switch (datastore.commit(transaction.build(), deadline)) {
        case TransactionResult.Committed _ -> {
          return pools;
        }
        case TransactionResult.Failed failed ->
            pools.stream()
                .filter(part -> failed.because(ResourceStore.key(part)))
                .findFirst()
                .ifPresent(
                    part -> {
                      throw conflict(ResourceConflictException.Problem.EXISTS, part.name());
                    });
      }
    }
    throw new IpamException.Contended("division of pool " + name, MAX_ATTEMPTS);
  }

  private static List<IpPool> parts(IpPool whole, int count) {
    Cidr cidr = whole.spec().cidr();
    int most = 1 << Math.min(MAX_PART_BITS, whole.spec().blockSize() - cidr.prefixLength());
    if (count < 2 || count > most || Integer.bitCount(count) != 1) {
      throw new InvalidInputException(
          "parts",
          Integer.toString(count),
          most < 2
              ? "no number: pool " + whole.name() + " " + cidr + " is a single block"
              : "a power of 2, from 2 to "
                  + most
                  + ", so that each part of "
                  + cidr
                  + " has a block of /"
                  + whole.spec().blockSize());
    }
    int length = cidr.prefixLength() + Integer.numberOfTrailingZeros(count);
    Set<String> ancestors = new LinkedHashSet<>(splitFrom(whole));
    ancestors.add(whole.name());
    Map<String, String> annotations = new TreeMap<>(whole.metadata().annotations());
    annotations.put(SPLIT_FROM, String.join(" ", ancestors));
    List<IpPool> parts = new ArrayList<>();
    IpAddress first = cidr.address();
    for (int i = 0; i < count; i++) {
      Cidr range = new Cidr(first, length);
      parts.add(
          new IpPool(
              Metadata.of(whole.name() + "-" + i, whole.metadata().labels())
                  .withAnnotations(annotations),
              whole.spec().withCidr(range)));
      first = range.last().plus(1);
    }
    return parts;
  }

  /** The names of the pools that this one was split from. */
  static Set<String> splitFrom(IpPool pool) {
    String names = pool.metadata().annotations().getOrDefault(SPLIT_FROM, "");
    return names.isEmpty() ? Set.of() : new LinkedHashSet<>(List.of(names.split(" ")));
  }

  /**
   * What a pool that is being drained still has.
   *
   * @param addresses in use
   * @param blocks that these are in
   */
  public record Drained(int addresses, List<Cidr> blocks) {
    public Drained {
      blocks = List.copyOf(blocks);
    }
  }

  /**
   * Empties a pool as far as that harms nobody: it gives no address any more, and its empty blocks
   * are given back. When nothing is left, it can be deleted. To be called again as often as one
   * likes.
   *
   * @throws ResourceConflictException when there is no such pool
   */
  public Drained drain(String name, Deadline deadline) {
    setDisabled(name, true, deadline);
    List<BlockView.Held> left =
        deleteEmptyBlocks(stored(name, deadline).resource(), true, deadline);
    return new Drained(used(left), left.stream().map(held -> held.block().cidr()).toList());
  }

  /**
   * Deletes a pool and its blocks. It is disabled first, so that no address is taken meanwhile;
   * when it turns out to be in use, it is made as it was.
   *
   * @param force deletes it also when addresses are in use: they stay with their owners, outside
   *     any pool, until these release them
   * @throws InUseException when addresses are in use and {@code force} is not set
   * @throws InvalidInputException when a block of it cannot be read and {@code force} is not set
   * @throws ResourceConflictException when there is no such pool
   */
  public void delete(String name, boolean force, Deadline deadline) {
    boolean changed = false;
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      changed |= setDisabled(name, true, deadline);
      ResourceStore.Stored<IpPool> pool = stored(name, deadline);
      if (!pool.resource().spec().disabled()) {
        continue;
      }
      List<BlockView.Held> left;
      try {
        left = deleteEmptyBlocks(pool.resource(), force, deadline);
      } catch (InvalidInputException e) {
        enableAgain(name, changed, deadline);
        throw e;
      }
      if (!left.isEmpty() && !force) {
        enableAgain(name, changed, deadline);
        throw new InUseException(name, used(left), left);
      }
      if (deleteUnchanged(pool, deadline)) {
        return;
      }
    }
    throw new IpamException.Contended("deletion of pool " + name, MAX_ATTEMPTS);
  }

  /**
   * Deletes a pool as it was when its blocks were looked at: one that was enabled since then may
   * have given addresses.
   *
   * @return whether it was so still
   */
  private boolean deleteUnchanged(ResourceStore.Stored<IpPool> pool, Deadline deadline) {
    String key = ResourceStore.key(pool.resource());
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      Transaction deletion =
          PoolGuard.read(datastore, deadline)
              .changingPools()
              .ifUnchanged(key, pool.version())
              .delete(key)
              .build();
      switch (datastore.commit(deletion, deadline)) {
        case TransactionResult.Committed _ -> {
          return true;
        }
        case TransactionResult.Failed failed -> {
          if (failed.because(key)) {
            return false;
          }
        }
      }
    }
    throw new IpamException.Contended("deletion of pool " + pool.resource().name(), MAX_ATTEMPTS);
  }

  private void enableAgain(String name, boolean changed, Deadline deadline) {
    if (changed) {
      boolean _ = setDisabled(name, false, deadline);
    }
  }

  private ResourceStore.Stored<IpPool> stored(String name, Deadline deadline) {
    return resources
        .get(IpPool.class, name, deadline)
        .orElseThrow(() -> conflict(ResourceConflictException.Problem.NOT_FOUND, name));
  }

  private static int used(List<BlockView.Held> blocks) {
    return blocks.stream().mapToInt(held -> held.block().usedCount()).sum();
  }

  /** A pool is in use and was not deleted. */
  public static final class InUseException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int addresses;

    InUseException(String pool, int addresses, List<BlockView.Held> blocks) {
      super(
          "pool "
              + pool
              + " has "
              + addresses
              + " addresses in use, in blocks "
              + String.join(
                  ", ",
                  blocks.stream()
                      .filter(held -> held.block().usedCount() > 0)
                      .limit(5)
                      .map(held -> held.block().toString())
                      .toList())
              + "; disable it and wait, or force");
      this.addresses = addresses;
    }

    public int addresses() {
      return addresses;
    }
  }

  private static IpPool withDisabled(IpPool pool, boolean disabled) {
    return new IpPool(pool.metadata(), pool.spec().withDisabled(disabled));
  }

  private static List<BlockView.Held> blocksIn(IpPool pool, BlockView view) {
    return view.all().stream()
        .filter(held -> pool.spec().cidr().contains(held.block().cidr()))
        .toList();
  }

  private BlockView blocks(Deadline deadline) {
    BlockView view = new BlockView();
    view.refresh(datastore, deadline);
    return view;
  }

  private static InvalidInputException unreadable(Cidr block, String reason) {
    return new InvalidInputException(
        "blocks", block.toString(), "blocks that this version can read: " + reason);
  }

  /**
   * Deletes the blocks of a disabled pool that are empty.
   *
   * @param always also when others are in use, or cannot be read; else none then
   * @return the blocks that are in use
   * @throws InvalidInputException when one cannot be read and {@code always} is not set
   */
  private List<BlockView.Held> deleteEmptyBlocks(IpPool pool, boolean always, Deadline deadline) {
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      BlockView view = blocks(deadline);
      if (!always) {
        view.unreadable().entrySet().stream()
            .filter(bad -> pool.spec().cidr().contains(bad.getKey()))
            .findFirst()
            .ifPresent(
                bad -> {
                  throw unreadable(bad.getKey(), bad.getValue());
                });
      }
      List<BlockView.Held> blocks = blocksIn(pool, view);
      List<BlockView.Held> used =
          blocks.stream().filter(held -> held.block().usedCount() > 0).toList();
      if (!used.isEmpty() && !always) {
        return used;
      }
      List<BlockView.Held> empty =
          blocks.stream().filter(held -> held.block().usedCount() == 0).toList();
      if (deleteAll(empty, deadline)) {
        return used;
      }
      // A host gave a block up, or released its last address: look again.
    }
    throw new IpamException.Contended(
        "deletion of the blocks of pool " + pool.name(), MAX_ATTEMPTS);
  }

  private boolean deleteAll(List<BlockView.Held> blocks, Deadline deadline) {
    for (int from = 0; from < blocks.size(); from += BLOCKS_AT_ONCE) {
      Transaction.Builder transaction = Transaction.builder();
      for (BlockView.Held held :
          blocks.subList(from, Math.min(blocks.size(), from + BLOCKS_AT_ONCE))) {
        String key = IpamKeys.block(held.block().cidr());
        transaction.ifUnchanged(key, held.version()).delete(key);
        held.block()
            .node()
            .ifPresent(node -> transaction.delete(IpamKeys.affinity(node, held.block().cidr())));
      }
      if (!datastore.commit(transaction.build(), deadline).isCommitted()) {
        return false;
      }
    }
    return true;
  }

  private static void checkFixed(IpPool pool, IpPool existing) {
    if (!pool.spec().cidr().equals(existing.spec().cidr())) {
      throw new InvalidInputException(
          "spec.cidr",
          pool.spec().cidr().toString(),
          existing.spec().cidr() + ", as it was created; make a new pool for another range");
    }
    if (!pool.spec().blockSize().equals(existing.spec().blockSize())) {
      throw new InvalidInputException(
          "spec.blockSize",
          pool.spec().blockSize().toString(),
          existing.spec().blockSize() + ", as it was created; make a new pool for another size");
    }
  }

  /** Called after the guard was read: what is found here is compared with it at the commit. */
  private void checkOverlap(IpPool pool, Collection<IpPool> beside, Deadline deadline) {
    Cidr cidr = pool.spec().cidr();
    ResourceStore.Listing<IpPool> listed = resources.list(IpPool.class, deadline);
    for (ResourceStore.Unreadable bad : listed.unreadable()) {
      // It may be the one that this one overlaps.
      throw new InvalidInputException(
          "spec.cidr",
          cidr.toString(),
          "a range beside pools that this version can read: " + bad.reason());
    }
    List<IpPool> others = new ArrayList<>(listed.resources());
    others.addAll(beside);
    Set<String> overlapping = new LinkedHashSet<>();
    for (IpPool other : others) {
      if (!other.name().equals(pool.name()) && other.spec().cidr().overlaps(cidr)) {
        overlapping.add(other.name() + " " + other.spec().cidr());
      }
    }
    if (!overlapping.isEmpty()) {
      throw new InvalidInputException(
          "spec.cidr",
          cidr.toString(),
          "a range that overlaps no other pool, here " + String.join(", ", overlapping));
    }
    BlockView view = blocks(deadline);
    List<Cidr> blocks = new ArrayList<>(view.unreadable().keySet());
    view.all().forEach(held -> blocks.add(held.block().cidr()));
    for (Cidr block : blocks) {
      boolean fits = cidr.contains(block) && block.prefixLength() == pool.spec().blockSize();
      if (block.overlaps(cidr) && !fits) {
        throw new InvalidInputException(
            "spec.cidr",
            cidr.toString(),
            "a range without the block "
                + block
                + ", which a deleted pool left in use, or that range with block size "
                + block.prefixLength());
      }
    }
  }

  private static ResourceConflictException conflict(
      ResourceConflictException.Problem problem, String name) {
    return new ResourceConflictException(problem, Kind.IP_POOL, name);
  }
}
