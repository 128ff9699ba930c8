package io.wayleave.bgp.wire;

import static io.wayleave.bgp.wire.Wire.EXTERNAL;
import static io.wayleave.bgp.wire.Wire.EXTERNAL_TWO_OCTET;
import static io.wayleave.bgp.wire.Wire.INTERNAL;
import static io.wayleave.bgp.wire.Wire.hex;
import static io.wayleave.bgp.wire.Wire.message;
import static io.wayleave.bgp.wire.Wire.update;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.wire.AsPath.Segment;
import io.wayleave.bgp.wire.AsPath.SegmentType;
import io.wayleave.bgp.wire.BgpMessage.Keepalive;
import io.wayleave.bgp.wire.BgpMessage.Notification;
import io.wayleave.bgp.wire.BgpMessage.Open;
import io.wayleave.bgp.wire.BgpMessage.RouteRefresh;
import io.wayleave.bgp.wire.BgpMessage.Update;
import io.wayleave.bgp.wire.Capability.ExtendedNextHop;
import io.wayleave.bgp.wire.Capability.GracefulRestart;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Bytes and the message that they are, used both ways. Each is written by hand after the diagram of
 * the section named.
 */
class MessageVectorsTest {
  /** Bytes that decode to the message, and that the message encodes to. */
  record Vector(String source, CodecContext context, Octets bytes, BgpMessage message) {
    Vector(String source, CodecContext context, byte[] bytes, BgpMessage message) {
      this(source, context, Octets.of(bytes), message);
    }

    @Override
    public String toString() {
      return source;
    }
  }

  @ParameterizedTest
  @MethodSource("vectors")
  void decodes(Vector vector) {
    assertThat(Wire.decodeGood(vector.bytes().toArray(), vector.context()))
        .isEqualTo(vector.message());
  }

  @ParameterizedTest
  @MethodSource("vectors")
  void encodes(Vector vector) {
    assertThat(hex(Wire.encode(vector.message(), vector.context())))
        .isEqualTo(vector.bytes().toString());
  }

  static Stream<Vector> vectors() {
    return Stream.of(opens(), others(), ipv4Updates(), ipv6Updates()).flatMap(List::stream);
  }

  private static List<Vector> opens() {
    RouterId id = RouterId.parse("10.0.0.1");
    return List.of(
        new Vector(
            "RFC 4271 4.2, no parameters",
            EXTERNAL,
            message(1, "04 fde8 0009 0a000001 00"),
            new Open(65000, 9, id, List.of())),
        new Vector(
            "RFC 5492 4 with the capabilities of RFC 4760, 2918, 6793, 7313, 8654",
            EXTERNAL,
            message(
                1,
                "04 5ba0 005a 0a000001 1a 02 18 01 04 0001 00 01  01 04 0002 00 01  02 00  41 04"
                    + " 000186a0  46 00  06 00"),
            new Open(
                Asn.AS_TRANS,
                90,
                id,
                List.of(
                    new Capability.MultiProtocol(AddressFamily.IPV4_UNICAST),
                    new Capability.MultiProtocol(AddressFamily.IPV6_UNICAST),
                    new Capability.RouteRefresh(),
                    new Capability.FourOctetAs(Asn.of(100000)),
                    new Capability.EnhancedRouteRefresh(),
                    new Capability.ExtendedMessage()))),
        new Vector(
            "RFC 4724 3, R set, 120 s, IPv4 with F, IPv6 without; RFC 8538 2, N set",
            EXTERNAL,
            message(1, "04 fde8 0000 0a000001 0e 02 0c 40 0a c078 0001 01 80 0002 01 00"),
            new Open(
                65000,
                0,
                id,
                List.of(
                    new GracefulRestart(
                        true,
                        true,
                        120,
                        List.of(
                            new GracefulRestart.RestartFamily(AddressFamily.IPV4_UNICAST, true),
                            new GracefulRestart.RestartFamily(
                                AddressFamily.IPV6_UNICAST, false)))))),
        new Vector(
            "RFC 4724 3, a helper only: no R, no family",
            EXTERNAL,
            message(1, "04 fde8 00f0 0a000001 06 02 04 40 02 0000"),
            new Open(65000, 240, id, List.of(new GracefulRestart(false, false, 0, List.of())))),
        new Vector(
            "RFC 7911 4, receive, send, both",
            EXTERNAL,
            message(1, "04 fde8 0003 0a000001 10 02 0e 45 0c 000101 01 000201 02 001904 03"),
            new Open(
                65000,
                3,
                id,
                List.of(
                    new Capability.AddPath(
                        List.of(
                            new Capability.AddPath.Direction(
                                AddressFamily.IPV4_UNICAST, true, false),
                            new Capability.AddPath.Direction(
                                AddressFamily.IPV6_UNICAST, false, true),
                            new Capability.AddPath.Direction(
                                new AddressFamily(25, 4), true, true)))))),
        new Vector(
            "RFC 8950 4 and an unknown capability kept raw",
            EXTERNAL,
            message(1, "04 fde8 0003 0a000001 0f 02 0d 05 06 0001 0001 0002  49 03 026831"),
            new Open(
                65000,
                3,
                id,
                List.of(
                    new ExtendedNextHop(List.of(ExtendedNextHop.Encoding.IPV4_OVER_IPV6)),
                    new Capability.Unknown(0x49, Octets.parseHex("026831"))))),
        new Vector(
            "RFC 9072 2, parameters of more than 255 octets",
            EXTERNAL,
            message(1, "04 fde8 0003 0a000001 ff ff 0103 02 0100  c8 fe" + "ab".repeat(0xfe)),
            new Open(
                65000,
                3,
                id,
                List.of(new Capability.Unknown(200, Octets.parseHex("ab".repeat(0xfe)))))));
  }

  private static List<Vector> others() {
    return List.of(
        new Vector("RFC 4271 4.4", EXTERNAL, message(4, ""), Keepalive.INSTANCE),
        new Vector(
            "RFC 4271 4.5, hold timer expired",
            EXTERNAL,
            message(3, "04 00"),
            Notifications.holdTimerExpired()),
        new Vector(
            "RFC 9003 2, administrative shutdown",
            EXTERNAL,
            message(3, "06 02 04 62796521"),
            Notifications.shutdown("bye!")),
        new Vector(
            "RFC 4486 4, maximum of 1000 IPv6 prefixes",
            EXTERNAL,
            message(3, "06 01 0002 01 000003e8"),
            Notifications.maximumPrefixes(AddressFamily.IPV6_UNICAST, 1000)),
        new Vector(
            "RFC 6608 4, a KEEPALIVE in OpenSent",
            EXTERNAL,
            message(3, "05 01 04"),
            Notifications.unexpectedMessage(Iana.FSM_UNEXPECTED_IN_OPEN_SENT, Iana.MSG_KEEPALIVE)),
        new Vector(
            "RFC 4271 4.5, codes that nobody knows",
            EXTERNAL,
            message(3, "fe fd 00ff"),
            new Notification(0xfe, 0xfd, Octets.parseHex("00ff"))),
        new Vector(
            "RFC 2918 3",
            EXTERNAL,
            message(5, "0001 00 01"),
            RouteRefresh.request(AddressFamily.IPV4_UNICAST)),
        new Vector(
            "RFC 7313 3.2, end of a refresh",
            EXTERNAL,
            message(5, "0002 02 01"),
            new RouteRefresh(AddressFamily.IPV6_UNICAST, RouteRefresh.Subtype.END)));
  }

  private static List<Vector> ipv4Updates() {
    NextHop nextHop = NextHop.of(IpAddress.parse("192.0.2.1"));
    PathAttributes plain =
        PathAttributes.builder(Origin.IGP, AsPath.sequence(Asn.of(65001), Asn.of(4200000000L)))
            .build();
    return List.of(
        new Vector(
            "RFC 4271 4.3, prefixes of 0, 1, 8, 17, 24, 25 and 32 bits",
            EXTERNAL,
            update(
                "",
                "40 01 01 00  40 02 0a 02 02 0000fde9 fa56ea00  40 03 04 c0000201",
                "00  01 80  08 0a  11 ac1080  18 c63364  19 c6336480  20 cb007107"),
            Update.announce(
                plain,
                nextHop,
                prefixes(
                    "0.0.0.0/0",
                    "128.0.0.0/1",
                    "10.0.0.0/8",
                    "172.16.128.0/17",
                    "198.51.100.0/24",
                    "198.51.100.128/25",
                    "203.0.113.7/32"))),
        new Vector(
            "RFC 4271 4.3, withdrawn routes",
            EXTERNAL,
            update("18 0a0102 20 0a010203", "", ""),
            Update.withdraw(prefixes("10.1.2.0/24", "10.1.2.3/32"))),
        new Vector(
            "RFC 4724 2, End-of-RIB of IPv4",
            EXTERNAL,
            update("", "", ""),
            Update.endOfRib(AddressFamily.IPV4_UNICAST)),
        new Vector(
            "all attributes of an internal session: RFC 4271 5.1, 1997, 4456, 4360, 8092, unknown"
                + " 99",
            INTERNAL,
            update(
                "",
                "40 01 01 02  40 02 00  40 03 04 c0000201  80 04 04 ffffffff  40 05 04 00000064"
                    + " 40 06 00  c0 07 08 fa56ea00 0a000009  c0 08 08 ffff0000 fde80001"
                    + " 80 09 04 0a000002  80 0a 08 0a000003 0a000004"
                    + " c0 10 08 0002fde800000064  c0 20 0c 0000fde8 00000001 ffffffff"
                    + " e0 63 02 cafe",
                "20 0a000001"),
            Update.announce(
                PathAttributes.builder(Origin.INCOMPLETE, AsPath.EMPTY)
                    .med(0xffff_ffffL)
                    .localPref(100)
                    .atomicAggregate(true)
                    .aggregator(
                        Optional.of(
                            new Aggregator(Asn.of(4200000000L), IpAddress.parse("10.0.0.9"))))
                    .communities(List.of(Community.GRACEFUL_SHUTDOWN, Community.of(65000, 1)))
                    .originatorId(Optional.of(RouterId.parse("10.0.0.2")))
                    .clusterList(List.of(IpAddress.parse("10.0.0.3"), IpAddress.parse("10.0.0.4")))
                    .extendedCommunities(List.of(new ExtendedCommunity(0x0002fde800000064L)))
                    .largeCommunities(List.of(new LargeCommunity(65000, 1, 0xffff_ffffL)))
                    .unknown(List.of(new UnknownAttribute(99, Octets.parseHex("cafe"))))
                    .build(),
                nextHop,
                prefixes("10.0.0.1/32"))),
        new Vector(
            "RFC 6793 4.2.2, to a two-octet speaker: AS_TRANS and the AS4 attributes",
            EXTERNAL_TWO_OCTET,
            update(
                "",
                "40 01 01 01  40 02 0c 02 02 fde9 5ba0 01 02 0001 5ba0  40 03 04 c0000201"
                    + " c0 07 06 5ba0 0a000009"
                    + " c0 11 14 02 02 0000fde9 fa56ea00 01 02 00000001 00010000"
                    + " c0 12 08 fa56ea00 0a000009",
                "08 0a"),
            Update.announce(
                PathAttributes.builder(
                        Origin.EGP,
                        new AsPath(
                            List.of(
                                new Segment(
                                    SegmentType.SEQUENCE,
                                    List.of(Asn.of(65001), Asn.of(4200000000L))),
                                new Segment(SegmentType.SET, List.of(Asn.of(1), Asn.of(65536))))))
                    .aggregator(
                        Optional.of(
                            new Aggregator(Asn.of(4200000000L), IpAddress.parse("10.0.0.9"))))
                    .build(),
                nextHop,
                prefixes("10.0.0.0/8"))),
        new Vector(
            "RFC 5065 3, confederation segments inside the AS",
            INTERNAL,
            update(
                "",
                "40 01 01 00  40 02 0c 03 01 0000fde9 04 01 0000fdea  40 03 04 c0000201"
                    + " 40 05 04 00000000",
                "08 0a"),
            Update.announce(
                PathAttributes.builder(
                        Origin.IGP,
                        new AsPath(
                            List.of(
                                new Segment(SegmentType.CONFED_SEQUENCE, List.of(Asn.of(65001))),
                                new Segment(SegmentType.CONFED_SET, List.of(Asn.of(65002))))))
                    .localPref(0)
                    .build(),
                nextHop,
                prefixes("10.0.0.0/8"))),
        new Vector(
            "RFC 4271 4.3, Extended Length: 64 communities take 256 octets",
            EXTERNAL,
            update(
                "",
                "40 01 01 00  40 02 00  40 03 04 c0000201  d0 08 0100" + "fde80001".repeat(64),
                "08 0a"),
            Update.announce(
                PathAttributes.builder(Origin.IGP, AsPath.EMPTY)
                    .communities(java.util.Collections.nCopies(64, Community.of(65000, 1)))
                    .build(),
                nextHop,
                prefixes("10.0.0.0/8"))));
  }

  private static List<Vector> ipv6Updates() {
    IpAddress global = IpAddress.parse("2001:db8::1");
    IpAddress linkLocal = IpAddress.parse("fe80::1");
    String globalHex = "20010db8000000000000000000000001";
    String linkLocalHex = "fe800000000000000000000000000001";
    PathAttributes plain =
        PathAttributes.builder(Origin.IGP, AsPath.sequence(Asn.of(65001))).build();
    String plainHex = " 40 01 01 00  40 02 06 02 01 0000fde9";
    return List.of(
        new Vector(
            "RFC 4760 3, one global next hop; prefixes of 0, 32, 64, 65 and 128 bits",
            EXTERNAL,
            update(
                "",
                "80 0e 3f 0002 01 10"
                    + globalHex
                    + "00"
                    + " 00  20 20010db8  40 20010db800010002  41 20010db80001000280"
                    + " 80 20010db8000000000000000000000005"
                    + plainHex,
                ""),
            Update.announce(
                plain,
                NextHop.of(global),
                prefixes(
                    "::/0",
                    "2001:db8::/32",
                    "2001:db8:1:2::/64",
                    "2001:db8:1:2:8000::/65",
                    "2001:db8::5/128"))),
        new Vector(
            "RFC 2545 3, global and link-local next hop",
            EXTERNAL,
            update(
                "",
                "80 0e 2a 0002 01 20" + globalHex + linkLocalHex + "00 20 20010db8" + plainHex,
                ""),
            Update.announce(plain, NextHop.of(global, linkLocal), prefixes("2001:db8::/32"))),
        new Vector(
            "RFC 4760 4, withdrawn",
            EXTERNAL,
            update("", "80 0f 08 0002 01 20 20010db8", ""),
            Update.withdraw(prefixes("2001:db8::/32"))),
        new Vector(
            "RFC 4724 2, End-of-RIB of IPv6",
            EXTERNAL,
            update("", "80 0f 03 0002 01", ""),
            Update.endOfRib(AddressFamily.IPV6_UNICAST)),
        new Vector(
            "RFC 8950 3, IPv4 prefixes with an IPv6 next hop",
            Wire.ipv4OverIpv6(),
            update("", "80 0e 1a 0001 01 10" + linkLocalHex + "00 20 0a000001" + plainHex, ""),
            Update.announce(plain, NextHop.of(linkLocal), prefixes("10.0.0.1/32"))));
  }

  private static PrefixList prefixes(String first, String... others) {
    return PrefixList.of(
        Cidr.parse(first), Stream.of(others).map(Cidr::parse).toArray(Cidr[]::new));
  }
}
