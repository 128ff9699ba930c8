package io.wayleave.ipam;

import io.wayleave.datastore.Keys;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Version;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import io.wayleave.model.Kind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What is wrong in one {@link IpamPicture}. As that is not of one moment, what is found may be
 * something that was just being written; each problem therefore names all records that an orderly
 * change would have touched, and is one only when these stayed as they are. NOT thread safe.
 */
final class IpamDiagnosis {
  /** Addresses in one problem that names a handle for each, so that its mending fits one write. */
  private static final int HANDLES_AT_ONCE = 50;

  private static final String POOLS = ResourceStore.prefix(Kind.IP_POOL);

  private final IpamPicture picture;
  private final List<IpamProblem> found = new ArrayList<>();

  private IpamDiagnosis(IpamPicture picture) {
    this.picture = picture;
  }

  /** All problems, those of one class together. */
  static List<IpamProblem> of(IpamPicture picture) {
    IpamDiagnosis diagnosis = new IpamDiagnosis(picture);
    for (IpamPicture.Misfit misfit : picture.misfits()) {
      diagnosis.found(misfit.kind(), misfit.key(), List.of(), misfit.reason(), misfit.key());
    }
    diagnosis.overlaps();
    picture.blocks().values().forEach(held -> diagnosis.block(held.block()));
    picture.handles().values().forEach(diagnosis::handle);
    diagnosis.unallocated();
    picture.owners().forEach(diagnosis::owner);
    picture.affinities().forEach(diagnosis::affinity);
    return diagnosis.found.stream()
        .sorted((a, b) -> a.kind().compareTo(b.kind())) // stable
        .toList();
  }

  private void found(
      IpamProblem.Kind kind,
      String subject,
      Collection<IpAddress> addresses,
      String detail,
      String... seen) {
    Map<String, Optional<Version>> versions = new TreeMap<>();
    for (String key : seen) {
      versions.put(key, picture.version(key));
    }
    found.add(new IpamProblem(kind, subject, List.copyOf(addresses), detail, versions));
  }

  /** Networks in order: those within another come right after it. */
  private void overlaps() {
    Optional<Cidr> outer = Optional.empty();
    for (Cidr cidr : picture.blocks().keySet()) {
      if (outer.isPresent() && outer.get().contains(cidr)) {
        found(
            IpamProblem.Kind.INVALID_BLOCK,
            cidr.toString(),
            List.of(),
            "overlaps block " + outer.get(),
            IpamKeys.block(cidr),
            IpamKeys.block(outer.get()));
      } else {
        outer = Optional.of(cidr);
      }
    }
  }

  private void block(Block block) {
    String key = IpamKeys.block(block.cidr());
    Optional<IpPool> pool = picture.poolOf(block.cidr());
    if (pool.isPresent() && pool.get().spec().blockSize() != block.cidr().prefixLength()) {
      found(
          IpamProblem.Kind.INVALID_BLOCK,
          block.cidr().toString(),
          block.usedAddresses(),
          "pool "
              + pool.get().name()
              + " is cut into blocks of /"
              + pool.get().spec().blockSize()
              + ", so nobody uses this one",
          key,
          Keys.POOL_GUARD);
    } else if (pool.isEmpty() && picture.misfits(POOLS).isEmpty()) {
      outside(block, key);
    }
    String claim = block.node().map(node -> IpamKeys.affinity(node, block.cidr())).orElse("");
    if (!claim.isEmpty() && !picture.isMisfit(claim) && !picture.isConfirmed(block)) {
      found(
          IpamProblem.Kind.BLOCK_WITHOUT_AFFINITY,
          block.cidr().toString(),
          List.of(),
          "belongs to "
              + block.node().orElseThrow()
              + ", which has "
              + (picture.exists(claim) ? "only a pending claim" : "no claim")
              + " on it",
          key,
          claim);
    }
    List<IpAddress> leaked =
        block.usedAddresses().stream()
            .filter(address -> picture.holders(address).isEmpty())
            .toList();
    if (!leaked.isEmpty()) {
      found(
          IpamProblem.Kind.ADDRESS_WITHOUT_HANDLE,
          block.cidr().toString(),
          leaked,
          "has them as taken, and no handle has them",
          key);
    }
  }

  private void outside(Block block, String key) {
    if (block.usedCount() > 0) {
      found(
          IpamProblem.Kind.IN_USE_OUTSIDE_POOLS,
          block.cidr().toString(),
          block.usedAddresses(),
          "lies in no pool and has addresses in use",
          key,
          Keys.POOL_GUARD);
    } else {
      found(
          IpamProblem.Kind.BLOCK_OUTSIDE_POOLS,
          block.cidr().toString(),
          List.of(),
          "lies in no pool and is empty",
          key,
          Keys.POOL_GUARD);
    }
  }

  private void handle(Handle handle) {
    String key = IpamKeys.handle(handle.id());
    if (handle.assigned().isEmpty()) {
      found(
          IpamProblem.Kind.HANDLE_WITHOUT_ADDRESSES, handle.id(), List.of(), "has no address", key);
    }
    if (!picture.hasNode(handle.node())) {
      List<String> signs = IpamKeys.signsOf(handle.node());
      found(
          IpamProblem.Kind.ALLOCATED_BUT_UNUSED,
          handle.id(),
          handle.addresses(),
          "node " + handle.node() + " does not exist and shows no sign of life",
          key,
          signs.getFirst(),
          signs.getLast());
    }
    if (!handle.assigned().isEmpty()) {
      ownersOf(handle, key);
    }
    for (IpAddress address : handle.addresses()) {
      List<Handle> holders = picture.holders(address);
      if (holders.size() > 1 && holders.getFirst().equals(handle)) {
        found(
            IpamProblem.Kind.SEVERAL_OWNERS,
            address.toString(),
            List.of(address),
            "handles " + String.join(", ", holders.stream().map(Handle::id).toList()) + " have it",
            holders.stream()
                .map(holder -> IpamKeys.handle(holder.id()))
                .distinct()
                .toArray(String[]::new));
      }
    }
  }

  private void ownersOf(Handle handle, String key) {
    if (handle.owners().isEmpty()) {
      found(
          IpamProblem.Kind.OWNER_RECORD_MISSING,
          handle.id(),
          handle.addresses(),
          "names no owner record",
          key);
    }
    for (String owner : handle.owners()) {
      // Of others it is not known what they are.
      boolean known = owner.startsWith(IpamPicture.ENDPOINTS) || owner.startsWith(IpamKeys.OWNERS);
      if (known && !picture.exists(owner)) {
        found(
            IpamProblem.Kind.OWNER_RECORD_MISSING,
            handle.id(),
            handle.addresses(),
            "its owner record " + owner + " does not exist",
            key,
            owner);
      }
    }
  }

  /** Addresses of handles that their block does not have as taken by them. */
  private void unallocated() {
    Map<Cidr, Map<IpAddress, Handle>> byBlock = new LinkedHashMap<>();
    for (Handle handle : picture.handles().values()) {
      for (Handle.Assigned assigned : handle.assigned()) {
        Optional<Block> block = picture.block(assigned.block());
        boolean fine =
            block.isPresent()
                && block.get().incarnation().equals(assigned.incarnation())
                && block.get().isUsed(assigned.address());
        if (!fine && !picture.isMisfit(IpamKeys.block(assigned.block()))) {
          byBlock
              .computeIfAbsent(assigned.block(), _ -> new TreeMap<>())
              .put(assigned.address(), handle);
        }
      }
    }
    byBlock.forEach(this::unallocated);
  }

  private void unallocated(Cidr cidr, Map<IpAddress, Handle> holders) {
    Map<IpAddress, Handle> part = new HashMap<>();
    for (Map.Entry<IpAddress, Handle> each : new TreeMap<>(holders).entrySet()) {
      part.put(each.getKey(), each.getValue());
      if (part.size() == HANDLES_AT_ONCE) {
        unallocatedPart(cidr, part);
        part.clear();
      }
    }
    if (!part.isEmpty()) {
      unallocatedPart(cidr, part);
    }
  }

  private void unallocatedPart(Cidr cidr, Map<IpAddress, Handle> part) {
    List<String> seen = new ArrayList<>();
    seen.add(IpamKeys.block(cidr));
    part.values().stream().map(each -> IpamKeys.handle(each.id())).distinct().forEach(seen::add);
    found(
        IpamProblem.Kind.IN_USE_BUT_UNALLOCATED,
        cidr.toString(),
        part.keySet(),
        picture.block(cidr).isPresent()
            ? "handles have addresses that this block does not have as taken by them"
            : "handles have addresses of this block, which does not exist",
        seen.toArray(String[]::new));
  }

  private void owner(IpamPicture.Owner owner) {
    boolean owned = picture.isOwned(owner.key());
    if (!owned && picture.isMisfit(Keys.HANDLES + owner.handle())) {
      return; // it may well be that handle's
    }
    List<IpAddress> free = new ArrayList<>();
    List<IpAddress> outside = new ArrayList<>();
    for (IpAddress address : owner.addresses()) {
      List<Handle> holders = picture.holders(address);
      if (holders.stream().anyMatch(holder -> holder.owners().contains(owner.key()))) {
        continue;
      }
      if (!holders.isEmpty()) {
        found(
            IpamProblem.Kind.SEVERAL_OWNERS,
            address.toString(),
            List.of(address),
            owner.key() + " has it, and so has handle " + holders.getFirst().id(),
            owner.key(),
            IpamKeys.handle(holders.getFirst().id()));
      } else if (picture.blockWith(address).filter(block -> block.isUsed(address)).isEmpty()) {
        (picture.poolOf(address.toCidr()).isPresent() ? free : outside).add(address);
      }
    }
    if (!free.isEmpty()) {
      found(
          IpamProblem.Kind.IN_USE_BUT_UNALLOCATED,
          owner.key(),
          free,
          "has addresses that are free in their blocks",
          withBlocks(owner.key(), free));
    }
    if (!outside.isEmpty() && picture.misfits(POOLS).isEmpty()) {
      found(
          IpamProblem.Kind.IN_USE_OUTSIDE_POOLS,
          owner.key(),
          outside,
          "has addresses that lie in no pool and no block",
          owner.key(),
          Keys.POOL_GUARD);
    }
    if (!owned) {
      found(
          IpamProblem.Kind.OWNER_RECORD_WITHOUT_HANDLE,
          owner.key(),
          owner.addresses(),
          "no handle names it",
          owner.key());
    }
  }

  private String[] withBlocks(String key, List<IpAddress> addresses) {
    List<String> keys = new ArrayList<>();
    keys.add(key);
    for (IpAddress address : addresses) {
      picture.blockWith(address).map(block -> IpamKeys.block(block.cidr())).ifPresent(keys::add);
    }
    return keys.stream().distinct().toArray(String[]::new);
  }

  private void affinity(Affinity affinity) {
    String block = IpamKeys.block(affinity.block());
    if (affinity.state() == Affinity.State.PENDING || picture.isMisfit(block)) {
      return; // a pending one counts as none
    }
    Optional<Block> of = picture.block(affinity.block());
    if (of.filter(each -> each.belongsTo(affinity.node())).isEmpty()) {
      found(
          IpamProblem.Kind.AFFINITY_WITHOUT_BLOCK,
          IpamKeys.affinity(affinity.node(), affinity.block()),
          List.of(),
          "claims a block that "
              + of.map(each -> "belongs to " + each.node().orElse("nobody"))
                  .orElse("does not exist"),
          IpamKeys.affinity(affinity.node(), affinity.block()),
          block);
    }
  }
}
