package io.wayleave.ipam;

import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Transaction;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpPool;
import io.wayleave.model.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds addresses whose container or node is gone, and releases them; a node that is gone gives its
 * blocks back too. What it finds it does not believe at once: it must have found the same thing
 * before, a grace time ago, and find it again at the moment of release. A node is gone when it has
 * neither a {@code Node} nor a life sign, and that it has none is a condition of the transaction
 * that takes its addresses.
 *
 * <p>A host collects its own containers' addresses, since no other can see its containers; those of
 * nodes that are gone, any host collects, and it does not matter who is faster. It has no thread of
 * its own. NOT thread safe.
 */
public final class GarbageCollector {
  private static final Logger log = LoggerFactory.getLogger(GarbageCollector.class);

  private final Datastore datastore;
  private final Ipam ipam;
  private final Containers containers;
  private final Duration grace;
  private final LongSupplier nanoTime;

  // When each of these was first found gone, and not back since, by nanoTime.
  private Map<Suspect, Long> suspects = Map.of();
  private Map<String, Long> lostNodes = Map.of();

  /** The containers of this host. Safe from the thread that collects. */
  public interface Containers {
    /**
     * Whether the container of this handle exists, or is being made or removed at this moment.
     *
     * @throws RuntimeException when that cannot be told; the handle is kept
     */
    boolean exists(Handle handle);

    /** The addresses of this handle, whose container is gone, were released. */
    default void released(Handle handle) {}
  }

  /** One use of a handle. */
  private record Suspect(String id, String attempt) {}

  /**
   * What one collection did.
   *
   * @param suspected handles whose owner seems to be gone, and that were kept for now
   * @param released handles that were released
   * @param blocks blocks that nodes gave back that are gone
   */
  public record Collected(List<Handle> suspected, List<Handle> released, List<Cidr> blocks) {
    public Collected {
      suspected = List.copyOf(suspected);
      released = List.copyOf(released);
      blocks = List.copyOf(blocks);
    }
  }

  /**
   * Does nothing before {@link #collect}.
   *
   * @param ipam of this host
   * @param grace how long an owner must be gone before its addresses are released
   * @param nanoTime as {@link System#nanoTime}: a time that no step of the wall clock shortens or
   *     lengthens
   */
  public GarbageCollector(
      Datastore datastore,
      Ipam ipam,
      Containers containers,
      Duration grace,
      LongSupplier nanoTime) {
    this.datastore = requireNonNull(datastore, "datastore is null");
    this.ipam = requireNonNull(ipam, "ipam is null");
    this.containers = requireNonNull(containers, "containers is null");
    this.grace = requireNonNull(grace, "grace is null");
    this.nanoTime = requireNonNull(nanoTime, "nanoTime is null");
    if (grace.isNegative()) {
      throw new InvalidInputException("grace", grace.toString(), "0 or more");
    }
  }

  /**
   * Looks at everything once. To be called now and then, such as each minute, by one host of all;
   * when several do, they do the same work and no harm.
   */
  public Collected collect(Deadline deadline) {
    long now = nanoTime.getAsLong();
    // Handles before nodes: a node that comes while this reads is seen with its handles or not at
    // all.
    List<Handle> handles = new IpamInspector(datastore).handles(deadline).handles();
    Set<String> holders = blockHolders(deadline);
    Set<String> nodes = nodes(deadline);
    Collected collected = collectHandles(handles, nodes, now, deadline);
    return new Collected(
        collected.suspected(), collected.released(), giveBackBlocks(holders, nodes, now, deadline));
  }

  /**
   * Looks at these of this host's handles, and at nothing else; others that were suspected before
   * are not any more.
   *
   * @param ids handles whose containers may be gone
   */
  public Collected collectOwn(Collection<String> ids, Deadline deadline) {
    lostNodes = Map.of();
    List<String> keys = ids.stream().map(IpamKeys::handle).distinct().toList();
    List<Handle> handles = new ArrayList<>();
    for (int from = 0; from < keys.size(); from += Transaction.MAX_OPERATIONS) {
      int to = Math.min(keys.size(), from + Transaction.MAX_OPERATIONS);
      for (Entry entry : datastore.getAll(keys.subList(from, to), deadline).values()) {
        try {
          Handle handle = Ipam.readHandle(entry);
          if (handle.node().equals(ipam.node())) {
            handles.add(handle);
          }
        } catch (InvalidInputException e) {
          log.warn("handle not readable, kept: {}", e.getMessage());
        }
      }
    }
    return collectHandles(handles, Set.of(), nanoTime.getAsLong(), deadline);
  }

  private Collected collectHandles(
      List<Handle> handles, Set<String> nodes, long now, Deadline deadline) {
    Map<Suspect, Long> suspectsNow = new HashMap<>();
    List<Handle> suspected = new ArrayList<>();
    // By node, since that a node is gone is a condition of all its releases.
    Map<String, List<Handle>> ripe = new TreeMap<>();
    for (Handle handle : handles) {
      if (!isGone(handle, nodes)) {
        continue;
      }
      Suspect suspect = new Suspect(handle.id(), handle.attempt());
      long since = suspects.getOrDefault(suspect, now);
      suspectsNow.put(suspect, since);
      if (suspects.containsKey(suspect) && now - since >= grace.toNanos()) {
        ripe.computeIfAbsent(handle.node(), _ -> new ArrayList<>()).add(handle);
      } else {
        suspected.add(handle);
      }
    }
    suspects = suspectsNow;
    List<Handle> released = new ArrayList<>();
    ripe.forEach(
        (node, gone) -> {
          List<Handle> done = release(node, gone, deadline);
          released.addAll(done);
          gone.stream().filter(handle -> !done.contains(handle)).forEach(suspected::add);
        });
    return new Collected(suspected, released, List.of());
  }

  private boolean isGone(Handle handle, Set<String> nodes) {
    if (!handle.node().equals(ipam.node())) {
      return !nodes.contains(handle.node());
    }
    if (handle.use() != IpPool.Use.Workload) {
      return false; // this host's own, and it lives
    }
    try {
      return !containers.exists(handle);
    } catch (RuntimeException e) {
      log.warn("container not looked for, address kept handle={}: {}", handle.id(), e.toString());
      return false;
    }
  }

  private List<Handle> release(String node, List<Handle> gone, Deadline deadline) {
    boolean own = node.equals(ipam.node());
    Map<String, Predicate<Handle>> meant = new LinkedHashMap<>();
    for (Handle handle : gone) {
      // Again, and now: what was found above may be a moment old.
      if (!own || isGone(handle, Set.of())) {
        meant.put(handle.id(), found -> found.attempt().equals(handle.attempt()));
      }
    }
    Map<String, Ipam.Released> outcomes =
        ipam.releaseAll(meant, own ? List.of() : IpamKeys.signsOf(node), deadline);
    List<Handle> released =
        gone.stream()
            .filter(handle -> outcomes.get(handle.id()) == Ipam.Released.RELEASED)
            .toList();
    for (Handle handle : released) {
      log.info(
          "address released, its owner is gone handle={} node={} addresses={}",
          handle.id(),
          node,
          handle.addresses());
      if (own) {
        containers.released(handle);
      }
    }
    return released;
  }

  private List<Cidr> giveBackBlocks(
      Set<String> holders, Set<String> nodes, long now, Deadline deadline) {
    Map<String, Long> lostNow = new HashMap<>();
    List<Cidr> given = new ArrayList<>();
    for (String node : holders) {
      if (nodes.contains(node) || node.equals(ipam.node())) {
        continue;
      }
      long since = lostNodes.getOrDefault(node, now);
      lostNow.put(node, since);
      if (lostNodes.containsKey(node) && now - since >= grace.toNanos()) {
        List<Cidr> blocks = ipam.releaseAffinities(node, IpamKeys.signsOf(node), deadline);
        if (!blocks.isEmpty()) {
          log.info("blocks of a node that is gone given back node={} blocks={}", node, blocks);
        }
        given.addAll(blocks);
      }
    }
    lostNodes = lostNow;
    return given;
  }

  private Set<String> blockHolders(Deadline deadline) {
    Set<String> holders = new HashSet<>();
    for (Entry entry : datastore.listAll(Keys.AFFINITIES, deadline).entries()) {
      String rest = entry.key().substring(Keys.AFFINITIES.length());
      int slash = rest.indexOf('/');
      if (slash > 0) {
        holders.add(rest.substring(0, slash));
      }
    }
    return holders;
  }

  /** By their keys: one that cannot be read exists. */
  private Set<String> nodes(Deadline deadline) {
    Set<String> names = new HashSet<>();
    for (String prefix : List.of(ResourceStore.prefix(Kind.NODE), Keys.PRESENCE)) {
      for (Entry entry : datastore.listAll(prefix, deadline).entries()) {
        names.add(entry.key().substring(prefix.length()));
      }
    }
    return names;
  }
}
