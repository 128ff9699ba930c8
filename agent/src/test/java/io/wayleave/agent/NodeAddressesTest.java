package io.wayleave.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.agent.NodeAddresses.Target;
import io.wayleave.linux.NetworkNamespace;
import io.wayleave.linux.netlink.InterfaceAddress;
import io.wayleave.linux.netlink.Link;
import io.wayleave.linux.netlink.Links;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.linux.netlink.NextHop;
import io.wayleave.linux.netlink.Route;
import io.wayleave.linux.netlink.VethPair;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A host with two uplinks: eth0 is 10.9.0.1 (and IPv6), eth1 is 10.9.1.1 and has the default route.
 */
@Tag("real")
class NodeAddressesTest {
  private static final AtomicInteger COUNTER = new AtomicInteger();
  private static final Target STORE = new Target("the datastore", IpAddress.parse("10.9.0.77"));
  private static final Target FAR_PEER = new Target("BGP peer tor", IpAddress.parse("192.0.2.1"));

  private final String name =
      "wlt" + ProcessHandle.current().pid() + "a" + COUNTER.incrementAndGet();
  private NetworkNamespace namespace;
  private NetlinkSocket netlink;

  @BeforeEach
  void makeHost() throws IOException {
    namespace = NetworkNamespace.create(name);
    netlink = NetlinkSocket.open(namespace);
    Link eth0 = uplink("eth0", "far0");
    Link eth1 = uplink("eth1", "far1");
    address(eth0, "10.9.0.1", 24);
    netlink
        .addresses()
        .add(
            InterfaceAddress.of(eth0.index(), IpAddress.parse("fd09::1"), 64)
                .with(InterfaceAddress.Flag.NODAD));
    address(eth1, "10.9.1.1", 25);
    netlink
        .routes()
        .add(
            Route.unicast(
                Cidr.parse("0.0.0.0/0"),
                Route.PROTOCOL_STATIC,
                NextHop.via(IpAddress.parse("10.9.1.2"), eth1.index())));
  }

  @AfterEach
  void removeHost() throws IOException {
    netlink.close();
    namespace.close();
    NetworkNamespace.delete(name);
  }

  @Test
  void theInterfaceThatReachesTheDatastoreIsTheNodes() throws IOException {
    NodeAddresses found = NodeAddresses.detect(config(Map.of()), List.of(STORE, FAR_PEER), netlink);
    assertThat(found.ipv4().orElseThrow())
        .isEqualTo(
            new NodeAddresses.Chosen(
                IpAddress.parse("10.9.0.1"), 24, "eth0", "reaches the datastore 10.9.0.77"));
    assertThat(found.ipv6().orElseThrow().withLength()).isEqualTo("fd09::1/64");
    assertThat(found.ipv6().orElseThrow().reason()).isEqualTo("on the same interface as 10.9.0.1");
  }

  @Test
  void aDatastoreOnThisHostTellsNothingAndThePeerDecides() throws IOException {
    Target local = new Target("the datastore", IpAddress.parse("10.9.0.1"));
    NodeAddresses found = NodeAddresses.detect(config(Map.of()), List.of(local, FAR_PEER), netlink);
    assertThat(found.ipv4().orElseThrow())
        .isEqualTo(
            new NodeAddresses.Chosen(
                IpAddress.parse("10.9.1.1"), 25, "eth1", "reaches BGP peer tor 192.0.2.1"));
    assertThat(found.ipv6()).isEmpty();
  }

  @Test
  void theConfigurationDecidesOverWhatWouldBeDetected() throws IOException {
    NodeAddresses found =
        NodeAddresses.detect(
            config(Map.of("WAYLEAVE_IPV4_ADDRESS", "10.9.1.1")), List.of(STORE), netlink);
    assertThat(found.ipv4().orElseThrow().reason()).isEqualTo("given as ipv4Address");
    assertThat(found.ipv4().orElseThrow().interfaceName()).isEqualTo("eth1");
  }

  @Test
  void theMtuIsThatOfTheInterface() throws IOException {
    netlink.execute(Links.settingMtu(netlink.links().get("eth0").index(), 1400));
    assertThat(NodeAddresses.detect(config(Map.of()), List.of(STORE), netlink).mtu())
        .isEqualTo(1400);
    assertThat(NodeAddresses.detect(config(Map.of()), List.of(FAR_PEER), netlink).mtu())
        .isEqualTo(1500);
  }

  @Test
  void anAddressThatTheHostHasNotIsRefused() {
    assertThatThrownBy(
            () ->
                NodeAddresses.detect(
                    config(Map.of("WAYLEAVE_IPV4_ADDRESS", "10.9.9.9")), List.of(STORE), netlink))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "ipv4Address: \"10.9.9.9\" is not allowed; allowed: an address that an interface of"
                + " this host has");
  }

  @Test
  void whenNothingTellsItSaysWhatWasTried() throws IOException {
    Target local = new Target("the datastore", IpAddress.parse("10.9.0.1"));
    Target v6 = new Target("BGP peer x", IpAddress.parse("2001:db8::1"));
    AgentConfig elsewhere = config(Map.of("WAYLEAVE_DATASTORE", "etcd://10.9.0.1"));
    assertThatThrownBy(() -> NodeAddresses.detect(elsewhere, List.of(local, v6), netlink))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(
            "the datastore 10.9.0.1 (on this host), BGP peer x 2001:db8::1 (no route)");
  }

  @Test
  void aHostThatServesItsOwnDatastoreTakesTheInterfaceOfTheDefaultRouteElseTheFirst()
      throws IOException {
    NodeAddresses found = NodeAddresses.detect(config(Map.of()), List.of(), netlink);
    assertThat(found.ipv4().orElseThrow())
        .isEqualTo(
            new NodeAddresses.Chosen(
                IpAddress.parse("10.9.1.1"), 25, "eth1", "on the interface of the default route"));
    assertThat(NodeAddresses.detect(config(Map.of()), List.of(STORE), netlink).ipv4())
        .map(NodeAddresses.Chosen::interfaceName)
        .contains("eth0");

    assertThat(netlink.links().delete("eth1")).isTrue();
    found = NodeAddresses.detect(config(Map.of()), List.of(), netlink);
    assertThat(found.ipv4().orElseThrow().reason()).isEqualTo("the first address of this host");
    assertThat(found.ipv6().orElseThrow().withLength()).isEqualTo("fd09::1/64");

    assertThat(netlink.links().delete("eth0")).isTrue();
    assertThatThrownBy(() -> NodeAddresses.detect(config(Map.of()), List.of(), netlink))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("no interface has an address");
  }

  private static AgentConfig config(Map<String, String> environment) throws IOException {
    return AgentConfig.load(Path.of("/nonexistent"), false, environment);
  }

  private Link uplink(String near, String far) throws IOException {
    netlink.links().create(VethPair.of(near, far));
    Link link = netlink.links().get(near);
    netlink.links().setUp(link.index());
    netlink.links().setUp(netlink.links().get(far).index());
    return link;
  }

  private void address(Link link, String address, int length) throws IOException {
    netlink.addresses().add(InterfaceAddress.of(link.index(), IpAddress.parse(address), length));
  }
}
