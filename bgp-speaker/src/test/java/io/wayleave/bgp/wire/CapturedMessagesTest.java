package io.wayleave.bgp.wire;

import static io.wayleave.bgp.wire.Wire.EXTERNAL;
import static io.wayleave.bgp.wire.Wire.EXTERNAL_TWO_OCTET;
import static io.wayleave.bgp.wire.Wire.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.wire.BgpMessage.Keepalive;
import io.wayleave.bgp.wire.BgpMessage.Open;
import io.wayleave.bgp.wire.BgpMessage.Update;
import io.wayleave.bgp.wire.Capability.GracefulRestart;
import io.wayleave.bgp.wire.Capability.GracefulRestart.RestartFamily;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What BIRD 2.0.12 and FRR 8.4.4 sent on a TCP connection in a network namespace, to a listener
 * with and without four-octet AS numbers. Their encodings are not ours (BIRD and FRR set Extended
 * Length where it is not needed, and order attributes in their own way), so they are read only.
 */
class CapturedMessagesTest {
  private static final String HEADER = "ffffffffffffffffffffffffffffffff";
  private static final Asn AS = Asn.of(65001);
  private static final Asn LARGE_AS = Asn.of(4200000000L);
  private static final Cidr POOL = Cidr.parse("10.1.0.0/24");
  private static final Cidr HOST = Cidr.parse("10.1.2.1/32");
  private static final Cidr POOL6 = Cidr.parse("fd01::/64");
  private static final Cidr HOST6 = Cidr.parse("fd01:1::1/128");
  private static final NextHop NEXT_HOP = NextHop.of(IpAddress.parse("10.0.0.1"));
  private static final NextHop NEXT_HOP6 =
      NextHop.of(IpAddress.parse("fd00::1"), IpAddress.parse("fe80::50d4:d0ff:fe57:8563"));
  private static final PathAttributes PLAIN =
      PathAttributes.builder(Origin.IGP, AsPath.sequence(AS)).build();
  private static final PathAttributes RICH =
      PathAttributes.builder(Origin.IGP, AsPath.sequence(AS, LARGE_AS))
          .communities(List.of(Community.of(65000, 1)))
          .extendedCommunities(List.of(new ExtendedCommunity(0x0002_fde8_0000_0064L)))
          .largeCommunities(List.of(new LargeCommunity(65000, 1, 2)))
          .build();

  record Captured(String source, CodecContext context, String hex, BgpMessage message) {
    @Override
    public String toString() {
      return source;
    }
  }

  @ParameterizedTest
  @MethodSource("captured")
  void reads(Captured captured) {
    BgpMessage message = Wire.decodeGood(bytes(HEADER + captured.hex()), captured.context());
    assertThat(message).isEqualTo(captured.message());
    assertThat(Wire.decodeGood(Wire.encode(message, captured.context()), captured.context()))
        .isEqualTo(message);
  }

  static Stream<Captured> captured() {
    return Stream.concat(bird(), frr());
  }

  private static Stream<Captured> bird() {
    Open open =
        new Open(
            65001,
            9,
            RouterId.parse("10.0.0.1"),
            List.of(
                new Capability.MultiProtocol(AddressFamily.IPV4_UNICAST),
                new Capability.MultiProtocol(AddressFamily.IPV6_UNICAST),
                new Capability.RouteRefresh(),
                new Capability.ExtendedMessage(),
                new GracefulRestart(
                    false,
                    false,
                    120,
                    List.of(
                        new RestartFamily(AddressFamily.IPV4_UNICAST, false),
                        new RestartFamily(AddressFamily.IPV6_UNICAST, false))),
                new Capability.FourOctetAs(AS),
                new Capability.EnhancedRouteRefresh(),
                new Capability.Unknown(71, Octets.EMPTY)));
    return Stream.of(
        new Captured(
            "BIRD OPEN",
            CodecContext.initial(),
            "00450104fde900090a0000012802260104000100010104000200010200"
                + "0600400a0078000101000002010041040000fde946004700",
            open),
        new Captured("BIRD KEEPALIVE", EXTERNAL, "001304", Keepalive.INSTANCE),
        new Captured(
            "BIRD IPv4 with communities",
            EXTERNAL,
            "005402000000394001010040020a02020000fde9fa56ea004003040a000001c00804fde80001"
                + "c010080002fde800000064c0200c0000fde80000000100000002180a0100",
            Update.announce(RICH, NEXT_HOP, PrefixList.of(POOL))),
        new Captured(
            "BIRD IPv4 with communities, two-octet",
            EXTERNAL_TWO_OCTET,
            "005d0200000042400101004002060202fde95ba04003040a000001c00804fde80001"
                + "c010080002fde800000064c0110a02020000fde9fa56ea00"
                + "c0200c0000fde80000000100000002180a0100",
            Update.announce(RICH, NEXT_HOP, PrefixList.of(POOL))),
        new Captured(
            "BIRD IPv4",
            EXTERNAL,
            "003502000000144001010040020602010000fde94003040a000001190a010100200a010201",
            Update.announce(PLAIN, NEXT_HOP, PrefixList.of(Cidr.parse("10.1.1.0/25"), HOST))),
        new Captured(
            "BIRD End-of-RIB IPv4",
            EXTERNAL,
            "00170200000000",
            Update.endOfRib(AddressFamily.IPV4_UNICAST)),
        new Captured(
            "BIRD IPv6",
            EXTERNAL,
            "00670200000050900e003f00020120fd000000000000000000000000000001"
                + "fe8000000000000050d4d0fffe5785630080fd010001000000000000000000000001"
                + "40fd010000000000004001010040020602010000fde9",
            Update.announce(PLAIN, NEXT_HOP6, PrefixList.of(HOST6, POOL6))),
        new Captured(
            "BIRD End-of-RIB IPv6",
            EXTERNAL,
            "001d0200000006800f03000201",
            Update.endOfRib(AddressFamily.IPV6_UNICAST)),
        new Captured(
            "BIRD hold timer expired", EXTERNAL, "0015030400", Notifications.holdTimerExpired()));
  }

  private static Stream<Captured> frr() {
    Open open =
        new Open(
            65001,
            9,
            RouterId.parse("10.0.0.1"),
            List.of(
                new Capability.MultiProtocol(AddressFamily.IPV4_UNICAST),
                new Capability.MultiProtocol(AddressFamily.IPV6_UNICAST),
                new Capability.Unknown(128, Octets.EMPTY),
                new Capability.RouteRefresh(),
                new Capability.EnhancedRouteRefresh(),
                new Capability.FourOctetAs(AS),
                new Capability.ExtendedMessage(),
                new Capability.AddPath(
                    List.of(
                        new Capability.AddPath.Direction(AddressFamily.IPV4_UNICAST, true, false),
                        new Capability.AddPath.Direction(AddressFamily.IPV6_UNICAST, true, false))),
                new Capability.Unknown(73, Octets.parseHex("02766d00")),
                new GracefulRestart(
                    true,
                    true,
                    120,
                    List.of(
                        new RestartFamily(AddressFamily.IPV4_UNICAST, false),
                        new RestartFamily(AddressFamily.IPV6_UNICAST, false))),
                new Capability.Unknown(71, Octets.parseHex("0001018000000000020180000000"))));
    PathAttributes withMed = PLAIN.toBuilder().med(0).build();
    PathAttributes rich = RICH.toBuilder().med(7).build();
    NextHop mapped = NextHop.of(IpAddress.parse("::ffff:10.0.0.1"));
    return Stream.of(
        new Captured(
            "FRR OPEN, a parameter for each capability",
            CodecContext.initial(),
            "00790104fde900090a0000015c02060104000100010206010400020001020280000202020002024600"
                + "020641040000fde902020600020a450800010101000201010206490402766d00"
                + "020c400ac07800010100000201000210470e0001018000000000020180000000",
            open),
        new Captured(
            "FRR IPv4",
            EXTERNAL,
            "0038020000001c400101005002000602010000fde94003040a00000180040400000000200a010201",
            Update.announce(withMed, NEXT_HOP, PrefixList.of(HOST))),
        new Captured(
            "FRR IPv6 over an IPv4 session: the next hop is IPv4-mapped",
            EXTERNAL,
            "005f0200000048900e002f0002011000000000000000000000ffff0a0000010040fd01000000000000"
                + "80fd010001000000000000000000000001400101005002000602010000fde980040400000000",
            Update.announce(withMed, mapped, PrefixList.of(POOL6, HOST6))),
        new Captured(
            "FRR IPv4 with communities",
            EXTERNAL,
            "005c0200000041400101005002000a02020000fde9fa56ea004003040a00000180040400000007"
                + "c00804fde80001c0200c0000fde80000000100000002c010080002fde800000064180a0100",
            Update.announce(rich, NEXT_HOP, PrefixList.of(POOL))),
        new Captured(
            "FRR IPv4 with communities, two-octet",
            EXTERNAL_TWO_OCTET,
            "0066020000004b40010100500200060202fde95ba04003040a00000180040400000007"
                + "c00804fde80001c0200c0000fde80000000100000002c010080002fde800000064"
                + "d011000a02020000fde9fa56ea00180a0100",
            Update.announce(rich, NEXT_HOP, PrefixList.of(POOL))));
  }
}
