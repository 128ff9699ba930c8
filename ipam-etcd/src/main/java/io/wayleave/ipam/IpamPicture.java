package io.wayleave.ipam;

import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Version;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import io.wayleave.model.Kind;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.WorkloadEndpoint;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Every record of IPAM, and the endpoints, pools and nodes beside them, as one pass of reading
 * found them. The pass is not of one moment; what is in two pictures with the same version was so
 * at every moment between them. NOT thread safe.
 */
final class IpamPicture {
  /** Everything of IPAM is below. */
  static final String IPAM = "ipam/";

  static final String ENDPOINTS = ResourceStore.prefix(Kind.WORKLOAD_ENDPOINT);

  private final Map<String, Entry> entries = new TreeMap<>();
  private final TreeMap<Cidr, BlockView.Held> blocks = new TreeMap<>();
  private final Map<String, Handle> handles = new TreeMap<>();
  private final Map<String, Affinity> affinities = new TreeMap<>();
  private final List<Owner> owners = new ArrayList<>();
  private final List<IpPool> pools = new ArrayList<>();
  private final List<Misfit> misfits = new ArrayList<>();
  private final Set<String> misfitKeys = new HashSet<>();
  private final Set<String> nodes = new HashSet<>();
  private final Map<IpAddress, List<Handle>> holders = new HashMap<>();
  private final Set<String> owned = new HashSet<>();

  /**
   * A record that was written with a handle.
   *
   * @param handle the id of the handle that it must have been written with
   */
  record Owner(String key, String handle, String node, List<IpAddress> addresses) {}

  /** A record that cannot be taken for what its key says. */
  record Misfit(IpamProblem.Kind kind, String key, String reason) {}

  private IpamPicture() {}

  static IpamPicture read(Datastore datastore, Deadline deadline) {
    IpamPicture picture = new IpamPicture();
    for (Entry entry : datastore.listAll(IPAM, deadline).entries()) {
      picture.entries.put(entry.key(), entry);
      picture.decode(entry);
    }
    for (Entry entry : datastore.listAll(ENDPOINTS, deadline).entries()) {
      picture.entries.put(entry.key(), entry);
      picture.guarded(entry, () -> picture.addEndpoint(entry));
    }
    for (Entry entry : datastore.listAll(ResourceStore.prefix(Kind.IP_POOL), deadline).entries()) {
      picture.entries.put(entry.key(), entry);
      picture.guarded(entry, () -> picture.addPool(entry));
    }
    for (String prefix : List.of(ResourceStore.prefix(Kind.NODE), Keys.PRESENCE)) {
      for (Entry entry : datastore.listAll(prefix, deadline).entries()) {
        picture.entries.put(entry.key(), entry);
        picture.nodes.add(entry.key().substring(prefix.length()));
      }
    }
    picture.handles.values().forEach(picture::index);
    picture.misfits.forEach(misfit -> picture.misfitKeys.add(misfit.key()));
    return picture;
  }

  private void index(Handle handle) {
    owned.addAll(handle.owners());
    for (IpAddress address : handle.addresses()) {
      holders.computeIfAbsent(address, _ -> new ArrayList<>()).add(handle);
    }
  }

  private void decode(Entry entry) {
    String key = entry.key();
    if (key.startsWith(Keys.BLOCKS)) {
      guarded(entry, () -> addBlock(entry));
    } else if (key.startsWith(Keys.HANDLES)) {
      guarded(entry, () -> addHandle(entry));
    } else if (key.startsWith(Keys.AFFINITIES)) {
      guarded(entry, () -> addAffinity(entry));
    } else if (key.startsWith(IpamKeys.OWNERS)) {
      guarded(entry, () -> addOwner(entry));
    } else if (!key.equals(Keys.POOL_GUARD) && !key.equals(Keys.SETTINGS_GUARD)) {
      misfits.add(
          new Misfit(
              IpamProblem.Kind.WRONG_KEY,
              key,
              "nothing of Wayleave has such a key; known are blocks, affinities, handles,"
                  + " owners, guard and settings"));
    }
  }

  private interface Reading {
    void run();
  }

  private void guarded(Entry entry, Reading reading) {
    try {
      reading.run();
    } catch (InvalidInputException e) {
      boolean newer = e.field().equals("schema") && e.value().matches("[1-9][0-9]*");
      misfits.add(
          new Misfit(
              newer ? IpamProblem.Kind.NEWER_SCHEMA : IpamProblem.Kind.UNREADABLE_VALUE,
              entry.key(),
              e.getMessage()));
    }
  }

  /** Whether the record has the key that it belongs under. */
  private boolean fits(Entry entry, String expected) {
    if (!entry.key().equals(expected)) {
      misfits.add(
          new Misfit(
              IpamProblem.Kind.WRONG_KEY, entry.key(), "its value belongs under " + expected));
      return false;
    }
    return true;
  }

  private void addBlock(Entry entry) {
    Block block = Block.fromJson(entry.value());
    if (fits(entry, IpamKeys.block(block.cidr()))) {
      blocks.put(block.cidr(), new BlockView.Held(block, entry.version()));
    }
  }

  private void addHandle(Entry entry) {
    Handle handle = Handle.fromJson(entry.value());
    if (fits(entry, IpamKeys.handle(handle.id()))) {
      handles.put(handle.id(), handle);
    }
  }

  private void addAffinity(Entry entry) {
    Affinity affinity = Affinity.fromJson(entry.value());
    if (fits(entry, IpamKeys.affinity(affinity.node(), affinity.block()))) {
      affinities.put(entry.key(), affinity);
    }
  }

  private void addOwner(Entry entry) {
    JsonNode tree = Json.read(entry.value(), OwnerRecord.SCHEMA);
    String handle = Json.text(tree, "handle");
    if (!fits(entry, IpamKeys.owner(handle))) {
      return;
    }
    List<IpAddress> addresses = new ArrayList<>();
    for (JsonNode address : tree.path("addresses")) {
      addresses.add(IpAddress.parse(address.asText()));
    }
    owners.add(new Owner(entry.key(), handle, Json.text(tree, "node"), addresses));
  }

  private void addEndpoint(Entry entry) {
    WorkloadEndpoint endpoint = ResourceCodec.fromJson(entry.value(), WorkloadEndpoint.class);
    if (fits(entry, ResourceStore.key(endpoint))) {
      owners.add(
          new Owner(
              entry.key(),
              endpoint.name(),
              endpoint.spec().node(),
              endpoint.spec().ipNetworks().stream().map(Cidr::address).toList()));
    }
  }

  private void addPool(Entry entry) {
    IpPool pool = ResourceCodec.fromJson(entry.value(), IpPool.class);
    if (fits(entry, ResourceStore.key(pool))) {
      pools.add(pool);
    }
  }

  /** In order of network. */
  SortedMap<Cidr, BlockView.Held> blocks() {
    return blocks;
  }

  Optional<Block> block(Cidr cidr) {
    return Optional.ofNullable(blocks.get(cidr)).map(BlockView.Held::block);
  }

  /** The block that has this address, if one does. */
  Optional<Block> blockWith(IpAddress address) {
    // The last one that begins at or before it; blocks that overlap are a problem of their own.
    return Optional.ofNullable(blocks.floorEntry(address.toCidr()))
        .map(found -> found.getValue().block())
        .filter(block -> block.cidr().contains(address));
  }

  Map<String, Handle> handles() {
    return handles;
  }

  Collection<Affinity> affinities() {
    return affinities.values();
  }

  /** Whether the block's host has a confirmed claim on it. */
  boolean isConfirmed(Block block) {
    return block
        .node()
        .map(node -> affinities.get(IpamKeys.affinity(node, block.cidr())))
        .filter(affinity -> affinity.state() == Affinity.State.CONFIRMED)
        .isPresent();
  }

  List<Owner> owners() {
    return owners;
  }

  List<IpPool> pools() {
    return pools;
  }

  List<Misfit> misfits() {
    return misfits;
  }

  /** The keys below this prefix that cannot be taken for what they should be. */
  List<String> misfits(String prefix) {
    return misfits.stream().map(Misfit::key).filter(key -> key.startsWith(prefix)).toList();
  }

  boolean isMisfit(String key) {
    return misfitKeys.contains(key);
  }

  /** The handles that have this address. */
  List<Handle> holders(IpAddress address) {
    return holders.getOrDefault(address, List.of());
  }

  /** Whether a handle names this key as its owner record. */
  boolean isOwned(String key) {
    return owned.contains(key);
  }

  Optional<IpPool> poolOf(Cidr network) {
    return pools.stream().filter(pool -> pool.spec().cidr().contains(network)).findFirst();
  }

  /** Whether a host of this name has a Node or a life sign. */
  boolean hasNode(String name) {
    return nodes.contains(name);
  }

  boolean exists(String key) {
    return entries.containsKey(key);
  }

  Entry entry(String key) {
    return entries.get(key);
  }

  Optional<Version> version(String key) {
    return Optional.ofNullable(entries.get(key)).map(Entry::version);
  }
}
