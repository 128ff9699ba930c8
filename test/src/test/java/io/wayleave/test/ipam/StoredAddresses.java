package io.wayleave.test.ipam;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.model.Cidr;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What the datastore says of addresses, read by the description of the records in docs/ipam.md and
 * not by IPAM's own code, and what of it does not fit together.
 */
final class StoredAddresses {
  private static final String BLOCKS = "ipam/blocks/";
  private static final String AFFINITIES = "ipam/affinities/";
  private static final String HANDLES = "ipam/handles/";
  private static final List<String> OWNERS =
      List.of("ipam/owners/", "resources/workloadendpoints/");

  private record Block(String cidr, String node, String incarnation, Set<String> used) {}

  private record Address(String address, String block, String incarnation) {}

  private record Handle(String node, List<String> owners, List<Address> addresses) {}

  private final Map<String, Block> blocks = new TreeMap<>();
  private final Map<String, Handle> handles = new TreeMap<>();
  // By block, the host.
  private final Map<String, List<String>> confirmed = new TreeMap<>();
  private final List<String> pending = new ArrayList<>();
  private final Map<String, List<String>> owners = new TreeMap<>();

  private StoredAddresses() {}

  static StoredAddresses read(Datastore datastore, Deadline deadline) {
    StoredAddresses stored = new StoredAddresses();
    for (Entry entry : datastore.listAll("", deadline).entries()) {
      stored.add(entry);
    }
    return stored;
  }

  private void add(Entry entry) {
    String key = entry.key();
    if (key.startsWith(BLOCKS)) {
      JsonNode tree = json(entry);
      String cidr = tree.path("cidr").asText();
      blocks.put(
          cidr,
          new Block(
              cidr,
              tree.path("node").asText(""),
              tree.path("incarnation").asText(),
              used(Cidr.parse(cidr), tree.path("used").asText())));
    } else if (key.startsWith(AFFINITIES)) {
      JsonNode tree = json(entry);
      if (tree.path("state").asText().equals("confirmed")) {
        confirmed
            .computeIfAbsent(tree.path("block").asText(), _ -> new ArrayList<>())
            .add(tree.path("node").asText());
      } else {
        pending.add(key);
      }
    } else if (key.startsWith(HANDLES)) {
      JsonNode tree = json(entry);
      List<Address> addresses = new ArrayList<>();
      for (JsonNode each : tree.path("addresses")) {
        addresses.add(
            new Address(
                each.path("address").asText(),
                each.path("block").asText(),
                each.path("incarnation").asText()));
      }
      handles.put(
          key.substring(HANDLES.length()),
          new Handle(tree.path("node").asText(), texts(tree.path("owners")), addresses));
    } else if (OWNERS.stream().anyMatch(key::startsWith)) {
      owners.put(key, texts(json(entry).path("addresses")));
    }
  }

  private static JsonNode json(Entry entry) {
    try {
      return new ObjectMapper().readTree(entry.value());
    } catch (IOException e) {
      throw new UncheckedIOException(entry.key(), e);
    }
  }

  private static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    array.forEach(each -> texts.add(each.asText()));
    return texts;
  }

  /** The addresses whose bits are set: bit 0 of the first octet is the first address. */
  private static Set<String> used(Cidr cidr, String base64) {
    Set<String> used = new HashSet<>();
    BitSet.valueOf(Base64.getDecoder().decode(base64)).stream()
        .forEach(bit -> used.add(cidr.address().plus(bit).toString()));
    return used;
  }

  /** The addresses of each handle. */
  Map<String, List<String>> handles() {
    Map<String, List<String>> all = new TreeMap<>();
    handles.forEach(
        (id, handle) -> all.put(id, handle.addresses().stream().map(Address::address).toList()));
    return all;
  }

  /** Claims that are neither done nor undone. */
  List<String> pending() {
    return pending;
  }

  /** What is there of addresses in use; nothing, when all are free. */
  List<String> inUse() {
    List<String> all = new ArrayList<>();
    handles.keySet().forEach(id -> all.add("handle " + id));
    owners.keySet().forEach(key -> all.add("owner record " + key));
    blocks
        .values()
        .forEach(block -> block.used().forEach(address -> all.add("address " + address)));
    return all;
  }

  /** What does not fit together, in words. */
  List<String> violations() {
    List<String> found = new ArrayList<>();
    checkHandles(found);
    checkOwners(found);
    checkBlocks(found);
    return found;
  }

  private void checkHandles(List<String> found) {
    Map<String, String> holders = new HashMap<>();
    handles.forEach(
        (id, handle) -> {
          if (handle.addresses().isEmpty()) {
            found.add("handle " + id + " has no address");
          }
          for (Address each : handle.addresses()) {
            String other = holders.put(each.address(), id);
            if (other != null) {
              found.add(each.address() + " has two owners: " + other + " and " + id);
            }
            Block block = blocks.get(each.block());
            if (block == null || !block.incarnation().equals(each.incarnation())) {
              found.add(each.address() + " of " + id + " is in no block");
            } else if (!block.used().contains(each.address())) {
              found.add(each.address() + " of " + id + " is free in its block");
            }
          }
        });
    for (Block block : blocks.values()) {
      for (String address : block.used()) {
        if (!holders.containsKey(address)) {
          found.add(address + " is in use and has no handle: nobody can release it");
        }
      }
    }
  }

  private void checkOwners(List<String> found) {
    Set<String> named = new HashSet<>();
    handles.forEach(
        (id, handle) -> {
          named.addAll(handle.owners());
          List<String> addresses = handle.addresses().stream().map(Address::address).toList();
          if (handle.owners().isEmpty()) {
            found.add("handle " + id + " names no owner record");
          }
          for (String key : handle.owners()) {
            if (!owners.containsKey(key)) {
              found.add("handle " + id + " has no owner record " + key);
            } else if (!owners.get(key).equals(addresses)) {
              found.add(key + " says " + owners.get(key) + ", its handle " + addresses);
            }
          }
        });
    for (String key : owners.keySet()) {
      if (!named.contains(key)) {
        found.add("owner record " + key + " has no handle");
      }
    }
  }

  private void checkBlocks(List<String> found) {
    for (Block block : blocks.values()) {
      List<String> hosts = confirmed.getOrDefault(block.cidr(), List.of());
      if (!hosts.equals(block.node().isEmpty() ? List.of() : List.of(block.node()))) {
        found.add(
            "block " + block.cidr() + " is of '" + block.node() + "', affinities are of " + hosts);
      }
      if (block.node().isEmpty() && block.used().isEmpty()) {
        found.add("block " + block.cidr() + " is nobody's and empty");
      }
      for (Block other : blocks.values()) {
        if (!other.equals(block) && Cidr.parse(other.cidr()).overlaps(Cidr.parse(block.cidr()))) {
          found.add("blocks " + block.cidr() + " and " + other.cidr() + " overlap");
        }
      }
    }
    for (String cidr : confirmed.keySet()) {
      if (!blocks.containsKey(cidr)) {
        found.add("affinity of " + confirmed.get(cidr) + " for " + cidr + " has no block");
      }
    }
  }

  @Override
  public String toString() {
    long addresses = handles.values().stream().mapToLong(each -> each.addresses().size()).sum();
    return handles.size()
        + " handles with "
        + addresses
        + " addresses in "
        + blocks.size()
        + " blocks";
  }
}
