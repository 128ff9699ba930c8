package io.wayleave.bgp.wire;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.Collection;
import java.util.RandomAccess;

/**
 * Prefixes of one family in the order of the message, without an object for each: one long (IPv4)
 * or two (IPv6) and a length byte. It is a {@code List<Cidr>} for those who do not mind the
 * objects; a table of a million prefixes reads {@link #high}, {@link #low} and {@link #length}, or
 * {@link #forEachPrefix}. Immutable.
 */
public final class PrefixList extends AbstractList<Cidr> implements RandomAccess {
  private static final PrefixList EMPTY_IPV4 =
      new PrefixList(Family.IPV4, new long[0], new byte[0], new int[0]);
  private static final PrefixList EMPTY_IPV6 =
      new PrefixList(Family.IPV6, new long[0], new byte[0], new int[0]);

  private final Family family;
  private final long[] words;
  private final byte[] lengths;

  // Empty when no prefix has one.
  private final int[] pathIds;

  private PrefixList(Family family, long[] words, byte[] lengths, int[] pathIds) {
    this.family = family;
    this.words = words;
    this.lengths = lengths;
    this.pathIds = pathIds;
  }

  public static PrefixList empty(Family family) {
    return switch (family) {
      case IPV4 -> EMPTY_IPV4;
      case IPV6 -> EMPTY_IPV6;
    };
  }

  /** A list of these, all of the family. */
  public static PrefixList of(Family family, Collection<Cidr> prefixes) {
    Builder builder = new Builder(family, prefixes.size());
    prefixes.forEach(builder::add);
    return builder.build();
  }

  /** A list of at least one prefix, all of the first one's family. */
  public static PrefixList of(Cidr first, Cidr... others) {
    Builder builder = new Builder(first.family(), 1 + others.length).add(first);
    for (Cidr other : others) {
      builder.add(other);
    }
    return builder.build();
  }

  public static Builder builder(Family family) {
    return new Builder(family, 16);
  }

  /** A builder that has room for that many before it has to grow. */
  static Builder builder(Family family, int expected) {
    return new Builder(family, expected);
  }

  public Family family() {
    return family;
  }

  @Override
  public int size() {
    return lengths.length;
  }

  @Override
  public Cidr get(int index) {
    return new Cidr(new IpAddress(family, high(index), low(index)), length(index));
  }

  /** The high 64 bits of an IPv6 prefix, 0 for IPv4; bits after the length are 0. */
  public long high(int index) {
    return family == Family.IPV6 ? words[2 * index] : 0;
  }

  /** The low 64 bits of an IPv6 prefix, or the 32 bits of an IPv4 one. */
  public long low(int index) {
    return family == Family.IPV6 ? words[2 * index + 1] : words[index];
  }

  /** The prefix length in bits. */
  public int length(int index) {
    return lengths[index] & 0xff;
  }

  /** The path identifier that came with the prefix, 0 when the session has none (RFC 7911). */
  public int pathId(int index) {
    return pathIds.length == 0 ? 0 : pathIds[index];
  }

  public void forEachPrefix(PrefixVisitor visitor) {
    for (int i = 0; i < lengths.length; i++) {
      visitor.prefix(high(i), low(i), length(i));
    }
  }

  /**
   * Sees one prefix as numbers, with the meaning of {@link #high}, {@link #low}, {@link #length}.
   */
  @FunctionalInterface
  public interface PrefixVisitor {
    void prefix(long high, long low, int length);
  }

  /** Collects prefixes. NOT thread safe. */
  public static final class Builder {
    private final Family family;
    private final int stride;
    private long[] words;
    private byte[] lengths;
    private int[] pathIds = {};
    private int size;

    private Builder(Family family, int expected) {
      this.family = requireNonNull(family, "family is null");
      this.stride = family == Family.IPV6 ? 2 : 1;
      this.words = new long[expected * stride];
      this.lengths = new byte[expected];
    }

    public Builder add(Cidr prefix) {
      if (prefix.family() != family) {
        throw new IllegalArgumentException(prefix + " in a list of " + family + " prefixes");
      }
      return add(prefix.address().high(), prefix.address().low(), prefix.prefixLength());
    }

    /** Appends a prefix whose bits after the length are 0; {@code high} is ignored for IPv4. */
    public Builder add(long high, long low, int length) {
      if (size == lengths.length) {
        int capacity = Math.max(16, 2 * size);
        words = Arrays.copyOf(words, capacity * stride);
        lengths = Arrays.copyOf(lengths, capacity);
      }
      if (stride == 2) {
        words[2 * size] = high;
        words[2 * size + 1] = low;
      } else {
        words[size] = low;
      }
      lengths[size++] = (byte) length;
      return this;
    }

    /** The same with a path identifier (RFC 7911); then all prefixes must have one. */
    public Builder add(int pathId, long high, long low, int length) {
      add(high, low, length);
      if (pathIds.length < lengths.length) {
        pathIds = Arrays.copyOf(pathIds, lengths.length);
      }
      pathIds[size - 1] = pathId;
      return this;
    }

    public PrefixList build() {
      if (size == 0) {
        return empty(family);
      }
      return new PrefixList(
          family,
          Arrays.copyOf(words, size * stride),
          Arrays.copyOf(lengths, size),
          pathIds.length == 0 ? pathIds : Arrays.copyOf(pathIds, size));
    }
  }
}
