package io.wayleave.bgp.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.wayleave.bgp.wire.BgpMessage.Keepalive;
import io.wayleave.bgp.wire.BgpMessage.Notification;
import io.wayleave.bgp.wire.BgpMessage.Open;
import io.wayleave.bgp.wire.BgpMessage.RouteRefresh;
import io.wayleave.bgp.wire.BgpMessage.Update;

/** Writes messages. Holds no state. */
public final class BgpEncoder {
  private BgpEncoder() {}

  /**
   * Appends the message, or for an UPDATE as many messages as its prefixes need.
   *
   * <p>The data of a NOTIFICATION is cut to what fits. Prefixes whose attributes fit into no
   * message are withdrawn instead and logged (RFC 8654 section 4).
   *
   * @return how many messages were written; 0 for an UPDATE that says nothing
   * @throws IllegalArgumentException for what no session or not this one can carry: capabilities
   *     longer than an OPEN, or a next hop of a family that was not negotiated
   */
  public static int encode(BgpMessage message, CodecContext context, ByteBuf out) {
    return switch (message) {
      case Open open -> open(open, out);
      case Update update -> UpdateEncoder.encode(update, context, out);
      case Notification notification -> notification(notification, context, out);
      case Keepalive() -> keepalive(out);
      case RouteRefresh refresh -> routeRefresh(refresh, out);
    };
  }

  /** Writes a header without its length and returns where it starts. */
  static int beginMessage(int type, ByteBuf out) {
    int start = out.writerIndex();
    out.writeLong(-1).writeLong(-1).writeShort(0).writeByte(type);
    return start;
  }

  /** Fills the length in. */
  static void endMessage(int start, ByteBuf out) {
    out.setShort(start + Iana.MARKER_LENGTH, out.writerIndex() - start);
  }

  private static int open(Open open, ByteBuf out) {
    int start = beginMessage(Iana.MSG_OPEN, out);
    out.writeByte(Iana.VERSION)
        .writeShort(open.myAs())
        .writeShort(open.holdTime())
        .writeInt(open.bgpId().bits());
    ByteBuf capabilities = Unpooled.buffer(64);
    open.capabilities().forEach(capability -> CapabilityCodec.encode(capability, capabilities));
    int length = capabilities.readableBytes();
    if (length == 0) {
      out.writeByte(0);
    } else if (length <= 0xff - 2) {
      out.writeByte(2 + length);
      out.writeByte(Iana.OPEN_PARAM_CAPABILITIES).writeByte(length);
    } else if (length <= Iana.MAX_MESSAGE_LENGTH - MessageLength.MIN_OPEN - 6) {
      // RFC 9072 section 2.
      out.writeByte(0xff).writeByte(Iana.OPEN_PARAM_EXTENDED_LENGTH).writeShort(3 + length);
      out.writeByte(Iana.OPEN_PARAM_CAPABILITIES).writeShort(length);
    } else {
      throw new IllegalArgumentException("capabilities of " + length + " octets in an OPEN");
    }
    out.writeBytes(capabilities);
    endMessage(start, out);
    return 1;
  }

  private static int notification(Notification notification, CodecContext context, ByteBuf out) {
    int start = beginMessage(Iana.MSG_NOTIFICATION, out);
    out.writeByte(notification.code()).writeByte(notification.subcode());
    int room = context.maxSend() - MessageLength.MIN_NOTIFICATION;
    notification.data().truncated(room).writeTo(out);
    endMessage(start, out);
    return 1;
  }

  private static int keepalive(ByteBuf out) {
    endMessage(beginMessage(Iana.MSG_KEEPALIVE, out), out);
    return 1;
  }

  private static int routeRefresh(RouteRefresh refresh, ByteBuf out) {
    int start = beginMessage(Iana.MSG_ROUTE_REFRESH, out);
    out.writeShort(refresh.family().afi())
        .writeByte(refresh.subtype().code())
        .writeByte(refresh.family().safi());
    endMessage(start, out);
    return 1;
  }
}
