package io.wayleave.bgp.wire;

import io.netty.buffer.ByteBuf;
import io.wayleave.model.Asn;
import java.util.List;

/** Writes {@link PathAttributes}: the loop over the table, and the values that are not one line. */
final class AttributeWriter {
  private AttributeWriter() {}

  /**
   * Writes the set without next hop, in ascending order of type (RFC 4271 section 5).
   *
   * @return how many octets precede the place of NEXT_HOP
   */
  static int write(PathAttributes attributes, boolean fourOctetAs, ByteBuf out) {
    int start = out.writerIndex();
    int nextHopOffset = 0;
    List<UnknownAttribute> unknown = attributes.unknown();
    int written = 0;
    for (PathAttribute row : PathAttribute.values()) {
      while (written < unknown.size() && unknown.get(written).type() < row.code()) {
        writeUnknown(unknown.get(written++), out);
      }
      if (row == PathAttribute.NEXT_HOP) {
        nextHopOffset = out.writerIndex() - start;
      }
      if (row.isPresent(attributes, fourOctetAs)) {
        int flags = row.flags() | (attributes.isPartial(row) ? Iana.FLAG_PARTIAL : 0);
        int header = beginAttribute(flags, row.code(), out);
        row.encode(attributes, fourOctetAs, out);
        endAttribute(header, out);
      }
    }
    while (written < unknown.size()) {
      writeUnknown(unknown.get(written++), out);
    }
    return nextHopOffset;
  }

  private static void writeUnknown(UnknownAttribute attribute, ByteBuf out) {
    int header =
        beginAttribute(
            Iana.FLAG_OPTIONAL | Iana.FLAG_TRANSITIVE | Iana.FLAG_PARTIAL, attribute.type(), out);
    attribute.value().writeTo(out);
    endAttribute(header, out);
  }

  /** Writes the header with a short length and returns where it starts. */
  static int beginAttribute(int flags, int code, ByteBuf out) {
    int header = out.writerIndex();
    out.writeByte(flags).writeByte(code).writeByte(0);
    return header;
  }

  /** Fills the length in, made two octets with the Extended Length bit when it needs them. */
  static void endAttribute(int header, ByteBuf out) {
    int valueStart = header + 3;
    int length = out.writerIndex() - valueStart;
    if (length <= 0xff) {
      out.setByte(header + 2, length);
      return;
    }
    byte[] value = new byte[length];
    out.getBytes(valueStart, value);
    out.setByte(header, out.getByte(header) | Iana.FLAG_EXTENDED_LENGTH);
    out.writerIndex(header + 2);
    out.writeShort(length).writeBytes(value);
  }

  static void origin(PathAttributes attributes, boolean fourOctetAs, ByteBuf out) {
    out.writeByte(attributes.origin().code());
  }

  static void asPath(PathAttributes attributes, boolean fourOctetAs, ByteBuf out) {
    writePath(attributes.asPath(), fourOctetAs, out);
  }

  /** RFC 6793 section 4.2.2: not when every number fits two octets. */
  static boolean needsAs4Path(AsPath path) {
    for (AsPath.Segment segment : path.segments()) {
      for (Asn number : segment.numbers()) {
        if (!number.isTwoOctet() && !segment.type().isConfederation()) {
          return true;
        }
      }
    }
    return false;
  }

  static void as4Path(PathAttributes attributes, boolean fourOctetAs, ByteBuf out) {
    writePath(attributes.asPath().withoutConfederations(), true, out);
  }

  private static void writePath(AsPath path, boolean fourOctetAs, ByteBuf out) {
    for (AsPath.Segment segment : path.segments()) {
      out.writeByte(segment.type().code()).writeByte(segment.numbers().size());
      for (Asn number : segment.numbers()) {
        writeAs(number, fourOctetAs, out);
      }
    }
  }

  static void aggregator(PathAttributes attributes, boolean fourOctetAs, ByteBuf out) {
    Aggregator aggregator = attributes.aggregator().orElseThrow();
    writeAs(aggregator.as(), fourOctetAs, out);
    out.writeInt(aggregator.address().ipv4Bits());
  }

  static void as4Aggregator(PathAttributes attributes, boolean fourOctetAs, ByteBuf out) {
    aggregator(attributes, true, out);
  }

  private static void writeAs(Asn number, boolean fourOctetAs, ByteBuf out) {
    if (fourOctetAs) {
      out.writeInt((int) number.number());
    } else {
      out.writeShort(number.isTwoOctet() ? (int) number.number() : Asn.AS_TRANS);
    }
  }

  static void largeCommunities(PathAttributes attributes, boolean fourOctetAs, ByteBuf out) {
    for (LargeCommunity community : attributes.largeCommunities()) {
      out.writeInt((int) community.globalAdministrator());
      out.writeInt((int) community.localData1());
      out.writeInt((int) community.localData2());
    }
  }
}
