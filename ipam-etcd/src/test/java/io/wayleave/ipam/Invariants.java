package io.wayleave.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Version;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import io.wayleave.model.Kind;
import io.wayleave.model.ResourceCodec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * What holds in the store after every step of every history, read from the raw records. One object
 * looks at one store, again and again, and reads anew only what has changed. NOT thread safe.
 */
final class Invariants {
  private static final String POOLS = ResourceStore.prefix(Kind.IP_POOL);

  private final Datastore store;
  private Map<String, Read> read = new HashMap<>();

  /** A record in one of its states. */
  private record Read(Version version, Object record) {}

  Invariants(Datastore store) {
    this.store = store;
  }

  static void check(Datastore store) {
    assertThat(violations(store)).isEmpty();
  }

  /** What does not hold, in words. */
  static List<String> violations(Datastore store) {
    return new Invariants(store).violations();
  }

  /** The handles, blocks or pools that the store had at the last look. */
  <T> List<T> records(Class<T> type) {
    return read.values().stream()
        .map(Read::record)
        .filter(type::isInstance)
        .map(type::cast)
        .toList();
  }

  private <T> T record(Entry entry, Map<String, Read> now, Function<Entry, T> reader) {
    Read before = read.get(entry.key());
    Read current =
        before != null && before.version().equals(entry.version())
            ? before
            : new Read(entry.version(), reader.apply(entry));
    now.put(entry.key(), current);
    @SuppressWarnings("unchecked") // of one key the reader is always the same
    T record = (T) current.record();
    return record;
  }

  /** What does not hold now, in words. */
  List<String> violations() {
    Map<String, Read> now = new HashMap<>();
    List<String> found = new ArrayList<>();
    Deadline deadline = Deadline.after(Duration.ofSeconds(30));
    Set<String> keys = new HashSet<>();
    Map<Cidr, Block> blocks = new HashMap<>();
    List<Handle> handles = new ArrayList<>();
    Map<Cidr, String> confirmed = new HashMap<>();
    for (Entry entry : store.listAll("", deadline).entries()) {
      keys.add(entry.key());
      if (entry.key().startsWith(Keys.BLOCKS)) {
        Block block = record(entry, now, BlockView::read);
        blocks.put(block.cidr(), block);
        if (entry.value().length >= 8192) {
          found.add("block " + block + " takes " + entry.value().length + " bytes");
        }
      } else if (entry.key().startsWith(Keys.HANDLES)) {
        handles.add(record(entry, now, Ipam::readHandle));
      } else if (entry.key().startsWith(Keys.AFFINITIES)) {
        Affinity affinity = record(entry, now, each -> Affinity.fromJson(each.value()));
        if (affinity.state() == Affinity.State.CONFIRMED) {
          String other = confirmed.put(affinity.block(), affinity.node());
          if (other != null) {
            found.add(affinity.block() + " is confirmed for " + other + " and " + affinity.node());
          }
        }
      } else if (entry.key().startsWith(POOLS)) {
        IpPool _ = record(entry, now, Invariants::readPool);
      }
    }
    read = now;
    checkHandles(handles, blocks, keys, found);
    checkBlocks(blocks, handles, confirmed, found);
    return found;
  }

  private static IpPool readPool(Entry entry) {
    return ResourceCodec.fromJson(entry.value(), IpPool.class);
  }

  private static void checkHandles(
      List<Handle> handles, Map<Cidr, Block> blocks, Set<String> keys, List<String> found) {
    Map<IpAddress, String> holders = new HashMap<>();
    for (Handle handle : handles) {
      if (handle.owners().isEmpty()) {
        found.add("handle " + handle.id() + " names no owner record");
      }
      for (String owner : handle.owners()) {
        if (!keys.contains(owner)) {
          found.add("handle " + handle.id() + " has no owner record " + owner);
        }
      }
      for (Handle.Assigned assigned : handle.assigned()) {
        String other = holders.put(assigned.address(), handle.id());
        if (other != null) {
          found.add(assigned.address() + " has two holders: " + other + " and " + handle.id());
        }
        Block block = blocks.get(assigned.block());
        if (block == null || !block.incarnation().equals(assigned.incarnation())) {
          found.add(assigned.address() + " of " + handle.id() + " is in no block");
        } else if (!block.isUsed(assigned.address())) {
          found.add(assigned.address() + " of " + handle.id() + " is free in its block");
        }
      }
    }
    Set<String> owned = new HashSet<>();
    handles.forEach(handle -> owned.addAll(handle.owners()));
    for (String key : keys) {
      boolean owner =
          key.startsWith(Keys.RESOURCES + "workloadendpoints/") || key.startsWith(IpamKeys.OWNERS);
      if (owner && !owned.contains(key)) {
        found.add("owner record " + key + " has no handle");
      }
    }
  }

  private static void checkBlocks(
      Map<Cidr, Block> blocks,
      List<Handle> handles,
      Map<Cidr, String> confirmed,
      List<String> found) {
    Set<IpAddress> held = new HashSet<>();
    handles.forEach(handle -> held.addAll(handle.addresses()));
    for (Block block : blocks.values()) {
      for (IpAddress address : block.usedAddresses()) {
        if (!held.contains(address)) {
          found.add(address + " is used in " + block.cidr() + " and has no handle");
        }
      }
      for (Block other : blocks.values()) {
        if (!other.cidr().equals(block.cidr()) && other.cidr().overlaps(block.cidr())) {
          found.add("blocks " + block.cidr() + " and " + other.cidr() + " overlap");
        }
      }
      if (!block.node().equals(java.util.Optional.ofNullable(confirmed.get(block.cidr())))) {
        found.add(block + " is confirmed for " + confirmed.getOrDefault(block.cidr(), "nobody"));
      }
    }
    for (Cidr cidr : confirmed.keySet()) {
      if (!blocks.containsKey(cidr)) {
        found.add("affinity of " + confirmed.get(cidr) + " for " + cidr + " has no block");
      }
    }
  }
}
