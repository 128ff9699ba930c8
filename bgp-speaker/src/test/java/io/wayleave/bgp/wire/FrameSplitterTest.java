package io.wayleave.bgp.wire;

import static io.wayleave.bgp.wire.Wire.bytes;
import static io.wayleave.bgp.wire.Wire.message;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.wayleave.bgp.wire.DecodeOutcome.Reset;
import io.wayleave.bgp.wire.FrameSplitter.Frame;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** RFC 4271 section 6.1: what a header must be, and what is sent when it is not. */
class FrameSplitterTest {
  private static final String MARKER = "ff".repeat(16);

  @ParameterizedTest(name = "length {0} type {1}: {2} ({3})")
  @CsvSource({
    // length, type, body of the NOTIFICATION, why
    "0000, 04, 01020000, no length",
    "0012, 04, 01020012, shorter than a header",
    "1001, 02, 01021001, one more than 4096",
    "ffff, 02, 0102ffff, the most that the field holds",
    "001c, 01, 0102001c, OPEN needs 29",
    "0016, 02, 01020016, UPDATE needs 23",
    "0014, 04, 01020014, KEEPALIVE is 19",
    "0016, 05, 01020016, ROUTE-REFRESH needs 23",
    "0013, 00, 010300, type 0",
    "0013, 06, 010306, type 6",
    "0013, ff, 0103ff, type 255"
  })
  void refusesBadHeaderWithOnly19Octets(String length, String type, String answer, String why) {
    Frame frame = FrameSplitter.next(buffer(MARKER + length + type), 4096);
    assertThat(frame).as(why).isInstanceOf(Frame.Bad.class);
    assertThat(Wire.answerOf(((Frame.Bad) frame).reset())).isEqualTo(answer);
  }

  @Test
  void refusesMarkerThatIsNotAllOnes() {
    for (int i = 0; i < Iana.MARKER_LENGTH; i++) {
      byte[] keepalive = message(Iana.MSG_KEEPALIVE, "");
      keepalive[i] = (byte) 0xfe;
      Frame frame = FrameSplitter.next(Unpooled.wrappedBuffer(keepalive), 4096);
      assertThat(frame).isInstanceOf(Frame.Bad.class);
      assertThat(Wire.answerOf(((Frame.Bad) frame).reset())).isEqualTo("0101");
    }
  }

  @Test
  void namesWhatIsWrongAndWhatIsAllowed() {
    Frame frame = FrameSplitter.next(buffer(MARKER + "1001 02"), 4096);
    assertThat(((Frame.Bad) frame).reset().reason())
        .isEqualTo("message of 4097 octets; expected: 19 to 4096");
  }

  @ParameterizedTest
  @CsvSource({"0014", "0000", "1001"})
  void doesNotAnswerBadNotification(String length) {
    Frame frame = FrameSplitter.next(buffer(MARKER + length + "03"), 4096);
    assertThat(frame).isInstanceOf(Frame.Bad.class);
    Reset reset = ((Frame.Bad) frame).reset();
    assertThat(reset.answer()).isEmpty();
    assertThat(reset.reason()).startsWith("NOTIFICATION of ");
  }

  @Test
  void takesLongMessagesOnlyWhenNegotiated() {
    String update5000 = MARKER + "1388 02";
    assertThat(FrameSplitter.next(buffer(update5000), 65535)).isInstanceOf(Frame.Incomplete.class);
    assertThat(FrameSplitter.next(buffer(update5000), 4096)).isInstanceOf(Frame.Bad.class);
    // RFC 8654 section 3: not OPEN, also then.
    assertThat(FrameSplitter.next(buffer(MARKER + "1388 01"), 65535)).isInstanceOf(Frame.Bad.class);
  }

  @Test
  void waitsForEachMissingOctetAndConsumesNothing() {
    byte[] update = Wire.update("20 0a000001", "", "");
    for (int length = 0; length < update.length; length++) {
      ByteBuf in = Unpooled.wrappedBuffer(Arrays.copyOf(update, length));
      assertThat(FrameSplitter.next(in, 4096)).isInstanceOf(Frame.Incomplete.class);
      assertThat(in.readableBytes()).isEqualTo(length);
    }
  }

  @Test
  void cutsOneMessageAfterTheOther() {
    byte[] first = Wire.update("20 0a000001", "", "");
    byte[] second = message(Iana.MSG_KEEPALIVE, "");
    ByteBuf in = Unpooled.wrappedBuffer(first, second);
    assertThat(content(FrameSplitter.next(in, 4096))).isEqualTo(first);
    assertThat(content(FrameSplitter.next(in, 4096))).isEqualTo(second);
    assertThat(FrameSplitter.next(in, 4096)).isInstanceOf(Frame.Incomplete.class);
    assertThat(in.refCnt()).isEqualTo(1);
  }

  private static byte[] content(Frame frame) {
    assertThat(frame).isInstanceOf(Frame.Complete.class);
    ByteBuf slice = ((Frame.Complete) frame).bytes();
    byte[] bytes = new byte[slice.readableBytes()];
    slice.getBytes(slice.readerIndex(), bytes);
    return bytes;
  }

  private static ByteBuf buffer(String hex) {
    return Unpooled.wrappedBuffer(bytes(hex));
  }
}
