package io.wayleave.ipam;

import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreException;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.OutcomeUnknownException;
import io.wayleave.datastore.Syncer;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.Version;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives addresses to one host and takes them back.
 *
 * <p>An allocation is <b>one</b> transaction: it writes the blocks, the {@link Handle} and the
 * caller's {@link OwnerRecord}, on condition that the blocks and pools are as seen, and that handle
 * and owner do not exist. A release is one transaction that undoes exactly this. Whatever crashes,
 * and wherever, the store holds all of an allocation or nothing of it.
 *
 * <p>A host claims blocks: a pending {@link Affinity} is written first, and the transaction of the
 * first allocation creates the block and confirms it. A pending one counts as none, and the next
 * start of the host deletes what a crash left. The host's blocks are kept in memory, so that an
 * allocation from them needs no reading; when another host changed something, the refusal brings
 * the new state and the next attempt uses it.
 *
 * <p>Thread safe: operations of one host take their turns. Calls block, within their deadline; they
 * throw {@link IpamException} when an address cannot be given and {@link DatastoreException} when
 * the store fails.
 */
public final class Ipam {
  private static final Logger log = LoggerFactory.getLogger(Ipam.class);

  /** Conflicts with others before it gives up; each conflict means that another got something. */
  private static final int MAX_ATTEMPTS = 200;

  private final Datastore datastore;
  private final String node;
  private final Supplier<Map<String, String>> nodeLabels;
  private final IpamOptions options;

  private final ReentrantLock lock = new ReentrantLock(true);

  // Guarded by the lock.
  private final BlockView view = new BlockView();
  private final PoolTable pools = new PoolTable();
  private boolean loaded;
  private boolean outcomeUnknown;
  private boolean mayCommitLate;

  /**
   * @param node name of this host
   * @param nodeLabels the host's labels now, for the pools' node selectors
   */
  public Ipam(
      Datastore datastore,
      String node,
      Supplier<Map<String, String>> nodeLabels,
      IpamOptions options) {
    this.datastore = requireNonNull(datastore, "datastore is null");
    Keys.checkKey(Keys.AFFINITIES + node);
    if (node.isEmpty() || node.indexOf('/') >= 0) {
      throw new InvalidInputException("node", node, "a node's name, without /");
    }
    this.node = node;
    this.nodeLabels = requireNonNull(nodeLabels, "nodeLabels is null");
    this.options = requireNonNull(options, "options is null");
  }

  /** What became of a release. */
  public enum Released {
    /** The addresses are free. */
    RELEASED,
    /** There is no such handle: released before, or never allocated. */
    NOT_FOUND,
    /** The handle is another use of that id; nothing was changed. */
    OTHER_GENERATION
  }

  /** Blocks that a host got, and those that it did not because another has them. */
  public record Claimed(List<Cidr> claimed, List<Cidr> failed) {
    public Claimed {
      claimed = List.copyOf(claimed);
      failed = List.copyOf(failed);
    }
  }

  /**
   * Gives all addresses of the request, or none.
   *
   * @return the handle as written; its addresses are those named, then IPv4, then IPv6
   * @throws IpamException when it cannot be done
   * @throws OutcomeUnknownException when the store stopped answering: the allocation may exist, and
   *     a release of its handle settles it
   */
  public Handle allocate(AllocationRequest request, Deadline deadline) {
    return exclusively(
        "allocation for " + request.handle(), deadline, () -> allocateOrTell(request, deadline));
  }

  /** After an attempt whose outcome is unknown, no other failure may hide that. */
  private Handle allocateOrTell(AllocationRequest request, Deadline deadline) {
    mayCommitLate = false;
    try {
      return allocateLocked(request, deadline);
    } catch (IpamException | DatastoreException | InvalidInputException e) {
      if (!mayCommitLate || e instanceof OutcomeUnknownException) {
        throw e;
      }
      throw new OutcomeUnknownException(
          "allocation for " + request.handle() + ": outcome unknown, then " + e.getMessage(), e);
    }
  }

  private Handle allocateLocked(AllocationRequest request, Deadline deadline) {
    String attempt = newName();
    boolean fresh = false;
    for (int attempts = 1; attempts <= MAX_ATTEMPTS; attempts++) {
      if (outcomeUnknown) {
        Optional<Handle> written = find(request.handle(), deadline);
        outcomeUnknown = false;
        if (written.filter(handle -> handle.attempt().equals(attempt)).isPresent()) {
          return written.get();
        }
      }
      if (!loaded) {
        load(deadline);
        fresh = true;
      }
      Planner.Plan plan;
      try {
        plan = plan(request);
      } catch (IpamException | InvalidInputException e) {
        if (!fresh) {
          loaded = false;
          continue; // perhaps only the view is old
        }
        throw e;
      }
      if (!plan.fromMemory() && !fresh) {
        // Perhaps an address of ours was freed by another, which is better than a new block.
        loaded = false;
        continue;
      }
      Optional<Handle> handle = write(request, plan, attempt, deadline);
      if (handle.isPresent()) {
        return handle.get();
      }
    }
    throw new IpamException.Contended("allocation for " + request.handle(), MAX_ATTEMPTS);
  }

  private Planner.Plan plan(AllocationRequest request) {
    return new Planner(pools, view, node, nodeLabels.get(), options, this::newName).plan(request);
  }

  /** Empty: others changed something, and the view knows it now. */
  private Optional<Handle> write(
      AllocationRequest request, Planner.Plan plan, String attempt, Deadline deadline) {
    OwnerRecord owner = request.owner().apply(plan.addresses());
    Handle handle =
        new Handle(
            request.handle(),
            node,
            request.generation(),
            attempt,
            request.attributes(),
            List.copyOf(owner.puts().keySet()),
            plan.assigned());
    Map<Cidr, Version> claims = new LinkedHashMap<>();
    TransactionResult result;
    try {
      for (Cidr block : plan.claims()) {
        claims.put(block, writePending(block, deadline));
      }
      result = datastore.commit(transaction(plan, handle, owner, claims), deadline);
    } catch (OutcomeUnknownException e) {
      if (deadline.hasPassed()) {
        throw e;
      }
      // The next attempt looks for the handle, and is refused if it arrives later.
      outcomeUnknown = true;
      mayCommitLate = true;
      loaded = false;
      return Optional.empty();
    }
    return switch (result) {
      case TransactionResult.Committed committed -> {
        plan.changes()
            .values()
            .forEach(
                change ->
                    view.put(
                        change.after(),
                        committed.versionOf(IpamKeys.block(change.after().cidr()))));
        yield Optional.of(handle);
      }
      case TransactionResult.Failed failed -> {
        claims.forEach((block, version) -> withdraw(block, version, deadline));
        yield learn(failed, handle, owner, plan);
      }
    };
  }

  private Transaction transaction(
      Planner.Plan plan, Handle handle, OwnerRecord owner, Map<Cidr, Version> claims) {
    Transaction.Builder transaction = Transaction.builder();
    String handleKey = IpamKeys.handle(handle.id());
    transaction.ifAbsent(handleKey).put(handleKey, handle.toJson());
    owner.puts().forEach((key, value) -> transaction.ifAbsent(key).put(key, value));
    ifSame(transaction, Keys.POOL_GUARD, pools.guard());
    plan.pools().forEach(pool -> transaction.ifUnchanged(pool.key(), pool.version()));
    plan.changes()
        .forEach(
            (cidr, change) -> {
              String key = IpamKeys.block(cidr);
              ifSame(transaction, key, change.before());
              transaction.put(key, change.after().toJson());
            });
    claims.forEach(
        (cidr, pending) -> {
          String key = IpamKeys.affinity(node, cidr);
          transaction
              .ifUnchanged(key, pending)
              .put(key, new Affinity(node, cidr, Affinity.State.CONFIRMED).toJson());
        });
    return transaction.build();
  }

  private static void ifSame(Transaction.Builder to, String key, Optional<Version> version) {
    version.ifPresentOrElse(known -> to.ifUnchanged(key, known), () -> to.ifAbsent(key));
  }

  /** Takes over what a refusal tells. Present: the allocation had been written before. */
  private Optional<Handle> learn(
      TransactionResult.Failed failed, Handle handle, OwnerRecord owner, Planner.Plan plan) {
    Entry existing = failed.current().get(IpamKeys.handle(handle.id()));
    if (existing != null) {
      Handle other = readHandle(existing);
      if (other.attempt().equals(handle.attempt())) {
        loaded = false; // the blocks that it took from are not known here
        return Optional.of(other);
      }
      throw new IpamException.HandleExists(other);
    }
    for (String key : owner.puts().keySet()) {
      if (failed.because(key)) {
        throw new IpamException.OwnerExists(key);
      }
    }
    if (failed.because(Keys.POOL_GUARD)
        || plan.pools().stream().anyMatch(pool -> failed.because(pool.key()))) {
      loaded = false;
    }
    plan.changes()
        .keySet()
        .forEach(
            cidr ->
                view.update(cidr, Optional.ofNullable(failed.current().get(IpamKeys.block(cidr)))));
    return Optional.empty();
  }

  /** Says that this host wants the block; returns the state to be confirmed. */
  private Version writePending(Cidr block, Deadline deadline) {
    String key = IpamKeys.affinity(node, block);
    TransactionResult result =
        datastore.commit(
            Transaction.builder()
                .ifAbsent(key)
                .put(key, new Affinity(node, block, Affinity.State.PENDING).toJson())
                .build(),
            deadline);
    return switch (result) {
      case TransactionResult.Committed committed -> committed.versionOf(key);
      // Left by an earlier attempt of ours: this one goes on with it.
      case TransactionResult.Failed failed -> failed.current().get(key).version();
    };
  }

  /** Takes a pending claim back; what cannot be taken back now is at the next start. */
  private void withdraw(Cidr block, Version pending, Deadline deadline) {
    String key = IpamKeys.affinity(node, block);
    try {
      var _ =
          datastore.commit(
              Transaction.builder().ifUnchanged(key, pending).delete(key).build(), deadline);
    } catch (DatastoreException e) {
      log.info("pending claim left behind block={}: {}", block, e.getMessage());
      loaded = false;
    }
  }

  /**
   * Frees all addresses of the handle and deletes it and its owner records. To release what is not
   * there is no error.
   *
   * @param generation when present, only a handle of that generation is released
   */
  public Released release(String handle, Optional<String> generation, Deadline deadline) {
    return exclusively(
        "release of " + handle, deadline, () -> releaseLocked(handle, generation, deadline));
  }

  private Released releaseLocked(String id, Optional<String> generation, Deadline deadline) {
    String handleKey = IpamKeys.handle(id);
    boolean unknown = false;
    for (int attempts = 1; attempts <= MAX_ATTEMPTS; attempts++) {
      Optional<Entry> entry = datastore.get(handleKey, deadline);
      if (entry.isEmpty()) {
        return unknown ? Released.RELEASED : Released.NOT_FOUND;
      }
      Handle handle = readHandle(entry.get());
      if (generation.isPresent() && !generation.get().equals(handle.generation())) {
        return unknown ? Released.RELEASED : Released.OTHER_GENERATION;
      }
      Release release = new Release(handle, heldBlocks(handle, deadline));
      try {
        TransactionResult result = datastore.commit(release.transaction(entry.get()), deadline);
        switch (result) {
          case TransactionResult.Committed committed -> {
            release.applyTo(view, committed);
            return Released.RELEASED;
          }
          case TransactionResult.Failed failed ->
              release
                  .blocks()
                  .forEach(
                      cidr ->
                          view.update(
                              cidr,
                              Optional.ofNullable(failed.current().get(IpamKeys.block(cidr)))));
        }
      } catch (OutcomeUnknownException e) {
        if (deadline.hasPassed()) {
          throw e;
        }
        unknown = true;
        loaded = false;
        view.clear();
      }
    }
    throw new IpamException.Contended("release of " + id, MAX_ATTEMPTS);
  }

  /** The blocks of the handle as known; those that are not in memory are read. */
  private Map<Cidr, BlockView.Held> heldBlocks(Handle handle, Deadline deadline) {
    Set<Cidr> wanted = new LinkedHashSet<>();
    handle.assigned().forEach(each -> wanted.add(each.block()));
    List<String> missing =
        wanted.stream().filter(cidr -> view.get(cidr).isEmpty()).map(IpamKeys::block).toList();
    Map<String, Entry> read = datastore.getAll(missing, deadline);
    Map<Cidr, BlockView.Held> held = new HashMap<>();
    for (Cidr cidr : wanted) {
      Optional<BlockView.Held> known = view.get(cidr);
      if (known.isPresent()) {
        held.put(cidr, known.get());
      } else if (read.containsKey(IpamKeys.block(cidr))) {
        Entry entry = read.get(IpamKeys.block(cidr));
        held.put(cidr, new BlockView.Held(BlockView.read(entry), entry.version()));
      }
    }
    return held;
  }

  /** The handle, as it is in the store now. */
  public Optional<Handle> find(String handle, Deadline deadline) {
    return datastore.get(IpamKeys.handle(handle), deadline).map(Ipam::readHandle);
  }

  static Handle readHandle(Entry entry) {
    try {
      return Handle.fromJson(entry.value());
    } catch (InvalidInputException e) {
      throw e.within(entry.key());
    }
  }

  /**
   * Claims every block of a range that nobody has, without taking an address.
   *
   * @param range one or more whole blocks of a pool
   */
  public Claimed claimAffinity(Cidr range, Deadline deadline) {
    return exclusively(
        "claim of " + range,
        deadline,
        () -> {
          load(deadline);
          return new Claims(datastore, node, pools, view, this::newName).claim(range, deadline);
        });
  }

  /**
   * Gives a block of this host back. An empty one is deleted; one with addresses in use stays as
   * nobody's, and they stay as they are.
   *
   * @return whether it was this host's
   */
  public boolean releaseAffinity(Cidr block, Deadline deadline) {
    return exclusively(
        "release of block " + block,
        deadline,
        () -> {
          load(deadline);
          return new Claims(datastore, node, pools, view, this::newName).release(block, deadline);
        });
  }

  /** Follows all blocks of all hosts, by network; for blackhole routes and block announcements. */
  public static Syncer<Cidr, Block> followBlocks(
      Datastore datastore, Syncer.Listener<Cidr, Block> listener) {
    return Syncer.start("blocks", datastore, Keys.BLOCKS, new BlockDecoder(), listener);
  }

  /** Reads everything anew and deletes what a crash of this host left half-claimed. */
  private void load(Deadline deadline) {
    pools.refresh(datastore, deadline);
    for (Entry entry : datastore.listAll(IpamKeys.affinities(node), deadline).entries()) {
      try {
        if (Affinity.fromJson(entry.value()).state() == Affinity.State.PENDING) {
          withdraw(IpamKeys.cidr(entry.key()), entry.version(), deadline);
        }
      } catch (InvalidInputException e) {
        log.warn("affinity not readable, left alone: {}", e.within(entry.key()).getMessage());
      }
    }
    view.refresh(datastore, deadline);
    loaded = true;
  }

  private <T> T exclusively(String what, Deadline deadline, Supplier<T> operation) {
    try {
      if (!lock.tryLock(deadline.remaining().toNanos(), TimeUnit.NANOSECONDS)) {
        throw new DatastoreUnavailableException(
            what + " waited " + deadline + " behind others of this node", null);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DatastoreUnavailableException(what + " was interrupted", e);
    }
    outcomeUnknown = false;
    boolean done = false;
    try {
      T result = operation.get();
      done = true;
      return result;
    } catch (IpamException e) {
      done = true; // a refusal in order: the memory is as good as before
      throw e;
    } finally {
      if (!done) {
        // Whatever failed, the memory may be wrong now; the store is right.
        loaded = false;
      }
      lock.unlock();
    }
  }

  private String newName() {
    return Long.toHexString(options.random().nextLong());
  }

  private static final class BlockDecoder implements Syncer.Decoder<Cidr, Block> {
    @Override
    public Cidr key(String key) {
      return IpamKeys.cidr(key);
    }

    @Override
    public Block value(Cidr cidr, Entry entry) {
      return BlockView.read(entry);
    }
  }
}
