package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.wayleave.bgp.wire.BgpEncoder;
import io.wayleave.bgp.wire.BgpMessage;
import io.wayleave.bgp.wire.CodecContext;

/** Handles a connection that is not wanted: one NOTIFICATION that says why, and the end. */
final class Farewell implements Transport.Handler {
  private final BgpMessage.Notification reason;

  Farewell(BgpMessage.Notification reason) {
    this.reason = requireNonNull(reason, "reason is null");
  }

  @Override
  public void connected(Transport.Connection connection) {
    ByteBuf out = Unpooled.buffer(64);
    BgpEncoder.encode(reason, CodecContext.initial(), out);
    connection.write(out);
    connection.close();
  }

  @Override
  public void received(ByteBuf bytes) {}

  @Override
  public void writable() {}

  @Override
  public void closed(String why) {}
}
