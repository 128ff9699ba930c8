package io.wayleave.bgp.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.wayleave.bgp.wire.BgpMessage.Keepalive;
import io.wayleave.bgp.wire.BgpMessage.Open;
import io.wayleave.bgp.wire.DecodeOutcome.Decoded;
import io.wayleave.bgp.wire.DecodeOutcome.Reset;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BgpFrameDecoderTest {
  private static final byte[] OPEN = Wire.message(1, "04 fde8 0009 0a000001 00");
  private static final byte[] KEEPALIVE = Wire.message(4, "");
  private static final byte[] FOUR_OCTET_UPDATE =
      Wire.update("", "40 01 01 00  40 02 06 02 01 fa56ea00  40 03 04 c0000201", "20 0a000001");

  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
  private final BgpFrameDecoder decoder = new BgpFrameDecoder();
  private final EmbeddedChannel channel = new EmbeddedChannel(decoder);

  @AfterEach
  void nothingLeaks() {
    channel.finishAndReleaseAll();
    assertThat(allocator.metric().usedHeapMemory()).isZero();
  }

  @Test
  void assemblesMessagesFromSingleOctets() {
    for (byte octet : concat(OPEN, KEEPALIVE)) {
      channel.writeInbound(buffer(new byte[] {octet}));
    }
    assertThat(received())
        .hasSize(2)
        .satisfiesExactly(
            first -> assertThat(((Decoded) first).message()).isInstanceOf(Open.class),
            second -> assertThat(second).isEqualTo(new Decoded(Keepalive.INSTANCE)));
  }

  @Test
  void contextSetOnOpenCountsForTheNextMessageOfTheSameRead() {
    channel
        .pipeline()
        .addLast(
            new ChannelInboundHandlerAdapter() {
              @Override
              public void channelRead(ChannelHandlerContext ctx, Object outcome) {
                if (outcome instanceof Decoded(BgpMessage message, var discarded)
                    && message instanceof Open) {
                  decoder.setContext(Wire.EXTERNAL);
                }
                ctx.fireChannelRead(outcome);
              }
            });
    channel.writeInbound(buffer(concat(OPEN, FOUR_OCTET_UPDATE)));
    assertThat(received().get(1)).isInstanceOf(Decoded.class);
  }

  @Test
  void withoutTheContextTheSameUpdateIsWithdrawn() {
    channel.writeInbound(buffer(concat(OPEN, FOUR_OCTET_UPDATE)));
    assertThat(received().get(1)).isInstanceOf(DecodeOutcome.TreatAsWithdraw.class);
  }

  @Test
  void saysResetOnceAndDropsTheRest() {
    byte[] badType = Wire.message(9, "");
    channel.writeInbound(buffer(concat(badType, KEEPALIVE)));
    channel.writeInbound(buffer(KEEPALIVE));
    assertThat(received()).singleElement().isInstanceOf(Reset.class);
  }

  @Test
  void dropsTheRestAfterMessageThatResets() {
    byte[] badVersion = Wire.message(1, "03 fde8 0009 0a000001 00");
    channel.writeInbound(buffer(concat(badVersion, KEEPALIVE)));
    assertThat(received()).singleElement().isInstanceOf(Reset.class);
  }

  @Test
  void refusesOversizedMessageBeforeItArrives() {
    byte[] header = Wire.bytes("ff".repeat(16) + "1001 02");
    channel.writeInbound(buffer(header));
    assertThat(received()).singleElement().isInstanceOf(Reset.class);
  }

  private List<DecodeOutcome> received() {
    List<DecodeOutcome> outcomes = new ArrayList<>();
    for (Object next = channel.readInbound(); next != null; next = channel.readInbound()) {
      outcomes.add((DecodeOutcome) next);
    }
    return outcomes;
  }

  private ByteBuf buffer(byte[] bytes) {
    return allocator.buffer(bytes.length).writeBytes(bytes);
  }

  private static byte[] concat(byte[] first, byte[] second) {
    return Wire.bytes(Wire.hex(first) + Wire.hex(second));
  }
}
