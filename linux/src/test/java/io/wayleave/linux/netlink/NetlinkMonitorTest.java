package io.wayleave.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.linux.ClosedFdException;
import io.wayleave.linux.TestNamespace;
import io.wayleave.linux.netlink.NetlinkEvent.ResyncNeeded;
import io.wayleave.linux.netlink.NetlinkEvent.RouteChanged;
import io.wayleave.linux.netlink.NetlinkEvent.RouteRemoved;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.MacAddress;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("real")
class NetlinkMonitorTest {
  private static final Duration LONG = Duration.ofSeconds(10);
  private static final int PROTOCOL = 77;

  private TestNamespace namespace;
  private NetlinkSocket socket;
  private NetlinkMonitor monitor;
  private int dev;
  private int otherDev;

  @BeforeEach
  void open() throws IOException {
    namespace = TestNamespace.create();
    socket = namespace.open();
    socket.links().create(VethPair.of("a", "b"));
    dev = socket.links().get("a").index();
    otherDev = socket.links().get("b").index();
    socket.links().setUp(dev);
    socket.links().setUp(otherDev);
    monitor = NetlinkMonitor.open(namespace.namespace(), EnumSet.allOf(NetlinkMonitor.Group.class));
  }

  @AfterEach
  void close() throws IOException {
    monitor.close();
    socket.close();
    namespace.close();
  }

  @Test
  void tellsOfLinks() throws IOException {
    socket.links().setDown(dev);
    awaitEvent(
        event -> event instanceof NetlinkEvent.LinkChanged(Link link) && isNamed(link, "a", false));

    socket.links().setUp(dev);
    awaitEvent(
        event -> event instanceof NetlinkEvent.LinkChanged(Link link) && isNamed(link, "a", true));

    socket.links().delete("a");
    awaitEvent(
        event -> event instanceof NetlinkEvent.LinkRemoved(Link link) && link.index() == dev);
  }

  @Test
  void tellsOfAddresses() throws IOException {
    InterfaceAddress address = InterfaceAddress.of(dev, IpAddress.parse("10.9.0.1"), 24);
    InterfaceAddress told = address.with(InterfaceAddress.Flag.PERMANENT);

    socket.addresses().add(address);
    awaitEvent(event -> event.equals(new NetlinkEvent.AddressChanged(told)));

    socket.addresses().delete(address);
    awaitEvent(event -> event.equals(new NetlinkEvent.AddressRemoved(told)));
  }

  @Test
  void tellsOfRoutes() throws IOException {
    for (String destination : List.of("10.1.0.7/32", "fd00:1::7/128")) {
      Route route =
          Route.unicast(Cidr.parse(destination), PROTOCOL, NextHop.dev(dev)).withMetric(77);

      socket.routes().add(route);
      awaitEvent(event -> event.equals(new RouteChanged(route, false)));

      // Replacing it by its equal would be silent.
      Route moved = route.withNextHops(List.of(NextHop.dev(otherDev)));
      socket.routes().replace(moved);
      awaitEvent(event -> event.equals(new RouteChanged(moved, true)));

      socket.routes().delete(moved);
      awaitEvent(event -> event.equals(new RouteRemoved(moved)));
    }
  }

  @Test
  void tellsOfNeighbours() throws IOException {
    Neighbour neighbour =
        Neighbour.permanent(
            dev, IpAddress.parse("169.254.1.1"), MacAddress.parse("02:00:00:00:00:01"));

    socket.neighbours().add(neighbour);
    awaitEvent(event -> event.equals(new NetlinkEvent.NeighbourChanged(neighbour)));

    socket.neighbours().delete(dev, neighbour.address());
    awaitEvent(
        event ->
            event instanceof NetlinkEvent.NeighbourRemoved(Neighbour gone)
                && gone.address().equals(neighbour.address()));
  }

  @Test
  void hearsOnlyTheGroupsAskedFor() throws IOException {
    try (NetlinkMonitor links =
        NetlinkMonitor.open(namespace.namespace(), Set.of(NetlinkMonitor.Group.LINKS))) {
      Route route = Route.unicast(Cidr.parse("10.1.0.7/32"), PROTOCOL, NextHop.dev(dev));
      socket.routes().add(route);
      awaitEvent(event -> event.equals(new RouteChanged(route, false)));

      socket.links().setDown(dev);
      // The kernel may tell more about its interfaces than what was done here.
      assertThat(links.poll(LONG))
          .isNotEmpty()
          .hasOnlyElementsOfType(NetlinkEvent.LinkChanged.class);
    }
  }

  @Test
  void hearsNothingOfAnotherNamespace() throws IOException {
    try (TestNamespace other = TestNamespace.create();
        NetlinkSocket there = other.open()) {
      there.links().create(VethPair.of("x", "y"));
      socket.links().setDown(dev);

      List<NetlinkEvent> events =
          awaitEvent(
              event ->
                  event instanceof NetlinkEvent.LinkChanged(Link link)
                      && isNamed(link, "a", false));

      assertThat(events)
          .noneMatch(
              event ->
                  event instanceof NetlinkEvent.LinkChanged(Link link)
                      && (link.name().equals("x") || link.name().equals("y")));
    }
  }

  @Test
  void leavesOutWhatTheIgnoredSocketDidAndNothingElse() throws IOException {
    try (NetlinkSocket writer = namespace.open()) {
      monitor.ignore(writer);
      Route ignored = Route.unicast(Cidr.parse("10.1.0.1/32"), PROTOCOL, NextHop.dev(dev));
      Route heard = Route.unicast(Cidr.parse("10.1.0.2/32"), PROTOCOL, NextHop.dev(dev));

      writer.routes().add(ignored);
      socket.routes().add(heard);
      writer.routes().delete(ignored);
      socket.routes().delete(heard);

      // The kernel makes routes of its own while the interfaces come up.
      assertThat(awaitEvent(event -> event.equals(new RouteRemoved(heard))))
          .filteredOn(NetlinkMonitorTest::isOfOurProtocol)
          .containsExactly(new RouteChanged(heard, false), new RouteRemoved(heard));
    }
  }

  @Test
  void saysSoWhenEventsWereLostAndGoesOn() throws IOException {
    try (NetlinkMonitor slow =
        namespace
            .namespace()
            .run(() -> NetlinkMonitor.open(Set.of(NetlinkMonitor.Group.IPV4_ROUTES), 16 * 1024))) {
      List<NetlinkRequest> requests = new ArrayList<>();
      for (int i = 0; i < 2000; i++) {
        requests.add(
            Routes.adding(
                Route.unicast(
                    IpAddress.parse("10.1.0.0").plus(i).toCidr(), PROTOCOL, NextHop.dev(dev))));
      }
      assertThat(socket.executeAll(requests)).isEmpty();

      List<NetlinkEvent> events = slow.poll(LONG);

      assertThat(events).hasSizeLessThan(2000).hasAtLeastOneElementOfType(ResyncNeeded.class);

      Route last = Route.unicast(Cidr.parse("10.3.0.1/32"), PROTOCOL, NextHop.dev(dev));
      socket.routes().add(last);
      assertThat(slow.poll(LONG)).containsExactly(new RouteChanged(last, false));
    }
  }

  @Test
  void aWakeUpEndsAWaitAndAClosedMonitorSaysSo() throws Exception {
    NetlinkMonitor quiet =
        NetlinkMonitor.open(namespace.namespace(), Set.of(NetlinkMonitor.Group.IPV4_ADDRESSES));
    try (quiet) {
      CompletableFuture<List<NetlinkEvent>> woken = inThread(() -> quiet.poll(LONG));
      quiet.wakeUp();
      assertThat(woken.get(5, TimeUnit.SECONDS)).isEmpty();
    }
    NetlinkMonitor other =
        NetlinkMonitor.open(namespace.namespace(), Set.of(NetlinkMonitor.Group.IPV4_ADDRESSES));
    CompletableFuture<List<NetlinkEvent>> closed = inThread(() -> other.poll(LONG));
    other.close();
    assertThatThrownBy(() -> closed.get(5, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(ClosedFdException.class);
    assertThatThrownBy(() -> quiet.poll(LONG)).isInstanceOf(ClosedFdException.class);
    quiet.wakeUp();
  }

  private List<NetlinkEvent> awaitEvent(Predicate<NetlinkEvent> wanted) throws IOException {
    long end = System.nanoTime() + LONG.toNanos();
    List<NetlinkEvent> all = new ArrayList<>();
    while (all.stream().noneMatch(wanted)) {
      Duration left = Duration.ofNanos(end - System.nanoTime());
      assertThat(left).as("only these came: " + all).isPositive();
      all.addAll(monitor.poll(left));
    }
    return all;
  }

  private static boolean isOfOurProtocol(NetlinkEvent event) {
    return (event instanceof RouteChanged changed && changed.route().protocol() == PROTOCOL)
        || (event instanceof RouteRemoved removed && removed.route().protocol() == PROTOCOL);
  }

  private static boolean isNamed(Link link, String name, boolean up) {
    return link.name().equals(name) && link.up() == up;
  }

  private static <T> CompletableFuture<T> inThread(Callable<T> work) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon(true)
        .start(
            () -> {
              try {
                result.complete(work.call());
              } catch (Exception e) {
                result.completeExceptionally(e);
              }
            });
    return result;
  }
}
