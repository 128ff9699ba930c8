package io.wayleave.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.linux.netlink.InterfaceAddress;
import io.wayleave.linux.netlink.NetlinkEvent;
import io.wayleave.linux.netlink.NetlinkMonitor;
import io.wayleave.linux.netlink.NetlinkRequest;
import io.wayleave.linux.netlink.NextHop;
import io.wayleave.linux.netlink.Route;
import io.wayleave.linux.netlink.RouteFilter;
import io.wayleave.linux.netlink.Routes;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Update;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole of the module on the real kernel, in a network namespace. */
@Tag("real")
class RouteServiceTest {
  private static final RouteSettings SETTINGS = RouteSettings.DEFAULT;
  private static final IpAddress HERE = IpAddress.parse("10.9.0.1");
  private static final IpAddress TOR = IpAddress.parse("10.9.0.2");
  private static final IpAddress OTHER_TOR = IpAddress.parse("10.9.1.2");
  private static final Cidr POD = Cidr.parse("10.1.0.7/32");
  private static final Cidr REMOTE = Cidr.parse("10.2.0.9/32");
  private static final Cidr BLOCK = Cidr.parse("10.1.0.0/26");
  private static final RouteTarget WORKLOAD = new RouteTarget.Workload("wl1", Optional.of(HERE));
  private static final RouteTarget BY_TOR = RouteTarget.Learned.by(Gateway.of(TOR));

  private RealKernel kernel;
  private RouteService service;
  private int up0;
  private int up1;
  private int wl1;

  @BeforeEach
  void start() throws IOException {
    kernel = new RealKernel(SETTINGS);
    up0 = kernel.addLink("up0");
    up1 = kernel.addLink("up1");
    wl1 = kernel.addLink("wl1");
    kernel.addAddress(up0, HERE, 24);
    kernel.addAddress(up1, IpAddress.parse("10.9.1.1"), 24);
    kernel.addAddress(up0, IpAddress.parse("fd00:9::1"), 64);
    kernel.addAddress(up1, IpAddress.parse("fd00:a::1"), 64);
    service = RouteService.start(kernel.namespace(), SETTINGS);
  }

  /** Whether or not a route leads there, and without any comparison with the whole kernel. */
  @Test
  void watchedRoutersAreToldOfAsTheyComeAndGo() throws IOException {
    Map<IpAddress, OptionalLong> told = new ConcurrentHashMap<>();
    IpAddress distant = IpAddress.parse("10.8.0.5");
    Route way =
        Route.unicast(
                Cidr.parse("10.8.0.0/24"),
                Route.PROTOCOL_STATIC,
                List.of(new NextHop(up0, Optional.of(TOR), 1, false)))
            .withMetric(20);
    IpAddress nobody = IpAddress.parse("127.0.0.5");
    service.watchRouters(Set.of(TOR, OTHER_TOR, distant, nobody), told::putAll);
    OptionalLong none = OptionalLong.empty();
    until(told, Map.of(TOR, of(0), OTHER_TOR, of(0), distant, none, nobody, none));

    kernel.meddle(way);
    until(told, Map.of(TOR, of(0), OTHER_TOR, of(0), distant, of(21), nobody, none));
    kernel.setUp(up1, false);
    until(told, Map.of(TOR, of(0), OTHER_TOR, none, distant, of(21), nobody, none));
    kernel.setUp(up1, true);
    until(told, Map.of(TOR, of(0), OTHER_TOR, of(0), distant, of(21), nobody, none));
    kernel.meddleAway(way);
    until(told, Map.of(TOR, of(0), OTHER_TOR, of(0), distant, none, nobody, none));

    told.clear();
    service.watchRouters(Set.of(TOR, distant), told::putAll);
    kernel.meddle(way);
    until(told, Map.of(distant, of(21)));
  }

  private static OptionalLong of(long distance) {
    return OptionalLong.of(distance);
  }

  private static void until(Map<?, ?> told, Map<?, ?> wanted) {
    long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (!told.equals(wanted) && System.nanoTime() < deadline) {
      LockSupport.parkNanos(1_000_000);
    }
    assertThat(told.equals(wanted)).as("%s is %s", told, wanted).isTrue();
  }

  @AfterEach
  void stop() throws IOException {
    service.close();
    kernel.close();
  }

  @Test
  void aRouteIsInTheKernelWhenItsFutureCompletes() throws Exception {
    RouteState state = put(POD, WORKLOAD);

    assertThat(state.programmed()).isTrue();
    assertThat(own()).containsExactly(workloadRoute());
    assertThat(put(BLOCK, new RouteTarget.Blackhole()).programmed()).isTrue();
    assertThat(put(REMOTE, BY_TOR).programmed()).isTrue();
    assertThat(kernel.socket().routes().lookup(POD.address()).orElseThrow().source())
        .contains(HERE);
    // An address of the block that no container has goes nowhere.
    assertThat(kernel.socket().routes().lookup(IpAddress.parse("10.1.0.8"))).isEmpty();

    service.submit(RouteSource.WORKLOAD, new Update.Delete<>(POD)).get(10, TimeUnit.SECONDS);
    assertThat(own()).extracting(Route::destination).containsExactlyInAnyOrder(BLOCK, REMOTE);
  }

  @Test
  void meshPeersAcrossRoutedRacksAreReachedByTheRouters() throws Exception {
    IpAddress mesh = IpAddress.parse("10.8.0.5");
    IpAddress mesh6 = IpAddress.parse("fd00:8::5");
    Cidr remote6 = Cidr.parse("fd00:2::9/128");
    kernel.meddle(fallback("0.0.0.0/0", TOR, up0));
    kernel.meddle(fallback("::/0", IpAddress.parse("fd00:9::2"), up0));
    assertThat(put(REMOTE, RouteTarget.Learned.by(Gateway.of(mesh))).programmed()).isTrue();
    assertThat(put(remote6, RouteTarget.Learned.by(Gateway.of(mesh6))).programmed()).isTrue();
    assertThat(own())
        .containsExactlyInAnyOrder(
            learned(REMOTE, NextHop.via(TOR, up0)),
            learned(remote6, NextHop.via(IpAddress.parse("fd00:9::2"), up0)));

    // A route to the rack of the next hop, by both ToRs.
    Cidr rack = Cidr.parse("10.8.0.0/24");
    put(rack, RouteTarget.Learned.by(Gateway.of(TOR), Gateway.of(OTHER_TOR)));
    Route remote6Route = learned(remote6, NextHop.via(IpAddress.parse("fd00:9::2"), up0));
    NextHop[] both = {NextHop.via(TOR, up0), NextHop.via(OTHER_TOR, up1)};
    awaitOwn(
        Set.of(learned(rack, both), learned(REMOTE, both), remote6Route), Duration.ofSeconds(5));

    // The default route moves while nobody tells the service.
    inSync(RouteSource.LEARNED);
    service.submit(RouteSource.LEARNED, new Update.Delete<>(rack)).get(10, TimeUnit.SECONDS);
    kernel.meddle(fallback("0.0.0.0/0", OTHER_TOR, up1));
    awaitOwn(
        Set.of(learned(REMOTE, NextHop.via(OTHER_TOR, up1)), remote6Route), Duration.ofSeconds(5));
  }

  @Test
  void nextHopsOfBothFamiliesCarryAnIpv4Route() throws Exception {
    IpAddress router = IpAddress.parse("fe80::1");
    RouteTarget unnumbered =
        RouteTarget.Learned.by(Gateway.of(router, "up0"), Gateway.of(router, "up1"));
    Cidr remote6 = Cidr.parse("fd00:2::9/128");
    assertThat(put(REMOTE, unnumbered).programmed()).isTrue();
    assertThat(put(remote6, unnumbered).programmed()).isTrue();
    assertThat(own())
        .containsExactlyInAnyOrder(
            learned(REMOTE, NextHop.via(router, up0), NextHop.via(router, up1)),
            learned(remote6, NextHop.via(router, up0), NextHop.via(router, up1)));

    RouteTarget mixed = RouteTarget.Learned.by(Gateway.of(TOR), Gateway.of(router, "up1"));
    assertThat(put(REMOTE, mixed).programmed()).isTrue();
    assertThat(own()).contains(learned(REMOTE, NextHop.via(TOR, up0), NextHop.via(router, up1)));

    // The next service adopts them as they are.
    service.close();
    service = RouteService.start(kernel.namespace(), SETTINGS);
    assertThat(put(REMOTE, mixed).programmed()).isTrue();
    assertThat(own()).hasSize(2);
    inSync(RouteSource.LEARNED);
    awaitOwn(
        Set.of(learned(REMOTE, NextHop.via(TOR, up0), NextHop.via(router, up1))),
        Duration.ofSeconds(5));
  }

  private static Route fallback(String destination, IpAddress router, int index) {
    return Route.unicast(
            Cidr.parse(destination), Route.PROTOCOL_STATIC, List.of(NextHop.via(router, index)))
        .withMetric(1024);
  }

  private static Route learned(Cidr destination, NextHop... hops) {
    return Route.unicast(destination, 77, List.of(hops)).withMetric(77);
  }

  @Test
  void aRouteThatIsRefusedSaysWhyAndComesWhenItCan() throws Exception {
    IpAddress source = IpAddress.parse("10.9.0.99");
    RouteState refused = put(POD, new RouteTarget.Workload("wl1", Optional.of(source)));
    assertThat(refused.problem().orElseThrow().reason())
        .isEqualTo(
            "add route 10.1.0.7/32 dev wl1 src 10.9.0.99 metric 77 table 254: EINVAL (Invalid"
                + " argument): Invalid prefsrc address");

    RouteState missing = put(REMOTE, new RouteTarget.Workload("wl2", Optional.empty()));
    assertThat(missing.problem().orElseThrow().reason()).isEqualTo("interface wl2 does not exist");
    RouteStatus status = service.status().get(10, TimeUnit.SECONDS);
    assertThat(status.failingCount()).isEqualTo(2);

    kernel.addAddress(up0, source, 24);
    kernel.addLink("wl2");

    awaitRoutes(Set.of(POD, REMOTE), Duration.ofSeconds(1));
  }

  @Test
  void makesNonsenseTheCallersProblem() {
    assertThatThrownBy(() -> put(POD, new RouteTarget.Blackhole()))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(InvalidInputException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.2.0.9/32,10.9.0.2,10.9.1.2", "fd00:2::9/128,fd00:9::2,fd00:a::2"})
  void whatOthersDoIsRepairedWithinASecond(String line) throws Exception {
    List<String> words = List.of(line.split(",", -1));
    Cidr destination = Cidr.parse(words.get(0));
    IpAddress gateway = IpAddress.parse(words.get(1));
    IpAddress other = IpAddress.parse(words.get(2));
    put(destination, RouteTarget.Learned.by(Gateway.of(gateway), Gateway.of(other)));
    Route wanted =
        Route.unicast(destination, 77, List.of(NextHop.via(gateway, up0), NextHop.via(other, up1)))
            .withMetric(77);
    assertThat(own()).containsExactly(wanted);

    kernel.meddleAway(wanted);
    awaitOwn(Set.of(wanted), Duration.ofSeconds(1));

    kernel.meddle(wanted.withNextHops(List.of(NextHop.via(other, up1))));
    awaitOwn(Set.of(wanted), Duration.ofSeconds(1));
  }

  @Test
  void anIpv6RouteThatLostOneOfItsNextHopsGetsItBack() throws Exception {
    Cidr destination = Cidr.parse("fd00:2::9/128");
    NextHop one = NextHop.via(IpAddress.parse("fd00:9::2"), up0);
    NextHop two = NextHop.via(IpAddress.parse("fd00:a::2"), up1);
    put(
        destination,
        RouteTarget.Learned.by(
            Gateway.of(one.gateway().orElseThrow()), Gateway.of(two.gateway().orElseThrow())));
    Route wanted = Route.unicast(destination, 77, List.of(one, two)).withMetric(77);
    assertThat(own()).containsExactly(wanted);

    kernel.meddleAway(wanted.withNextHops(List.of(two)));

    awaitOwn(Set.of(wanted), Duration.ofSeconds(1));
  }

  @Test
  void routesOfAnInterfaceComeBackWithIt() throws Exception {
    put(POD, WORKLOAD);
    kernel.setUp(wl1, false);
    awaitRoutes(Set.of(), Duration.ofSeconds(1));
    kernel.setUp(wl1, true);
    awaitRoutes(Set.of(POD), Duration.ofSeconds(1));

    kernel.removeLink(wl1);
    awaitRoutes(Set.of(), Duration.ofSeconds(1));
    kernel.addLink("wl1");
    awaitRoutes(Set.of(POD), Duration.ofSeconds(1));
  }

  @Test
  void aRouteWhoseSourceAddressWasRemovedComesBackWithTheAddress() throws Exception {
    put(POD, WORKLOAD);
    kernel.socket().addresses().delete(InterfaceAddress.of(up0, HERE, 24));
    awaitRoutes(Set.of(), Duration.ofSeconds(1));

    kernel.addAddress(up0, HERE, 24);

    awaitRoutes(Set.of(POD), Duration.ofSeconds(1));
  }

  @Test
  void aRestartSweepsNothingBeforeItsSourceIsInSync() throws Exception {
    put(POD, WORKLOAD);
    put(REMOTE, BY_TOR);
    put(BLOCK, new RouteTarget.Blackhole());
    restart();
    assertThat(service.status().get(10, TimeUnit.SECONDS).stale()).isEqualTo(3);
    assertThat(own()).hasSize(3);

    inSync(RouteSource.WORKLOAD);
    awaitRoutes(Set.of(REMOTE, BLOCK), Duration.ofSeconds(1));

    inSync(RouteSource.LEARNED);
    awaitRoutes(Set.of(BLOCK), Duration.ofSeconds(1));

    inSync(RouteSource.BLOCK);
    awaitRoutes(Set.of(), Duration.ofSeconds(1));
  }

  @Test
  void aRestartDoesNotTouchWhatIsAsItShouldBe() throws Exception {
    put(POD, WORKLOAD);
    put(REMOTE, BY_TOR);
    put(BLOCK, new RouteTarget.Blackhole());
    Set<Route> before = new HashSet<>(own());
    try (NetlinkMonitor monitor =
        NetlinkMonitor.open(
            kernel.namespace(),
            Set.of(NetlinkMonitor.Group.IPV4_ROUTES, NetlinkMonitor.Group.IPV6_ROUTES))) {
      restart();
      put(BLOCK, new RouteTarget.Blackhole());
      put(REMOTE, BY_TOR);
      put(POD, WORKLOAD);
      for (RouteSource source : RouteSource.values()) {
        inSync(source);
      }
      service.status().get(10, TimeUnit.SECONDS);

      assertThat(ours(monitor.poll(Duration.ZERO))).isEmpty();
      assertThat(new HashSet<>(own())).isEqualTo(before);

      // The monitor does hear what a restart would have to do.
      put(REMOTE, RouteTarget.Learned.by(Gateway.of(OTHER_TOR)));
      assertThat(ours(monitor.poll(Duration.ofSeconds(5)))).hasSize(1);
    }
  }

  @Test
  void theRouteOfAnotherProtocolIsLeftAloneUntilItGoes() throws Exception {
    Route foreign = Route.unicast(REMOTE, 12, NextHop.via(OTHER_TOR, up1)).withMetric(77);
    kernel.meddle(foreign);

    RouteState state = put(REMOTE, BY_TOR);
    assertThat(state.problem().orElseThrow().reason())
        .startsWith("a route of protocol 12 is in its place");
    assertThat(kernel.socket().routes().list(RouteFilter.mainTable(Family.IPV4))).contains(foreign);

    kernel.meddleAway(foreign);
    awaitRoutes(Set.of(REMOTE), Duration.ofSeconds(1));
  }

  @Test
  void aSecondRouteForOneDestinationGoesAndTheWantedOneStays() throws Exception {
    put(REMOTE, BY_TOR);
    inSync(RouteSource.LEARNED);
    // Only "append" makes a second route for one destination and metric.
    Process append =
        new ProcessBuilder(
                "nsenter",
                "--net=" + kernel.path(),
                "ip",
                "route",
                "append",
                REMOTE.toString(),
                "via",
                OTHER_TOR.toString(),
                "proto",
                "77",
                "metric",
                "77")
            .redirectErrorStream(true)
            .start();
    assertThat(append.waitFor()).isZero();
    Route wanted = Route.unicast(REMOTE, 77, NextHop.via(TOR, up0)).withMetric(77);

    awaitOwn(Set.of(wanted), Duration.ofSeconds(2));
  }

  @Test
  void tenThousandRoutesComeAndAreRepairedAndGo() throws Exception {
    int count = 10_000;
    List<Update<Cidr, RouteTarget>> puts = new ArrayList<>();
    List<Update<Cidr, RouteTarget>> deletes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Cidr destination = IpAddress.parse("10.64.0.0").plus(i).toCidr();
      puts.add(
          new Update.Put<>(
              destination, RouteTarget.Learned.by(Gateway.of(TOR), Gateway.of(OTHER_TOR))));
      deletes.add(new Update.Delete<>(destination));
    }
    inSync(RouteSource.LEARNED);
    service.submitAll(RouteSource.LEARNED, puts).get(30, TimeUnit.SECONDS);
    List<Route> all = own();
    assertThat(all).hasSize(count);
    assertThat(service.status().get(10, TimeUnit.SECONDS).programmed())
        .containsEntry(RouteSource.LEARNED, count);

    List<NetlinkRequest> away = new ArrayList<>();
    all.forEach(route -> away.add(Routes.deleting(route)));
    assertThat(kernel.socket().executeAll(away)).isEmpty();
    awaitOwn(new HashSet<>(all), Duration.ofSeconds(20));

    service.submitAll(RouteSource.LEARNED, deletes).get(30, TimeUnit.SECONDS);
    assertThat(own()).isEmpty();
  }

  @Test
  void aClosedServiceLeavesTheRoutesAndSaysThatItIsClosed() throws Exception {
    put(POD, WORKLOAD);
    assertThat(service.isRunning()).isTrue();

    service.close();
    service.close();

    assertThat(service.isRunning()).isFalse();
    assertThat(own()).containsExactly(workloadRoute());
    assertThatThrownBy(() -> put(REMOTE, BY_TOR))
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("the route service is closed");
  }

  /** Without what the kernel does of its own accord at the same time. */
  private static List<NetlinkEvent> ours(List<NetlinkEvent> events) {
    return events.stream()
        .filter(
            event ->
                (event instanceof NetlinkEvent.RouteChanged changed
                        && changed.route().protocol() == 77)
                    || (event instanceof NetlinkEvent.RouteRemoved removed
                        && removed.route().protocol() == 77))
        .toList();
  }

  private void restart() throws IOException {
    service.close();
    service = RouteService.start(kernel.namespace(), SETTINGS);
  }

  private RouteState put(Cidr destination, RouteTarget target) throws Exception {
    return service
        .submit(target.source(), new Update.Put<>(destination, target))
        .get(10, TimeUnit.SECONDS)
        .orElseThrow();
  }

  private void inSync(RouteSource source) throws Exception {
    service.submit(source, new Update.InSync<>()).get(10, TimeUnit.SECONDS);
  }

  private void awaitRoutes(Set<Cidr> wanted, Duration atMost) throws IOException {
    long end = System.nanoTime() + atMost.toNanos();
    Set<Cidr> found = Set.of();
    while (System.nanoTime() < end) {
      found = Set.copyOf(own().stream().map(Route::destination).toList());
      if (found.equals(wanted)) {
        return;
      }
      LockSupport.parkNanos(2_000_000);
    }
    assertThat(found).isEqualTo(wanted);
  }

  private void awaitOwn(Set<Route> wanted, Duration atMost) throws IOException {
    long end = System.nanoTime() + atMost.toNanos();
    List<Route> found = List.of();
    while (System.nanoTime() < end) {
      found = own();
      if (found.size() == wanted.size() && wanted.containsAll(found)) {
        return;
      }
      LockSupport.parkNanos(2_000_000);
    }
    assertThat(found).containsExactlyInAnyOrderElementsOf(wanted);
  }

  private List<Route> own() throws IOException {
    List<Route> routes = new ArrayList<>();
    for (Family family : Family.values()) {
      routes.addAll(kernel.socket().routes().list(RouteFilter.mainTable(family).ofProtocol(77)));
    }
    return routes;
  }

  private Route workloadRoute() {
    return Route.unicast(POD, 77, NextHop.dev(wl1)).withMetric(77).withPreferredSource(HERE);
  }
}
