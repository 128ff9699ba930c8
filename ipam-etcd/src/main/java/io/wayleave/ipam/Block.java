package io.wayleave.ipam;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpamConfiguration;
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
 * longest freed first. When each was freed is kept for an hour, so that who takes one can leave
 * those alone that were freed just now. Immutable: changes return a new block.
 */
public final class Block {
  /** The largest block, /20 and /116. */
  public static final int MAX_SIZE = 4096;

  /** Freed addresses whose order is remembered; bounds the stored value. */
  static final int MAX_QUEUE = 2048;

  /**
   * Different moments of release that are remembered; bounds the stored value. When there are more,
   * the oldest count as a little younger.
   */
  static final int MAX_MOMENTS = 48;

  private static final int MEMORY_SECONDS = IpamConfiguration.MAX_REUSE_DELAY_SECONDS;
  private static final int SCHEMA = 1;

  /** More than the longest rest, an hour, and clocks that differ. */
  private static final long WRONG_CLOCK_SECONDS = 3 * 3600;

  private final Cidr cidr;
  private final String pool;
  private final Optional<String> node;
  private final String incarnation;
  private final BitSet used;
  private final int[] queue;
  // When each of the queue was freed, in seconds since 1970; 0: long ago.
  private final long[] freedAt;
  private final long claimedAt;

  private Block(
      Cidr cidr,
      String pool,
      Optional<String> node,
      String incarnation,
      BitSet used,
      int[] queue,
      long[] freedAt,
      long claimedAt) {
    this.cidr = requireNonNull(cidr, "cidr is null");
    this.pool = requireNonNull(pool, "pool is null");
    this.node = requireNonNull(node, "node is null");
    this.incarnation = requireNonNull(incarnation, "incarnation is null");
    this.used = used;
    this.queue = queue;
    this.freedAt = freedAt;
    this.claimedAt = claimedAt;
    if (cidr.size() > MAX_SIZE) {
      throw new InvalidInputException(
          "cidr", cidr.toString(), "a block of at most " + MAX_SIZE + " addresses");
    }
  }

  /**
   * A block without any address taken.
   *
   * @param incarnation tells this block from an earlier one of the same network
   * @param now in seconds since 1970
   */
  static Block empty(Cidr cidr, String pool, Optional<String> node, String incarnation, long now) {
    return new Block(cidr, pool, node, incarnation, new BitSet(), new int[0], new long[0], now);
  }

  /**
   * Which free addresses may be given.
   *
   * @param reserved networks whose addresses may not
   * @param freedBefore nor may those that were freed at that second or later
   */
  record Terms(List<Cidr> reserved, long freedBefore) {
    /** Each free address. */
    static final Terms NONE = new Terms(List.of(), Long.MAX_VALUE);

    private boolean forbid(IpAddress address) {
      return reserved.stream().anyMatch(cidr -> cidr.contains(address));
    }

    Terms alsoFreedJustNow() {
      return new Terms(reserved, Long.MAX_VALUE);
    }
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

  boolean hasFree() {
    return freeCount() > 0;
  }

  boolean isUnused() {
    return used.isEmpty();
  }

  /** How many addresses {@link #take} gives on these terms. */
  int freeCount(Terms terms) {
    if (terms.reserved().isEmpty() && freedAt.length == 0) {
      return freeCount();
    }
    return take(size(), terms).addresses().size();
  }

  /** Whether nothing is used of it and nothing has happened to it since that second. */
  boolean isIdleSince(long second) {
    return used.isEmpty()
        && isBefore(claimedAt, second)
        && Arrays.stream(freedAt).allMatch(moment -> isBefore(moment, second));
  }

  /**
   * Moments are of the clock of the host that wrote them. One that is hours ahead was written by a
   * clock that was wrong, and would otherwise hold for ever.
   */
  private static boolean isBefore(long moment, long second) {
    return moment < second || moment - second > WRONG_CLOCK_SECONDS;
  }

  public boolean isUsed(IpAddress address) {
    return used.get(ordinal(address));
  }

  /** The addresses that are taken, in order. */
  public List<IpAddress> usedAddresses() {
    return used.stream().mapToObj(this::address).toList();
  }

  /** The same block as nobody's. */
  Block abandoned() {
    return new Block(cidr, pool, Optional.empty(), incarnation, used, queue, freedAt, claimedAt);
  }

  /**
   * The same block as a host's that claims it.
   *
   * @param now in seconds since 1970
   */
  Block claimedBy(String host, long now) {
    return new Block(cidr, pool, Optional.of(host), incarnation, used, queue, freedAt, now);
  }

  /** What {@link #take} gives: the block after it, and the addresses. */
  record Taken(Block block, List<IpAddress> addresses) {}

  /** Takes that many addresses, or as many as may be given. */
  Taken take(int count, Terms terms) {
    BitSet nowUsed = (BitSet) used.clone();
    BitSet waiting = new BitSet();
    Arrays.stream(queue).forEach(waiting::set);
    List<IpAddress> addresses = new ArrayList<>();
    for (int i = 0; i < size() && addresses.size() < count; i++) {
      if (!nowUsed.get(i) && !waiting.get(i) && !terms.forbid(address(i))) {
        nowUsed.set(i);
        addresses.add(address(i));
      }
    }
    for (int i = 0; i < queue.length && addresses.size() < count; i++) {
      if (isBefore(freedAt[i], terms.freedBefore()) && !terms.forbid(address(queue[i]))) {
        nowUsed.set(queue[i]);
        addresses.add(address(queue[i]));
      }
    }
    return new Taken(withUsed(nowUsed), addresses);
  }

  /** Takes this very address; empty when it is taken already. */
  Optional<Block> take(IpAddress address) {
    int ordinal = ordinal(address);
    if (used.get(ordinal)) {
      return Optional.empty();
    }
    BitSet nowUsed = (BitSet) used.clone();
    nowUsed.set(ordinal);
    return Optional.of(withUsed(nowUsed));
  }

  private Block withUsed(BitSet nowUsed) {
    int[] shorter = new int[queue.length];
    long[] moments = new long[queue.length];
    int length = 0;
    for (int i = 0; i < queue.length; i++) {
      if (!nowUsed.get(queue[i])) {
        shorter[length] = queue[i];
        moments[length++] = freedAt[i];
      }
    }
    return new Block(
        cidr,
        pool,
        node,
        incarnation,
        nowUsed,
        Arrays.copyOf(shorter, length),
        Arrays.copyOf(moments, length),
        claimedAt);
  }

  /**
   * Frees these; one that is free already stays so and keeps its turn.
   *
   * @param now in seconds since 1970
   */
  Block release(Collection<IpAddress> addresses, long now) {
    BitSet nowUsed = (BitSet) used.clone();
    int[] longer = Arrays.copyOf(queue, queue.length + addresses.size());
    long[] moments = Arrays.copyOf(freedAt, longer.length);
    int length = queue.length;
    for (IpAddress address : addresses) {
      int ordinal = ordinal(address);
      if (nowUsed.get(ordinal)) {
        nowUsed.clear(ordinal);
        longer[length] = ordinal;
        moments[length++] = now;
      }
    }
    int from = Math.max(0, length - MAX_QUEUE);
    return new Block(
        cidr,
        pool,
        node,
        incarnation,
        nowUsed,
        Arrays.copyOfRange(longer, from, length),
        remembered(Arrays.copyOfRange(moments, from, length), now),
        claimedAt);
  }

  /** Forgets what is long ago, or cannot be, and keeps the number of moments small. */
  private static long[] remembered(long[] moments, long now) {
    for (int i = 0; i < moments.length; i++) {
      if (moments[i] <= now - MEMORY_SECONDS || moments[i] > now + MEMORY_SECONDS) {
        moments[i] = 0;
      }
    }
    for (int runs = runs(moments).length / 2; runs > MAX_MOMENTS; runs--) {
      joinOldest(moments);
    }
    return moments;
  }

  private static void joinOldest(long[] moments) {
    int first = 0;
    while (moments[first] == 0) {
      first++;
    }
    int second = first;
    while (moments[second] == moments[first]) {
      second++;
    }
    int end = second;
    while (end < moments.length && moments[end] == moments[second]) {
      end++;
    }
    Arrays.fill(moments, first, end, Math.max(moments[first], moments[second]));
  }

  /** Equal moments in a row: each as the moment and how often. */
  private static long[] runs(long[] moments) {
    long[] runs = new long[2 * moments.length];
    int length = 0;
    for (long moment : moments) {
      if (length > 0 && runs[length - 2] == moment) {
        runs[length - 1]++;
      } else {
        runs[length++] = moment;
        runs[length++] = 1;
      }
    }
    return Arrays.copyOf(runs, length);
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
    tree.put("claimedAt", claimedAt);
    ArrayNode moments = tree.putArray("freedAt");
    Arrays.stream(runs(freedAt)).forEach(moments::add);
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
        queue,
        readMoments(tree.path("freedAt"), count),
        tree.path("claimedAt").asLong(0));
  }

  /** Absent in blocks of an earlier version: all were freed long ago. */
  private static long[] readMoments(JsonNode runs, int count) {
    long[] moments = new long[count];
    int length = 0;
    for (int i = 0; i + 1 < runs.size(); i += 2) {
      long times = runs.get(i + 1).asLong();
      if (times < 1 || length + times > count) {
        throw new InvalidInputException(
            "freedAt", runs.toString(), "moments for " + count + " freed addresses");
      }
      Arrays.fill(moments, length, length + (int) times, runs.get(i).asLong());
      length += (int) times;
    }
    if (!runs.isMissingNode() && length != count) {
      throw new InvalidInputException(
          "freedAt", runs.toString(), "moments for " + count + " freed addresses");
    }
    return moments;
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
        && claimedAt == block.claimedAt
        && Arrays.equals(queue, block.queue)
        && Arrays.equals(freedAt, block.freedAt);
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
