package io.wayleave.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.MacAddress;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Bytes as the kernel's headers lay them out, on a little-endian machine. Each route vector is used
 * both ways.
 */
class MessageCodecTest {
  private static final int SEQUENCE = 0x01020304;

  record RouteVector(String name, Route route, String bytes) {
    @Override
    public String toString() {
      return name;
    }
  }

  static List<RouteVector> routeVectors() {
    return List.of(
        new RouteVector(
            "a container behind a veth",
            Route.unicast(Cidr.parse("10.1.0.7/32"), 77, NextHop.dev(5))
                .withMetric(77)
                .withPreferredSource(IpAddress.parse("10.9.0.1")),
            // nlmsghdr: length 60, RTM_NEWROUTE 24, flags, sequence, port 0
            "3c000000 1800 0106 04030201 00000000"
                // rtmsg: AF_INET, /32, source /0, TOS 0, main, protocol 77, scope link, unicast
                + "02 20 00 00 fe 4d fd 01 00000000"
                + "0800 0100 0a010007" // RTA_DST
                + "0800 0600 4d000000" // RTA_PRIORITY
                + "0800 0700 0a090001" // RTA_PREFSRC
                + "0800 0400 05000000"), // RTA_OIF
        new RouteVector(
            "a blackhole",
            Route.blackhole(Cidr.parse("10.1.0.64/26"), 77).withMetric(77),
            "2c000000 1800 0106 04030201 00000000"
                + "02 1a 00 00 fe 4d 00 06 00000000"
                + "0800 0100 0a010040"
                + "0800 0600 4d000000"),
        new RouteVector(
            "two next hops of unequal weight",
            Route.unicast(
                Cidr.parse("10.2.0.0/24"),
                77,
                List.of(
                    NextHop.via(IpAddress.parse("10.9.0.2"), 3),
                    NextHop.via(IpAddress.parse("10.9.1.2"), 4).withWeight(3))),
            "48000000 1800 0106 04030201 00000000"
                + "02 18 00 00 fe 4d 00 01 00000000"
                + "0800 0100 0a020000"
                + "2400 0900" // RTA_MULTIPATH, 36 bytes
                + "1000 00 00 03000000 0800 0500 0a090002" // rtnexthop of 16 bytes, hops 0
                + "1000 00 02 04000000 0800 0500 0a090102"), // hops 2 is weight 3
        new RouteVector(
            "IPv6, default, in a table above 255",
            Route.unicast(Cidr.parse("::/0"), 77, NextHop.via(IpAddress.parse("fe80::1"), 3))
                .withTable(1000),
            "40000000 1800 0106 04030201 00000000"
                + "0a 00 00 00 00 4d 00 01 00000000"
                + "0800 0f00 e8030000" // RTA_TABLE
                + "1400 0500 fe800000000000000000000000000001"
                + "0800 0400 03000000"),
        new RouteVector(
            "IPv4 by an IPv6 next hop, on link",
            Route.unicast(
                Cidr.parse("10.2.0.1/32"),
                77,
                NextHop.via(IpAddress.parse("fe80::1"), 3).withOnlink()),
            "44000000 1800 0106 04030201 00000000"
                + "02 20 00 00 fe 4d 00 01 04000000" // RTNH_F_ONLINK
                + "0800 0100 0a020001"
                + "1600 1200 0a00 fe800000000000000000000000000001 0000" // RTA_VIA and padding
                + "0800 0400 03000000"));
  }

  @ParameterizedTest
  @MethodSource("routeVectors")
  void aRouteIsWrittenAsTheKernelReadsIt(RouteVector vector) {
    assertThat(written(Routes.adding(vector.route()))).isEqualTo(hex(vector.bytes()));
  }

  @ParameterizedTest
  @MethodSource("routeVectors")
  void aRouteIsReadAsTheKernelWritesIt(RouteVector vector) {
    MessageReader reader = reader(vector.bytes());

    assertThat(reader.next()).isTrue();
    assertThat(reader.type()).isEqualTo(RtNetlink.RTM_NEWROUTE);
    assertThat(reader.sequence()).isEqualTo(SEQUENCE);
    assertThat(Route.decode(reader)).contains(vector.route());
    assertThat(reader.next()).isFalse();
  }

  @Test
  void requestsDifferInTypeAndFlags() {
    Route route = Route.blackhole(Cidr.parse("10.1.0.64/26"), 77).withMetric(77);

    assertThat(header(Routes.adding(route))).isEqualTo("add 24 0601");
    assertThat(header(Routes.replacing(route))).isEqualTo("replace 24 0501");
    assertThat(header(Routes.deleting(route))).isEqualTo("delete 25 0001");
  }

  @Test
  void aVethPairIsNestedThreeDeep() {
    VethPair pair =
        new VethPair(
                VethPair.End.of("wl0").withMac(MacAddress.parse("ee:ee:ee:ee:ee:ee")),
                VethPair.End.of("eth0").withMtu(1400))
            .setUp();

    assertThat(written(Links.creating(pair)))
        .isEqualTo(
            hex(
                "70000000 1000 0106 04030201 00000000"
                    // ifinfomsg: any family, type 0, index 0, flags UP, change UP
                    + "00 00 0000 00000000 01000000 01000000"
                    + "0800 0300 776c3000" // IFLA_IFNAME wl0
                    + "0a00 0100 eeeeeeeeeeee 0000" // IFLA_ADDRESS and padding
                    + "3c00 1200" // IFLA_LINKINFO
                    + "0900 0100 7665746800 000000" // IFLA_INFO_KIND veth
                    + "2c00 0200" // IFLA_INFO_DATA
                    + "2800 0100" // VETH_INFO_PEER
                    + "00 00 0000 00000000 00000000 00000000"
                    + "0900 0300 6574683000 000000" // IFLA_IFNAME eth0
                    + "0800 0400 78050000")); // IFLA_MTU 1400
  }

  @Test
  void anAddressAndANeighbourAreWrittenAsTheKernelReadsThem() {
    assertThat(
            written(
                Addresses.adding(
                    InterfaceAddress.of(5, IpAddress.parse("fe80::1"), 64)
                        .with(InterfaceAddress.Flag.NODAD))))
        .isEqualTo(
            hex(
                "48000000 1400 0106 04030201 00000000"
                    + "0a 40 00 fd 05000000" // ifaddrmsg: /64, scope link
                    + "1400 0200 fe800000000000000000000000000001"
                    + "1400 0100 fe800000000000000000000000000001"
                    + "0800 0800 02000000")); // IFA_F_NODAD
    assertThat(
            written(
                Neighbours.replacing(
                    Neighbour.permanent(
                        5, IpAddress.parse("169.254.1.1"), MacAddress.parse("ee:ee:ee:ee:ee:ee")))))
        .isEqualTo(
            hex(
                "30000000 1c00 0105 04030201 00000000"
                    + "02 00 0000 05000000 8000 00 00" // ndmsg: NUD_PERMANENT
                    + "0800 0100 a9fe0101"
                    + "0a00 0200 eeeeeeeeeeee 0000"));
  }

  @Test
  void aLinkIsReadAsTheKernelWritesIt() {
    MessageReader reader =
        reader(
            "58000000 1000 0000 04030201 00000000"
                + "00 00 0100 07000000 43100100 00000000" // index 7, up and lower up
                + "0900 0300 6574683000 000000"
                + "0800 0400 78050000"
                + "0800 0500 09000000" // IFLA_LINK: the peer is 9
                + "0a00 0100 020000000001 0000"
                + "1000 1200 0900 0100 7665746800 000000");
    assertThat(reader.next()).isTrue();

    assertThat(Link.decode(reader))
        .isEqualTo(
            new Link(
                7,
                "eth0",
                true,
                true,
                false,
                1400,
                Optional.of(MacAddress.parse("02:00:00:00:00:01")),
                "veth",
                "",
                0,
                OptionalInt.of(9)));
  }

  @Test
  void eventsAreTold() {
    String blackhole = routeVectors().get(1).bytes();
    Route route = routeVectors().get(1).route();
    // One datagram with a new route, a removed one, and a message of a type that nobody asked for.
    String removed = blackhole.replace("1800 0106", "1900 0000");
    String unknown = "10000000 ff00 0000 00000000 00000000";
    byte[] bytes = hex(blackhole + removed + unknown);
    List<NetlinkEvent> events = new ArrayList<>();

    NetlinkMonitor.decode(new MessageReader(bytes, bytes.length), events);

    assertThat(events)
        .containsExactly(
            new NetlinkEvent.RouteChanged(route, false), new NetlinkEvent.RouteRemoved(route));
  }

  @Test
  void routesThatAreNotOursToTouchAreLeftOut() {
    String blackhole = routeVectors().get(1).bytes();
    for (String other :
        List.of(
            blackhole.replace("02 1a 00 00", "02 1a 00 10"), // for one TOS
            blackhole.replace("02 1a 00 00", "02 1a 08 00"), // for a source network
            blackhole.replace("02 1a 00 00", "1c 1a 00 00"), // MPLS
            blackhole.replace("00 06 00000000", "00 06 00020000"))) { // RTM_F_CLONED
      MessageReader reader = reader(other);
      assertThat(reader.next()).isTrue();
      assertThat(Route.decode(reader)).as(other).isEmpty();
    }
  }

  @Test
  void lengthsThatDoNotFitAreRefused() {
    String route = routeVectors().getFirst().bytes();
    for (String wrong :
        List.of(
            route.replace("3c000000", "ff000000"),
            route.replace("3c000000", "0f000000"),
            route.replace("3c000000", "ffffffff"))) {
      assertThatThrownBy(() -> reader(wrong).next())
          .as(wrong)
          .isInstanceOf(IllegalStateException.class);
    }
    for (String wrong :
        List.of(
            route.replace("0800 0100", "0300 0100"),
            route.replace("0800 0100", "ff00 0100"),
            route.replace("0800 0100 0a010007", "0600 0100 0a010007"),
            route.replace("3c000000", "18000000"))) {
      MessageReader reader = reader(wrong);
      assertThat(reader.next()).isTrue();
      assertThatThrownBy(() -> Route.decode(reader))
          .as(wrong)
          .isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void anyCutOfAMessageIsReadOrRefusedButNothingBeyondItIsTouched() {
    for (RouteVector vector : routeVectors()) {
      byte[] whole = hex(vector.bytes());
      for (int size = 0; size < whole.length; size++) {
        byte[] padded = new byte[whole.length + 64];
        System.arraycopy(whole, 0, padded, 0, size);
        MessageReader reader = new MessageReader(padded, size);
        if (size < RtNetlink.HEADER_SIZE) {
          assertThat(reader.next()).isFalse();
        } else {
          assertThatThrownBy(reader::next).isInstanceOf(IllegalStateException.class);
        }
      }
    }
  }

  private static byte[] written(NetlinkRequest request) {
    MessageWriter writer = new MessageWriter();
    request.write(writer, 0, SEQUENCE);
    return writer.toBytes();
  }

  private static String header(NetlinkRequest request) {
    byte[] bytes = written(request);
    MessageReader reader = new MessageReader(bytes, bytes.length);
    assertThat(reader.next()).isTrue();
    String text = request.toString();
    return "%s %d %04x"
        .formatted(text.substring(0, text.indexOf(' ')), reader.type(), reader.flags());
  }

  private static MessageReader reader(String bytes) {
    byte[] parsed = hex(bytes);
    return new MessageReader(parsed, parsed.length);
  }

  private static byte[] hex(String text) {
    return HexFormat.of().parseHex(text.replace(" ", ""));
  }
}
