package io.wayleave.bgp.session;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.wire.BgpDecoder;
import io.wayleave.bgp.wire.BgpEncoder;
import io.wayleave.bgp.wire.BgpMessage;
import io.wayleave.bgp.wire.CodecContext;
import io.wayleave.bgp.wire.DecodeOutcome;
import io.wayleave.bgp.wire.FrameSplitter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A peer that says what a test makes it say, and nothing else after its OPEN and first KEEPALIVE.
 * It waits for the speaker's connection.
 */
final class ScriptedPeer implements Transport.Handler {
  /** What the speaker has said, in order. */
  final List<BgpMessage> heard = new ArrayList<>();

  private final BgpMessage.Open open;
  private final ByteBuf rest = Unpooled.buffer();
  private CodecContext codec = CodecContext.initial();
  private Optional<Transport.Connection> connection = Optional.empty();
  private int connections;

  private ScriptedPeer(BgpMessage.Open open) {
    this.open = open;
  }

  static ScriptedPeer listen(VirtualNetwork.Host host, BgpMessage.Open open) {
    ScriptedPeer peer = new ScriptedPeer(open);
    try {
      host.listen(
          new ListenAddress(host.address(), ListenAddress.BGP_PORT), _ -> Optional.of(peer));
    } catch (Transport.ListenException e) {
      throw new AssertionError(e);
    }
    return peer;
  }

  /** How often the speaker has connected. */
  int connections() {
    return connections;
  }

  boolean isConnected() {
    return connection.isPresent();
  }

  void send(BgpMessage... messages) {
    ByteBuf out = Unpooled.buffer();
    for (BgpMessage message : messages) {
      BgpEncoder.encode(message, codec, out);
    }
    sendBytes(out);
  }

  /** Nothing happens when the connection is gone. */
  void sendBytes(ByteBuf bytes) {
    connection.ifPresent(
        to -> {
          to.write(bytes);
          to.flush();
        });
  }

  CodecContext codec() {
    return codec;
  }

  @Override
  public void connected(Transport.Connection made) {
    connections++;
    connection = Optional.of(made);
    codec = CodecContext.initial();
    rest.clear();
  }

  @Override
  public void received(ByteBuf bytes) {
    rest.writeBytes(bytes);
    while (FrameSplitter.next(rest, 65_535)
        instanceof FrameSplitter.Frame.Complete(ByteBuf frame)) {
      if (!(BgpDecoder.decode(frame, codec)
          instanceof DecodeOutcome.Decoded(BgpMessage message, _))) {
        throw new AssertionError("the speaker sent what cannot be read");
      }
      heard.add(message);
      if (message instanceof BgpMessage.Open theirs) {
        send(open, BgpMessage.Keepalive.INSTANCE);
        codec = CodecContext.negotiate(open, theirs);
      }
    }
    rest.discardReadBytes();
  }

  @Override
  public void writable() {}

  @Override
  public void closed(String reason) {
    connection = Optional.empty();
  }
}
