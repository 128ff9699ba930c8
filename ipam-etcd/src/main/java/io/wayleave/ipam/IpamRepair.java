package io.wayleave.ipam;

import io.wayleave.datastore.Keys;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.Version;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What may be done about a problem without harm to anybody who lives: a transaction that holds only
 * while everything is as it was seen, or the reason why a person has to decide. It reads and writes
 * nothing itself.
 */
final class IpamRepair {
  private final IpamPicture picture;
  private final long now;

  /** What to do about a problem. */
  sealed interface Verdict {}

  /**
   * It can be mended.
   *
   * @param what that does, in words that go on after "fixed"
   */
  record Mend(Transaction transaction, String what) implements Verdict {}

  /** It is left alone. */
  record Leave(String why) implements Verdict {}

  /**
   * @param picture that the problems were found in
   * @param now in seconds since 1970
   */
  IpamRepair(IpamPicture picture, long now) {
    this.picture = picture;
    this.now = now;
  }

  Verdict of(IpamProblem problem) {
    return switch (problem.kind()) {
      case ALLOCATED_BUT_UNUSED -> releaseHandle(problem);
      case IN_USE_BUT_UNALLOCATED -> allocate(problem);
      case IN_USE_OUTSIDE_POOLS ->
          new Leave("they stay with their owners until these release them; or create a pool there");
      case HANDLE_WITHOUT_ADDRESSES -> deleteHandle(problem);
      case ADDRESS_WITHOUT_HANDLE -> free(problem);
      case INVALID_BLOCK, BLOCK_OUTSIDE_POOLS -> deleteBlock(problem);
      case SEVERAL_OWNERS ->
          new Leave("it cannot be told who may keep it; delete one of the containers");
      case OWNER_RECORD_MISSING ->
          new Leave(
              "the container may be running; delete it, or free the addresses by netctl ipam"
                  + " release");
      case OWNER_RECORD_WITHOUT_HANDLE -> deleteOwner(problem);
      case AFFINITY_WITHOUT_BLOCK ->
          new Mend(asSeen(problem).delete(problem.subject()).build(), "by deleting the claim");
      case BLOCK_WITHOUT_AFFINITY -> claim(problem);
      case UNREADABLE_VALUE -> new Leave("what cannot be read is not touched");
      case NEWER_SCHEMA -> new Leave("a newer version wrote it; use the netctl of that version");
      case WRONG_KEY -> new Leave("it is not known whose it is; whoever put it there removes it");
    };
  }

  /** A transaction that holds only while the records that show the problem are as they were. */
  private static Transaction.Builder asSeen(IpamProblem problem) {
    Transaction.Builder transaction = Transaction.builder();
    problem.seen().forEach(transaction::ifSame);
    return transaction;
  }

  private Block block(IpamProblem problem) {
    return picture.block(Cidr.parse(problem.subject())).orElseThrow();
  }

  private Verdict releaseHandle(IpamProblem problem) {
    Handle handle = picture.handles().get(problem.subject());
    Optional<String> shared = sharedAddress(picture, handle);
    if (shared.isPresent()) {
      return new Leave(shared.get());
    }
    Optional<Cidr> unreadable = unreadableBlock(picture, handle);
    if (unreadable.isPresent()) {
      return new Leave("the record of its block " + unreadable.get() + " cannot be read");
    }
    Transaction.Builder transaction = release(picture, handle, now);
    IpamKeys.signsOf(handle.node()).forEach(transaction::ifAbsent);
    return new Mend(transaction.build(), "by releasing the addresses");
  }

  /** Why the addresses of a handle must not be freed along with it; empty: they may. */
  static Optional<String> sharedAddress(IpamPicture picture, Handle handle) {
    return handle.addresses().stream()
        .filter(address -> picture.holders(address).size() > 1)
        .findFirst()
        .map(address -> "address " + address + " is another handle's too");
  }

  /** The first block of a handle that exists and cannot be read, so that it cannot be released. */
  static Optional<Cidr> unreadableBlock(IpamPicture picture, Handle handle) {
    return Release.blocksOf(handle).stream()
        .filter(cidr -> picture.isMisfit(IpamKeys.block(cidr)))
        .findFirst();
  }

  /** The release of a handle, if everything is as the picture has it. */
  static Transaction.Builder release(IpamPicture picture, Handle handle, long now) {
    Map<String, Version> owners = new HashMap<>();
    for (String owner : handle.owners()) {
      picture.version(owner).ifPresent(version -> owners.put(owner, version));
    }
    return Release.of(picture.entry(IpamKeys.handle(handle.id())), handle)
        .transaction(picture.blocks(), owners, now);
  }

  private Verdict allocate(IpamProblem problem) {
    if (problem.subject().indexOf('/') < 0 || picture.exists(problem.subject())) {
      return new Leave("it has no handle; delete its container");
    }
    Cidr cidr = Cidr.parse(problem.subject());
    Optional<Block> block = picture.block(cidr);
    if (block.isEmpty()) {
      return new Leave("the block is lost; delete these containers before anyone claims it anew");
    }
    Block after = block.get();
    for (IpAddress address : problem.addresses()) {
      if (picture.holders(address).size() > 1) {
        return new Leave("address " + address + " is another handle's too");
      }
      Handle.Assigned assigned =
          picture.holders(address).getFirst().assigned().stream()
              .filter(each -> each.address().equals(address))
              .findFirst()
              .orElseThrow();
      if (!assigned.incarnation().equals(after.incarnation())) {
        return new Leave(
            "the block was made anew since "
                + address
                + " was given, so it may be another's now; delete the container");
      }
      after = after.take(address).orElse(after);
    }
    return new Mend(
        asSeen(problem).put(IpamKeys.block(cidr), after.toJson()).build(),
        "by taking them in the block");
  }

  private Verdict deleteHandle(IpamProblem problem) {
    Handle handle = picture.handles().get(problem.subject());
    for (String owner : handle.owners()) {
      if (picture.exists(owner)) {
        return new Leave("its owner record " + owner + " exists");
      }
    }
    Transaction.Builder transaction = asSeen(problem).delete(IpamKeys.handle(handle.id()));
    handle.owners().forEach(transaction::ifAbsent);
    return new Mend(transaction.build(), "by deleting the handle");
  }

  private Verdict free(IpamProblem problem) {
    List<String> unreadable = picture.misfits(Keys.HANDLES);
    if (!unreadable.isEmpty()) {
      return new Leave(unreadable.getFirst() + " cannot be read and may have them");
    }
    for (IpamPicture.Owner owner : picture.owners()) {
      if (owner.addresses().stream().anyMatch(problem.addresses()::contains)) {
        return new Leave(owner.key() + " has an address of them; delete its container first");
      }
    }
    List<String> records = picture.misfits(IpamPicture.ENDPOINTS);
    if (records.isEmpty()) {
      records = picture.misfits(IpamKeys.OWNERS);
    }
    if (!records.isEmpty()) {
      return new Leave(records.getFirst() + " cannot be read and may have them");
    }
    Transaction.Builder transaction = asSeen(problem);
    Optional<Block> _ =
        Release.write(transaction, block(problem).release(problem.addresses(), now));
    return new Mend(transaction.build(), "by freeing the addresses");
  }

  private Verdict deleteBlock(IpamProblem problem) {
    Block block = block(problem);
    if (block.usedCount() > 0) {
      return new Leave("it has addresses in use; it goes when their owners have released them");
    }
    Transaction.Builder transaction = asSeen(problem).delete(IpamKeys.block(block.cidr()));
    block.node().ifPresent(node -> transaction.delete(IpamKeys.affinity(node, block.cidr())));
    return new Mend(transaction.build(), "by deleting the empty block");
  }

  private Verdict deleteOwner(IpamProblem problem) {
    IpamPicture.Owner owner =
        picture.owners().stream()
            .filter(each -> each.key().equals(problem.subject()))
            .findFirst()
            .orElseThrow();
    if (picture.hasNode(owner.node())) {
      return new Leave("node " + owner.node() + " is there, and its container may be running");
    }
    Transaction.Builder transaction = asSeen(problem).delete(owner.key());
    IpamKeys.signsOf(owner.node()).forEach(transaction::ifAbsent);
    return new Mend(transaction.build(), "by deleting the record, whose node is gone");
  }

  private Verdict claim(IpamProblem problem) {
    Block block = block(problem);
    String node = block.node().orElseThrow();
    return new Mend(
        asSeen(problem)
            .put(
                IpamKeys.affinity(node, block.cidr()),
                new Affinity(node, block.cidr(), Affinity.State.CONFIRMED).toJson())
            .build(),
        "by writing the claim of " + node);
  }
}
