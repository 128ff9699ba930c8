package io.wayleave.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.BgpSpeaker;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.PeerStatus;
import io.wayleave.bgp.RouteListener;
import io.wayleave.bgp.RouteQuery;
import io.wayleave.bgp.RouteStatus;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.StartMode;
import io.wayleave.linux.NetworkNamespace;
import io.wayleave.linux.netlink.InterfaceAddress;
import io.wayleave.linux.netlink.Links;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.linux.netlink.Route;
import io.wayleave.linux.netlink.RouteFilter;
import io.wayleave.linux.netlink.VethPair;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import io.wayleave.route.RouteService;
import io.wayleave.route.RouteSettings;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A speaker that learns of next hops that are not its peers, on the real kernel: the sessions are
 * on one link, and the next hops of what they tell are on that one and on another.
 */
@Tag("real")
class KernelNextHopsTest {
  private static final Duration WAIT = Duration.ofSeconds(20);
  private static final Cidr PREFIX = Cidr.parse("10.2.0.9/32");
  private static final IpAddress US = IpAddress.parse("fd00:9::1");
  private static final IpAddress TOR = IpAddress.parse("fd00:9::2");
  private static final IpAddress OTHER_TOR = IpAddress.parse("fd00:9::3");

  private final String ourName = "wla" + ProcessHandle.current().pid() + "-nh1";
  private final String itsName = "wla" + ProcessHandle.current().pid() + "-nh2";
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private NetworkNamespace ours;
  private NetworkNamespace its;
  private NetlinkSocket kernel;
  private BgpSpeaker speaker;

  @BeforeEach
  void start() throws Exception {
    ours = namespace(ourName);
    its = namespace(itsName);
    kernel = open(NetlinkSocket.open(ours));
    NetlinkSocket far = open(NetlinkSocket.open(its));
    for (String link : List.of("up0", "up1")) {
      kernel.execute(
          Links.creating(new VethPair(VethPair.End.of(link), VethPair.End.of(link).in(its))));
      kernel.links().setUp(kernel.links().get(link).index());
      far.links().setUp(far.links().get(link).index());
    }
    address(kernel, "up0", US, 64);
    address(kernel, "up0", IpAddress.parse("10.9.0.1"), 24);
    address(kernel, "up1", IpAddress.parse("10.9.1.1"), 24);
    address(far, "up0", TOR, 64);
    address(far, "up0", OTHER_TOR, 64);
    tor(TOR, 65002, "10.9.0.2");
    tor(OTHER_TOR, 65003, "10.9.1.2");

    RouteService routes = open(RouteService.start(ours, RouteSettings.DEFAULT));
    SpeakerConfig config =
        SpeakerConfig.of(RouterId.parse("10.9.0.1"), Asn.of(65001))
            .withPeers(List.of(peer("tor", TOR, 65002), peer("other", OTHER_TOR, 65003)));
    RouteListener toKernel = BgpControl.toKernel(routes);
    speaker =
        open(
            ours.run(
                () ->
                    BgpSpeaker.start(
                        config, new StartMode.Fresh(), new KernelNextHops(routes), toKernel)));
    speaker.localRoutesInSync();
  }

  private void tor(IpAddress address, int as, String nextHop) throws Exception {
    SpeakerConfig config =
        SpeakerConfig.of(RouterId.parse(nextHop), Asn.of(as))
            .withListen(new ListenAddress(address, ListenAddress.BGP_PORT))
            .withPeers(List.of(peer("host", US, 65001).with(p -> p.passive(true))))
            .with(builder -> builder.nextHop(IpAddress.parse(nextHop)));
    BgpSpeaker tor =
        open(its.run(() -> BgpSpeaker.start(config, new StartMode.Fresh(), RouteListener.NONE)));
    tor.originate(PREFIX);
    tor.localRoutesInSync();
  }

  private static PeerConfig peer(String name, IpAddress address, int as) {
    return PeerConfig.of(name, address, Asn.of(as))
        .with(peer -> peer.families(EnumSet.allOf(Family.class)));
  }

  private NetworkNamespace namespace(String name) throws IOException {
    NetworkNamespace made = NetworkNamespace.create(name);
    opened.push(() -> NetworkNamespace.delete(name));
    opened.push(made);
    return made;
  }

  private <T extends AutoCloseable> T open(T part) {
    opened.push(part);
    return part;
  }

  private static void address(NetlinkSocket in, String link, IpAddress address, int length)
      throws IOException {
    in.addresses()
        .add(
            InterfaceAddress.of(in.links().get(link).index(), address, length)
                .with(InterfaceAddress.Flag.NODAD));
  }

  @AfterEach
  void stop() throws Exception {
    while (!opened.isEmpty()) {
      opened.pop().close();
    }
  }

  @Test
  void aNextHopGoesAndComesAndTheSessionsStay() throws Exception {
    until("both", () -> kernelVia().equals(List.of("10.9.0.2", "10.9.1.2")));
    assertThat(verdicts()).containsExactly("best", "multipath");

    int up1 = kernel.links().get("up1").index();
    kernel.links().setDown(up1);
    until("one", () -> kernelVia().equals(List.of("10.9.0.2")));
    until("the reason", () -> verdicts().contains("next hop 10.9.1.2 unreachable"));

    kernel.addresses().delete(address("up0", "10.9.0.1", 24));
    until("none", () -> kernelVia().isEmpty());
    until(
        "the reasons",
        () ->
            verdicts()
                .equals(List.of("next hop 10.9.1.2 unreachable", "next hop 10.9.0.2 unreachable")));

    kernel.links().setUp(up1);
    until("the other one", () -> kernelVia().equals(List.of("10.9.1.2")));
    address(kernel, "up0", IpAddress.parse("10.9.0.1"), 24);
    until("both again", () -> kernelVia().equals(List.of("10.9.0.2", "10.9.1.2")));

    assertThat(speaker.status().peers())
        .extracting(PeerStatus::counters)
        .extracting(PeerStatus.Counters::established)
        .as("no session was lost")
        .containsExactly(1L, 1L);
  }

  private InterfaceAddress address(String link, String address, int length) throws IOException {
    return InterfaceAddress.of(kernel.links().get(link).index(), IpAddress.parse(address), length);
  }

  private List<String> kernelVia() throws IOException {
    return kernel
        .routes()
        .list(RouteFilter.mainTable(Family.IPV4).ofProtocol(RouteSettings.PROTOCOL))
        .stream()
        .filter(route -> route.destination().equals(PREFIX))
        .map(Route::nextHops)
        .flatMap(List::stream)
        .map(hop -> hop.gateway().map(IpAddress::toString).orElse("?"))
        .sorted()
        .toList();
  }

  private List<String> verdicts() {
    return speaker
        .routes(
            new RouteQuery(new RouteQuery.All(), Optional.of(PREFIX)), RouteQuery.Cursor.START, 100)
        .routes()
        .stream()
        .flatMap(route -> route.paths().stream())
        .map(RouteStatus.PathStatus::verdict)
        .toList();
  }

  private void until(String what, Callable<Boolean> condition) throws Exception {
    long deadline = System.nanoTime() + WAIT.toNanos();
    while (!condition.call()) {
      assertThat(System.nanoTime())
          .as("%s: kernel %s, speaker %s, %s", what, kernelVia(), verdicts(), peers())
          .isLessThan(deadline);
      LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
    }
  }

  private List<PeerStatus> peers() {
    return speaker.status().peers();
  }
}
