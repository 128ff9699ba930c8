package io.wayleave.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.linux.netlink.Link;
import io.wayleave.linux.netlink.NextHop;
import io.wayleave.linux.netlink.Route;
import io.wayleave.linux.netlink.Scope;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.route.Topology.Resolution;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TopologyTest {
  private final Topology topology = new Topology();

  @BeforeEach
  void prepare() {
    topology.put(link(1, "up0", true));
    topology.put(link(2, "up1", true));
    topology.addOnLink(connected("10.9.0.0/16", 1));
    topology.addOnLink(connected("10.9.1.0/24", 2));
  }

  @Test
  void aNameFollowsItsInterface() {
    assertThat(topology.interfaceNamed("up0")).isEqualTo(new Resolution.Found(1));
    assertThat(topology.put(link(1, "renamed", true))).contains(link(1, "up0", true));

    assertThat(topology.interfaceNamed("up0"))
        .isEqualTo(new Resolution.Missing("interface up0 does not exist"));
    assertThat(topology.interfaceNamed("renamed")).isEqualTo(new Resolution.Found(1));

    // Another interface took the name before we heard that the first one lost it.
    topology.put(link(3, "renamed", true));
    topology.remove(1);
    assertThat(topology.interfaceNamed("renamed")).isEqualTo(new Resolution.Found(3));
  }

  @Test
  void onlyDirectRoutesSayWhatIsOnALink() {
    assertThat(Topology.isOnLink(connected("10.9.0.0/16", 1))).isTrue();
    assertThat(Topology.isOnLink(connected("fd00::/64", 1))).isTrue();
    assertThat(Topology.isOnLink(connected("fe80::/64", 1))).isFalse();
    assertThat(Topology.isOnLink(connected("10.9.0.0/16", 1).withScope(Scope.UNIVERSE))).isFalse();
    assertThat(
            Topology.isOnLink(
                Route.unicast(
                    Cidr.parse("10.0.0.0/8"), 3, NextHop.via(IpAddress.parse("10.9.0.2"), 1))))
        .isFalse();
    assertThat(Topology.isOnLink(Route.blackhole(Cidr.parse("10.0.0.0/8"), 3))).isFalse();
  }

  private static Route connected(String network, int interfaceIndex) {
    return Route.unicast(Cidr.parse(network), Route.PROTOCOL_KERNEL, NextHop.dev(interfaceIndex));
  }

  private static Link link(int index, String name, boolean up) {
    return new Link(
        index, name, up, up, false, 1500, Optional.empty(), "", "", 0, OptionalInt.empty());
  }
}
