package io.wayleave.ipam;

import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.Transaction;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

/**
 * Takes an address from its owner by hand. It frees what it has seen and nothing else: when the
 * handle or the block changes meanwhile, it looks again. Thread safe; blocks.
 */
public final class AddressRelease {
  private static final int MAX_ATTEMPTS = 20;

  private final Datastore datastore;
  private final InstantSource clock;

  /** What became of it. */
  public sealed interface Outcome {}

  /** The handle that had it was released, with all its addresses and owner records. */
  public record Released(Handle handle) implements Outcome {}

  /** No handle had it; the block has it as free now. */
  public record Freed(Cidr block) implements Outcome {}

  /**
   * Nothing was done: its owner may be alive.
   *
   * @param reason why that must be assumed, as the end of a sentence about the handle
   */
  public record Alive(Handle handle, String reason) implements Outcome {}

  /**
   * Nothing was done, there is nothing to release.
   *
   * @param reason as the end of a sentence about the address
   */
  public record NotAllocated(String reason) implements Outcome {}

  /**
   * Nothing was done, and force does not help.
   *
   * @param reason as a sentence
   */
  public record Refused(String reason) implements Outcome {}

  public AddressRelease(Datastore datastore, InstantSource clock) {
    this.datastore = requireNonNull(datastore, "datastore is null");
    this.clock = requireNonNull(clock, "clock is null");
  }

  /**
   * Releases the attachment that has this address: all its addresses, since they live and die
   * together.
   *
   * @param force also when its host is there, and so the container may be running
   */
  public Outcome release(IpAddress address, boolean force, Deadline deadline) {
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      IpamPicture picture = IpamPicture.read(datastore, deadline);
      List<Handle> holders = picture.holders(address);
      Optional<Outcome> outcome =
          switch (holders.size()) {
            case 0 -> withoutHandle(address, picture, deadline);
            case 1 -> withHandle(holders.getFirst(), force, picture, deadline);
            default ->
                Optional.of(
                    new Refused(
                        "handles "
                            + String.join(", ", holders.stream().map(Handle::id).toList())
                            + " have it; delete one of the containers"));
          };
      if (outcome.isPresent()) {
        return outcome.get();
      }
    }
    throw new IpamException.Contended("release of " + address, MAX_ATTEMPTS);
  }

  private Optional<Outcome> withHandle(
      Handle handle, boolean force, IpamPicture picture, Deadline deadline) {
    Optional<String> shared = IpamRepair.sharedAddress(picture, handle);
    if (shared.isPresent()) {
      return Optional.of(new Refused(shared.get()));
    }
    boolean alive = picture.hasNode(handle.node());
    if (alive && !force) {
      return Optional.of(new Alive(handle, reason(handle, picture)));
    }
    Optional<Cidr> unreadable = IpamRepair.unreadableBlock(picture, handle);
    if (unreadable.isPresent()) {
      return Optional.of(
          new Refused(
              "the record of its block cannot be read: " + IpamKeys.block(unreadable.get())));
    }
    Transaction.Builder transaction = IpamRepair.release(picture, handle, now());
    if (!force) {
      IpamKeys.signsOf(handle.node()).forEach(transaction::ifAbsent);
    }
    return datastore.commit(transaction.build(), deadline).isCommitted()
        ? Optional.of(new Released(handle))
        : Optional.empty();
  }

  private static String reason(Handle handle, IpamPicture picture) {
    String owners = String.join(", ", handle.owners().stream().filter(picture::exists).toList());
    return "node "
        + handle.node()
        + " is there"
        + (owners.isEmpty() ? "" : ", and so is the owner record " + owners);
  }

  private Optional<Outcome> withoutHandle(
      IpAddress address, IpamPicture picture, Deadline deadline) {
    Optional<Block> block = picture.blockWith(address);
    if (block.isEmpty()) {
      return Optional.of(
          new NotAllocated(
              picture
                  .poolOf(address.toCidr())
                  .map(pool -> "no host has claimed its block of pool " + pool.name())
                  .orElse("it lies in no pool")));
    }
    if (!block.get().isUsed(address)) {
      return Optional.of(new NotAllocated("it is free in block " + block.get().cidr()));
    }
    List<String> unreadable = picture.misfits(Keys.HANDLES);
    if (!unreadable.isEmpty()) {
      return Optional.of(
          new Refused("no readable handle has it, but " + unreadable.getFirst() + " may"));
    }
    Optional<String> owner =
        picture.owners().stream()
            .filter(each -> each.addresses().contains(address))
            .map(IpamPicture.Owner::key)
            .findFirst();
    if (owner.isPresent()) {
      return Optional.of(new Refused("no handle has it, but " + owner.get() + " does"));
    }
    String key = IpamKeys.block(block.get().cidr());
    // That no handle has it is true only if the block stayed as it is over another look.
    IpamPicture again = IpamPicture.read(datastore, deadline);
    if (!again.version(key).equals(picture.version(key)) || !again.holders(address).isEmpty()) {
      return Optional.empty();
    }
    Transaction.Builder transaction = Transaction.builder().ifUnchanged(picture.entry(key));
    Optional<Block> _ = Release.write(transaction, block.get().release(List.of(address), now()));
    return datastore.commit(transaction.build(), deadline).isCommitted()
        ? Optional.of(new Freed(block.get().cidr()))
        : Optional.empty();
  }

  private long now() {
    return clock.instant().getEpochSecond();
  }
}
