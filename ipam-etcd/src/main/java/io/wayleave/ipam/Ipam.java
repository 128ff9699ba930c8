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
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
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
 * the new state and the next attempt uses it. Allocations that wait for their turn at the same
 * moment share one transaction, and so do releases.
 *
 * <p>Thread safe: operations of one host take their turns. Calls block, within their deadline; they
 * throw {@link IpamException} when an address cannot be given and {@link DatastoreException} when
 * the store fails.
 */
public final class Ipam {
  private static final Logger log = LoggerFactory.getLogger(Ipam.class);

  private final Datastore datastore;
  private final String node;
  private final IpamOptions options;
  private final ReentrantLock lock = new ReentrantLock(true);

  // Guarded by the lock.
  private final HostMemory memory;
  private final Allocations allocations;
  private final Releases releases;

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
    this.options = requireNonNull(options, "options is null");
    this.memory = new HostMemory(datastore, node);
    this.allocations =
        new Allocations(
            datastore,
            node,
            requireNonNull(nodeLabels, "nodeLabels is null"),
            options,
            memory,
            this::newName);
    this.releases = new Releases(datastore, memory, options::now);
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
    return await(ask(request), deadline);
  }

  /** Lets a request wait; who gets the turn may serve it too. */
  Allocations.Asked ask(AllocationRequest request) {
    Allocations.Asked ticket = new Allocations.Asked(request);
    allocations.queue().add(ticket);
    return ticket;
  }

  /** Waits until what was asked is given or refused. */
  Handle await(Allocations.Asked ticket, Deadline deadline) {
    return inTurn(allocations.queue(), ticket, allocations::lead, deadline);
  }

  /**
   * Waits for it no longer.
   *
   * @return whether it is certain that nothing was and nothing will be written
   */
  boolean abandon(Allocations.Asked ticket) {
    return allocations.queue().abandon(ticket);
  }

  /**
   * Frees all addresses of the handle and deletes it and its owner records. To release what is not
   * there is no error.
   *
   * @param generation when present, only a handle of that generation is released
   */
  public Released release(String handle, Optional<String> generation, Deadline deadline) {
    Releases.Asked ticket =
        new Releases.Asked(
            handle,
            found -> generation.isEmpty() || generation.get().equals(found.generation()),
            List.of());
    return await(ask(ticket), deadline);
  }

  /** As {@link #ask(AllocationRequest)}. */
  Releases.Asked ask(Releases.Asked ticket) {
    releases.queue().add(ticket);
    return ticket;
  }

  /** As {@link #await(Allocations.Asked, Deadline)}. */
  Released await(Releases.Asked ticket, Deadline deadline) {
    return inTurn(releases.queue(), ticket, releases::lead, deadline);
  }

  /** As {@link #abandon(Allocations.Asked)}. */
  boolean abandon(Releases.Asked ticket) {
    return releases.queue().abandon(ticket);
  }

  /**
   * As {@link #release(String, Optional, Deadline)}, for handles that were seen before; together in
   * few transactions.
   *
   * @param meant by id, whether the handle that is there is the one
   * @param absent keys that must not exist; when one does, it is as if each handle were another
   * @return by id, what became of each; without those that have a record that cannot be read, which
   *     are left alone
   */
  Map<String, Released> releaseAll(
      Map<String, Predicate<Handle>> meant, List<String> absent, Deadline deadline) {
    Map<String, Releases.Asked> tickets = new LinkedHashMap<>();
    meant.forEach((id, predicate) -> tickets.put(id, new Releases.Asked(id, predicate, absent)));
    tickets.values().forEach(this::ask);
    try {
      Map<String, Released> released = new LinkedHashMap<>();
      tickets.forEach(
          (id, ticket) -> {
            try {
              released.put(id, await(ticket, deadline));
            } catch (InvalidInputException e) {
              log.warn("handle not released handle={}: {}", id, e.getMessage());
            }
          });
      return released;
    } finally {
      // Nobody waits any more for those that are left when one has failed.
      for (Releases.Asked ticket : tickets.values()) {
        boolean _ = abandon(ticket);
      }
    }
  }

  /** Waits for the turn, in which another may have served the ticket along with its own. */
  private <R, T extends Ticket<R>> R inTurn(
      TurnQueue<T> queue, T ticket, BiConsumer<T, Deadline> lead, Deadline deadline) {
    try {
      return exclusively(
          ticket.what(),
          deadline,
          () -> {
            if (!ticket.isDone()) {
              lead.accept(ticket, deadline);
            }
            return ticket.result();
          });
    } catch (DatastoreUnavailableException e) {
      if (ticket.isDone()) {
        return ticket.result();
      }
      if (queue.abandon(ticket)) {
        throw e;
      }
      throw new OutcomeUnknownException(
          ticket.what()
              + " was sent along with another's, and the answer did not come within "
              + deadline,
          e);
    }
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
          memory.load(deadline);
          return claims(node).claim(range, deadline);
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
          memory.load(deadline);
          return claims(node).release(block, List.of(), deadline);
        });
  }

  /**
   * Gives all blocks of another host back, which is gone, and what it left half-claimed.
   *
   * @param absent keys that must not exist; while one does, nothing happens
   * @return the blocks that were that host's, and are no more
   */
  List<Cidr> releaseAffinities(String host, List<String> absent, Deadline deadline) {
    return exclusively(
        "release of the blocks of " + host,
        deadline,
        () -> {
          memory.load(deadline);
          return claims(host).releaseAll(absent, deadline);
        });
  }

  /** The name of this host. */
  String node() {
    return node;
  }

  private Claims claims(String host) {
    return new Claims(datastore, host, memory, this::newName, options.now());
  }

  /**
   * A pool and what is used of it.
   *
   * @param capacity addresses in all; {@link Long#MAX_VALUE} when there are more than that
   * @param used addresses in use
   */
  public record PoolUse(String pool, Cidr cidr, long capacity, long used) {
    public long free() {
      return capacity == Long.MAX_VALUE ? Long.MAX_VALUE : capacity - used;
    }
  }

  /**
   * What is used of each pool, from memory; from any thread. The pools are those that this host
   * knew at its last allocation. Empty while {@link #follow} has not told all blocks.
   */
  public List<PoolUse> poolUse() {
    List<PoolTable.Pool> pools = memory.pools().all();
    List<Cidr> networks = pools.stream().map(PoolTable.Pool::cidr).toList();
    Optional<List<Long>> used = memory.watched().flatMap(blocks -> blocks.used(networks));
    List<PoolUse> uses = new ArrayList<>();
    for (int i = 0; used.isPresent() && i < pools.size(); i++) {
      Cidr cidr = networks.get(i);
      uses.add(new PoolUse(pools.get(i).name(), cidr, cidr.size(), used.get().get(i)));
    }
    return uses;
  }

  /**
   * Follows all blocks of all hosts, by network, and tells them on. While it does, a host whose own
   * blocks are used up needs not read those of all others, and knows a full pool at once.
   *
   * @param listener for blackhole routes and block announcements
   */
  public Syncer<?, ?> follow(Syncer.Listener<Cidr, Block> listener) {
    WatchedBlocks blocks = new WatchedBlocks(listener);
    watch(blocks);
    return Syncer.start("blocks", datastore, Keys.BLOCKS, new WatchedBlocks.Decoder(), blocks);
  }

  /** Looks at these when the own blocks do not do; somebody keeps them current. */
  void watch(WatchedBlocks blocks) {
    memory.watch(blocks);
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
        memory.forget();
      }
      lock.unlock();
    }
  }

  private String newName() {
    return Long.toHexString(options.random().nextLong());
  }
}
