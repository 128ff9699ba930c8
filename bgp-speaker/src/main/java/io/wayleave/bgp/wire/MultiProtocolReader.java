package io.wayleave.bgp.wire;

import io.netty.buffer.ByteBuf;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.Optional;

/**
 * MP_REACH_NLRI and MP_UNREACH_NLRI, RFC 4760 sections 3 and 4, and prefixes in general. What
 * cannot be parsed here ends the session, because the prefixes to withdraw are then unknown (RFC
 * 7606 sections 3 j) and 7.11).
 */
final class MultiProtocolReader {
  private MultiProtocolReader() {}

  /**
   * <pre>
   * AFI (2) | SAFI (1) | next hop length (1) | next hop | reserved (1) | prefixes
   * </pre>
   */
  static Optional<Malformed> reach(ByteBuf value, UpdateDraft draft, CodecContext context) {
    if (value.readableBytes() < 5) {
      return reset("length " + value.readableBytes() + "; expected: 5 or more");
    }
    AddressFamily family = new AddressFamily(value.readUnsignedShort(), value.readUnsignedByte());
    int length = value.readUnsignedByte();
    if (length + 1 > value.readableBytes()) {
      return reset(
          "next hop of " + length + " octets where " + value.readableBytes() + " are left");
    }
    if (!context.families().contains(family)) {
      draft.foreignReach = value.readableBytes() > length + 1;
      return notExchanged(family);
    }
    Family prefixFamily = family.unicastFamily().orElseThrow();
    Optional<String> wrongLength = checkNextHopLength(prefixFamily, length, context);
    if (wrongLength.isPresent()) {
      return reset(wrongLength.get());
    }
    NextHop nextHop = readNextHop(value, length);
    value.skipBytes(1);
    PrefixList.Builder prefixes = builderFor(value, prefixFamily);
    Optional<String> error = readPrefixes(value, prefixFamily, context, prefixes);
    if (error.isPresent()) {
      return reset(error.get());
    }
    draft.mpReach = Optional.of(prefixes.build());
    draft.mpNextHop = Optional.of(nextHop);
    return AttributeReader.isHost(nextHop.gateway())
        ? Optional.empty()
        : Optional.of(
            Malformed.withdraw(
                Iana.UPDATE_OPTIONAL_ATTRIBUTE, "next hop " + nextHop + " is not a host address"));
  }

  /**
   * <pre>
   * AFI (2) | SAFI (1) | prefixes
   * </pre>
   */
  static Optional<Malformed> unreach(ByteBuf value, UpdateDraft draft, CodecContext context) {
    if (value.readableBytes() < 3) {
      return reset("length " + value.readableBytes() + "; expected: 3 or more");
    }
    AddressFamily family = new AddressFamily(value.readUnsignedShort(), value.readUnsignedByte());
    if (!context.families().contains(family)) {
      return notExchanged(family);
    }
    Family prefixFamily = family.unicastFamily().orElseThrow();
    PrefixList.Builder prefixes = builderFor(value, prefixFamily);
    Optional<String> error = readPrefixes(value, prefixFamily, context, prefixes);
    if (error.isPresent()) {
      return reset(error.get());
    }
    draft.mpUnreach = Optional.of(prefixes.build());
    return Optional.empty();
  }

  /** A builder with room for what the buffer's octets are likely to be. */
  static PrefixList.Builder builderFor(ByteBuf field, Family family) {
    int usualOctets = family == Family.IPV4 ? 4 : 8; // a /24, a /56
    return PrefixList.builder(family, field.readableBytes() / usualOctets + 1);
  }

  /**
   * Reads prefixes up to the buffer's end: a path identifier (4) where that was agreed (RFC 7911
   * section 3), length in bits (1), then as many octets as it needs (RFC 4271 section 4.3). Bits
   * after the length are of no consequence and set to 0.
   *
   * @return what is wrong, as RFC 7606 section 5.3 defines it
   */
  static Optional<String> readPrefixes(
      ByteBuf in, Family family, CodecContext context, PrefixList.Builder into) {
    int maxLength = family.bits();
    boolean pathIds = context.readsPathIds(family);
    while (in.isReadable()) {
      int pathId = 0;
      if (pathIds) {
        if (in.readableBytes() < 5) {
          return Optional.of("path identifier and prefix in " + in.readableBytes() + " octets");
        }
        pathId = in.readInt();
      }
      int length = in.readUnsignedByte();
      if (length > maxLength) {
        return Optional.of("prefix length " + length + "; expected: 0 to " + maxLength);
      }
      int octets = (length + 7) >>> 3;
      if (octets > in.readableBytes()) {
        return Optional.of("prefix of length " + length + " in " + in.readableBytes() + " octets");
      }
      long high = 0;
      long low;
      if (family == Family.IPV4) {
        low = readIpv4(in, octets) & (-1L << (32 - length));
      } else {
        high = leftAligned(in, Math.min(octets, 8));
        low = leftAligned(in, Math.max(octets - 8, 0));
        high = length >= 64 ? high : length == 0 ? 0 : high & (-1L << (64 - length));
        low = length <= 64 ? 0 : low & (-1L << (128 - length));
      }
      if (pathIds) {
        into.add(pathId, high, low, length);
      } else {
        into.add(high, low, length);
      }
    }
    return Optional.empty();
  }

  /**
   * Reads that many octets as the first ones of 32 bits; what is in the bits after them is not
   * defined. One access for almost every prefix of a full table.
   */
  private static long readIpv4(ByteBuf in, int octets) {
    if (in.readableBytes() < 4) {
      return leftAligned(in, octets) >>> 32;
    }
    long bits = in.getUnsignedInt(in.readerIndex());
    in.skipBytes(octets);
    return bits;
  }

  /** Reads that many octets, up to 8, as the first ones of 64 bits; the rest is 0. */
  private static long leftAligned(ByteBuf in, int octets) {
    long bits = 0;
    for (int i = 0; i < octets; i++) {
      bits |= (long) in.readUnsignedByte() << (56 - 8 * i);
    }
    return bits;
  }

  private static Optional<String> checkNextHopLength(
      Family family, int length, CodecContext context) {
    boolean ipv6Length = length == 16 || length == 32; // RFC 2545 section 3
    return switch (family) {
      case IPV4 ->
          length == 4 || (ipv6Length && context.ipv4OverIpv6())
              ? Optional.empty()
              : Optional.of(
                  "next hop length "
                      + length
                      + "; expected: 4"
                      + (context.ipv4OverIpv6() ? ", 16 or 32" : ""));
      case IPV6 ->
          ipv6Length
              ? Optional.empty()
              : Optional.of("next hop length " + length + "; expected: 16 or 32");
    };
  }

  private static NextHop readNextHop(ByteBuf value, int length) {
    if (length == 4) {
      return NextHop.of(IpAddress.ofIpv4(value.readInt()));
    }
    IpAddress address = IpAddress.ofIpv6(value.readLong(), value.readLong());
    if (length == 16) {
      return NextHop.of(address);
    }
    IpAddress second = IpAddress.ofIpv6(value.readLong(), value.readLong());
    // Some speakers fill the second place with something else; only a link-local address counts.
    return second.isLinkLocal() ? NextHop.of(address, second) : NextHop.of(address);
  }

  private static Optional<Malformed> reset(String reason) {
    return Optional.of(Malformed.reset(Iana.UPDATE_OPTIONAL_ATTRIBUTE, reason));
  }

  private static Optional<Malformed> notExchanged(AddressFamily family) {
    return Optional.of(
        Malformed.discard(
            Iana.UPDATE_OPTIONAL_ATTRIBUTE, family + " is not exchanged in this session"));
  }
}
