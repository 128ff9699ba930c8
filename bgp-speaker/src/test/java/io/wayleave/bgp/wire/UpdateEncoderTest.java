package io.wayleave.bgp.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.wayleave.bgp.wire.BgpMessage.Reach;
import io.wayleave.bgp.wire.BgpMessage.Unreach;
import io.wayleave.bgp.wire.BgpMessage.Update;
import io.wayleave.bgp.wire.FrameSplitter.Frame;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** How an UPDATE becomes as few messages as it can. */
class UpdateEncoderTest {
  private static final PathAttributes ATTRIBUTES =
      PathAttributes.builder(Origin.IGP, AsPath.sequence(Asn.of(65001))).build();
  private static final NextHop IPV4 = NextHop.of(IpAddress.parse("192.0.2.1"));
  private static final NextHop IPV6 = NextHop.of(IpAddress.parse("2001:db8::1"));

  @Test
  void packsIpv4RoutesUpToTheLimit() {
    // 23 + ORIGIN 4 + AS_PATH 9 + NEXT_HOP 7 leave 4053 octets: 810 prefixes of 5.
    assertThat(sizesOf(Update.announce(ATTRIBUTES, IPV4, ipv4Hosts(810)), Wire.EXTERNAL))
        .containsExactly(43 + 810 * 5);
    assertThat(sizesOf(Update.announce(ATTRIBUTES, IPV4, ipv4Hosts(811)), Wire.EXTERNAL))
        .containsExactly(43 + 810 * 5, 43 + 5);
    assertThat(sizesOf(Update.announce(ATTRIBUTES, IPV4, ipv4Hosts(13_098)), Wire.EXTENDED))
        .containsExactly(43 + 13_098 * 5);
    assertThat(sizesOf(Update.announce(ATTRIBUTES, IPV4, ipv4Hosts(13_099)), Wire.EXTENDED))
        .containsExactly(43 + 13_098 * 5, 43 + 5);
  }

  @Test
  void packsIpv6RoutesUpToTheLimit() {
    // 23 + 13 of attributes, 4 + 5 + 16 of MP_REACH_NLRI leave 4035 octets: 237 prefixes of 17.
    assertThat(sizesOf(Update.announce(ATTRIBUTES, IPV6, ipv6Hosts(238)), Wire.EXTERNAL))
        .containsExactly(61 + 237 * 17, 61 - 1 + 17);
  }

  @Test
  void packsWithdrawalsUpToTheLimit() {
    assertThat(sizesOf(Update.withdraw(ipv4Hosts(815)), Wire.EXTERNAL))
        .containsExactly(23 + 814 * 5, 23 + 5);
    assertThat(sizesOf(Update.withdraw(ipv6Hosts(240)), Wire.EXTERNAL))
        .containsExactly(30 + 239 * 17, 29 + 17);
  }

  @Test
  void losesNoPrefixAndKeepsTheOrder() {
    for (CodecContext context :
        List.of(Wire.EXTERNAL, Wire.EXTERNAL_TWO_OCTET, Wire.EXTENDED, Wire.INTERNAL)) {
      List<Cidr> announced = new ArrayList<>();
      for (Update part : parts(Update.announce(ATTRIBUTES, IPV4, ipv4Hosts(100_000)), context)) {
        Reach reach = part.reach().getFirst();
        assertThat(reach.attributes()).isEqualTo(ATTRIBUTES);
        announced.addAll(reach.prefixes());
      }
      assertThat(announced).isEqualTo(List.copyOf(ipv4Hosts(100_000)));
      List<Cidr> withdrawn = new ArrayList<>();
      for (Update part : parts(Update.withdraw(ipv6Hosts(10_000)), context)) {
        withdrawn.addAll(part.unreach().getFirst().prefixes());
      }
      assertThat(withdrawn).isEqualTo(List.copyOf(ipv6Hosts(10_000)));
    }
  }

  /** RFC 7606 section 5.1: one place for prefixes in each message. */
  @Test
  void separatesWhatDoesNotBelongIntoOneMessage() {
    Update mixed =
        new Update(
            List.of(new Unreach(ipv4Hosts(1)), new Unreach(ipv6Hosts(1))),
            List.of(
                new Reach(ATTRIBUTES, IPV4, ipv4Hosts(2)),
                new Reach(ATTRIBUTES, IPV6, ipv6Hosts(2))));
    assertThat(parts(mixed, Wire.EXTERNAL))
        .allSatisfy(part -> assertThat(part.unreach().size() + part.reach().size()).isEqualTo(1))
        .hasSize(4);
  }

  @Test
  void writesNothingForUpdateThatSaysNothing() {
    ByteBuf out = Unpooled.buffer();
    assertThat(BgpEncoder.encode(new Update(List.of(), List.of()), Wire.EXTERNAL, out)).isZero();
    assertThat(out.readableBytes()).isZero();
  }

  /** RFC 8654 section 4. */
  @Test
  void withdrawsRoutesWhoseAttributesFitIntoNoMessage() {
    PathAttributes large =
        ATTRIBUTES.toBuilder()
            .communities(Collections.nCopies(1020, Community.of(65000, 1)))
            .build();
    Update update = Update.announce(large, IPV4, ipv4Hosts(3));
    assertThat(parts(update, Wire.EXTERNAL)).containsExactly(Update.withdraw(ipv4Hosts(3)));
    assertThat(parts(update, Wire.EXTENDED)).containsExactly(update);
  }

  @Test
  void sendsOnePrefixEachWhenThereIsNoRoomForMore() {
    // 23 + 13 + 7 + 4 + 4 * 1010 = 4087 leaves 9 octets: one prefix of 5.
    PathAttributes large =
        ATTRIBUTES.toBuilder()
            .communities(Collections.nCopies(1010, Community.of(65000, 1)))
            .build();
    assertThat(sizesOf(Update.announce(large, IPV4, ipv4Hosts(3)), Wire.EXTERNAL))
        .containsExactly(4092, 4092, 4092);
  }

  @Test
  void refusesNextHopsThatTheSessionCannotCarry() {
    assertThatThrownBy(() -> parts(Update.announce(ATTRIBUTES, IPV6, ipv4Hosts(1)), Wire.EXTERNAL))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("next hop 2001:db8::1 of IPv4 prefixes was not negotiated (RFC 8950)");
    assertThatThrownBy(() -> parts(Update.announce(ATTRIBUTES, IPV4, ipv6Hosts(1)), Wire.EXTERNAL))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("next hop 192.0.2.1 of IPv6 prefixes is not an IPv6 address");
    assertThat(parts(Update.announce(ATTRIBUTES, IPV6, ipv4Hosts(1)), Wire.ipv4OverIpv6()))
        .hasSize(1);
  }

  private static List<Integer> sizesOf(Update update, CodecContext context) {
    return frames(update, context).stream().map(ByteBuf::readableBytes).toList();
  }

  private static List<Update> parts(Update update, CodecContext context) {
    return frames(update, context).stream()
        .map(frame -> BgpDecoder.decode(frame, context))
        .map(outcome -> (Update) ((DecodeOutcome.Decoded) outcome).message())
        .toList();
  }

  private static List<ByteBuf> frames(Update update, CodecContext context) {
    ByteBuf out = Unpooled.buffer();
    int messages = BgpEncoder.encode(update, context, out);
    List<ByteBuf> frames = new ArrayList<>();
    while (FrameSplitter.next(out, context.maxSend()) instanceof Frame.Complete(ByteBuf bytes)) {
      frames.add(bytes);
    }
    assertThat(out.readableBytes()).isZero();
    assertThat(frames).hasSize(messages);
    return frames;
  }

  private static PrefixList ipv4Hosts(int count) {
    PrefixList.Builder builder = PrefixList.builder(Family.IPV4);
    IntStream.range(0, count).forEach(i -> builder.add(0, 0x0a00_0000L + i, 32));
    return builder.build();
  }

  private static PrefixList ipv6Hosts(int count) {
    PrefixList.Builder builder = PrefixList.builder(Family.IPV6);
    IntStream.range(0, count).forEach(i -> builder.add(0x2001_0db8_0000_0000L, i, 128));
    return builder.build();
  }
}
