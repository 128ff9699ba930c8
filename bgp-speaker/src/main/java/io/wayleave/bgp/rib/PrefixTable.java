package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.Arrays;

/**
 * Gives each prefix of one family a small number, so that tables of routes are arrays and a prefix
 * is looked up once for all of them. An IPv4 prefix takes one long (address and length), an IPv6
 * prefix two longs and a byte.
 *
 * <p>A number is in use while somebody retains it. One that nobody does keeps its prefix, so that a
 * route that flaps finds it again, until the table would have to grow: then such numbers are given
 * to other prefixes.
 *
 * <p>NOT thread safe.
 */
public final class PrefixTable {
  /** No number. */
  static final int NONE = -1;

  private static final int INITIAL_CAPACITY = 64;

  /** Prefixes next to each other that are kept next to each other in the hash table. */
  private static final int RUN_BITS = 4;

  private final Family family;
  // By number. IPv4: address << 8 | length. IPv6: the lower half of the address.
  private long[] low;
  // IPv6 only, else empty.
  private long[] high;
  private byte[] lengths;
  private int[] users;
  // Open addressing with linear probing: number + 1, or 0.
  private int[] slots;
  private int next;
  private int[] free = new int[0];
  private int freeCount;
  private int unused;

  public PrefixTable(Family family) {
    this.family = requireNonNull(family, "family is null");
    low = new long[INITIAL_CAPACITY];
    high = new long[wide(INITIAL_CAPACITY)];
    lengths = new byte[wide(INITIAL_CAPACITY)];
    users = new int[INITIAL_CAPACITY];
    slots = new int[2 * INITIAL_CAPACITY];
  }

  public Family family() {
    return family;
  }

  /** All numbers are below this one. */
  public int limit() {
    return next;
  }

  /** Size that arrays by number should have. */
  int capacity() {
    return low.length;
  }

  /** The number of the prefix, {@link #NONE} when it has none. */
  int find(Cidr prefix) {
    IpAddress address = checked(prefix).address();
    return find(address.high(), address.low(), prefix.prefixLength());
  }

  /** The number of the prefix, given as {@link io.wayleave.bgp.wire.PrefixList} has it. */
  int find(long addressHigh, long addressLow, int length) {
    return slots[slotOf(addressHigh, addressLow, length)] - 1;
  }

  /** The number of the prefix, a new one if it has none; to be retained before the next call. */
  int add(Cidr prefix) {
    IpAddress address = checked(prefix).address();
    return add(address.high(), address.low(), prefix.prefixLength());
  }

  /** The number of the prefix, a new one if it has none; to be retained before the next call. */
  int add(long addressHigh, long addressLow, int length) {
    int slot = slotOf(addressHigh, addressLow, length);
    if (slots[slot] != 0) {
      return slots[slot] - 1;
    }
    if (freeCount == 0 && next == low.length) {
      makeRoom();
      slot = slotOf(addressHigh, addressLow, length);
    }
    int id = freeCount > 0 ? free[--freeCount] : next++;
    if (family == Family.IPV4) {
      low[id] = addressLow << 8 | length;
    } else {
      low[id] = addressLow;
      high[id] = addressHigh;
      lengths[id] = (byte) length;
    }
    slots[slot] = id + 1;
    unused++;
    return id;
  }

  void retain(int id) {
    if (users[id]++ == 0) {
      unused--;
    }
  }

  void release(int id) {
    if (--users[id] == 0) {
      unused++;
    }
  }

  public Cidr prefix(int id) {
    return family == Family.IPV4
        ? new Cidr(IpAddress.ofIpv4((int) (low[id] >>> 8)), (int) (low[id] & 0xff))
        : new Cidr(IpAddress.ofIpv6(high[id], low[id]), lengths[id] & 0xff);
  }

  long high(int id) {
    return family == Family.IPV4 ? 0 : high[id];
  }

  long low(int id) {
    return family == Family.IPV4 ? low[id] >>> 8 : low[id];
  }

  int length(int id) {
    return family == Family.IPV4 ? (int) (low[id] & 0xff) : lengths[id] & 0xff;
  }

  /** How many numbers are in use. */
  int inUse() {
    return next - freeCount - unused;
  }

  private Cidr checked(Cidr prefix) {
    if (prefix.family() != family) {
      throw new IllegalArgumentException(prefix + " in a table of " + family);
    }
    return prefix;
  }

  /** The slot of the prefix, or the empty one where it belongs. */
  private int slotOf(long addressHigh, long addressLow, int length) {
    int mask = slots.length - 1;
    int slot = hash(addressHigh, addressLow, length) & mask;
    if (family == Family.IPV4) {
      long key = addressLow << 8 | length;
      while (slots[slot] != 0 && low[slots[slot] - 1] != key) {
        slot = slot + 1 & mask;
      }
      return slot;
    }
    while (slots[slot] != 0) {
      int id = slots[slot] - 1;
      if (low[id] == addressLow && high[id] == addressHigh && (lengths[id] & 0xff) == length) {
        break;
      }
      slot = slot + 1 & mask;
    }
    return slot;
  }

  /** Takes back the unused numbers when they are many, else doubles the table. */
  private void makeRoom() {
    int capacity = low.length;
    if (2 * unused >= capacity) {
      free = new int[unused];
      // Downwards, so that the low ones are given away first.
      for (int id = next - 1; id >= 0; id--) {
        if (users[id] == 0) {
          free[freeCount++] = id;
        }
      }
      unused = 0;
      Arrays.fill(slots, 0);
    } else {
      capacity = 2 * capacity;
      low = Arrays.copyOf(low, capacity);
      high = Arrays.copyOf(high, wide(capacity));
      lengths = Arrays.copyOf(lengths, wide(capacity));
      users = Arrays.copyOf(users, capacity);
      slots = new int[2 * capacity];
    }
    boolean all = freeCount == 0;
    for (int id = 0; id < next; id++) {
      if (all || users[id] > 0) {
        slots[slotOf(high(id), low(id), length(id))] = id + 1;
      }
    }
  }

  private int wide(int capacity) {
    return family == Family.IPV6 ? capacity : 0;
  }

  /**
   * Neighbouring prefixes of one length, as a table dump has them in runs, lie in neighbouring
   * slots of one cache line; the runs are spread by the finalizer of SplitMix64.
   */
  private int hash(long addressHigh, long addressLow, int length) {
    long number;
    long rest = length;
    if (family == Family.IPV4) {
      number = addressLow >>> (32 - length);
    } else if (length <= 64) {
      number = length == 0 ? 0 : addressHigh >>> (64 - length);
    } else {
      number = addressLow >>> (128 - length);
      rest += addressHigh * 0x9e3779b97f4a7c15L;
    }
    long mixed = (number >>> RUN_BITS) * 0xd1342543de82ef95L + rest;
    mixed = (mixed ^ mixed >>> 30) * 0xbf58476d1ce4e5b9L;
    mixed = (mixed ^ mixed >>> 27) * 0x94d049bb133111ebL;
    return (int) (mixed ^ mixed >>> 31) + (int) (number & (1 << RUN_BITS) - 1);
  }
}
