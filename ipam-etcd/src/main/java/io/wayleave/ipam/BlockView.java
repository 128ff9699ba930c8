package io.wayleave.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.Version;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All blocks as this process last saw them: from a listing, from its own transactions, and from the
 * refusals that told it better. It may be old; whoever acts on it names the version, so that an old
 * view costs one more attempt and never an address. NOT thread safe.
 */
final class BlockView {
  private static final Logger log = LoggerFactory.getLogger(BlockView.class);

  private final TreeMap<Cidr, Held> blocks = new TreeMap<>();
  // Networks with a record that this version cannot read, and why: neither used nor claimed.
  private final Map<Cidr, String> unreadable = new TreeMap<>();

  /** A block and the state of its record. */
  record Held(Block block, Version version) {}

  void refresh(Datastore datastore, Deadline deadline) {
    Datastore.Listing listing = datastore.listAll(Keys.BLOCKS, deadline);
    blocks.clear();
    unreadable.clear();
    listing.entries().forEach(this::update);
  }

  /** Takes over what a watch has told. */
  void replaceBy(WatchedBlocks.Told told) {
    blocks.clear();
    unreadable.clear();
    blocks.putAll(told.blocks());
    unreadable.putAll(told.unreadable());
  }

  /** Takes over what the store has for this block; nothing, when it has none. */
  void update(Cidr cidr, Optional<Entry> entry) {
    blocks.remove(cidr);
    unreadable.remove(cidr);
    entry.ifPresent(this::update);
  }

  private void update(Entry entry) {
    Cidr cidr;
    try {
      cidr = IpamKeys.cidr(entry.key());
    } catch (InvalidInputException e) {
      log.warn("foreign data where blocks are kept, left alone: {}", e.getMessage());
      return;
    }
    try {
      blocks.put(cidr, new Held(read(entry), entry.version()));
    } catch (InvalidInputException e) {
      log.warn("block not readable, left alone: {}", e.getMessage());
      unreadable.put(cidr, e.getMessage());
    }
  }

  static Block read(Entry entry) {
    Block block;
    try {
      block = Block.fromJson(entry.value());
    } catch (InvalidInputException e) {
      throw e.within(entry.key());
    }
    if (!entry.key().equals(IpamKeys.block(block.cidr()))) {
      throw new InvalidInputException(
          entry.key() + ".cidr", block.cidr().toString(), "the network in the key");
    }
    return block;
  }

  void put(Block block, Version version) {
    blocks.put(block.cidr(), new Held(block, version));
  }

  void remove(Cidr cidr) {
    blocks.remove(cidr);
  }

  /** The network is neither to be used nor claimed, unless there is a block that can be read. */
  void avoid(Cidr cidr, String reason) {
    if (!blocks.containsKey(cidr)) {
      unreadable.put(cidr, reason);
    }
  }

  void clear() {
    blocks.clear();
    unreadable.clear();
  }

  Optional<Held> get(Cidr cidr) {
    return Optional.ofNullable(blocks.get(cidr));
  }

  /** Whether there is any record for this network, readable or not. */
  boolean exists(Cidr cidr) {
    return blocks.containsKey(cidr) || unreadable.containsKey(cidr);
  }

  /** Networks with a record that cannot be read, and why. */
  Map<Cidr, String> unreadable() {
    return unreadable;
  }

  /** In order of network. */
  Collection<Held> all() {
    return blocks.values();
  }
}
