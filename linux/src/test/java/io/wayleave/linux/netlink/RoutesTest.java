package io.wayleave.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.linux.Errno;
import io.wayleave.linux.TestNamespace;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("real")
class RoutesTest {
  private static final int PROTOCOL = 77;

  private TestNamespace namespace;
  private NetlinkSocket socket;
  private int dev;
  private int otherDev;

  @BeforeEach
  void open() throws IOException {
    namespace = TestNamespace.create();
    socket = namespace.open();
    socket.links().create(VethPair.of("up0", "up1"));
    dev = socket.links().get("up0").index();
    otherDev = socket.links().get("up1").index();
    socket.links().setUp(dev);
    socket.links().setUp(otherDev);
    addAddress(dev, "10.9.0.1", 24);
    addAddress(otherDev, "10.9.1.1", 24);
    addAddress(dev, "fd00:9::1", 64);
    addAddress(otherDev, "fd00:9:1::1", 64);
  }

  @AfterEach
  void close() throws IOException {
    socket.close();
    namespace.close();
  }

  @ParameterizedTest
  @CsvSource({
    "10.1.0.7/32, 10.9.0.2, 10.9.1.2, 10.9.0.1",
    "fd00:1::7/128, fd00:9::2, fd00:9:1::2, fd00:9::1",
    "0.0.0.0/0, 10.9.0.2, 10.9.1.2, 10.9.0.1",
    "::/0, fd00:9::2, fd00:9:1::2, fd00:9::1",
  })
  void whatTheKernelTellsEqualsWhatWasAsked(
      String to, String gateway, String otherGateway, String from) throws IOException {
    Cidr destination = Cidr.parse(to);
    IpAddress source = IpAddress.parse(from);
    NextHop one = NextHop.via(IpAddress.parse(gateway), dev);
    NextHop two = NextHop.via(IpAddress.parse(otherGateway), otherDev);
    List<Route> shapes =
        List.of(
            Route.unicast(destination, PROTOCOL, NextHop.dev(dev)),
            Route.unicast(destination, PROTOCOL, NextHop.dev(dev)).withPreferredSource(source),
            Route.unicast(destination, PROTOCOL, one),
            Route.unicast(destination, PROTOCOL, List.of(two, one)),
            Route.unicast(destination, PROTOCOL, List.of(one, two.withWeight(3)))
                .withPreferredSource(source),
            Route.unicast(destination, PROTOCOL, one.withOnlink()),
            Route.unicast(destination, PROTOCOL, one).withTable(1000),
            Route.blackhole(destination, PROTOCOL));
    for (Route shape : shapes) {
      Route route = shape.withMetric(77);

      socket.routes().add(route);

      assertThat(ours(route)).as("after adding " + route).containsExactly(route);
      assertThat(socket.routes().delete(route)).isTrue();
      assertThat(socket.routes().delete(route)).isFalse();
      assertThat(ours(route)).isEmpty();
    }
  }

  @Test
  void anIpv4RouteMayHaveAnIpv6NextHop() throws IOException {
    Cidr destination = Cidr.parse("10.1.0.0/26");
    Route single =
        Route.unicast(destination, PROTOCOL, NextHop.via(IpAddress.parse("fe80::1"), dev));
    Route two =
        single.withNextHops(
            List.of(
                NextHop.via(IpAddress.parse("fe80::1"), dev),
                NextHop.via(IpAddress.parse("fe80::2"), otherDev)));

    socket.routes().add(single);
    assertThat(ours(single)).containsExactly(single);

    socket.routes().replace(two);
    assertThat(ours(two)).containsExactly(two);
  }

  @ParameterizedTest
  @CsvSource({"10.1.0.7/32, 10.9.0.2, 10.9.1.2", "fd00:1::7/128, fd00:9::2, fd00:9:1::2"})
  void replacingPutsOneInThePlaceOfTheOther(String to, String gateway, String otherGateway)
      throws IOException {
    Cidr destination = Cidr.parse(to);
    NextHop one = NextHop.via(IpAddress.parse(gateway), dev);
    NextHop two = NextHop.via(IpAddress.parse(otherGateway), otherDev);
    List<Route> shapes =
        List.of(
            Route.unicast(destination, PROTOCOL, one),
            Route.unicast(destination, PROTOCOL, List.of(one, two)),
            Route.unicast(destination, PROTOCOL, two),
            Route.blackhole(destination, PROTOCOL),
            Route.unicast(destination, PROTOCOL, NextHop.dev(dev)),
            Route.unicast(destination, PROTOCOL, List.of(two, one)),
            Route.unicast(destination, PROTOCOL, NextHop.dev(otherDev)));
    for (Route shape : shapes) {
      Route route = shape.withMetric(77);

      socket.routes().replace(route);

      assertThat(ours(route)).containsExactly(route);
    }
  }

  @Test
  void listsOnlyWhatTheFilterLetsThrough() throws IOException {
    Route ours = Route.unicast(Cidr.parse("10.1.0.1/32"), PROTOCOL, NextHop.dev(dev));
    Route other = Route.unicast(Cidr.parse("10.1.0.2/32"), 99, NextHop.dev(otherDev));
    Route elsewhere = ours.withTable(500);
    for (Route route : List.of(ours, other, elsewhere)) {
      socket.routes().add(route);
    }
    RouteFilter main = RouteFilter.mainTable(Family.IPV4);

    assertThat(socket.routes().list(main))
        .contains(ours, other)
        .doesNotContain(elsewhere)
        .anyMatch(route -> route.protocol() == Route.PROTOCOL_KERNEL);
    assertThat(socket.routes().list(main.ofProtocol(PROTOCOL))).containsExactly(ours);
    assertThat(socket.routes().list(RouteFilter.all(Family.IPV4).ofProtocol(PROTOCOL)))
        .containsExactlyInAnyOrder(ours, elsewhere);
    assertThat(socket.routes().list(RouteFilter.all(Family.IPV4).inTable(500)))
        .containsExactly(elsewhere);
    assertThat(socket.routes().list(main.onInterface(otherDev).ofProtocol(99)))
        .containsExactly(other);
    assertThat(socket.routes().list(main.onInterface(otherDev).ofProtocol(PROTOCOL))).isEmpty();
    assertThat(socket.routes().list(RouteFilter.all(Family.IPV4).inTable(4711))).isEmpty();
    assertThat(socket.routes().list(main.onInterface(4711))).isEmpty();
  }

  @Test
  void looksUpHowAPacketWouldLeave() throws IOException {
    socket
        .routes()
        .add(
            Route.unicast(
                    Cidr.parse("10.1.0.0/16"), PROTOCOL, NextHop.via(IpAddress.parse("10.9.0.2")))
                .withMetric(77));
    socket.routes().add(Route.blackhole(Cidr.parse("10.2.0.0/16"), PROTOCOL));

    assertThat(socket.routes().lookup(IpAddress.parse("10.1.2.3")))
        .contains(
            new RouteLookup(
                dev,
                Optional.of(IpAddress.parse("10.9.0.1")),
                Optional.of(IpAddress.parse("10.9.0.2")),
                RouteType.UNICAST));
    assertThat(socket.routes().lookup(IpAddress.parse("10.9.1.9")))
        .contains(
            new RouteLookup(
                otherDev,
                Optional.of(IpAddress.parse("10.9.1.1")),
                Optional.empty(),
                RouteType.UNICAST));
    assertThat(socket.routes().lookup(IpAddress.parse("fd00:9::5")))
        .get()
        .extracting(RouteLookup::interfaceIndex)
        .isEqualTo(dev);
    assertThat(socket.routes().lookup(IpAddress.parse("10.9.0.1")))
        .get()
        .extracting(RouteLookup::type)
        .isEqualTo(RouteType.LOCAL);
    assertThat(socket.routes().lookup(IpAddress.parse("192.0.2.1"))).isEmpty();
    assertThat(socket.routes().lookup(IpAddress.parse("2001:db8::1"))).isEmpty();
    assertThat(socket.routes().lookup(IpAddress.parse("10.2.0.1"))).isEmpty();
  }

  @Test
  void errorsSayWhatWasAskedTheErrorsNameAndTheKernelsText() throws IOException {
    Cidr destination = Cidr.parse("10.1.0.7/32");
    Route route = Route.unicast(destination, PROTOCOL, NextHop.dev(dev)).withMetric(77);
    socket.routes().add(route);

    assertThatThrownBy(() -> socket.routes().add(route))
        .isInstanceOfSatisfying(
            NetlinkException.class,
            e -> {
              assertThat(e.errno()).isEqualTo(Errno.EEXIST);
              assertThat(e.asked()).isEqualTo("add route 10.1.0.7/32 dev up0 metric 77 table 254");
            })
        .hasMessage("add route 10.1.0.7/32 dev up0 metric 77 table 254: EEXIST (File exists)");
    assertThatThrownBy(
            () ->
                socket
                    .routes()
                    .add(
                        Route.unicast(
                            destination, PROTOCOL, NextHop.via(IpAddress.parse("192.0.2.1")))))
        .hasMessage(
            "add route 10.1.0.7/32 via 192.0.2.1 table 254: ENETUNREACH (Network is unreachable):"
                + " Nexthop has invalid gateway");
    assertThatThrownBy(
            () ->
                socket
                    .routes()
                    .add(route.withMetric(78).withPreferredSource(IpAddress.parse("192.0.2.9"))))
        .hasMessage(
            "add route 10.1.0.7/32 dev up0 src 192.0.2.9 metric 78 table 254: EINVAL (Invalid"
                + " argument): Invalid prefsrc address");
    assertThatThrownBy(
            () -> socket.routes().add(Route.unicast(destination, PROTOCOL, NextHop.dev(4711))))
        .hasMessage("add route 10.1.0.7/32 dev #4711 table 254: ENODEV (No such device)");
  }

  @Test
  void aBatchReportsJustTheOneThatFailed() throws IOException {
    List<NetlinkRequest> requests = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      requests.add(Routes.adding(workload(i)));
    }
    socket.routes().add(workload(700));

    List<NetlinkSocket.Failure> failures = socket.executeAll(requests);

    assertThat(failures).hasSize(1);
    assertThat(failures.getFirst().request()).isSameAs(requests.get(700));
    assertThat(failures.getFirst().reason())
        .hasMessage("add route 10.1.2.188/32 dev up0 metric 77 table 254: EEXIST (File exists)");
    assertThat(ours(workload(0))).hasSize(1000);
  }

  @Test
  void aBatchOfWhichAllFailReportsAllInOrder() throws IOException {
    List<NetlinkRequest> requests = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      requests.add(
          Routes.adding(
              Route.unicast(
                  workload(i).destination(),
                  PROTOCOL,
                  NextHop.via(IpAddress.parse("192.0.2.1"), dev))));
    }

    List<NetlinkSocket.Failure> failures = socket.executeAll(requests);

    assertThat(failures)
        .extracting(NetlinkSocket.Failure::request)
        .containsExactlyElementsOf(requests);
    assertThat(failures)
        .allSatisfy(failure -> assertThat(failure.reason().errno()).isEqualTo(Errno.ENETUNREACH));
    assertThat(ours(workload(0))).isEmpty();
  }

  @Test
  void oneSocketGoesOnAfterRefusals() throws IOException {
    for (int i = 0; i < 20; i++) {
      assertThatThrownBy(() -> socket.links().setUp(4711)).isInstanceOf(NetlinkException.class);
      assertThat(socket.links().find("up0")).isPresent();
    }
    assertThat(socket.executeAll(List.of())).isEmpty();
  }

  private Route workload(int number) {
    IpAddress address = IpAddress.parse("10.1.0.0").plus(number);
    return Route.unicast(address.toCidr(), PROTOCOL, NextHop.dev(dev)).withMetric(77);
  }

  private List<Route> ours(Route like) throws IOException {
    return socket
        .routes()
        .list(RouteFilter.all(like.family()).inTable(like.table()).ofProtocol(like.protocol()));
  }

  private void addAddress(int index, String address, int prefixLength) throws IOException {
    socket
        .addresses()
        .add(
            InterfaceAddress.of(index, IpAddress.parse(address), prefixLength)
                .with(InterfaceAddress.Flag.NODAD));
  }
}
