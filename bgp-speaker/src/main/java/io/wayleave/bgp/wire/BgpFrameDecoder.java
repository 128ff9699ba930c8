package io.wayleave.bgp.wire;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;

/**
 * The receiving end of a connection's pipeline: bytes in, one {@link DecodeOutcome} for each
 * message out. After a {@link DecodeOutcome.Reset} it drops all that arrives: the handler behind it
 * sends the answer and closes.
 *
 * <p>NOT thread safe: owned by the channel's event loop. The handler behind it must call {@link
 * #setContext} before it returns from the OPEN, because the next message may be in the buffer
 * already.
 */
public final class BgpFrameDecoder extends ByteToMessageDecoder {
  private CodecContext context = CodecContext.initial();
  private boolean broken;

  /** From now on messages are read so. */
  public void setContext(CodecContext context) {
    this.context = requireNonNull(context, "context is null");
  }

  @Override
  protected void decode(ChannelHandlerContext channel, ByteBuf in, List<Object> out) {
    if (broken) {
      in.skipBytes(in.readableBytes());
      return;
    }
    switch (FrameSplitter.next(in, context.maxReceive())) {
      case FrameSplitter.Frame.Incomplete() -> {}
      case FrameSplitter.Frame.Complete(ByteBuf bytes) -> {
        DecodeOutcome outcome = BgpDecoder.decode(bytes, context);
        broken = outcome instanceof DecodeOutcome.Reset;
        out.add(outcome);
      }
      case FrameSplitter.Frame.Bad(DecodeOutcome.Reset reset) -> {
        broken = true;
        in.skipBytes(in.readableBytes());
        out.add(reset);
      }
    }
  }
}
