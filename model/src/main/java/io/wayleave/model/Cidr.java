package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Comparator;

/**
 * A network: an address and a prefix length, with all host bits zero. Two equal networks are equal
 * objects, and the text is canonical.
 */
public record Cidr(IpAddress address, int prefixLength) implements Comparable<Cidr> {
  private static final Comparator<Cidr> ORDER =
      Comparator.comparing(Cidr::address).thenComparingInt(Cidr::prefixLength);

  public Cidr {
    if (prefixLength < 0 || prefixLength > address.family().bits()) {
      throw new InvalidInputException(
          "", address + "/" + prefixLength, "a prefix length of 0 to " + address.family().bits());
    }
    IpAddress network = address.masked(prefixLength);
    if (!network.equals(address)) {
      throw new InvalidInputException(
          "",
          address + "/" + prefixLength,
          "a network without host bits, here " + network + "/" + prefixLength);
    }
  }

  /**
   * Reads {@code 10.0.0.0/8} or {@code fd00::/8}; an address without a length is a single address.
   */
  @JsonCreator
  public static Cidr parse(String text) {
    int slash = text.indexOf('/');
    if (slash < 0) {
      return IpAddress.parse(text).toCidr();
    }
    return new Cidr(parseAddress(text, slash), parseLength(text, slash));
  }

  /** Reads {@code 10.1.2.3/24}, host bits included, as the network around the address. */
  public static Cidr around(String text) {
    int slash = text.indexOf('/');
    if (slash < 0) {
      return IpAddress.parse(text).toCidr();
    }
    return around(parseAddress(text, slash), parseLength(text, slash));
  }

  /** The network of that length that the address lies in. */
  public static Cidr around(IpAddress address, int prefixLength) {
    return new Cidr(address.masked(prefixLength), prefixLength);
  }

  public Family family() {
    return address.family();
  }

  public boolean contains(IpAddress other) {
    return other.family() == family() && other.masked(prefixLength).equals(address);
  }

  public boolean contains(Cidr other) {
    return other.prefixLength >= prefixLength && contains(other.address);
  }

  public boolean overlaps(Cidr other) {
    return contains(other) || other.contains(this);
  }

  /** Whether this is one address: /32 or /128. */
  public boolean isHost() {
    return prefixLength == family().bits();
  }

  /** Number of addresses, {@link Long#MAX_VALUE} when there are more than that. */
  public long size() {
    int hostBits = family().bits() - prefixLength;
    return hostBits >= 63 ? Long.MAX_VALUE : 1L << hostBits;
  }

  /** The highest address. */
  public IpAddress last() {
    int hostBits = family().bits() - prefixLength;
    if (family() == Family.IPV4) {
      return new IpAddress(Family.IPV4, 0, address.low() | ((1L << hostBits) - 1));
    }
    long low = hostBits >= 64 ? -1L : address.low() | ((1L << hostBits) - 1);
    long high =
        hostBits <= 64
            ? address.high()
            : hostBits == 128 ? -1L : address.high() | ((1L << (hostBits - 64)) - 1);
    return new IpAddress(Family.IPV6, high, low);
  }

  // As a record's own, but fast from the first call, like those of the address.
  @Override
  public boolean equals(Object other) {
    return other instanceof Cidr that
        && prefixLength == that.prefixLength
        && address.equals(that.address);
  }

  @Override
  public int hashCode() {
    return 31 * address.hashCode() + prefixLength;
  }

  @Override
  public int compareTo(Cidr other) {
    return ORDER.compare(this, other);
  }

  @Override
  @JsonValue
  public String toString() {
    return address + "/" + prefixLength;
  }

  private static IpAddress parseAddress(String text, int slash) {
    try {
      return IpAddress.parse(text.substring(0, slash));
    } catch (InvalidInputException e) {
      throw notANetwork(text, e);
    }
  }

  private static int parseLength(String text, int slash) {
    String length = text.substring(slash + 1);
    if (!length.matches("0|[1-9][0-9]{0,2}")) {
      throw notANetwork(text, null);
    }
    IpAddress address = parseAddress(text, slash);
    int parsed = Integer.parseInt(length);
    if (parsed > address.family().bits()) {
      throw new InvalidInputException(
          "", text, "a prefix length of 0 to " + address.family().bits());
    }
    return parsed;
  }

  private static InvalidInputException notANetwork(String text, Throwable cause) {
    InvalidInputException refusal =
        new InvalidInputException("", text, "a network such as 10.0.0.0/16 or fd00:10::/48");
    if (cause != null) {
      refusal.initCause(cause);
    }
    return refusal;
  }
}
