package io.wayleave.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What holds in the store after every step of every history, read from the raw records. */
final class Invariants {
  private Invariants() {}

  static void check(Datastore store) {
    assertThat(violations(store)).isEmpty();
  }

  /** What does not hold, in words. */
  static List<String> violations(Datastore store) {
    List<String> found = new ArrayList<>();
    Deadline deadline = Deadline.after(Duration.ofSeconds(30));
    Set<String> keys = new HashSet<>();
    Map<Cidr, Block> blocks = new HashMap<>();
    List<Handle> handles = new ArrayList<>();
    Map<Cidr, String> confirmed = new HashMap<>();
    for (Entry entry : store.listAll("", deadline).entries()) {
      keys.add(entry.key());
      if (entry.key().startsWith(Keys.BLOCKS)) {
        Block block = BlockView.read(entry);
        blocks.put(block.cidr(), block);
        if (entry.value().length >= 8192) {
          found.add("block " + block + " takes " + entry.value().length + " bytes");
        }
      } else if (entry.key().startsWith(Keys.HANDLES)) {
        handles.add(Ipam.readHandle(entry));
      } else if (entry.key().startsWith(Keys.AFFINITIES)) {
        Affinity affinity = Affinity.fromJson(entry.value());
        if (affinity.state() == Affinity.State.CONFIRMED) {
          String other = confirmed.put(affinity.block(), affinity.node());
          if (other != null) {
            found.add(affinity.block() + " is confirmed for " + other + " and " + affinity.node());
          }
        }
      }
    }
    checkHandles(handles, blocks, keys, found);
    checkBlocks(blocks, handles, confirmed, found);
    return found;
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
