package io.wayleave.ipam;

import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** Shows what is allocated, and to whom; changes nothing. Thread safe; blocks. */
public final class IpamInspector {
  private final Datastore datastore;

  /**
   * A pool and what is used of it.
   *
   * @param capacity addresses in all; {@link Long#MAX_VALUE} when there are more than that
   * @param allocated addresses in use
   * @param blocks the blocks that hosts have claimed
   */
  public record PoolUsage(IpPool pool, long capacity, long allocated, List<BlockUsage> blocks) {
    public PoolUsage {
      blocks = List.copyOf(blocks);
    }

    public long free() {
      return capacity == Long.MAX_VALUE ? Long.MAX_VALUE : capacity - allocated;
    }
  }

  /**
   * A block and what is used of it.
   *
   * @param node whose it is; empty: nobody's
   */
  public record BlockUsage(Cidr block, Optional<String> node, int size, int allocated) {}

  /**
   * An address in use.
   *
   * @param block that it was taken from
   * @param blockNode whose that is; empty: nobody's
   */
  public record AddressUsage(
      IpAddress address, Handle handle, Cidr block, Optional<String> blockNode) {
    /** Whether its block belongs to another host, or to none. */
    public boolean borrowed() {
      return !blockNode.equals(Optional.of(handle.node()));
    }
  }

  /**
   * All that is known of one address.
   *
   * @param pool that it lies in
   * @param block that has it
   * @param taken whether that block has it as taken
   * @param holders the handles that have it: one, when all is well and it is taken
   * @param owners the records of these handles that exist
   */
  public record AddressDetail(
      IpAddress address,
      Optional<IpPool> pool,
      Optional<BlockUsage> block,
      boolean taken,
      List<Handle> holders,
      List<String> owners) {
    public AddressDetail {
      holders = List.copyOf(holders);
      owners = List.copyOf(owners);
    }
  }

  /**
   * Everything at one glance.
   *
   * @param outside blocks in no pool, left by pools that were deleted by force
   * @param unreadable keys with values that this version cannot read, and why
   */
  public record Report(
      List<PoolUsage> pools, List<BlockUsage> outside, List<ResourceStore.Unreadable> unreadable) {
    public Report {
      pools = List.copyOf(pools);
      outside = List.copyOf(outside);
      unreadable = List.copyOf(unreadable);
    }
  }

  /** Handles, and the keys with values that this version cannot read as such. */
  public record Handles(List<Handle> handles, List<ResourceStore.Unreadable> unreadable) {
    public Handles {
      handles = List.copyOf(handles);
      unreadable = List.copyOf(unreadable);
    }
  }

  public IpamInspector(Datastore datastore) {
    this.datastore = requireNonNull(datastore, "datastore is null");
  }

  /** All pools and blocks. */
  public Report report(Deadline deadline) {
    ResourceStore.Listing<IpPool> pools = new Pools(datastore).list(deadline);
    List<ResourceStore.Unreadable> unreadable = new ArrayList<>(pools.unreadable());
    List<Block> rest = new ArrayList<>(blocks(unreadable, deadline));
    List<PoolUsage> usages = new ArrayList<>();
    for (IpPool pool : pools.resources()) {
      List<Block> inside =
          rest.stream().filter(block -> pool.spec().cidr().contains(block.cidr())).toList();
      rest.removeAll(inside);
      usages.add(
          new PoolUsage(
              pool,
              pool.spec().cidr().size(),
              inside.stream().mapToLong(Block::usedCount).sum(),
              inside.stream().map(IpamInspector::usage).toList()));
    }
    return new Report(usages, rest.stream().map(IpamInspector::usage).toList(), unreadable);
  }

  /** The addresses in use within a range, in order, each with its handle. */
  public List<AddressUsage> addresses(Cidr range, Deadline deadline) {
    return addresses(range::contains, deadline);
  }

  /** All addresses in use, in order, each with its handle. */
  public List<AddressUsage> addresses(Deadline deadline) {
    return addresses(_ -> true, deadline);
  }

  private List<AddressUsage> addresses(Predicate<IpAddress> wanted, Deadline deadline) {
    Map<Cidr, Block> blocks = new HashMap<>();
    blocks(new ArrayList<>(), deadline).forEach(block -> blocks.put(block.cidr(), block));
    List<AddressUsage> usages = new ArrayList<>();
    for (Handle handle : handles(deadline).handles()) {
      for (Handle.Assigned assigned : handle.assigned()) {
        if (wanted.test(assigned.address())) {
          usages.add(
              new AddressUsage(
                  assigned.address(),
                  handle,
                  assigned.block(),
                  Optional.ofNullable(blocks.get(assigned.block())).flatMap(Block::node)));
        }
      }
    }
    usages.sort((a, b) -> a.address().compareTo(b.address()));
    return usages;
  }

  /** All that is known of one address. */
  public AddressDetail address(IpAddress address, Deadline deadline) {
    IpamPicture picture = IpamPicture.read(datastore, deadline);
    Optional<Block> block = picture.blockWith(address);
    List<Handle> holders = picture.holders(address);
    return new AddressDetail(
        address,
        picture.poolOf(address.toCidr()),
        block.map(IpamInspector::usage),
        block.filter(each -> each.isUsed(address)).isPresent(),
        holders,
        holders.stream()
            .flatMap(holder -> holder.owners().stream())
            .filter(picture::exists)
            .toList());
  }

  /** All handles, in order of id. */
  public Handles handles(Deadline deadline) {
    List<Handle> handles = new ArrayList<>();
    List<ResourceStore.Unreadable> unreadable = new ArrayList<>();
    for (Entry entry : datastore.listAll(Keys.HANDLES, deadline).entries()) {
      try {
        handles.add(Ipam.readHandle(entry));
      } catch (InvalidInputException e) {
        unreadable.add(new ResourceStore.Unreadable(entry.key(), e.getMessage()));
      }
    }
    return new Handles(handles, unreadable);
  }

  private List<Block> blocks(List<ResourceStore.Unreadable> unreadable, Deadline deadline) {
    List<Block> blocks = new ArrayList<>();
    for (Entry entry : datastore.listAll(Keys.BLOCKS, deadline).entries()) {
      try {
        blocks.add(BlockView.read(entry));
      } catch (InvalidInputException e) {
        unreadable.add(new ResourceStore.Unreadable(entry.key(), e.getMessage()));
      }
    }
    return blocks;
  }

  private static BlockUsage usage(Block block) {
    return new BlockUsage(block.cidr(), block.node(), block.size(), block.usedCount());
  }
}
