package io.wayleave.bgp.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.wayleave.bgp.wire.BgpMessage.Reach;
import io.wayleave.bgp.wire.BgpMessage.Update;
import io.wayleave.bgp.wire.CodecContext.PeerType;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AttributeCacheTest {
  private static final PathAttributes SET =
      PathAttributes.builder(Origin.IGP, AsPath.sequence(Asn.of(65001), Asn.of(65002)))
          .communities(List.of(Community.of(65001, 7)))
          .build();
  private static final NextHop IPV4 = NextHop.of(IpAddress.parse("192.0.2.1"));
  private static final NextHop IPV6 = NextHop.of(IpAddress.parse("2001:db8::1"));

  private final AttributeCache cache = new AttributeCache();

  private DecodeOutcome decode(byte[] message, CodecContext context) {
    return BgpDecoder.decode(Unpooled.wrappedBuffer(message), context, cache);
  }

  private Reach reach(byte[] message, CodecContext context) {
    DecodeOutcome outcome = decode(message, context);
    assertThat(outcome).isInstanceOf(DecodeOutcome.Decoded.class);
    return ((Update) ((DecodeOutcome.Decoded) outcome).message()).reach().getFirst();
  }

  private static byte[] announce(NextHop nextHop, String prefix, CodecContext context) {
    return Wire.encode(Update.announce(SET, nextHop, PrefixList.of(Cidr.parse(prefix))), context);
  }

  @Test
  void equalSetsAreOneObjectWhateverTheyCameWith() {
    Reach first = reach(announce(IPV4, "10.1.0.0/24", Wire.EXTERNAL), Wire.EXTERNAL);
    Reach second = reach(announce(IPV4, "10.2.0.0/24", Wire.EXTERNAL), Wire.EXTERNAL);
    Reach ipv6 = reach(announce(IPV6, "fd00:1::/64", Wire.EXTERNAL), Wire.EXTERNAL);
    Reach more = reach(announce(IPV6, "fd00:2::/64", Wire.EXTERNAL), Wire.EXTERNAL);
    Reach old =
        reach(announce(IPV4, "10.3.0.0/24", Wire.EXTERNAL_TWO_OCTET), Wire.EXTERNAL_TWO_OCTET);
    assertThat(List.of(second, ipv6, more, old))
        .allSatisfy(reach -> assertThat(reach.attributes()).isSameAs(first.attributes()));
    assertThat(first.attributes()).isEqualTo(SET);
    assertThat(second.prefixes()).containsExactly(Cidr.parse("10.2.0.0/24"));
    assertThat(second.nextHop()).isEqualTo(IPV4);
    assertThat(more.prefixes()).containsExactly(Cidr.parse("fd00:2::/64"));
    assertThat(more.nextHop()).isEqualTo(IPV6);
  }

  @Test
  void whatWasWrongIsSaidEachTime() {
    // LOCAL_PREF from an external peer is discarded.
    byte[] message =
        Wire.update("", "40010100 40020602010000fde9 400304c0000201 40050400000064", "180a0100");
    for (int i = 0; i < 3; i++) {
      DecodeOutcome.Decoded decoded = (DecodeOutcome.Decoded) decode(message, Wire.EXTERNAL);
      assertThat(decoded.discarded()).hasSize(1);
    }
    // The same octets mean something else in another session.
    Reach internal = reach(message, Wire.INTERNAL);
    assertThat(internal.attributes().localPref()).hasValue(100);
  }

  @Test
  void anErrorInThePrefixesOfAKnownSetIsFound() {
    byte[] good = announce(IPV6, "fd00:1::/64", Wire.EXTERNAL);
    reach(good, Wire.EXTERNAL);
    byte[] bad = announce(IPV6, "fd00:1::/64", Wire.EXTERNAL);
    // Header, lengths, attribute header, family, next hop with its length, reserved: the prefix.
    int length = 19 + 4 + 3 + 3 + 17 + 1;
    assertThat(bad[length]).isEqualTo((byte) 64);
    bad[length] = (byte) 200;
    assertThat(decode(bad, Wire.EXTERNAL)).isInstanceOf(DecodeOutcome.Reset.class);
  }

  /** RFC 7911 section 3. */
  @Test
  void pathIdentifiersGoThereAndBack() {
    CodecContext context =
        new CodecContext(
            PeerType.EXTERNAL,
            true,
            Set.of(AddressFamily.IPV4_UNICAST, AddressFamily.IPV6_UNICAST),
            false,
            false,
            Set.of(AddressFamily.IPV4_UNICAST, AddressFamily.IPV6_UNICAST),
            Set.of(AddressFamily.IPV4_UNICAST, AddressFamily.IPV6_UNICAST),
            4096,
            4096);
    for (Family family : Family.values()) {
      PrefixList.Builder prefixes = PrefixList.builder(family);
      for (int i = 0; i < 2000; i++) {
        prefixes.add(
            0x8000_0000 + i,
            0x2001_0db8_0000_0000L + i,
            family == Family.IPV4 ? i : 0,
            family == Family.IPV4 ? 32 : 64);
      }
      PrefixList sent = prefixes.build();
      NextHop nextHop = family == Family.IPV4 ? IPV4 : IPV6;
      for (boolean announced : new boolean[] {true, false}) {
        Update update = announced ? Update.announce(SET, nextHop, sent) : Update.withdraw(sent);
        ByteBuf out = Unpooled.wrappedBuffer(Wire.encode(update, context));
        int read = 0;
        while (FrameSplitter.next(out, 4096)
            instanceof FrameSplitter.Frame.Complete(ByteBuf frame)) {
          Update part =
              (Update) ((DecodeOutcome.Decoded) BgpDecoder.decode(frame, context, cache)).message();
          PrefixList got =
              announced ? part.reach().getFirst().prefixes() : part.unreach().getFirst().prefixes();
          for (int i = 0; i < got.size(); i++) {
            assertThat(got.pathId(i)).isEqualTo(0x8000_0000 + read);
            assertThat(got.get(i)).isEqualTo(sent.get(read));
            read++;
          }
        }
        assertThat(read).isEqualTo(2000);
      }
    }
  }
}
