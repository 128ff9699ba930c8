package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Comparator;

/**
 * An IPv4 or IPv6 address as two longs, so that a table of addresses needs no object per byte. An
 * IPv4 address lies in the low 32 bits of {@code low} and {@code high} is 0. Parsing never asks a
 * name server. An IPv4-mapped IPv6 address ({@code ::ffff:1.2.3.4}) stays IPv6.
 */
public record IpAddress(Family family, long high, long low) implements Comparable<IpAddress> {
  private static final Comparator<IpAddress> ORDER =
      Comparator.comparing(IpAddress::family)
          .thenComparing(IpAddress::high, Long::compareUnsigned)
          .thenComparing(IpAddress::low, Long::compareUnsigned);

  public IpAddress {
    if (family == Family.IPV4 && (high != 0 || (low >>> 32) != 0)) {
      throw new IllegalArgumentException("an IPv4 address has 32 bits");
    }
  }

  /** The IPv4 address with these 32 bits, in network order. */
  public static IpAddress ofIpv4(int bits) {
    return new IpAddress(Family.IPV4, 0, bits & 0xffff_ffffL);
  }

  public static IpAddress ofIpv6(long high, long low) {
    return new IpAddress(Family.IPV6, high, low);
  }

  /** From 4 or 16 bytes in network order. */
  public static IpAddress ofBytes(byte[] bytes) {
    if (bytes.length != 4 && bytes.length != 16) {
      throw new IllegalArgumentException("an IP address has 4 or 16 bytes, not " + bytes.length);
    }
    long high = 0;
    long low = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes.length - i > 8) {
        high = high << 8 | (bytes[i] & 0xff);
      } else {
        low = low << 8 | (bytes[i] & 0xff);
      }
    }
    return new IpAddress(bytes.length == 4 ? Family.IPV4 : Family.IPV6, high, low);
  }

  public static IpAddress of(InetAddress address) {
    return ofBytes(address.getAddress());
  }

  /**
   * Reads dotted decimal or any form of RFC 4291 section 2.2.
   *
   * @throws InvalidInputException when the text is neither
   */
  @JsonCreator
  public static IpAddress parse(String text) {
    IpAddress parsed = text.indexOf(':') >= 0 ? parseIpv6(text) : parseIpv4(text);
    if (parsed == null) {
      throw new InvalidInputException(
          "", text, "an IPv4 or IPv6 address such as 10.1.2.3 or fd00::1");
    }
    return parsed;
  }

  /** The address this many steps further, wrapping around at the end of the family's space. */
  public IpAddress plus(long steps) {
    if (family == Family.IPV4) {
      return ofIpv4((int) (low + steps));
    }
    long sum = low + steps;
    long carry =
        steps >= 0
            ? (Long.compareUnsigned(sum, low) < 0 ? 1 : 0)
            : (Long.compareUnsigned(sum, low) > 0 ? -1 : 0);
    return ofIpv6(high + carry, sum);
  }

  /** The address with all bits after the first {@code prefixLength} set to zero. */
  public IpAddress masked(int prefixLength) {
    if (family == Family.IPV4) {
      return new IpAddress(
          family, 0, prefixLength == 0 ? 0 : low & (-1L << (32 - prefixLength)) & 0xffff_ffffL);
    }
    long maskedHigh =
        prefixLength >= 64 ? high : prefixLength == 0 ? 0 : high & (-1L << (64 - prefixLength));
    long maskedLow = prefixLength <= 64 ? 0 : low & (-1L << (128 - prefixLength));
    return new IpAddress(family, maskedHigh, maskedLow);
  }

  /** fe80::/10 or 169.254.0.0/16. */
  public boolean isLinkLocal() {
    return family == Family.IPV4 ? (low >>> 16) == 0xa9feL : (high >>> 54) == 0x3faL;
  }

  public boolean isLoopback() {
    return family == Family.IPV4 ? (low >>> 24) == 127 : high == 0 && low == 1;
  }

  /** 224.0.0.0/4 or ff00::/8. */
  public boolean isMulticast() {
    return family == Family.IPV4 ? (low >>> 28) == 0xe : (high >>> 56) == 0xff;
  }

  /** 0.0.0.0 or ::. */
  public boolean isUnspecified() {
    return high == 0 && low == 0;
  }

  /** The 32 bits of an IPv4 address. */
  public int ipv4Bits() {
    if (family != Family.IPV4) {
      throw new IllegalStateException(this + " is not an IPv4 address");
    }
    return (int) low;
  }

  /** 4 or 16 bytes in network order. */
  public byte[] toBytes() {
    byte[] bytes = new byte[family.bytes()];
    for (int i = 0; i < bytes.length; i++) {
      int shift = 8 * (bytes.length - 1 - i);
      bytes[i] = (byte) (shift >= 64 ? high >>> (shift - 64) : low >>> shift);
    }
    return bytes;
  }

  public InetAddress toInetAddress() {
    try {
      return InetAddress.getByAddress(toBytes());
    } catch (UnknownHostException e) {
      throw new IllegalStateException("4 and 16 bytes are always an address", e);
    }
  }

  /** This one address as a network: /32 or /128. */
  public Cidr toCidr() {
    return new Cidr(this, family.bits());
  }

  // As a record's own, but fast from the first call: large tables are filled while nothing is
  // compiled yet.
  @Override
  public boolean equals(Object other) {
    return other instanceof IpAddress that
        && family == that.family
        && high == that.high
        && low == that.low;
  }

  @Override
  public int hashCode() {
    return 31 * Long.hashCode(high) + Long.hashCode(low);
  }

  @Override
  public int compareTo(IpAddress other) {
    return ORDER.compare(this, other);
  }

  /** Dotted decimal, or the canonical form of RFC 5952. */
  @Override
  @JsonValue
  public String toString() {
    if (family == Family.IPV4) {
      return (low >>> 24)
          + "."
          + (low >>> 16 & 0xff)
          + "."
          + (low >>> 8 & 0xff)
          + "."
          + (low & 0xff);
    }
    int[] groups = new int[8];
    for (int i = 0; i < 8; i++) {
      groups[i] = (int) ((i < 4 ? high >>> (48 - 16 * i) : low >>> (112 - 16 * i)) & 0xffff);
    }
    // RFC 5952 section 4.2: the longest run of at least two zero groups is shortened, the first of
    // equals.
    int bestStart = -1;
    int bestLength = 1;
    for (int start = 0; start < 8; start++) {
      int length = 0;
      while (start + length < 8 && groups[start + length] == 0) {
        length++;
      }
      if (length > bestLength) {
        bestStart = start;
        bestLength = length;
      }
    }
    StringBuilder text = new StringBuilder(39);
    for (int i = 0; i < 8; i++) {
      if (i == bestStart) {
        text.append("::");
        i += bestLength - 1;
        continue;
      }
      if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
        text.append(':');
      }
      text.append(Integer.toHexString(groups[i]));
    }
    return text.toString();
  }

  private static IpAddress parseIpv4(String text) {
    int bits = 0;
    int start = 0;
    for (int part = 0; part < 4; part++) {
      int end = part == 3 ? text.length() : text.indexOf('.', start);
      int octet = end < 0 ? -1 : parseOctet(text, start, end);
      if (octet < 0) {
        return null;
      }
      bits = bits << 8 | octet;
      start = end + 1;
    }
    return ofIpv4(bits);
  }

  /** -1 when it is none. A leading zero is refused: some read it as octal. */
  private static int parseOctet(String text, int start, int end) {
    int length = end - start;
    if (length < 1 || length > 3 || (length > 1 && text.charAt(start) == '0')) {
      return -1;
    }
    int octet = 0;
    for (int i = start; i < end; i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9') {
        return -1;
      }
      octet = octet * 10 + (c - '0');
    }
    return octet > 255 ? -1 : octet;
  }

  private static IpAddress parseIpv6(String text) {
    int gap = text.indexOf("::");
    if (gap >= 0 && text.indexOf("::", gap + 1) >= 0) {
      return null;
    }
    int[] head = new int[8];
    int[] tail = new int[8];
    int headCount = parseGroups(gap >= 0 ? text.substring(0, gap) : text, head);
    int tailCount = gap >= 0 ? parseGroups(text.substring(gap + 2), tail) : 0;
    boolean complete = gap >= 0 ? headCount + tailCount <= 7 : headCount == 8;
    if (headCount < 0 || tailCount < 0 || !complete) {
      return null;
    }
    System.arraycopy(tail, 0, head, 8 - tailCount, tailCount);
    long high = 0;
    long low = 0;
    for (int i = 0; i < 4; i++) {
      high = high << 16 | head[i];
      low = low << 16 | head[i + 4];
    }
    return ofIpv6(high, low);
  }

  /**
   * Reads groups of hexadecimal digits, the last of them perhaps in dotted decimal; -1 when
   * malformed.
   */
  private static int parseGroups(String text, int[] into) {
    if (text.isEmpty()) {
      return 0;
    }
    String[] parts = text.split(":", -1);
    int count = 0;
    for (int i = 0; i < parts.length; i++) {
      String part = parts[i];
      if (i == parts.length - 1 && part.indexOf('.') >= 0) {
        IpAddress embedded = parseIpv4(part);
        if (embedded == null || count > 6) {
          return -1;
        }
        into[count++] = (int) (embedded.low >>> 16);
        into[count++] = (int) (embedded.low & 0xffff);
        continue;
      }
      if (part.isEmpty() || part.length() > 4 || count > 7) {
        return -1;
      }
      int group = 0;
      for (int j = 0; j < part.length(); j++) {
        int digit = Character.digit(part.charAt(j), 16);
        if (digit < 0 || part.charAt(j) > 'f') {
          return -1;
        }
        group = group << 4 | digit;
      }
      into[count++] = group;
    }
    return count;
  }
}
