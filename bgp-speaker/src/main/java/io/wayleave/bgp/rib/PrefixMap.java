package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.Arrays;

/**
 * A hash table from prefixes of one family to values, without an object per key: an IPv4 prefix is
 * one long (address and length), an IPv6 prefix two longs and a byte. Open addressing with linear
 * probing; a removal moves the entries behind it up, so there are no tombstones.
 *
 * <p>No null values. NOT thread safe; not to be changed while {@link #forEach} runs.
 */
public final class PrefixMap<V> {
  /** Receives one entry. */
  public interface Visitor<V> {
    void visit(Cidr prefix, V value);
  }

  private static final int INITIAL_CAPACITY = 16;

  private final Family family;
  // IPv4: address << 8 | length. IPv6: the lower half of the address.
  private long[] low;
  // IPv6 only, else empty.
  private long[] high;
  private byte[] lengths;
  private Object[] values;
  private int size;

  public PrefixMap(Family family) {
    this.family = requireNonNull(family, "family is null");
    allocate(INITIAL_CAPACITY);
  }

  /** The value, or null when the prefix is not in the table. */
  public V get(Cidr prefix) {
    return cast(values[find(prefix)]);
  }

  /** Sets the value and returns the former one, or null when there was none. */
  public V put(Cidr prefix, V value) {
    requireNonNull(value, "value is null");
    int slot = find(prefix);
    V former = cast(values[slot]);
    if (former == null) {
      write(slot, prefix);
      size++;
    }
    values[slot] = value;
    // At most two thirds full, so that probes stay short.
    if (former == null && size * 3L > values.length * 2L) {
      grow();
    }
    return former;
  }

  /** Removes the prefix and returns its value, or null when there was none. */
  public V remove(Cidr prefix) {
    int slot = find(prefix);
    V former = cast(values[slot]);
    if (former == null) {
      return null;
    }
    size--;
    closeGap(slot);
    return former;
  }

  public int size() {
    return size;
  }

  public boolean isEmpty() {
    return size == 0;
  }

  public void clear() {
    size = 0;
    allocate(INITIAL_CAPACITY);
  }

  /** Every entry once, in no order that means anything. */
  public void forEach(Visitor<? super V> visitor) {
    for (int slot = 0; slot < values.length; slot++) {
      if (values[slot] != null) {
        visitor.visit(prefixAt(slot), cast(values[slot]));
      }
    }
  }

  private int find(Cidr prefix) {
    IpAddress address = prefix.address();
    if (address.family() != family) {
      throw new IllegalArgumentException(prefix + " in a table of " + family);
    }
    int mask = values.length - 1;
    if (family == Family.IPV4) {
      long key = ipv4Key(prefix);
      int slot = hash(0, key, 0) & mask;
      while (values[slot] != null && low[slot] != key) {
        slot = slot + 1 & mask;
      }
      return slot;
    }
    int slot = hash(address.high(), address.low(), prefix.prefixLength()) & mask;
    while (values[slot] != null
        && (low[slot] != address.low()
            || high[slot] != address.high()
            || (lengths[slot] & 0xff) != prefix.prefixLength())) {
      slot = slot + 1 & mask;
    }
    return slot;
  }

  private void write(int slot, Cidr prefix) {
    if (family == Family.IPV4) {
      low[slot] = ipv4Key(prefix);
      return;
    }
    low[slot] = prefix.address().low();
    high[slot] = prefix.address().high();
    lengths[slot] = (byte) prefix.prefixLength();
  }

  private void closeGap(int start) {
    int mask = values.length - 1;
    int gap = start;
    int slot = start;
    while (true) {
      slot = slot + 1 & mask;
      if (values[slot] == null) {
        break;
      }
      // An entry may move up only if its own place is not between the gap and itself.
      int home = homeOf(slot) & mask;
      if ((slot - home & mask) >= (slot - gap & mask)) {
        move(slot, gap);
        gap = slot;
      }
    }
    values[gap] = null;
  }

  private int homeOf(int slot) {
    return family == Family.IPV4
        ? hash(0, low[slot], 0)
        : hash(high[slot], low[slot], lengths[slot] & 0xff);
  }

  private void move(int from, int to) {
    low[to] = low[from];
    values[to] = values[from];
    if (family == Family.IPV6) {
      high[to] = high[from];
      lengths[to] = lengths[from];
    }
  }

  private void grow() {
    long[] oldLow = low;
    long[] oldHigh = high;
    byte[] oldLengths = lengths;
    Object[] oldValues = values;
    allocate(oldValues.length * 2);
    int mask = values.length - 1;
    for (int old = 0; old < oldValues.length; old++) {
      if (oldValues[old] == null) {
        continue;
      }
      boolean ipv4 = family == Family.IPV4;
      int slot =
          (ipv4 ? hash(0, oldLow[old], 0) : hash(oldHigh[old], oldLow[old], oldLengths[old] & 0xff))
              & mask;
      while (values[slot] != null) {
        slot = slot + 1 & mask;
      }
      low[slot] = oldLow[old];
      values[slot] = oldValues[old];
      if (!ipv4) {
        high[slot] = oldHigh[old];
        lengths[slot] = oldLengths[old];
      }
    }
  }

  private void allocate(int capacity) {
    int wide = family == Family.IPV6 ? capacity : 0;
    low = new long[capacity];
    high = new long[wide];
    lengths = new byte[wide];
    values = new Object[capacity];
  }

  private Cidr prefixAt(int slot) {
    return family == Family.IPV4
        ? new Cidr(IpAddress.ofIpv4((int) (low[slot] >>> 8)), (int) (low[slot] & 0xff))
        : new Cidr(IpAddress.ofIpv6(high[slot], low[slot]), lengths[slot] & 0xff);
  }

  private static long ipv4Key(Cidr prefix) {
    return prefix.address().low() << 8 | prefix.prefixLength();
  }

  /** The finalizer of SplitMix64: neighbouring prefixes must not land in neighbouring slots. */
  private static int hash(long high, long low, int length) {
    long mixed = low ^ high * 0x9e3779b97f4a7c15L ^ length;
    mixed = (mixed ^ mixed >>> 30) * 0xbf58476d1ce4e5b9L;
    mixed = (mixed ^ mixed >>> 27) * 0x94d049bb133111ebL;
    return (int) (mixed ^ mixed >>> 31);
  }

  @SuppressWarnings("unchecked")
  private V cast(Object value) {
    return (V) value;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("{");
    String[] entries = new String[size];
    int[] next = {0};
    forEach((prefix, value) -> entries[next[0]++] = prefix + "=" + value);
    Arrays.sort(entries);
    return text.append(String.join(", ", entries)).append('}').toString();
  }
}
