package io.wayleave.ipam;

import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One release as a transaction, for one view of the blocks. NOT thread safe. */
final class Release {
  private static final Logger log = LoggerFactory.getLogger(Release.class);

  private final Handle handle;
  private final Map<Cidr, BlockView.Held> before;
  private final Map<Cidr, List<Handle.Assigned>> byBlock = new LinkedHashMap<>();
  private final Map<Cidr, Optional<Block>> after = new LinkedHashMap<>();

  /**
   * @param before the blocks that exist, of those that the handle names
   */
  Release(Handle handle, Map<Cidr, BlockView.Held> before) {
    this.handle = handle;
    this.before = Map.copyOf(before);
    handle
        .assigned()
        .forEach(each -> byBlock.computeIfAbsent(each.block(), _ -> new ArrayList<>()).add(each));
  }

  Set<Cidr> blocks() {
    return byBlock.keySet();
  }

  /**
   * Deletes the handle and its owners and frees its addresses, if everything is as it was seen.
   *
   * @param handleEntry the handle's record as read
   * @param now in seconds since 1970
   */
  Transaction.Builder transaction(Entry handleEntry, long now) {
    Transaction.Builder transaction = Transaction.builder();
    transaction.ifUnchanged(handleEntry).delete(handleEntry.key());
    handle.owners().forEach(transaction::delete);
    byBlock.forEach((cidr, assigned) -> free(transaction, cidr, assigned, now));
    return transaction;
  }

  private void free(
      Transaction.Builder transaction, Cidr cidr, List<Handle.Assigned> assigned, long now) {
    String key = IpamKeys.block(cidr);
    BlockView.Held held = before.get(cidr);
    if (held == null) {
      // Somebody removed the block by force; there is nothing to free, as long as that is so.
      transaction.ifAbsent(key);
      return;
    }
    transaction.ifUnchanged(key, held.version());
    List<IpAddress> ours =
        assigned.stream()
            .filter(each -> each.incarnation().equals(held.block().incarnation()))
            .map(Handle.Assigned::address)
            .toList();
    if (ours.size() < assigned.size()) {
      log.warn(
          "block was made anew since, addresses not freed block={} handle={}", cidr, handle.id());
    }
    if (ours.isEmpty()) {
      return;
    }
    Block freed = held.block().release(ours, now);
    if (freed.usedCount() == 0 && freed.node().isEmpty()) {
      // The last address of a block that its host gave up before.
      transaction.delete(key);
      after.put(cidr, Optional.empty());
    } else {
      transaction.put(key, freed.toJson());
      after.put(cidr, Optional.of(freed));
    }
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
