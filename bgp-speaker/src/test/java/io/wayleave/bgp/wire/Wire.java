package io.wayleave.bgp.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.wayleave.bgp.wire.BgpMessage.Notification;
import io.wayleave.bgp.wire.CodecContext.PeerType;
import io.wayleave.bgp.wire.DecodeOutcome.Reset;
import java.util.HexFormat;
import java.util.Set;

/** Messages from hexadecimal digits and back, and the contexts that the tests use. */
final class Wire {
  static final CodecContext EXTERNAL = context(PeerType.EXTERNAL, true, 4096);
  static final CodecContext INTERNAL = context(PeerType.INTERNAL, true, 4096);
  static final CodecContext EXTERNAL_TWO_OCTET = context(PeerType.EXTERNAL, false, 4096);
  static final CodecContext EXTENDED = context(PeerType.EXTERNAL, true, 65535);

  private static final String MARKER = "ff".repeat(16);

  private Wire() {}

  static CodecContext context(PeerType peer, boolean fourOctetAs, int limit) {
    return new CodecContext(
        peer,
        fourOctetAs,
        Set.of(AddressFamily.IPV4_UNICAST, AddressFamily.IPV6_UNICAST),
        false,
        true,
        Set.of(),
        Set.of(),
        limit,
        limit);
  }

  static CodecContext ipv4OverIpv6() {
    return new CodecContext(
        PeerType.EXTERNAL,
        true,
        Set.of(AddressFamily.IPV4_UNICAST, AddressFamily.IPV6_UNICAST),
        true,
        true,
        Set.of(),
        Set.of(),
        4096,
        4096);
  }

  /** With path identifiers in both directions. */
  static CodecContext addPath() {
    Set<AddressFamily> both = Set.of(AddressFamily.IPV4_UNICAST, AddressFamily.IPV6_UNICAST);
    return new CodecContext(PeerType.EXTERNAL, true, both, false, true, both, both, 4096, 4096);
  }

  static CodecContext only(AddressFamily family) {
    return new CodecContext(
        PeerType.EXTERNAL, true, Set.of(family), false, true, Set.of(), Set.of(), 4096, 4096);
  }

  static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex.replaceAll("\\s", ""));
  }

  static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  /** A message with a right header around the body. */
  static byte[] message(int type, String bodyHex) {
    String body = bodyHex.replaceAll("\\s", "");
    return bytes(MARKER + "%04x%02x".formatted(19 + body.length() / 2, type) + body);
  }

  /** An UPDATE with right lengths around the three fields. */
  static byte[] update(String withdrawnHex, String attributesHex, String nlriHex) {
    return message(Iana.MSG_UPDATE, counted(withdrawnHex) + counted(attributesHex) + nlriHex);
  }

  private static String counted(String hex) {
    String digits = hex.replaceAll("\\s", "");
    return "%04x".formatted(digits.length() / 2) + digits;
  }

  /** Decodes, and sees that the buffer is neither kept nor released. */
  static DecodeOutcome decode(byte[] message, CodecContext context) {
    UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
    ByteBuf buffer = allocator.buffer(message.length).writeBytes(message);
    DecodeOutcome outcome = BgpDecoder.decode(buffer, context);
    assertThat(buffer.refCnt()).isEqualTo(1);
    buffer.release();
    assertThat(allocator.metric().usedHeapMemory()).isZero();
    return outcome;
  }

  /** The one message that the bytes are, without any attribute discarded. */
  static BgpMessage decodeGood(byte[] message, CodecContext context) {
    DecodeOutcome outcome = decode(message, context);
    assertThat(outcome).isInstanceOf(DecodeOutcome.Decoded.class);
    DecodeOutcome.Decoded decoded = (DecodeOutcome.Decoded) outcome;
    assertThat(decoded.discarded()).isEmpty();
    return decoded.message();
  }

  static byte[] encode(BgpMessage message, CodecContext context) {
    UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
    ByteBuf out = allocator.buffer();
    BgpEncoder.encode(message, context, out);
    byte[] bytes = new byte[out.readableBytes()];
    out.readBytes(bytes);
    out.release();
    assertThat(allocator.metric().usedHeapMemory()).isZero();
    return bytes;
  }

  /** The whole NOTIFICATION that a reset sends, in hexadecimal digits without the header. */
  static String answerOf(DecodeOutcome outcome) {
    assertThat(outcome).isInstanceOf(Reset.class);
    Notification answer = ((Reset) outcome).answer().orElseThrow();
    byte[] sent = encode(answer, EXTERNAL);
    assertThat(hex(sent)).startsWith(MARKER + "%04x03".formatted(sent.length));
    return hex(sent).substring(2 * Iana.HEADER_LENGTH);
  }
}
