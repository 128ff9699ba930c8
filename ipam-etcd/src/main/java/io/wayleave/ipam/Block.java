package io.wayleave.ipam;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A small network of a pool and which of its addresses are taken. It does not say by whom: that is
 * in the {@link Handle}, so that a block's value stays small (under 8 KiB with 4,096 addresses).
 *
 * <p>A freed address is used again as late as possible: free addresses that were never used, or
 * whose release is {@value #MAX_QUEUE} releases ago, come first, in order; then the others, the
 * longest freed first. Immutable: changes return a new block.
 */
public final class Block {
  /** The largest block, /20 and /116. */
  public static final int MAX_SIZE = 4096;

  /** Freed addresses whose order is remembered; bounds the stored value. */
  static final int MAX_QUEUE = 2048;

  private static final int SCHEMA = 1;

  private final Cidr cidr;
  private final String pool;
  private final Optional<String> node;
  private final String incarnation;
  private final BitSet used;
  private final int[] queue;

  private Block(
      Cidr cidr, String pool, Optional<String> node, String incarnation, BitSet used, int[] queue) {
    this.cidr = requireNonNull(cidr, "cidr is null");
    this.pool = requireNonNull(pool, "pool is null");
    this.node = requireNonNull(node, "node is null");
    this.incarnation = requireNonNull(incarnation, "incarnation is null");
    this.used = used;
    this.queue = queue;
    if (cidr.size() > MAX_SIZE) {
      throw new InvalidInputException(
          "cidr", cidr.toString(), "a block of at most " + MAX_SIZE + " addresses");
    }
  }

  /**
   * A block without any address taken.
   *
   * @param incarnation tells this block from an earlier one of the same network
   */
  static Block empty(Cidr cidr, String pool, Optional<String> node, String incarnation) {
    return new Block(cidr, pool, node, incarnation, new BitSet(), new int[0]);
  }

  public Cidr cidr() {
    return cidr;
  }

  /** The name of the pool that it was cut from. */
  public String pool() {
    return pool;
  }

  /** The host that it belongs to; empty when that host gave it up with addresses still in use. */
  public Optional<String> node() {
    return node;
  }

  public boolean belongsTo(String host) {
    return node.filter(host::equals).isPresent();
  }

  String incarnation() {
    return incarnation;
  }

  public int size() {
    return (int) cidr.size();
  }

  public int usedCount() {
    return used.cardinality();
  }

  public int freeCount() {
    return size() - usedCount();
  }

  public boolean isUsed(IpAddress address) {
    return used.get(ordinal(address));
  }

  /** The addresses that are taken, in order. */
  public List<IpAddress> usedAddresses() {
    return used.stream().mapToObj(this::address).toList();
  }

  /** The same block as another host's, or nobody's. */
  Block withNode(Optional<String> host) {
    return new Block(cidr, pool, host, incarnation, used, queue);
  }

  /** What {@link #take} gives: the block after it, and the addresses. */
  record Taken(Block block, List<IpAddress> addresses) {}

  /** Takes that many addresses, or as many as are free. */
  Taken take(int count) {
    BitSet nowUsed = (BitSet) used.clone();
    BitSet waiting = new BitSet();
    Arrays.stream(queue).forEach(waiting::set);
    List<IpAddress> addresses = new ArrayList<>();
    for (int i = 0; i < size() && addresses.size() < count; i++) {
      if (!nowUsed.get(i) && !waiting.get(i)) {
        nowUsed.set(i);
        addresses.add(address(i));
      }
    }
    int fromQueue = 0;
    while (addresses.size() < count && fromQueue < queue.length) {
      int ordinal = queue[fromQueue++];
      nowUsed.set(ordinal);
      addresses.add(address(ordinal));
    }
    return new Taken(
        new Block(
            cidr,
            pool,
            node,
            incarnation,
            nowUsed,
            Arrays.copyOfRange(queue, fromQueue, queue.length)),
        addresses);
  }

  /** Takes this very address; empty when it is taken already. */
  Optional<Block> take(IpAddress address) {
    int ordinal = ordinal(address);
    if (used.get(ordinal)) {
      return Optional.empty();
    }
    BitSet nowUsed = (BitSet) used.clone();
    nowUsed.set(ordinal);
    return Optional.of(
        new Block(
            cidr,
            pool,
            node,
            incarnation,
            nowUsed,
            Arrays.stream(queue).filter(waiting -> waiting != ordinal).toArray()));
  }

  /** Frees these; one that is free already stays so and keeps its turn. */
  Block release(Collection<IpAddress> addresses) {
    BitSet nowUsed = (BitSet) used.clone();
    int[] longer = Arrays.copyOf(queue, queue.length + addresses.size());
    int length = queue.length;
    for (IpAddress address : addresses) {
      int ordinal = ordinal(address);
      if (nowUsed.get(ordinal)) {
        nowUsed.clear(ordinal);
        longer[length++] = ordinal;
      }
    }
    return new Block(
        cidr,
        pool,
        node,
        incarnation,
        nowUsed,
        Arrays.copyOfRange(longer, Math.max(0, length - MAX_QUEUE), length));
  }

  private IpAddress address(int ordinal) {
    return cidr.address().plus(ordinal);
  }

  private int ordinal(IpAddress address) {
    if (!cidr.contains(address)) {
      throw new IllegalArgumentException(address + " is not in block " + cidr);
    }
    // The host part is at most 12 bits long.
    return (int) (address.low() - cidr.address().low());
  }

  byte[] toJson() {
    ObjectNode tree = Json.object();
    tree.put("schema", SCHEMA);
    tree.put("cidr", cidr.toString());
    tree.put("pool", pool);
    node.ifPresent(host -> tree.put("node", host));
    tree.put("incarnation", incarnation);
    tree.put("used", Base64.getEncoder().encodeToString(used.toByteArray()));
    tree.put("freedCount", queue.length);
    tree.put("freed", Base64.getEncoder().encodeToString(Packed.pack(queue, bitsPerOrdinal(cidr))));
    return Json.write(tree);
  }

  /** Reads what {@link #toJson} wrote, refusing anything that cannot be a block's state. */
  static Block fromJson(byte[] value) {
    JsonNode tree = Json.read(value, SCHEMA);
    Cidr cidr = Json.cidr(tree, "cidr");
    BitSet used = BitSet.valueOf(Json.base64(tree, "used"));
    if (used.length() > cidr.size()) {
      throw new InvalidInputException(
          "used", "bit " + (used.length() - 1), "bits below " + cidr.size() + ", the block's size");
    }
    int count = Json.number(tree, "freedCount", 0, MAX_QUEUE);
    int[] queue = Packed.unpack("freed", Json.base64(tree, "freed"), bitsPerOrdinal(cidr), count);
    BitSet seen = new BitSet();
    for (int ordinal : queue) {
      if (ordinal >= cidr.size() || used.get(ordinal) || seen.get(ordinal)) {
        throw new InvalidInputException(
            "freed", Integer.toString(ordinal), "each free address of the block at most once");
      }
      seen.set(ordinal);
    }
    return new Block(
        cidr,
        Json.text(tree, "pool"),
        Json.optionalText(tree, "node"),
        Json.text(tree, "incarnation"),
        used,
        queue);
  }

  private static int bitsPerOrdinal(Cidr cidr) {
    return Math.max(1, cidr.family().bits() - cidr.prefixLength());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Block block
        && cidr.equals(block.cidr)
        && pool.equals(block.pool)
        && node.equals(block.node)
        && incarnation.equals(block.incarnation)
        && used.equals(block.used)
        && Arrays.equals(queue, block.queue);
  }

  @Override
  public int hashCode() {
    return Objects.hash(cidr, incarnation, used);
  }

  @Override
  public String toString() {
    return cidr + " of " + node.orElse("nobody") + ", " + usedCount() + "/" + size() + " used";
  }
}
