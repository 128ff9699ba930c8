package io.wayleave.bgp.wire;

import io.netty.buffer.ByteBuf;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;

/**
 * Remembers what the attributes of an UPDATE decode to, by their octets, so that a set that comes
 * with thousands of messages is decoded once and is one object. MP_REACH_NLRI and MP_UNREACH_NLRI,
 * which carry the prefixes, are left out of the comparison; sets in which anything at all was wrong
 * are not remembered, so that each is reported. A set goes away when no route uses it any more.
 *
 * <p>One for all sessions of a speaker. NOT thread safe.
 */
public final class AttributeCache {
  private static final int INITIAL_CAPACITY = 256;
  private static final int MAX_TYPE = 0xff;

  private final WeakInterner<PathAttributes> sets = new WeakInterner<>();
  private final ReferenceQueue<PathAttributes> gone = new ReferenceQueue<>();
  private Entry[] buckets = new Entry[INITIAL_CAPACITY];
  private int size;

  // The attributes of the message in hand, those with prefixes left out.
  private byte[] octets = new byte[512];
  private int length;
  private int hash;
  private int mode;

  /** A known set. */
  static final class Entry extends WeakReference<PathAttributes> {
    private final byte[] octets;
    private final int hash;
    private final int mode;
    private final Optional<NextHop> nextHop;
    private final BitSet types;
    private Entry next;

    private Entry(
        PathAttributes attributes,
        byte[] octets,
        int hash,
        int mode,
        Optional<NextHop> nextHop,
        BitSet types,
        ReferenceQueue<PathAttributes> queue) {
      super(attributes, queue);
      this.octets = octets;
      this.hash = hash;
      this.mode = mode;
      this.nextHop = nextHop;
      this.types = types;
    }

    /** The value of NEXT_HOP. */
    Optional<NextHop> nextHop() {
      return nextHop;
    }

    /** The types of attributes in the set. */
    BitSet types() {
      return types;
    }
  }

  /**
   * Takes the attributes of a message in hand, for {@link #find} and {@link #add}.
   *
   * @param field not moved
   * @return whether there is anything to find, in a list without faults
   */
  boolean read(ByteBuf field, CodecContext context) {
    length = 0;
    mode = (context.fourOctetAs() ? 1 : 0) | (context.isInternal() ? 2 : 0);
    if (octets.length < field.readableBytes()) {
      octets = new byte[2 * field.readableBytes()];
    }
    int at = field.readerIndex();
    int end = field.writerIndex();
    while (at < end) {
      if (end - at < 4) {
        // An attribute of no octets may be the last one; a rare one may be slow.
        return false;
      }
      boolean extended = (field.getByte(at) & Iana.FLAG_EXTENDED_LENGTH) != 0;
      int type = field.getUnsignedByte(at + 1);
      int whole = extended ? 4 + field.getUnsignedShort(at + 2) : 3 + field.getUnsignedByte(at + 2);
      if (whole > end - at) {
        return false;
      }
      if (type != Iana.ATTR_MP_REACH_NLRI && type != Iana.ATTR_MP_UNREACH_NLRI) {
        field.getBytes(at, octets, length, whole);
        length += whole;
      }
      at += whole;
    }
    int mixed = mode;
    for (int i = 0; i < length; i++) {
      mixed = 31 * mixed + octets[i];
    }
    hash = mixed ^ mixed >>> 16;
    return length > 0;
  }

  /** The set in hand, if it is known. */
  Optional<Entry> find() {
    for (Entry entry = buckets[hash & buckets.length - 1]; entry != null; entry = entry.next) {
      if (entry.hash == hash
          && entry.mode == mode
          && Arrays.equals(entry.octets, 0, entry.octets.length, octets, 0, length)) {
        return Optional.of(entry);
      }
    }
    return Optional.empty();
  }

  /** The one object for sets that are equal to this, however they were encoded. */
  public PathAttributes canonical(PathAttributes attributes) {
    return sets.intern(attributes);
  }

  /**
   * Remembers what the set in hand decoded to, without any error.
   *
   * @param types of all attributes of the message
   */
  PathAttributes add(PathAttributes decoded, Optional<NextHop> nextHop, BitSet types) {
    PathAttributes attributes = sets.intern(decoded);
    expunge();
    if (size >= buckets.length) {
      grow();
    }
    BitSet own = types.get(0, MAX_TYPE + 1);
    own.clear(Iana.ATTR_MP_REACH_NLRI);
    own.clear(Iana.ATTR_MP_UNREACH_NLRI);
    link(new Entry(attributes, Arrays.copyOf(octets, length), hash, mode, nextHop, own, gone));
    size++;
    return attributes;
  }

  private void link(Entry entry) {
    int bucket = entry.hash & buckets.length - 1;
    entry.next = buckets[bucket];
    buckets[bucket] = entry;
  }

  private void expunge() {
    for (Reference<?> dead = gone.poll(); dead != null; dead = gone.poll()) {
      remove((Entry) dead);
    }
  }

  @SuppressWarnings("ReferenceEquality") // Entries have no other identity.
  private void remove(Entry dead) {
    int bucket = dead.hash & buckets.length - 1;
    Entry before = null;
    for (Entry entry = buckets[bucket]; entry != null; entry = entry.next) {
      if (entry == dead) {
        if (before == null) {
          buckets[bucket] = entry.next;
        } else {
          before.next = entry.next;
        }
        size--;
        return;
      }
      before = entry;
    }
  }

  private void grow() {
    Entry[] old = buckets;
    buckets = new Entry[old.length * 2];
    for (Entry first : old) {
      for (Entry entry = first; entry != null; ) {
        Entry next = entry.next;
        link(entry);
        entry = next;
      }
    }
  }
}
