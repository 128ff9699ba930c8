package io.wayleave.bgp.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.wayleave.bgp.wire.BgpMessage.Reach;
import io.wayleave.bgp.wire.BgpMessage.Unreach;
import io.wayleave.bgp.wire.BgpMessage.Update;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Packs the prefixes of an UPDATE into as few messages as the limit allows. Each message has
 * prefixes in one place only, and a multiprotocol attribute comes first, as RFC 7606 section 5.1
 * wants it, so that the receiver finds the prefixes whatever else it cannot read.
 *
 * <p>Holds no state.
 */
final class UpdateEncoder {
  private static final Logger log = LoggerFactory.getLogger(UpdateEncoder.class);

  /** Type, flags and a length of two octets. */
  private static final int MAX_ATTRIBUTE_HEADER = 4;

  private static final int NEXT_HOP_SIZE = 3 + 4;

  private UpdateEncoder() {}

  static int encode(Update update, CodecContext context, ByteBuf out) {
    int messages = 0;
    for (Unreach unreach : update.unreach()) {
      messages +=
          unreach.prefixes().isEmpty()
              ? endOfRib(unreach.prefixes().family(), out)
              : withdraw(unreach.prefixes(), context, out);
    }
    for (Reach reach : update.reach()) {
      messages += announce(reach, context, out);
    }
    return messages;
  }

  /** RFC 4724 section 2: the smallest UPDATE, or an MP_UNREACH_NLRI alone and without prefixes. */
  private static int endOfRib(Family family, ByteBuf out) {
    int start = BgpEncoder.beginMessage(Iana.MSG_UPDATE, out);
    out.writeShort(0);
    switch (family) {
      case IPV4 -> out.writeShort(0);
      case IPV6 -> {
        int attributes = beginAttributes(out);
        int header = beginMpUnreach(family, out);
        AttributeWriter.endAttribute(header, out);
        endAttributes(attributes, out);
      }
    }
    BgpEncoder.endMessage(start, out);
    return 1;
  }

  private static int withdraw(PrefixList prefixes, CodecContext context, ByteBuf out) {
    int messages = 0;
    int room = context.maxSend() - MessageLength.MIN_UPDATE;
    int from = 0;
    while (from < prefixes.size()) {
      int start = BgpEncoder.beginMessage(Iana.MSG_UPDATE, out);
      switch (prefixes.family()) {
        case IPV4 -> {
          int lengthAt = out.writerIndex();
          out.writeShort(0);
          from = writePrefixes(prefixes, from, room, out);
          out.setShort(lengthAt, out.writerIndex() - lengthAt - 2);
          out.writeShort(0);
        }
        case IPV6 -> {
          out.writeShort(0);
          int attributes = beginAttributes(out);
          int header = beginMpUnreach(Family.IPV6, out);
          from = writePrefixes(prefixes, from, room - MAX_ATTRIBUTE_HEADER - 3, out);
          AttributeWriter.endAttribute(header, out);
          endAttributes(attributes, out);
        }
      }
      BgpEncoder.endMessage(start, out);
      messages++;
    }
    return messages;
  }

  private static int announce(Reach reach, CodecContext context, ByteBuf out) {
    EncodedAttributes attributes = EncodedAttributes.of(reach.attributes(), context);
    boolean classic = reach.nextHop().address().family() == Family.IPV4;
    if (!classic && reach.prefixes().family() == Family.IPV4 && !context.ipv4OverIpv6()) {
      throw new IllegalArgumentException(
          "next hop " + reach.nextHop() + " of IPv4 prefixes was not negotiated (RFC 8950)");
    }
    if (classic && reach.prefixes().family() == Family.IPV6) {
      throw new IllegalArgumentException(
          "next hop " + reach.nextHop() + " of IPv6 prefixes is not an IPv6 address");
    }
    int overhead =
        MessageLength.MIN_UPDATE
            + attributes.length()
            + (classic ? NEXT_HOP_SIZE : MAX_ATTRIBUTE_HEADER + 5 + nextHopSize(reach.nextHop()));
    int room = context.maxSend() - overhead;
    if (room < 1 + reach.prefixes().family().bytes()) {
      log.warn(
          "routes withdrawn, their attributes fit into no message octets={} limit={} prefixes={}"
              + " first={}",
          overhead,
          context.maxSend(),
          reach.prefixes().size(),
          reach.prefixes().getFirst());
      return withdraw(reach.prefixes(), context, out);
    }
    int messages = 0;
    int from = 0;
    while (from < reach.prefixes().size()) {
      int start = BgpEncoder.beginMessage(Iana.MSG_UPDATE, out);
      out.writeShort(0);
      int attributesAt = beginAttributes(out);
      if (classic) {
        attributes.writeBeforeNextHop(out);
        out.writeByte(PathAttribute.NEXT_HOP.flags()).writeByte(Iana.ATTR_NEXT_HOP).writeByte(4);
        out.writeInt(reach.nextHop().address().ipv4Bits());
        attributes.writeAfterNextHop(out);
        endAttributes(attributesAt, out);
        from = writePrefixes(reach.prefixes(), from, room, out);
      } else {
        from = writeMpReach(reach, from, room, out);
        attributes.writeBeforeNextHop(out);
        attributes.writeAfterNextHop(out);
        endAttributes(attributesAt, out);
      }
      BgpEncoder.endMessage(start, out);
      messages++;
    }
    return messages;
  }

  private static int writeMpReach(Reach reach, int from, int room, ByteBuf out) {
    AddressFamily family = reach.family();
    int header =
        AttributeWriter.beginAttribute(
            PathAttribute.MP_REACH_NLRI.flags(), Iana.ATTR_MP_REACH_NLRI, out);
    out.writeShort(family.afi()).writeByte(family.safi());
    out.writeByte(nextHopSize(reach.nextHop()));
    writeIpv6(reach.nextHop().address(), out);
    reach.nextHop().linkLocal().ifPresent(address -> writeIpv6(address, out));
    out.writeByte(0);
    int next = writePrefixes(reach.prefixes(), from, room, out);
    AttributeWriter.endAttribute(header, out);
    return next;
  }

  private static int nextHopSize(NextHop nextHop) {
    return nextHop.linkLocal().isPresent() ? 32 : 16; // RFC 2545 section 3
  }

  private static void writeIpv6(IpAddress address, ByteBuf out) {
    out.writeLong(address.high()).writeLong(address.low());
  }

  private static int beginMpUnreach(Family family, ByteBuf out) {
    int header =
        AttributeWriter.beginAttribute(
            PathAttribute.MP_UNREACH_NLRI.flags(), Iana.ATTR_MP_UNREACH_NLRI, out);
    AddressFamily unicast = AddressFamily.unicast(family);
    out.writeShort(unicast.afi()).writeByte(unicast.safi());
    return header;
  }

  /** Writes the attributes' length as 0 and returns where it is. */
  private static int beginAttributes(ByteBuf out) {
    int lengthAt = out.writerIndex();
    out.writeShort(0);
    return lengthAt;
  }

  private static void endAttributes(int lengthAt, ByteBuf out) {
    out.setShort(lengthAt, out.writerIndex() - lengthAt - 2);
  }

  /** Writes prefixes from that one on while they fit, and returns the first that did not. */
  private static int writePrefixes(PrefixList prefixes, int from, int room, ByteBuf out) {
    int limit = out.writerIndex() + room;
    boolean ipv4 = prefixes.family() == Family.IPV4;
    int next = from;
    for (; next < prefixes.size(); next++) {
      int length = prefixes.length(next);
      int octets = (length + 7) >>> 3;
      if (out.writerIndex() + 1 + octets > limit) {
        break;
      }
      out.writeByte(length);
      if (ipv4) {
        writeLeading(prefixes.low(next) << 32, octets, out);
      } else {
        writeLeading(prefixes.high(next), Math.min(octets, 8), out);
        writeLeading(prefixes.low(next), Math.max(octets - 8, 0), out);
      }
    }
    return next;
  }

  private static void writeLeading(long bits, int octets, ByteBuf out) {
    for (int i = 0; i < octets; i++) {
      out.writeByte((int) (bits >>> (56 - 8 * i)));
    }
  }

  /** The set as this session wants it: the canonical encoding, or one with two-octet numbers. */
  private record EncodedAttributes(ByteBuf bytes, int nextHopOffset) {
    static EncodedAttributes of(PathAttributes attributes, CodecContext context) {
      if (context.fourOctetAs()) {
        return new EncodedAttributes(attributes.canonical(), attributes.nextHopOffset());
      }
      ByteBuf bytes = Unpooled.buffer(attributes.canonical().readableBytes());
      int nextHopOffset = AttributeWriter.write(attributes, false, bytes);
      return new EncodedAttributes(bytes, nextHopOffset);
    }

    int length() {
      return bytes.readableBytes();
    }

    void writeBeforeNextHop(ByteBuf out) {
      out.writeBytes(bytes, 0, nextHopOffset);
    }

    void writeAfterNextHop(ByteBuf out) {
      out.writeBytes(bytes, nextHopOffset, bytes.readableBytes() - nextHopOffset);
    }
  }
}
