package io.wayleave.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.linux.Errno;
import io.wayleave.linux.netlink.NextHop;
import io.wayleave.linux.netlink.Route;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.route.RouteDriver.Refusal;
import io.wayleave.route.RouteDriver.Write;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the programmer relies on, for the kernel and for its twin in memory alike. */
abstract class RouteDriverContract {
  static final RouteSettings SETTINGS = RouteSettings.DEFAULT;
  private static final int FOREIGN = 99;

  private TestKernel kernel;
  private RouteDriver driver;
  private int one;
  private int two;

  /** The same situation in either family. */
  record Net(
      Cidr destination,
      IpAddress here,
      IpAddress gateway,
      IpAddress otherHere,
      IpAddress otherGateway,
      IpAddress elsewhere,
      int prefixLength) {
    static final Net IPV4 =
        of("10.1.0.7", "10.9.0.1", "10.9.0.2", "10.9.1.1", "10.9.1.2", "192.0.2.1", 24);
    static final Net IPV6 =
        of("fd00:1::7", "fd00:9::1", "fd00:9::2", "fd00:a::1", "fd00:a::2", "2001:db8::1", 64);

    private static Net of(
        String destination,
        String here,
        String gateway,
        String otherHere,
        String otherGateway,
        String elsewhere,
        int prefixLength) {
      return new Net(
          Cidr.parse(destination),
          IpAddress.parse(here),
          IpAddress.parse(gateway),
          IpAddress.parse(otherHere),
          IpAddress.parse(otherGateway),
          IpAddress.parse(elsewhere),
          prefixLength);
    }
  }

  static List<Net> nets() {
    return List.of(Net.IPV4, Net.IPV6);
  }

  abstract TestKernel open() throws IOException;

  @BeforeEach
  void prepare() throws IOException {
    kernel = open();
    driver = kernel.driver();
    one = kernel.addLink("up0");
    two = kernel.addLink("up1");
    for (Net net : nets()) {
      kernel.addAddress(one, net.here(), net.prefixLength());
      kernel.addAddress(two, net.otherHere(), net.prefixLength());
    }
  }

  @AfterEach
  void close() throws IOException {
    kernel.close();
  }

  @ParameterizedTest
  @MethodSource("nets")
  void whatIsWrittenIsFoundAsItWas(Net net) throws IOException {
    for (Route route :
        List.of(
            workload(net),
            workload(net).withPreferredSource(net.here()),
            learned(net),
            ecmp(net),
            blackhole(net))) {
      assertThat(driver.write(List.of(new Write.Add(route)))).isEmpty();
      assertThat(own()).containsExactly(route);
      assertThat(driver.write(List.of(new Write.Delete(route)))).isEmpty();
      assertThat(own()).isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("nets")
  void addRefusesWhenAnyRouteIsThere(Net net) throws IOException {
    assertThat(driver.write(List.of(new Write.Add(workload(net))))).isEmpty();
    assertRefused(new Write.Add(learned(net)), Errno.EEXIST);
    assertThat(own()).containsExactly(workload(net));
    assertThat(driver.write(List.of(new Write.Delete(workload(net))))).isEmpty();

    Route foreign = Route.unicast(net.destination(), FOREIGN, NextHop.dev(two)).withMetric(77);
    kernel.meddle(foreign);
    assertRefused(new Write.Add(workload(net)), Errno.EEXIST);
    assertThat(driver.dump(_ -> true).routes()).contains(foreign);
  }

  @ParameterizedTest
  @MethodSource("nets")
  void replaceTakesThePlaceOfWhatIsThere(Net net) throws IOException {
    for (Route route :
        List.of(
            learned(net),
            ecmp(net),
            workload(net),
            ecmp(net),
            learned(net),
            workload(net),
            blackhole(net),
            workload(net))) {
      assertThat(driver.write(List.of(new Write.Replace(route)))).isEmpty();
      assertThat(own()).containsExactly(route);
    }
  }

  @ParameterizedTest
  @MethodSource("nets")
  void deleteWantsExactlyThatRoute(Net net) throws IOException {
    assertThat(driver.write(List.of(new Write.Add(learned(net))))).isEmpty();

    Route elsewhere = learned(net).withNextHops(List.of(NextHop.via(net.otherGateway(), two)));
    assertRefused(new Write.Delete(elsewhere), Errno.ESRCH);
    assertRefused(new Write.Delete(learned(net).withMetric(78)), Errno.ESRCH);
    assertThat(own()).containsExactly(learned(net));
  }

  @ParameterizedTest
  @MethodSource("nets")
  void deleteLeavesTheRouteOfAnother(Net net) throws IOException {
    Route foreign = Route.unicast(net.destination(), FOREIGN, NextHop.dev(one)).withMetric(77);
    kernel.meddle(foreign);

    assertRefused(new Write.Delete(workload(net)), Errno.ESRCH);
    assertThat(driver.dump(_ -> true).routes()).contains(foreign);
  }

  @Test
  void refusesAnIpv4NextHopThatIsNotOnTheLink() throws IOException {
    assertRefused(
        new Write.Add(via(Net.IPV4, NextHop.via(Net.IPV4.elsewhere(), one))), Errno.ENETUNREACH);
    assertRefused(
        new Write.Add(via(Net.IPV4, NextHop.via(Net.IPV4.gateway(), two))), Errno.ENETUNREACH);
  }

  @Test
  void refusesAnIpv6NextHopThatIsNotOnTheLink() throws IOException {
    assertRefused(
        new Write.Add(via(Net.IPV6, NextHop.via(Net.IPV6.elsewhere(), one))), Errno.EHOSTUNREACH);
  }

  @ParameterizedTest
  @MethodSource("nets")
  void refusesWhatHasNoInterfaceOrNoSource(Net net) throws IOException {
    assertRefused(new Write.Add(via(net, NextHop.dev(4711))), Errno.ENODEV);
    assertRefused(new Write.Add(workload(net).withPreferredSource(net.elsewhere())), Errno.EINVAL);
    kernel.setUp(one, false);
    assertRefused(new Write.Add(workload(net)), Errno.ENETDOWN);
  }

  @ParameterizedTest
  @MethodSource("nets")
  void anInterfaceThatGoesDownTakesItsRoutesAlong(Net net) throws IOException {
    Cidr block = Cidr.around(net.destination().address(), net.destination().prefixLength() - 6);
    Route elsewhere = via(net, NextHop.dev(two)).withMetric(78);
    Route hole = Route.blackhole(block, SETTINGS.protocol()).withMetric(77);
    assertThat(
            driver.write(
                List.of(
                    new Write.Add(workload(net)), new Write.Add(elsewhere), new Write.Add(hole))))
        .isEmpty();

    kernel.setUp(one, false);
    assertThat(own()).containsExactlyInAnyOrder(elsewhere, hole);

    kernel.setUp(one, true);
    assertThat(own()).containsExactlyInAnyOrder(elsewhere, hole);
  }

  @ParameterizedTest
  @MethodSource("nets")
  void aRouteWithTwoNextHopsOutlivesOneInterfaceThatIsDown(Net net) throws IOException {
    assertThat(driver.write(List.of(new Write.Add(ecmp(net))))).isEmpty();

    kernel.setUp(one, false);
    assertThat(own()).containsExactly(ecmp(net));
    assertThat(driver.ownRoutesOn(one)).containsExactly(ecmp(net));

    kernel.setUp(two, false);
    assertThat(own()).isEmpty();
    assertThat(driver.ownRoutesOn(one)).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("nets")
  void findsTheRoutesOfAnInterface(Net net) throws IOException {
    Route other = via(net, NextHop.dev(two)).withMetric(78);
    assertThat(driver.write(List.of(new Write.Add(workload(net)), new Write.Add(other)))).isEmpty();

    assertThat(driver.ownRoutesOn(one)).containsExactly(workload(net));
    assertThat(driver.ownRoutesOn(two)).containsExactly(other);
    assertThat(driver.ownRoutesOn(4711)).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("nets")
  void whatIsRefusedDoesNotStopWhatFollows(Net net) throws IOException {
    List<Write> writes =
        List.of(
            new Write.Add(workload(net)),
            new Write.Add(learned(net)),
            new Write.Delete(learned(net).withMetric(5)),
            new Write.Add(blackhole(net).withMetric(78)));

    List<Refusal> refusals = driver.write(writes);

    assertThat(refusals).extracting(Refusal::write).containsExactly(writes.get(1), writes.get(2));
    assertThat(own()).containsExactlyInAnyOrder(workload(net), blackhole(net).withMetric(78));
  }

  @ParameterizedTest
  @MethodSource("nets")
  void theDumpSaysWhichNetworksAreOnALink(Net net) throws IOException {
    assertThat(driver.dump(_ -> true).links()).extracting("name").contains("up0", "up1");
    assertThat(driver.dump(_ -> true).routes())
        .filteredOn(Topology::isOnLink)
        .anyMatch(
            route ->
                route.destination().contains(net.gateway())
                    && route.nextHops().equals(List.of(NextHop.dev(one))))
        .anyMatch(
            route ->
                route.destination().contains(net.otherGateway())
                    && route.nextHops().equals(List.of(NextHop.dev(two))));
  }

  private void assertRefused(Write write, Errno errno) throws IOException {
    List<Refusal> refusals = driver.write(List.of(write));

    assertThat(refusals).hasSize(1);
    assertThat(refusals.getFirst().write()).isSameAs(write);
    assertThat(refusals.getFirst().errno()).isEqualTo(errno);
    assertThat(refusals.getFirst().reason()).contains(errno.name());
  }

  private List<Route> own() throws IOException {
    return driver.dump(_ -> true).routes().stream()
        .filter(route -> route.protocol() == SETTINGS.protocol())
        .toList();
  }

  private Route workload(Net net) {
    return via(net, NextHop.dev(one));
  }

  private Route learned(Net net) {
    return via(net, NextHop.via(net.gateway(), one));
  }

  private Route ecmp(Net net) {
    return via(net, NextHop.via(net.gateway(), one), NextHop.via(net.otherGateway(), two));
  }

  private static Route blackhole(Net net) {
    return Route.blackhole(net.destination(), SETTINGS.protocol()).withMetric(77);
  }

  private static Route via(Net net, NextHop... hops) {
    return Route.unicast(net.destination(), SETTINGS.protocol(), List.of(hops)).withMetric(77);
  }
}
