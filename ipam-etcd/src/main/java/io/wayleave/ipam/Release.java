package io.wayleave.ipam;

import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.Version;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The release of some handles as one transaction, for one view of the blocks. NOT thread safe. */
final class Release {
  private static final Logger log = LoggerFactory.getLogger(Release.class);

  /** Keys that the caller may compare as well: the signs of a node. */
  static final int MORE_CONDITIONS = 2;

  private final Map<Entry, Handle> handles = new LinkedHashMap<>();
  // Of the handles and their owner records, all of which are deleted.
  private final Set<String> keys = new HashSet<>();
  private final Set<Cidr> blocks = new LinkedHashSet<>();
  private final Map<Cidr, Optional<Block>> after = new LinkedHashMap<>();

  /** The release of one handle. */
  static Release of(Entry entry, Handle handle) {
    Release release = new Release();
    boolean _ = release.add(entry, handle);
    return release;
  }

  /**
   * Takes one more handle, if it fits.
   *
   * @param entry the handle's record as read
   */
  boolean add(Entry entry, Handle handle) {
    Set<String> more = new LinkedHashSet<>(handle.owners());
    more.add(entry.key());
    Set<Cidr> touched = new LinkedHashSet<>(blocks);
    touched.addAll(blocksOf(handle));
    int operations = keys.size() + more.size() + touched.size();
    // Two callers may ask for the same one: the second finds it gone.
    boolean apart = more.stream().noneMatch(keys::contains);
    if (!handles.isEmpty()
        && (!apart || operations + MORE_CONDITIONS > Transaction.MAX_OPERATIONS)) {
      return false;
    }
    handles.put(entry, handle);
    keys.addAll(more);
    blocks.addAll(touched);
    return true;
  }

  static Set<Cidr> blocksOf(Handle handle) {
    Set<Cidr> blocks = new LinkedHashSet<>();
    handle.assigned().forEach(each -> blocks.add(each.block()));
    return blocks;
  }

  Set<Cidr> blocks() {
    return blocks;
  }

  /**
   * Deletes the handles and their owners and frees their addresses, if everything is as it was
   * seen.
   *
   * @param before the blocks that exist, of those that the handles name
   * @param owners versions of the owner records that exist, of those that the handles name
   * @param now in seconds since 1970
   */
  Transaction.Builder transaction(
      Map<Cidr, BlockView.Held> before, Map<String, Version> owners, long now) {
    Transaction.Builder transaction = Transaction.builder();
    handles.forEach(
        (entry, handle) -> {
          transaction.ifUnchanged(entry).delete(entry.key());
          for (String owner : handle.owners()) {
            // One that somebody removed, and that comes back meanwhile, is not this handle's.
            if (owners.containsKey(owner)) {
              transaction.ifUnchanged(owner, owners.get(owner)).delete(owner);
            }
          }
        });
    for (Cidr cidr : blocks) {
      free(transaction, cidr, Optional.ofNullable(before.get(cidr)), now);
    }
    return transaction;
  }

  private void free(
      Transaction.Builder transaction, Cidr cidr, Optional<BlockView.Held> held, long now) {
    String key = IpamKeys.block(cidr);
    if (held.isEmpty()) {
      // Somebody removed the block by force; there is nothing to free, as long as that is so.
      transaction.ifAbsent(key);
      return;
    }
    Block block = held.get().block();
    transaction.ifUnchanged(key, held.get().version());
    List<IpAddress> ours = new ArrayList<>();
    handles.values().forEach(handle -> ours.addAll(freed(handle, block)));
    if (ours.isEmpty()) {
      return;
    }
    after.put(cidr, write(transaction, block.release(ours, now)));
  }

  /**
   * Writes a block from which addresses were freed. One that its host gave up before goes with its
   * last address.
   *
   * @return the block, if it stays
   */
  static Optional<Block> write(Transaction.Builder transaction, Block freed) {
    String key = IpamKeys.block(freed.cidr());
    if (freed.usedCount() == 0 && freed.node().isEmpty()) {
      transaction.delete(key);
      return Optional.empty();
    }
    transaction.put(key, freed.toJson());
    return Optional.of(freed);
  }

  /** The addresses that the handle has of this block. */
  private static List<IpAddress> freed(Handle handle, Block block) {
    List<Handle.Assigned> there =
        handle.assigned().stream().filter(each -> each.block().equals(block.cidr())).toList();
    List<IpAddress> ours =
        there.stream()
            .filter(each -> each.incarnation().equals(block.incarnation()))
            .map(Handle.Assigned::address)
            .toList();
    if (ours.size() < there.size()) {
      log.warn(
          "block was made anew since, addresses not freed block={} handle={}",
          block.cidr(),
          handle.id());
    }
    return ours;
  }

  /** Takes over what the transaction did. */
  void applyTo(HostMemory memory, TransactionResult.Committed committed) {
    after.forEach(
        (cidr, block) ->
            block.ifPresentOrElse(
                left -> memory.wrote(left, committed.versionOf(IpamKeys.block(cidr))),
                () -> memory.deleted(cidr)));
  }
}
