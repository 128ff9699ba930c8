package io.wayleave.bgp.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.wayleave.bgp.wire.Capability.AddPath;
import io.wayleave.bgp.wire.Capability.ExtendedNextHop;
import io.wayleave.bgp.wire.Capability.GracefulRestart;
import io.wayleave.model.Asn;
import java.util.ArrayList;
import java.util.List;

/** Capabilities as bytes, RFC 5492 section 4: code (1), length (1), value. */
final class CapabilityCodec {
  private CapabilityCodec() {}

  static Octets encode(List<Capability> capabilities) {
    ByteBuf out = Unpooled.buffer(64);
    capabilities.forEach(capability -> encode(capability, out));
    return Octets.read(out, out.readableBytes());
  }

  static void encode(Capability capability, ByteBuf out) {
    out.writeByte(capability.code());
    int lengthAt = out.writerIndex();
    out.writeByte(0);
    switch (capability) {
      case Capability.MultiProtocol(AddressFamily family) ->
          out.writeShort(family.afi()).writeByte(0).writeByte(family.safi());
      case Capability.RouteRefresh() -> {}
      case ExtendedNextHop(List<ExtendedNextHop.Encoding> encodings) -> {
        for (ExtendedNextHop.Encoding encoding : encodings) {
          out.writeShort(encoding.family().afi())
              .writeShort(encoding.family().safi())
              .writeShort(encoding.nextHopAfi());
        }
      }
      case Capability.ExtendedMessage() -> {}
      case GracefulRestart restart -> {
        int flags =
            (restart.restarting() ? Iana.GR_FLAG_RESTART_STATE : 0)
                | (restart.notification() ? Iana.GR_FLAG_NOTIFICATION : 0);
        out.writeShort(flags << 12 | restart.restartTime());
        for (GracefulRestart.RestartFamily family : restart.families()) {
          out.writeShort(family.family().afi())
              .writeByte(family.family().safi())
              .writeByte(family.forwardingPreserved() ? Iana.GR_FAMILY_FLAG_FORWARDING : 0);
        }
      }
      case AddPath(List<AddPath.Direction> directions) -> {
        for (AddPath.Direction direction : directions) {
          out.writeShort(direction.family().afi())
              .writeByte(direction.family().safi())
              .writeByte(
                  (direction.receive() ? Iana.ADD_PATH_RECEIVE : 0)
                      | (direction.send() ? Iana.ADD_PATH_SEND : 0));
        }
      }
      case Capability.FourOctetAs(Asn as) -> out.writeInt((int) as.number());
      case Capability.EnhancedRouteRefresh() -> {}
      case Capability.Unknown(int code, Octets value) -> value.writeTo(out);
    }
    int length = out.writerIndex() - lengthAt - 1;
    if (length > 0xff) {
      throw new IllegalArgumentException(
          "capability " + capability.code() + " takes " + length + " octets; allowed: 255");
    }
    out.setByte(lengthAt, length);
  }

  /**
   * Reads the value of a Capabilities parameter up to the buffer's end.
   *
   * @throws OpenErrorException when one is malformed
   */
  static List<Capability> decode(ByteBuf in) {
    List<Capability> capabilities = new ArrayList<>();
    while (in.isReadable()) {
      if (in.readableBytes() < 2) {
        throw OpenErrorException.malformed("a capability without a length");
      }
      int code = in.readUnsignedByte();
      int length = in.readUnsignedByte();
      if (length > in.readableBytes()) {
        throw OpenErrorException.malformed(
            "capability " + code + " has " + in.readableBytes() + " of " + length + " octets");
      }
      capabilities.add(decode(code, in.readSlice(length)));
    }
    return capabilities;
  }

  private static Capability decode(int code, ByteBuf value) {
    int length = value.readableBytes();
    return switch (code) {
      case Iana.CAP_MULTIPROTOCOL -> {
        expect(code, length, length == 4, "4");
        yield new Capability.MultiProtocol(
            new AddressFamily(value.readUnsignedShort(), value.readUnsignedShort() & 0xff));
      }
      case Iana.CAP_ROUTE_REFRESH -> {
        expect(code, length, length == 0, "0");
        yield new Capability.RouteRefresh();
      }
      case Iana.CAP_EXTENDED_NEXT_HOP -> {
        expect(code, length, length % 6 == 0, "a multiple of 6");
        yield extendedNextHop(value);
      }
      case Iana.CAP_EXTENDED_MESSAGE -> {
        expect(code, length, length == 0, "0");
        yield new Capability.ExtendedMessage();
      }
      case Iana.CAP_GRACEFUL_RESTART -> {
        expect(code, length, length % 4 == 2, "2 and a multiple of 4");
        yield gracefulRestart(value);
      }
      case Iana.CAP_FOUR_OCTET_AS -> {
        expect(code, length, length == 4, "4");
        long number = value.readUnsignedInt();
        if (number == 0) {
          // RFC 7607 section 2.
          throw new OpenErrorException(
              Notifications.openError(Iana.OPEN_BAD_PEER_AS), "the four-octet AS number is 0");
        }
        yield new Capability.FourOctetAs(Asn.of(number));
      }
      case Iana.CAP_ADD_PATH -> {
        expect(code, length, length % 4 == 0, "a multiple of 4");
        yield addPath(value);
      }
      case Iana.CAP_ENHANCED_ROUTE_REFRESH -> {
        expect(code, length, length == 0, "0");
        yield new Capability.EnhancedRouteRefresh();
      }
      default -> new Capability.Unknown(code, Octets.read(value, length));
    };
  }

  private static ExtendedNextHop extendedNextHop(ByteBuf value) {
    List<ExtendedNextHop.Encoding> encodings = new ArrayList<>();
    while (value.isReadable()) {
      AddressFamily family =
          new AddressFamily(value.readUnsignedShort(), value.readUnsignedShort() & 0xff);
      encodings.add(new ExtendedNextHop.Encoding(family, value.readUnsignedShort()));
    }
    return new ExtendedNextHop(encodings);
  }

  private static GracefulRestart gracefulRestart(ByteBuf value) {
    int head = value.readUnsignedShort();
    List<GracefulRestart.RestartFamily> families = new ArrayList<>();
    while (value.isReadable()) {
      AddressFamily family = new AddressFamily(value.readUnsignedShort(), value.readUnsignedByte());
      boolean preserved = (value.readUnsignedByte() & Iana.GR_FAMILY_FLAG_FORWARDING) != 0;
      families.add(new GracefulRestart.RestartFamily(family, preserved));
    }
    return new GracefulRestart(
        (head >> 12 & Iana.GR_FLAG_RESTART_STATE) != 0,
        (head >> 12 & Iana.GR_FLAG_NOTIFICATION) != 0,
        head & Iana.GR_MAX_RESTART_TIME,
        families);
  }

  /** RFC 7911 section 4: with a value that it does not define, the capability is ignored. */
  private static Capability addPath(ByteBuf value) {
    Octets all = Octets.copy(value, value.readerIndex(), value.readableBytes());
    List<AddPath.Direction> directions = new ArrayList<>();
    while (value.isReadable()) {
      AddressFamily family = new AddressFamily(value.readUnsignedShort(), value.readUnsignedByte());
      int direction = value.readUnsignedByte();
      if (direction < Iana.ADD_PATH_RECEIVE || direction > Iana.ADD_PATH_BOTH) {
        return new Capability.Unknown(Iana.CAP_ADD_PATH, all);
      }
      directions.add(
          new AddPath.Direction(
              family,
              (direction & Iana.ADD_PATH_RECEIVE) != 0,
              (direction & Iana.ADD_PATH_SEND) != 0));
    }
    return new AddPath(directions);
  }

  private static void expect(int code, int length, boolean right, String expected) {
    if (!right) {
      throw OpenErrorException.malformed(
          "capability " + code + " has a length of " + length + "; expected: " + expected);
    }
  }
}
