package io.wayleave.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.linux.netlink.Link;
import io.wayleave.linux.netlink.NextHop;
import io.wayleave.linux.netlink.Route;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.route.GatewayResolver.Way;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GatewayResolverTest {
  private static final String DISTANT = "10.8.0.5";

  private final Topology topology = new Topology();
  private final Desired desired = new Desired();
  private final GatewayResolver resolver =
      new GatewayResolver(topology, desired, RouteSettings.DEFAULT);

  @BeforeEach
  void prepare() {
    topology.put(link(1, "up0", true));
    topology.put(link(2, "up1", true));
    topology.addOnLink(connected("10.9.0.0/16", 1));
    topology.addOnLink(connected("10.9.1.0/24", 2));
  }

  @Test
  void aNeighbourIsReachedOnTheLongestNetworkThatIsUp() {
    assertThat(resolve("10.9.0.2")).isEqualTo(by(hop("10.9.0.2", 1)));
    assertThat(resolve("10.9.1.2")).isEqualTo(by(hop("10.9.1.2", 2)));

    topology.put(link(2, "up1", false));
    assertThat(resolve("10.9.1.2")).isEqualTo(by(hop("10.9.1.2", 1)));

    topology.remove(1);
    assertThat(resolve("10.9.1.2"))
        .isEqualTo(
            new Way.None(
                "next hop 10.9.1.2 is not on a network of this host's links, and no route leads to"
                    + " it"));
  }

  @Test
  void amongEqualNetworksTheSmallerMetricDecides() {
    topology.addOnLink(connected("10.9.0.0/16", 2).withMetric(5));
    assertThat(resolve("10.9.0.2")).isEqualTo(by(hop("10.9.0.2", 1)));

    topology.removeOnLink(List.of(1));
    assertThat(resolve("10.9.0.2")).isEqualTo(by(hop("10.9.0.2", 2)));
  }

  @Test
  void aLinkLocalRouterNeedsItsInterface() {
    IpAddress router = IpAddress.parse("fe80::1");
    assertThat(resolver.resolve(Gateway.of(router, "up1"))).isEqualTo(by(hop("fe80::1", 2)));
    assertThat(resolver.resolve(Gateway.of(router)))
        .isEqualTo(new Way.None("next hop fe80::1 is link-local and comes without an interface"));
    topology.put(link(2, "up1", false));
    assertThat(resolver.resolve(Gateway.of(router, "up1")))
        .isEqualTo(new Way.None("interface up1 is down"));
  }

  @Test
  void aRouterBeyondIsReachedByTheRouteOfAnother() {
    way("0.0.0.0/0", 100, hop("10.9.0.2", 1));
    assertThat(resolve(DISTANT)).isEqualTo(by(hop("10.9.0.2", 1)));

    way("10.8.0.0/16", 20, hop("10.9.0.2", 1), hop("10.9.1.2", 2));
    assertThat(resolve(DISTANT)).isEqualTo(by(hop("10.9.0.2", 1), hop("10.9.1.2", 2)));

    // The next hop that is down does not count, and without any the less specific route does.
    topology.put(link(2, "up1", false));
    assertThat(resolve(DISTANT)).isEqualTo(by(hop("10.9.0.2", 1)));
  }

  @Test
  void aRouterBeyondIsReachedByALearnedRoute() {
    way("0.0.0.0/0", 100, hop("10.9.0.2", 1));
    learn("10.8.0.0/16", "10.9.1.2");
    assertThat(resolve(DISTANT)).isEqualTo(by(hop("10.9.1.2", 2)));

    // And that by another one, whose next hop is beyond as well.
    learn("10.8.0.0/24", "10.7.0.1");
    learn("10.7.0.1/32", "10.9.0.3", "10.9.1.3");
    assertThat(resolve(DISTANT)).isEqualTo(by(hop("10.9.0.3", 1), hop("10.9.1.3", 2)));
  }

  @Test
  void aRouteIsNotReachedThroughItself() {
    learn("10.8.0.0/16", DISTANT);
    assertThat(resolve(DISTANT)).isInstanceOf(Way.None.class);

    way("0.0.0.0/0", 100, hop("10.9.0.2", 1));
    assertThat(resolve(DISTANT)).isEqualTo(by(hop("10.9.0.2", 1)));

    // Two that lead to each other.
    learn("10.8.0.0/24", "10.7.0.1");
    learn("10.7.0.0/16", DISTANT);
    assertThat(resolve(DISTANT)).isEqualTo(by(hop("10.9.0.2", 1)));
    assertThat(resolve("10.7.0.1")).isEqualTo(by(hop("10.9.0.2", 1)));
  }

  @Test
  void theSmallerMetricDecidesBetweenALearnedRouteAndAnother() {
    learn("10.8.0.0/16", "10.9.1.2");
    way("10.8.0.0/16", 20, hop("10.9.0.2", 1));
    assertThat(resolve(DISTANT)).isEqualTo(by(hop("10.9.0.2", 1)));
    assertThat(topology.putWay(route("10.8.0.0/16", 200, hop("10.9.0.9", 1)), false)).isTrue();
    assertThat(topology.removeWay(route("10.8.0.0/16", 20, hop("10.9.0.2", 1)))).isTrue();
    assertThat(resolve(DISTANT)).isEqualTo(by(hop("10.9.1.2", 2)));
  }

  @Test
  void whatIsHereIsNoRouter() {
    desired.put(Cidr.parse(DISTANT + "/32"), new RouteTarget.Workload("wl1", Optional.empty()));
    assertThat(resolve(DISTANT)).isInstanceOf(Way.None.class);
  }

  @Test
  void ipv4RoutersAreReachedByIpv6Neighbours() {
    way("10.8.0.0/16", 20, hop("fe80::1", 1), hop("fe80::1", 2));
    assertThat(resolve(DISTANT)).isEqualTo(by(hop("fe80::1", 1), hop("fe80::1", 2)));
  }

  /** RFC 4271 section 9.1.2.2 e) compares them. */
  @Test
  void aRouterBeyondIsFartherThanANeighbourAndByTheMetricOfTheRoute() {
    topology.addOnLink(connected("10.6.0.0/16", 2).withMetric(256));
    way("0.0.0.0/0", 100, hop("10.9.0.2", 1));
    way("10.5.0.0/16", 0, hop("10.9.0.2", 1));
    learn("10.8.0.0/16", "10.9.1.2");
    assertThat(distance("10.9.0.2")).isZero();
    assertThat(distance("10.6.0.2")).as("whatever the metric").isZero();
    assertThat(distance("10.5.0.1")).isEqualTo(1);
    assertThat(distance("10.4.0.1")).isEqualTo(101);
    assertThat(distance(DISTANT)).isEqualTo(RouteSettings.DEFAULT.metric() + 1);
  }

  private long distance(String address) {
    return ((Way.By) resolver.resolve(Gateway.of(IpAddress.parse(address)))).distance();
  }

  /** Leaves the distance out. */
  private Way resolve(String address) {
    return resolver.resolve(Gateway.of(IpAddress.parse(address))) instanceof Way.By by
        ? new Way.By(by.hops(), 0)
        : resolver.resolve(Gateway.of(IpAddress.parse(address)));
  }

  private void learn(String destination, String... gateways) {
    desired.put(
        Cidr.parse(destination),
        new RouteTarget.Learned(
            Arrays.stream(gateways).map(IpAddress::parse).map(Gateway::of).toList(),
            Optional.empty(),
            OptionalLong.empty()));
  }

  private void way(String destination, long metric, NextHop... hops) {
    assertThat(topology.putWay(route(destination, metric, hops), true)).isTrue();
  }

  private static Route route(String destination, long metric, NextHop... hops) {
    return Route.unicast(Cidr.parse(destination), Route.PROTOCOL_STATIC, List.of(hops))
        .withMetric(metric);
  }

  private static NextHop hop(String address, int index) {
    return NextHop.via(IpAddress.parse(address), index);
  }

  private static Way by(NextHop... hops) {
    return new Way.By(List.of(hops), 0);
  }

  private static Route connected(String network, int interfaceIndex) {
    return Route.unicast(Cidr.parse(network), Route.PROTOCOL_KERNEL, NextHop.dev(interfaceIndex));
  }

  private static Link link(int index, String name, boolean up) {
    return new Link(
        index, name, up, up, false, 1500, Optional.empty(), "", "", 0, OptionalInt.empty());
  }
}
