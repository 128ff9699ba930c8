package io.wayleave.bgp.wire;

import io.netty.buffer.ByteBuf;
import io.wayleave.bgp.wire.AsPath.Segment;
import io.wayleave.bgp.wire.AsPath.SegmentType;
import io.wayleave.model.Asn;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The decode column of the table: each method reads one attribute's whole value and checks it as
 * RFC 7606 section 7 says, in the order of that section.
 */
final class AttributeReader {
  private static final Optional<Malformed> GOOD = Optional.empty();

  private AttributeReader() {}

  /** RFC 7606 section 7.1. */
  static Optional<Malformed> origin(ByteBuf value, UpdateDraft draft, CodecContext context) {
    if (value.readableBytes() != 1) {
      return badLength(value, "1");
    }
    int code = value.readUnsignedByte();
    Optional<Origin> origin = Origin.of(code);
    if (origin.isEmpty()) {
      return withdraw(Iana.UPDATE_INVALID_ORIGIN, "value " + code + "; expected: 0, 1 or 2");
    }
    draft.origin = origin;
    return GOOD;
  }

  /** RFC 7606 section 7.2. */
  static Optional<Malformed> asPath(ByteBuf value, UpdateDraft draft, CodecContext context) {
    PathResult result = readPath(value, context.fourOctetAs());
    if (!result.error().isEmpty()) {
      return withdraw(Iana.UPDATE_MALFORMED_AS_PATH, result.error());
    }
    if (!context.isInternal() && hasConfederation(result.path())) {
      // RFC 5065 section 5: from outside of the confederation such a segment is an error.
      return withdraw(Iana.UPDATE_MALFORMED_AS_PATH, "confederation segment from an external peer");
    }
    draft.asPath = Optional.of(result.path());
    return GOOD;
  }

  /** RFC 7606 section 7.3; the value's meaning by RFC 4271 section 6.3. */
  static Optional<Malformed> nextHop(ByteBuf value, UpdateDraft draft, CodecContext context) {
    if (value.readableBytes() != 4) {
      return badLength(value, "4");
    }
    IpAddress address = IpAddress.ofIpv4(value.readInt());
    if (!isHost(address)) {
      return withdraw(Iana.UPDATE_INVALID_NEXT_HOP, address + " is not a host address");
    }
    draft.nextHop = Optional.of(NextHop.of(address));
    return GOOD;
  }

  /** RFC 7606 section 7.4. */
  static Optional<Malformed> med(ByteBuf value, UpdateDraft draft, CodecContext context) {
    if (value.readableBytes() != 4) {
      return badLength(value, "4");
    }
    draft.med = OptionalLong.of(value.readUnsignedInt());
    return GOOD;
  }

  /** RFC 7606 section 7.5. */
  static Optional<Malformed> localPref(ByteBuf value, UpdateDraft draft, CodecContext context) {
    if (!context.isInternal()) {
      return fromExternalPeer();
    }
    if (value.readableBytes() != 4) {
      return badLength(value, "4");
    }
    draft.localPref = OptionalLong.of(value.readUnsignedInt());
    return GOOD;
  }

  /** RFC 7606 section 7.6. */
  static Optional<Malformed> atomicAggregate(
      ByteBuf value, UpdateDraft draft, CodecContext context) {
    if (value.isReadable()) {
      return discard(
          Iana.UPDATE_ATTRIBUTE_LENGTH, "length " + value.readableBytes() + "; expected: 0");
    }
    draft.atomicAggregate = true;
    return GOOD;
  }

  /** RFC 7606 section 7.7. */
  static Optional<Malformed> aggregator(ByteBuf value, UpdateDraft draft, CodecContext context) {
    int expected = context.fourOctetAs() ? 8 : 6;
    if (value.readableBytes() != expected) {
      return discard(
          Iana.UPDATE_ATTRIBUTE_LENGTH,
          "length " + value.readableBytes() + "; expected: " + expected);
    }
    long as = context.fourOctetAs() ? value.readUnsignedInt() : value.readUnsignedShort();
    if (as == 0) {
      // RFC 7607 section 2: malformed, so as any other error of this attribute.
      return discard(Iana.UPDATE_OPTIONAL_ATTRIBUTE, "AS number 0");
    }
    draft.aggregator = Optional.of(new Aggregator(Asn.of(as), IpAddress.ofIpv4(value.readInt())));
    return GOOD;
  }

  /** RFC 7606 section 7.8. */
  static Optional<Malformed> communities(ByteBuf value, UpdateDraft draft, CodecContext context) {
    if (isNotMultiple(value, 4)) {
      return badOptionalLength(value, 4);
    }
    List<Community> communities = new ArrayList<>(value.readableBytes() / 4);
    while (value.isReadable()) {
      communities.add(new Community(value.readInt()));
    }
    draft.communities = communities;
    return GOOD;
  }

  /** RFC 7606 section 7.9. */
  static Optional<Malformed> originatorId(ByteBuf value, UpdateDraft draft, CodecContext context) {
    if (!context.isInternal()) {
      return fromExternalPeer();
    }
    if (value.readableBytes() != 4) {
      return badLength(value, "4");
    }
    int bits = value.readInt();
    if (bits == 0) {
      // RFC 6286 section 2.1: no router has it, so no route comes from it.
      return withdraw(Iana.UPDATE_OPTIONAL_ATTRIBUTE, "BGP identifier 0.0.0.0");
    }
    draft.originatorId = Optional.of(new RouterId(bits));
    return GOOD;
  }

  /** RFC 7606 section 7.10. */
  static Optional<Malformed> clusterList(ByteBuf value, UpdateDraft draft, CodecContext context) {
    if (!context.isInternal()) {
      return fromExternalPeer();
    }
    if (isNotMultiple(value, 4)) {
      return badOptionalLength(value, 4);
    }
    List<IpAddress> ids = new ArrayList<>(value.readableBytes() / 4);
    while (value.isReadable()) {
      ids.add(IpAddress.ofIpv4(value.readInt()));
    }
    draft.clusterList = ids;
    return GOOD;
  }

  /** RFC 7606 section 7.14. */
  static Optional<Malformed> extendedCommunities(
      ByteBuf value, UpdateDraft draft, CodecContext context) {
    if (isNotMultiple(value, 8)) {
      return badOptionalLength(value, 8);
    }
    List<ExtendedCommunity> communities = new ArrayList<>(value.readableBytes() / 8);
    while (value.isReadable()) {
      communities.add(new ExtendedCommunity(value.readLong()));
    }
    draft.extendedCommunities = communities;
    return GOOD;
  }

  /** RFC 8092 section 6; duplicates are removed as its section 3 says. */
  static Optional<Malformed> largeCommunities(
      ByteBuf value, UpdateDraft draft, CodecContext context) {
    if (isNotMultiple(value, 12)) {
      return badOptionalLength(value, 12);
    }
    Set<LargeCommunity> communities = new LinkedHashSet<>();
    while (value.isReadable()) {
      communities.add(
          new LargeCommunity(
              value.readUnsignedInt(), value.readUnsignedInt(), value.readUnsignedInt()));
    }
    draft.largeCommunities = List.copyOf(communities);
    return GOOD;
  }

  /** RFC 6793 section 6: malformed or needless, it is discarded. */
  static Optional<Malformed> as4Path(ByteBuf value, UpdateDraft draft, CodecContext context) {
    if (context.fourOctetAs()) {
      return needless();
    }
    if (value.readableBytes() < 6 || value.readableBytes() % 2 != 0) {
      return discard(
          Iana.UPDATE_OPTIONAL_ATTRIBUTE,
          "length " + value.readableBytes() + "; expected: an even number from 6");
    }
    PathResult result = readPath(value, true);
    if (!result.error().isEmpty()) {
      return discard(Iana.UPDATE_OPTIONAL_ATTRIBUTE, result.error());
    }
    draft.as4Path = Optional.of(result.path().withoutConfederations());
    return GOOD;
  }

  /** RFC 6793 section 6. */
  static Optional<Malformed> as4Aggregator(ByteBuf value, UpdateDraft draft, CodecContext context) {
    if (context.fourOctetAs()) {
      return needless();
    }
    if (value.readableBytes() != 8) {
      return discard(
          Iana.UPDATE_OPTIONAL_ATTRIBUTE, "length " + value.readableBytes() + "; expected: 8");
    }
    long as = value.readUnsignedInt();
    if (as == 0) {
      return discard(Iana.UPDATE_OPTIONAL_ATTRIBUTE, "AS number 0");
    }
    draft.as4Aggregator =
        Optional.of(new Aggregator(Asn.of(as), IpAddress.ofIpv4(value.readInt())));
    return GOOD;
  }

  /**
   * Whether a packet can be sent there: not "this network", multicast or reserved (RFC 1122 section
   * 3.2.1.3). Loopback passes, for speakers of one machine; whether the next hop is our own or is
   * reachable is the session's to judge.
   */
  static boolean isHost(IpAddress address) {
    return switch (address.family()) {
      case IPV4 -> {
        int first = address.ipv4Bits() >>> 24;
        yield first != 0 && first < 224;
      }
      case IPV6 -> !address.isUnspecified() && !address.isMulticast();
    };
  }

  /** A path, or what is wrong with it: then {@code error} is not empty. */
  private record PathResult(AsPath path, String error) {
    static PathResult error(String error) {
      return new PathResult(AsPath.EMPTY, error);
    }
  }

  private static PathResult readPath(ByteBuf value, boolean fourOctetAs) {
    int size = fourOctetAs ? 4 : 2;
    List<Segment> segments = new ArrayList<>(1);
    while (value.isReadable()) {
      if (value.readableBytes() < 2) {
        return PathResult.error("one octet after the last segment");
      }
      int typeCode = value.readUnsignedByte();
      int count = value.readUnsignedByte();
      Optional<SegmentType> type = SegmentType.of(typeCode);
      if (type.isEmpty()) {
        return PathResult.error("segment type " + typeCode + "; expected: 1 to 4");
      }
      if (count == 0) {
        return PathResult.error("segment without numbers");
      }
      if (count * size > value.readableBytes()) {
        return PathResult.error(
            "segment of " + count + " numbers in " + value.readableBytes() + " octets");
      }
      List<Asn> numbers = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        long number = fourOctetAs ? value.readUnsignedInt() : value.readUnsignedShort();
        if (number == 0) {
          return PathResult.error("AS number 0"); // RFC 7607 section 2
        }
        numbers.add(Asn.of(number));
      }
      segments.add(new Segment(type.get(), numbers));
    }
    return new PathResult(segments.isEmpty() ? AsPath.EMPTY : new AsPath(segments), "");
  }

  private static boolean hasConfederation(AsPath path) {
    for (Segment segment : path.segments()) {
      if (segment.type().isConfederation()) {
        return true;
      }
    }
    return false;
  }

  private static boolean isNotMultiple(ByteBuf value, int unit) {
    return !value.isReadable() || value.readableBytes() % unit != 0;
  }

  private static Optional<Malformed> badLength(ByteBuf value, String expected) {
    return withdraw(
        Iana.UPDATE_ATTRIBUTE_LENGTH,
        "length " + value.readableBytes() + "; expected: " + expected);
  }

  private static Optional<Malformed> badOptionalLength(ByteBuf value, int unit) {
    return badLength(value, "a multiple of " + unit + " from " + unit);
  }

  private static Optional<Malformed> fromExternalPeer() {
    return discard(Iana.UPDATE_OPTIONAL_ATTRIBUTE, "not accepted from an external peer");
  }

  private static Optional<Malformed> needless() {
    return discard(
        Iana.UPDATE_OPTIONAL_ATTRIBUTE, "not accepted in a session of four-octet AS numbers");
  }

  private static Optional<Malformed> withdraw(int subcode, String reason) {
    return Optional.of(Malformed.withdraw(subcode, reason));
  }

  private static Optional<Malformed> discard(int subcode, String reason) {
    return Optional.of(Malformed.discard(subcode, reason));
  }
}
