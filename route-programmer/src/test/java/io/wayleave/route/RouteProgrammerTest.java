package io.wayleave.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.linux.netlink.InterfaceAddress;
import io.wayleave.linux.netlink.NetlinkEvent;
import io.wayleave.linux.netlink.NextHop;
import io.wayleave.linux.netlink.Route;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Update;
import io.wayleave.route.RouteDriver.Write;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RouteProgrammerTest {
  private static final RouteSettings SETTINGS = RouteSettings.DEFAULT;
  private static final IpAddress HERE = IpAddress.parse("10.9.0.1");
  private static final IpAddress TOR = IpAddress.parse("10.9.0.2");
  private static final IpAddress OTHER_TOR = IpAddress.parse("10.9.1.2");
  private static final Cidr POD = Cidr.parse("10.1.0.7/32");
  private static final Cidr REMOTE = Cidr.parse("10.2.0.9/32");
  private static final Cidr BEYOND = Cidr.parse("10.3.0.0/24");
  private static final Cidr BLOCK = Cidr.parse("10.1.0.0/26");
  private static final RouteTarget WORKLOAD = new RouteTarget.Workload("wl1", Optional.of(HERE));
  private static final RouteTarget HOLE = new RouteTarget.Blackhole();
  private static final RouteTarget BY_TOR = RouteTarget.Learned.by(Gateway.of(TOR));
  private static final RouteTarget BY_BOTH =
      RouteTarget.Learned.by(Gateway.of(OTHER_TOR), Gateway.of(TOR));

  private final MemoryKernel kernel = new MemoryKernel(SETTINGS);
  private long now = 1_000_000_000L;
  private int up0;
  private int up1;
  private int wl1;
  private RouteProgrammer programmer;

  @BeforeEach
  void prepare() {
    up0 = kernel.addLink("up0");
    up1 = kernel.addLink("up1");
    wl1 = kernel.addLink("wl1");
    kernel.addAddress(up0, HERE, 24);
    kernel.addAddress(up1, IpAddress.parse("10.9.1.1"), 24);
    restart();
  }

  @Test
  void aMetricOfItsOwnMovesARouteAndKeepsTheOthers() throws IOException {
    allInSync();
    put(REMOTE, BY_TOR);
    put(BEYOND, BY_TOR);
    apply();
    put(REMOTE, byTorWithMetric(20));
    apply();
    assertThat(kernel.own())
        .containsExactlyInAnyOrder(
            learnedRoute(REMOTE, NextHop.via(TOR, up0)).withMetric(20),
            learnedRoute(BEYOND, NextHop.via(TOR, up0)));
    assertThat(programmer.state(REMOTE).orElseThrow().programmed()).isTrue();

    put(REMOTE, byTorWithMetric(30));
    apply();
    assertThat(kernel.own()).contains(learnedRoute(REMOTE, NextHop.via(TOR, up0)).withMetric(30));
    assertThat(kernel.own()).hasSize(2);

    put(REMOTE, BY_TOR);
    apply();
    assertThat(kernel.own())
        .containsExactlyInAnyOrder(
            learnedRoute(REMOTE, NextHop.via(TOR, up0)),
            learnedRoute(BEYOND, NextHop.via(TOR, up0)));

    put(REMOTE, byTorWithMetric(20));
    apply();
    delete(RouteSource.LEARNED, REMOTE);
    apply();
    assertThat(kernel.own()).containsExactly(learnedRoute(BEYOND, NextHop.via(TOR, up0)));
  }

  private static RouteTarget byTorWithMetric(long metric) {
    return new RouteTarget.Learned(
        List.of(Gateway.of(TOR)), Optional.empty(), OptionalLong.of(metric));
  }

  @Test
  void writesWhatEachSourceWants() throws IOException {
    put(POD, WORKLOAD);
    put(BLOCK, HOLE);
    put(REMOTE, BY_BOTH);
    apply();

    assertThat(kernel.own())
        .containsExactlyInAnyOrder(
            workloadRoute(),
            Route.blackhole(BLOCK, 77).withMetric(77),
            learnedRoute(REMOTE, NextHop.via(TOR, up0), NextHop.via(OTHER_TOR, up1)));
    assertThat(workloadRoute())
        .hasToString("10.1.0.7/32 dev #" + wl1 + " src 10.9.0.1 metric 77 table 254");
    assertThat(programmer.state(POD).orElseThrow().programmed()).isTrue();
  }

  @Test
  void writesNothingTwice() throws IOException {
    put(POD, WORKLOAD);
    put(REMOTE, BY_TOR);
    apply();
    kernel.takeWritten();

    put(POD, WORKLOAD);
    apply();
    programmer.requestResync("test");
    apply();

    assertThat(kernel.takeWritten()).isEmpty();
  }

  @Test
  void adoptsWhatAnEarlierLifeLeft() throws IOException {
    put(POD, WORKLOAD);
    put(BLOCK, HOLE);
    put(REMOTE, BY_BOTH);
    apply();
    kernel.takeWritten();

    restart();
    apply();
    put(REMOTE, BY_BOTH);
    put(POD, WORKLOAD);
    put(BLOCK, HOLE);
    allInSync();
    apply();

    assertThat(kernel.takeWritten()).isEmpty();
    assertThat(kernel.own()).hasSize(3);
  }

  @Test
  void sweepsTheRoutesOfASourceOnlyWhenThatSourceIsInSync() throws IOException {
    put(POD, WORKLOAD);
    put(BLOCK, HOLE);
    put(REMOTE, BY_TOR);
    apply();
    restart();
    apply();
    assertThat(destinations()).containsExactlyInAnyOrder(POD, BLOCK, REMOTE);
    assertThat(programmer.status().stale()).isEqualTo(3);

    inSync(RouteSource.LEARNED);
    apply();
    assertThat(destinations()).containsExactlyInAnyOrder(POD, BLOCK);

    inSync(RouteSource.WORKLOAD);
    apply();
    assertThat(destinations()).containsExactly(BLOCK);

    inSync(RouteSource.BLOCK);
    apply();
    assertThat(destinations()).isEmpty();
    assertThat(programmer.status().stale()).isZero();
  }

  @Test
  void aNamedDeletionNeedsNoSync() throws IOException {
    put(POD, WORKLOAD);
    put(REMOTE, BY_TOR);
    apply();
    restart();
    apply();

    delete(RouteSource.WORKLOAD, POD);
    delete(RouteSource.WORKLOAD, REMOTE);
    apply();

    // A container's deletion says nothing about what BGP learned.
    assertThat(destinations()).containsExactly(REMOTE);

    delete(RouteSource.LEARNED, REMOTE);
    apply();
    assertThat(destinations()).isEmpty();
  }

  @Test
  void aDeletionThatWasTakenBackDoesNotCount() throws IOException {
    put(REMOTE, BY_TOR);
    apply();
    delete(RouteSource.LEARNED, REMOTE);
    put(REMOTE, BY_TOR);
    apply();
    kernel.takeWritten();

    restart();
    apply();
    assertThat(destinations()).containsExactly(REMOTE);
    assertThat(kernel.takeWritten()).isEmpty();
  }

  @Test
  void aLearnedRouteWaitsForAnAdoptedContainer() throws IOException {
    put(POD, WORKLOAD);
    apply();
    restart();
    put(POD, BY_TOR);
    inSync(RouteSource.LEARNED);
    apply();

    assertThat(kernel.own()).containsExactly(workloadRoute());
    assertThat(reason(POD))
        .isEqualTo("an adopted route of a container is in its place until containers are in sync");

    inSync(RouteSource.WORKLOAD);
    apply();
    assertThat(kernel.own()).containsExactly(learnedRoute(POD, NextHop.via(TOR, up0)));
  }

  @Test
  void theMorePreferredSourceWinsAndTheOtherTakesOverWithoutAGap() throws IOException {
    allInSync();
    put(POD, BY_TOR);
    put(POD, WORKLOAD);
    apply();
    assertThat(kernel.own()).containsExactly(workloadRoute());
    kernel.takeWritten();

    delete(RouteSource.WORKLOAD, POD);
    apply();

    assertThat(kernel.takeWritten())
        .containsExactly(new Write.Replace(learnedRoute(POD, NextHop.via(TOR, up0))));
  }

  @Test
  void changedNextHopsAreReplacedInOneStep() throws IOException {
    put(REMOTE, BY_TOR);
    apply();
    kernel.takeWritten();

    put(REMOTE, BY_BOTH);
    apply();
    put(REMOTE, RouteTarget.Learned.by(Gateway.of(OTHER_TOR)));
    apply();

    assertThat(kernel.takeWritten())
        .containsExactly(
            new Write.Replace(
                learnedRoute(REMOTE, NextHop.via(TOR, up0), NextHop.via(OTHER_TOR, up1))),
            new Write.Replace(learnedRoute(REMOTE, NextHop.via(OTHER_TOR, up1))));
  }

  @Test
  void aRouteOfOurProtocolWithAnotherMetricIsStaleAndGoesAfterTheNewOneCame() throws IOException {
    kernel.meddle(learnedRoute(REMOTE, NextHop.via(TOR, up0)).withMetric(5));
    put(REMOTE, BY_TOR);
    inSync(RouteSource.LEARNED);
    apply();

    assertThat(kernel.takeWritten())
        .containsExactly(
            new Write.Add(learnedRoute(REMOTE, NextHop.via(TOR, up0))),
            new Write.Delete(learnedRoute(REMOTE, NextHop.via(TOR, up0)).withMetric(5)));
  }

  @Test
  void repairsWhatOthersDeletedOrChanged() throws IOException {
    put(POD, WORKLOAD);
    put(REMOTE, BY_TOR);
    apply();

    kernel.meddleAway(workloadRoute());
    kernel.meddle(learnedRoute(REMOTE, NextHop.via(OTHER_TOR, up1)));
    kernel.takeWritten();
    apply();

    assertThat(kernel.takeWritten())
        .containsExactlyInAnyOrder(
            new Write.Add(workloadRoute()),
            new Write.Replace(learnedRoute(REMOTE, NextHop.via(TOR, up0))));
    assertThat(kernel.dumps()).as("events are enough, no second dump").isEqualTo(1);
  }

  @Test
  void deletesWhatOthersAddedInOurName() throws IOException {
    allInSync();
    apply();

    kernel.meddle(learnedRoute(REMOTE, NextHop.via(TOR, up0)));
    apply();

    assertThat(kernel.own()).isEmpty();
  }

  @Test
  void theIntervalFindsWhatNoEventTold() throws IOException {
    put(REMOTE, BY_TOR);
    apply();
    kernel.meddleAway(learnedRoute(REMOTE, NextHop.via(TOR, up0)));
    kernel.takeEvents();
    Duration wait = apply();
    assertThat(kernel.own()).isEmpty();
    assertThat(wait).isEqualTo(SETTINGS.resyncInterval());

    now += SETTINGS.resyncInterval().toNanos();
    apply();

    assertThat(destinations()).containsExactly(REMOTE);
  }

  @Test
  void lostEventsAreMadeUpForByADump() throws IOException {
    put(REMOTE, BY_TOR);
    apply();
    kernel.meddleAway(learnedRoute(REMOTE, NextHop.via(TOR, up0)));
    kernel.takeEvents();

    programmer.onEvents(List.of(new NetlinkEvent.ResyncNeeded("ENOBUFS")));
    apply();

    assertThat(destinations()).containsExactly(REMOTE);
  }

  @Test
  void aRouteThatAppearedUnseenIsLookedAtAndReplaced() throws IOException {
    apply();
    kernel.meddle(learnedRoute(REMOTE, NextHop.via(OTHER_TOR, up1)));
    kernel.takeEvents();
    put(REMOTE, BY_TOR);
    apply();

    assertThat(kernel.own()).containsExactly(learnedRoute(REMOTE, NextHop.via(TOR, up0)));
    assertThat(kernel.takeWritten())
        .containsExactly(
            new Write.Add(learnedRoute(REMOTE, NextHop.via(TOR, up0))),
            new Write.Replace(learnedRoute(REMOTE, NextHop.via(TOR, up0))));
  }

  @Test
  void routesOfAnInterfaceComeBackWithIt() throws IOException {
    put(POD, WORKLOAD);
    put(REMOTE, BY_BOTH);
    apply();

    kernel.setUp(wl1, false);
    kernel.setUp(up0, false);
    apply();
    assertThat(destinations()).containsExactly(REMOTE);
    assertThat(reason(POD)).isEqualTo("interface wl1 is down");

    kernel.setUp(wl1, true);
    apply();
    assertThat(destinations()).containsExactlyInAnyOrder(POD, REMOTE);

    kernel.removeLink(wl1);
    apply();
    assertThat(reason(POD)).isEqualTo("interface wl1 does not exist");

    int again = kernel.addLink("wl1");
    apply();
    assertThat(kernel.own())
        .contains(
            Route.unicast(POD, 77, NextHop.dev(again)).withMetric(77).withPreferredSource(HERE));
  }

  @Test
  void aFlapWithinOnePortionOfEventsIsRepaired() throws IOException {
    put(POD, WORKLOAD);
    apply();

    kernel.setUp(wl1, false);
    kernel.setUp(wl1, true);
    apply();

    assertThat(kernel.own()).containsExactly(workloadRoute());
  }

  @Test
  void aRouteWhoseSecondInterfaceIsGoneIsAskedFor() throws IOException {
    put(REMOTE, BY_BOTH);
    apply();

    kernel.removeLink(up1);
    apply();

    assertThat(kernel.own()).containsExactly(learnedRoute(REMOTE, NextHop.via(TOR, up0)));
  }

  @Test
  void nextHopsThatAreOnNoLinkWait() throws IOException {
    IpAddress far = IpAddress.parse("192.0.2.1");
    put(REMOTE, RouteTarget.Learned.by(Gateway.of(far)));
    put(POD, RouteTarget.Learned.by(Gateway.of(far), Gateway.of(TOR)));
    apply();

    assertThat(reason(REMOTE))
        .isEqualTo(
            "next hop 192.0.2.1 is not on a network of this host's links, and no route leads to"
                + " it");
    assertThat(kernel.own()).containsExactly(learnedRoute(POD, NextHop.via(TOR, up0)));

    kernel.addAddress(up1, IpAddress.parse("192.0.2.7"), 24);
    apply();

    assertThat(kernel.own())
        .containsExactlyInAnyOrder(
            learnedRoute(REMOTE, NextHop.via(far, up1)),
            learnedRoute(POD, NextHop.via(TOR, up0), NextHop.via(far, up1)));
  }

  @Test
  void aLinkLocalNextHopNeedsItsInterface() throws IOException {
    IpAddress router = IpAddress.parse("fe80::1");
    put(REMOTE, RouteTarget.Learned.by(Gateway.of(router)));
    apply();
    assertThat(reason(REMOTE))
        .isEqualTo("next hop fe80::1 is link-local and comes without an interface");

    put(REMOTE, RouteTarget.Learned.by(Gateway.of(router, "up1")));
    apply();
    assertThat(kernel.own()).containsExactly(learnedRoute(REMOTE, NextHop.via(router, up1)));
  }

  @Test
  void theLongestNetworkDecidesWhereANextHopIs() throws IOException {
    kernel.meddle(
        Route.unicast(TOR.toCidr(), Route.PROTOCOL_STATIC, NextHop.dev(up1)).withMetric(10));
    put(REMOTE, BY_TOR);
    apply();

    assertThat(kernel.own()).containsExactly(learnedRoute(REMOTE, NextHop.via(TOR, up1)));
  }

  @Test
  void aNetworkOnALinkIsNotLearned() throws IOException {
    Cidr rack = Cidr.parse("10.9.0.0/24");
    put(rack, RouteTarget.Learned.by(Gateway.of(TOR)));
    put(REMOTE, BY_TOR);
    apply();
    assertThat(kernel.own()).containsExactly(learnedRoute(REMOTE, NextHop.via(TOR, up0)));
    assertThat(programmer.state(rack)).isEmpty();
    assertThat(programmer.status().wanted()).containsEntry(RouteSource.LEARNED, 1);

    // Once the network is reached by the fabric alone, that is its route.
    put(rack, RouteTarget.Learned.by(Gateway.of(OTHER_TOR)));
    kernel.setUp(up0, false);
    apply();
    assertThat(programmer.state(rack).orElseThrow().programmed()).isTrue();
  }

  @Test
  void theRouteOfAnotherProtocolIsLeftAlone() throws IOException {
    Route foreign = Route.unicast(REMOTE, 12, NextHop.via(OTHER_TOR, up1)).withMetric(77);
    kernel.meddle(foreign);
    put(REMOTE, BY_TOR);
    allInSync();
    apply();

    assertThat(kernel.own()).isEmpty();
    assertThat(kernel.takeWritten()).isEmpty();
    assertThat(reason(REMOTE)).isEqualTo("a route of protocol 12 is in its place: " + foreign);

    kernel.meddleAway(foreign);
    apply();
    assertThat(destinations()).containsExactly(REMOTE);
  }

  @Test
  void whoReplacesOurRouteKeepsThePlace() throws IOException {
    put(REMOTE, BY_TOR);
    apply();

    kernel.meddle(Route.unicast(REMOTE, 12, NextHop.via(OTHER_TOR, up1)).withMetric(77));
    apply();

    assertThat(kernel.own()).isEmpty();
    assertThat(reason(REMOTE)).startsWith("a route of protocol 12 is in its place");
  }

  @Test
  void aRouteOfAnotherProtocolWithAnotherMetricIsNoConflict() throws IOException {
    kernel.meddle(Route.unicast(REMOTE, 12, NextHop.via(OTHER_TOR, up1)).withMetric(20));
    put(REMOTE, BY_TOR);
    allInSync();
    apply();

    assertThat(destinations()).containsExactly(REMOTE);
  }

  @Test
  void whatIsRefusedIsTriedAgainLaterAndLater() throws IOException {
    IpAddress source = IpAddress.parse("10.9.0.99");
    put(POD, new RouteTarget.Workload("wl1", Optional.of(source)));
    Duration first = apply();
    assertThat(first).isEqualTo(SETTINGS.firstRetry());
    assertThat(kernel.takeWritten()).hasSize(1);

    apply();
    assertThat(kernel.takeWritten()).as("not before its time").isEmpty();

    now += first.toNanos();
    Duration second = apply();
    assertThat(kernel.takeWritten()).hasSize(1);
    assertThat(second).isEqualTo(SETTINGS.firstRetry().multipliedBy(2));
    RouteState.Problem problem = programmer.state(POD).orElseThrow().problem().orElseThrow();
    assertThat(problem.attempts()).isEqualTo(2);
    assertThat(problem.reason()).contains("EINVAL");
    assertThat(problem.age()).isEqualTo(first);

    for (int i = 0; i < 30; i++) {
      now += SETTINGS.lastRetry().toNanos();
      assertThat(apply()).isLessThanOrEqualTo(SETTINGS.lastRetry());
    }
    kernel.takeWritten();
    kernel.addAddress(up0, source, 24);
    programmer.onEvents(
        List.of(new NetlinkEvent.AddressChanged(InterfaceAddress.of(up0, source, 24))));
    apply();

    assertThat(kernel.takeWritten()).as("the new address makes it worth a try").hasSize(1);
    assertThat(programmer.state(POD).orElseThrow().programmed()).isTrue();
  }

  @Test
  void aDriverThatFailsLosesNothing() throws IOException {
    put(REMOTE, BY_TOR);
    kernel.failWith(Optional.of("no memory"));
    assertThatThrownBy(this::apply).isInstanceOf(IOException.class).hasMessage("no memory");

    kernel.failWith(Optional.empty());
    apply();
    assertThat(destinations()).containsExactly(REMOTE);

    put(POD, WORKLOAD);
    kernel.failWith(Optional.of("no memory"));
    assertThatThrownBy(this::apply).isInstanceOf(IOException.class);
    kernel.failWith(Optional.empty());
    apply();
    assertThat(destinations()).containsExactlyInAnyOrder(REMOTE, POD);
  }

  @Test
  void aNextHopBehindARouterIsReachedByThatRouter() throws IOException {
    IpAddress distant = IpAddress.parse("10.8.0.5");
    Route fallback =
        Route.unicast(
                Cidr.parse("0.0.0.0/0"), Route.PROTOCOL_STATIC, List.of(NextHop.via(TOR, up0)))
            .withMetric(100);
    kernel.meddle(fallback);
    put(REMOTE, RouteTarget.Learned.by(Gateway.of(distant)));
    apply();
    assertThat(kernel.own()).containsExactly(learnedRoute(REMOTE, NextHop.via(TOR, up0)));

    // The fabric tells a better way to the next hop, then takes it back.
    Cidr rack = Cidr.parse("10.8.0.0/24");
    put(rack, BY_BOTH);
    apply();
    assertThat(kernel.own())
        .contains(learnedRoute(REMOTE, NextHop.via(TOR, up0), NextHop.via(OTHER_TOR, up1)));
    inSync(RouteSource.LEARNED);
    delete(RouteSource.LEARNED, rack);
    apply();
    assertThat(kernel.own()).containsExactly(learnedRoute(REMOTE, NextHop.via(TOR, up0)));

    // Somebody moves the default route, and takes it away.
    kernel.meddle(fallback.withNextHops(List.of(NextHop.via(OTHER_TOR, up1))));
    apply();
    assertThat(kernel.own()).containsExactly(learnedRoute(REMOTE, NextHop.via(OTHER_TOR, up1)));
    kernel.meddleAway(fallback.withNextHops(List.of(NextHop.via(OTHER_TOR, up1))));
    apply();
    assertThat(kernel.own()).isEmpty();
    assertThat(reason(REMOTE))
        .isEqualTo(
            "next hop 10.8.0.5 is not on a network of this host's links, and no route leads to it");

    kernel.meddle(fallback);
    apply();
    assertThat(kernel.own()).containsExactly(learnedRoute(REMOTE, NextHop.via(TOR, up0)));
    assertThat(kernel.dumps()).as("looked beyond the links once").isEqualTo(2);
  }

  @Test
  void routesOfOthersThatLeadToNoNextHopAreNotKept() throws IOException {
    put(REMOTE, RouteTarget.Learned.by(Gateway.of(IpAddress.parse("10.8.0.5"))));
    apply();
    int dumps = kernel.dumps();
    for (int i = 0; i < 100; i++) {
      kernel.meddle(
          Route.unicast(
              Cidr.parse("172.16." + i + ".0/24"),
              Route.PROTOCOL_STATIC,
              List.of(NextHop.via(TOR, up0))));
    }
    apply();
    assertThat(kernel.own()).isEmpty();
    assertThat(kernel.dumps()).isEqualTo(dumps);
  }

  @Test
  void refusesTargetsThatMakeNoSense() {
    assertThatThrownBy(() -> put(POD, HOLE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "blackhole: \"10.1.0.7/32\" is not allowed; allowed: a block of more than one address");
    assertThatThrownBy(
            () -> programmer.onUpdate(RouteSource.LEARNED, new Update.Put<>(POD, WORKLOAD)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("a target of source learned");
    assertThatThrownBy(() -> RouteTarget.Learned.by()).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> Gateway.of(IpAddress.parse("0.0.0.0")))
        .isInstanceOf(InvalidInputException.class);
    assertThat(programmer.states()).isEmpty();
  }

  @Test
  void theStatusCounts() throws IOException {
    put(POD, WORKLOAD);
    put(POD, BY_TOR);
    put(REMOTE, RouteTarget.Learned.by(Gateway.of(IpAddress.parse("192.0.2.1"))));
    put(BLOCK, HOLE);
    inSync(RouteSource.BLOCK);
    apply();
    now += 5_000_000_000L;

    RouteStatus status = programmer.status();

    assertThat(status.wanted())
        .containsEntry(RouteSource.WORKLOAD, 1)
        .containsEntry(RouteSource.BLOCK, 1)
        .containsEntry(RouteSource.LEARNED, 1);
    assertThat(status.programmed())
        .containsEntry(RouteSource.WORKLOAD, 1)
        .containsEntry(RouteSource.BLOCK, 1)
        .containsEntry(RouteSource.LEARNED, 0);
    assertThat(status.failing()).extracting(RouteState::destination).containsExactly(REMOTE);
    assertThat(status.failingCount()).isEqualTo(1);
    assertThat(status.inSync()).containsExactly(RouteSource.BLOCK);
    assertThat(status.sinceResync()).contains(Duration.ofSeconds(5));
    assertThat(programmer.states())
        .extracting(RouteState::destination)
        .containsExactly(BLOCK, POD, REMOTE);
  }

  @Test
  void theOrderOfUpdatesDoesNotMatter() throws IOException {
    List<Runnable> steps =
        new ArrayList<>(
            List.of(
                () -> put(POD, WORKLOAD),
                () -> put(POD, BY_TOR),
                () -> put(BLOCK, HOLE),
                () -> put(BLOCK, BY_BOTH),
                () -> put(REMOTE, BY_BOTH),
                () -> put(BEYOND, RouteTarget.Learned.by(Gateway.of(REMOTE.address()))),
                () -> inSync(RouteSource.WORKLOAD),
                () -> inSync(RouteSource.BLOCK),
                () -> inSync(RouteSource.LEARNED)));
    Set<Set<Route>> results = new HashSet<>();
    Random random = new Random(77);
    for (int round = 0; round < 50; round++) {
      for (Route route : kernel.own()) {
        kernel.meddleAway(route);
      }
      kernel.meddle(learnedRoute(Cidr.parse("10.99.0.0/24"), NextHop.via(TOR, up0)));
      restart();
      for (Runnable step : steps) {
        step.run();
        if (random.nextBoolean()) {
          apply();
        }
      }
      apply();
      results.add(new HashSet<>(kernel.own()));
      Collections.shuffle(steps, random);
    }

    assertThat(results)
        .containsExactly(
            Set.of(
                workloadRoute(),
                Route.blackhole(BLOCK, 77).withMetric(77),
                learnedRoute(REMOTE, NextHop.via(TOR, up0), NextHop.via(OTHER_TOR, up1)),
                learnedRoute(BEYOND, NextHop.via(TOR, up0), NextHop.via(OTHER_TOR, up1))));
  }

  private void restart() {
    programmer = new RouteProgrammer(kernel, SETTINGS, () -> now);
  }

  private Duration apply() throws IOException {
    programmer.onEvents(kernel.takeEvents());
    return programmer.apply();
  }

  private void put(Cidr destination, RouteTarget target) {
    programmer.onUpdate(target.source(), new Update.Put<>(destination, target));
  }

  private void delete(RouteSource source, Cidr destination) {
    programmer.onUpdate(source, new Update.Delete<>(destination));
  }

  private void inSync(RouteSource source) {
    programmer.onUpdate(source, new Update.InSync<>());
  }

  private void allInSync() {
    for (RouteSource source : RouteSource.values()) {
      inSync(source);
    }
  }

  private List<Cidr> destinations() {
    return kernel.own().stream().map(Route::destination).toList();
  }

  private String reason(Cidr destination) {
    return programmer.state(destination).orElseThrow().problem().orElseThrow().reason();
  }

  private Route workloadRoute() {
    return Route.unicast(POD, 77, NextHop.dev(wl1)).withMetric(77).withPreferredSource(HERE);
  }

  private static Route learnedRoute(Cidr destination, NextHop... hops) {
    return Route.unicast(destination, 77, List.of(hops)).withMetric(77);
  }
}
