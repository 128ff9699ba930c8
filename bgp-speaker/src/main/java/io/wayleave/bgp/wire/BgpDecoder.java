package io.wayleave.bgp.wire;

import io.netty.buffer.ByteBuf;
import io.wayleave.bgp.wire.BgpMessage.Keepalive;
import io.wayleave.bgp.wire.BgpMessage.Notification;
import io.wayleave.bgp.wire.BgpMessage.Open;
import io.wayleave.bgp.wire.BgpMessage.RouteRefresh;
import io.wayleave.bgp.wire.DecodeOutcome.Decoded;
import io.wayleave.bgp.wire.DecodeOutcome.Ignored;
import io.wayleave.bgp.wire.DecodeOutcome.Reset;
import io.wayleave.model.RouterId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads one message. Whatever the bytes are, the answer is a {@link DecodeOutcome} and never an
 * exception. Checks that need more than the message and the negotiated context are not made here:
 * {@link OpenCheck} compares an OPEN with what is configured. Holds no state.
 */
public final class BgpDecoder {
  private BgpDecoder() {}

  /** Reads one message on its own. */
  public static DecodeOutcome decode(ByteBuf frame, CodecContext context) {
    return decode(frame, context, new AttributeCache());
  }

  /**
   * Reads one message.
   *
   * @param frame one whole message with its header, as {@link FrameSplitter} cuts it; read, neither
   *     kept nor released
   * @param cache of attribute sets that were met before
   */
  public static DecodeOutcome decode(ByteBuf frame, CodecContext context, AttributeCache cache) {
    int available = frame.readableBytes();
    if (available < Iana.HEADER_LENGTH) {
      return Reset.with(
          Notifications.badMessageLength(available),
          "message of " + available + " octets; expected: 19 or more");
    }
    Optional<Reset> bad = FrameSplitter.checkHeader(frame, context.maxReceive());
    if (bad.isPresent()) {
      return bad.get();
    }
    int length = FrameSplitter.length(frame);
    if (length != available) {
      return Reset.with(
          Notifications.badMessageLength(length),
          "length field " + length + " of a message of " + available + " octets");
    }
    int start = frame.readerIndex();
    int type = FrameSplitter.type(frame);
    frame.skipBytes(Iana.HEADER_LENGTH);
    return switch (type) {
      case Iana.MSG_OPEN -> open(frame);
      case Iana.MSG_UPDATE -> UpdateDecoder.decode(frame, context, cache);
      case Iana.MSG_NOTIFICATION -> notification(frame);
      case Iana.MSG_KEEPALIVE -> new Decoded(Keepalive.INSTANCE);
      case Iana.MSG_ROUTE_REFRESH -> routeRefresh(frame, start, length, context);
      default -> throw new IllegalStateException("message type " + type + " passed the check");
    };
  }

  private static DecodeOutcome open(ByteBuf body) {
    try {
      return new Decoded(readOpen(body));
    } catch (OpenErrorException e) {
      return Reset.with(e.notification(), "OPEN: " + e.getMessage());
    }
  }

  /** RFC 4271 section 6.2, the checks that need no configuration. */
  private static Open readOpen(ByteBuf body) {
    int version = body.readUnsignedByte();
    if (version != Iana.VERSION) {
      throw new OpenErrorException(
          Notifications.unsupportedVersion(), "version " + version + "; expected: 4");
    }
    int myAs = body.readUnsignedShort();
    int holdTime = body.readUnsignedShort();
    int bgpId = body.readInt();
    if (myAs == 0) {
      throw openError(Iana.OPEN_BAD_PEER_AS, "AS number 0"); // RFC 7607 section 2
    }
    if (holdTime == 1 || holdTime == 2) {
      throw openError(
          Iana.OPEN_UNACCEPTABLE_HOLD_TIME,
          "hold time of " + holdTime + " s; expected: 0 or 3 to 65535");
    }
    if (bgpId == 0) {
      // RFC 6286 section 2.1: any other number of 32 bits will do.
      throw openError(Iana.OPEN_BAD_BGP_IDENTIFIER, "BGP identifier 0.0.0.0");
    }
    return new Open(myAs, holdTime, new RouterId(bgpId), readParameters(body));
  }

  /**
   * Optional parameters, with lengths of one octet or, by RFC 9072, of two.
   *
   * <pre>
   * length (1) | repeated: type (1) | length (1) | value
   * any but 0 (1) | 255 (1) | length (2) | repeated: type (1) | length (2) | value
   * </pre>
   */
  private static List<Capability> readParameters(ByteBuf body) {
    int length = body.readUnsignedByte();
    boolean extended =
        length != 0
            && body.isReadable()
            && body.getUnsignedByte(body.readerIndex()) == Iana.OPEN_PARAM_EXTENDED_LENGTH;
    if (extended) {
      body.skipBytes(1);
      if (body.readableBytes() < 2) {
        throw OpenErrorException.malformed("extended parameters without a length");
      }
      length = body.readUnsignedShort();
    }
    if (length != body.readableBytes()) {
      throw OpenErrorException.malformed(
          "parameters of " + length + " octets where " + body.readableBytes() + " are");
    }
    int lengthOctets = extended ? 2 : 1;
    List<Capability> capabilities = new ArrayList<>();
    while (body.isReadable()) {
      if (body.readableBytes() < 1 + lengthOctets) {
        throw OpenErrorException.malformed("a parameter without a length");
      }
      int type = body.readUnsignedByte();
      int size = extended ? body.readUnsignedShort() : body.readUnsignedByte();
      if (type != Iana.OPEN_PARAM_CAPABILITIES) {
        throw openError(
            Iana.OPEN_UNSUPPORTED_PARAMETER, "optional parameter " + type + "; expected: 2");
      }
      if (size > body.readableBytes()) {
        throw OpenErrorException.malformed(
            "parameter of " + size + " octets where " + body.readableBytes() + " are left");
      }
      capabilities.addAll(CapabilityCodec.decode(body.readSlice(size)));
    }
    return capabilities;
  }

  private static OpenErrorException openError(int subcode, String reason) {
    return new OpenErrorException(Notifications.openError(subcode), reason);
  }

  private static DecodeOutcome notification(ByteBuf body) {
    int code = body.readUnsignedByte();
    int subcode = body.readUnsignedByte();
    return new Decoded(new Notification(code, subcode, Octets.read(body, body.readableBytes())));
  }

  private static DecodeOutcome routeRefresh(
      ByteBuf body, int start, int length, CodecContext context) {
    int afi = body.readUnsignedShort();
    int subtypeCode = body.readUnsignedByte();
    int safi = body.readUnsignedByte();
    Optional<RouteRefresh.Subtype> subtype = RouteRefresh.Subtype.of(subtypeCode);
    if (subtype.isEmpty()) {
      // RFC 7313 section 5.
      return new Ignored("ROUTE-REFRESH of subtype " + subtypeCode);
    }
    if (subtype.get() != RouteRefresh.Subtype.REQUEST
        && context.enhancedRouteRefresh()
        && length != MessageLength.ROUTE_REFRESH) {
      return Reset.with(
          Notifications.routeRefreshLength(body, start, length),
          "ROUTE-REFRESH " + subtype.get() + " of " + length + " octets; expected: 23");
    }
    // What follows a request are ORF entries (RFC 5291), which we never offer to read.
    body.skipBytes(body.readableBytes());
    return new Decoded(new RouteRefresh(new AddressFamily(afi, safi), subtype.get()));
  }
}
