package io.wayleave.bgp;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.fsm.Phase;
import io.wayleave.bgp.session.RouteRecorder;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Against a real FRR bgpd on the loopback network, which agrees by vtysh. It runs alone, without
 * zebra: what it has learned is seen in its table, not in a kernel.
 */
@Tag("real")
class FrrInteropTest {
  private static final String OURS = "127.0.0.1";
  private static final String ITS = "127.0.0.3";
  private static final String OUR_ROUTE = "10.1.0.0/24";
  private static final String OUR_ROUTE6 = "fd00:1::/64";
  private static final String ITS_ROUTE = "10.3.0.0/24";
  private static final String ITS_ROUTE6 = "fd00:3::/64";
  private static final Duration WAIT = Duration.ofSeconds(15);

  private Daemon frr;
  private int itsPort;
  private SpeakerConfig config;
  private RouteRecorder routes = new RouteRecorder();
  private BgpSpeaker speaker;

  @BeforeEach
  void start() throws IOException {
    int ourPort = Daemon.freePort(OURS);
    itsPort = Daemon.freePort(ITS);
    frr = new Daemon("frr");
    frr.write("bgpd.conf", bgpdConfig(ourPort));
    // bgpd gives up root and must still write its pid file and its socket.
    Daemon.run(List.of("chown", "-R", "frr:frr", frr.folder().toString()));
    startFrr();
    config =
        SpeakerConfig.of(RouterId.parse("10.255.0.1"), Asn.of(65001))
            .withListen(new ListenAddress(IpAddress.parse(OURS), ourPort))
            .withNextHop(IpAddress.parse("fd00::a"))
            .withPeer(
                PeerConfig.of("frr", IpAddress.parse(ITS), Asn.of(4_200_000_003L))
                    .withPort(itsPort)
                    .withSourceAddress(IpAddress.parse(OURS))
                    .withFamilies(Family.IPV4, Family.IPV6)
                    .withTimers(Timers.DEFAULT.withHoldTime(Duration.ofSeconds(9))));
    startSpeaker(new StartMode.Fresh());
  }

  private static String bgpdConfig(int ourPort) {
    return """
    log stdout
    bgp route-map delay-timer 0
    route-map v6 permit 10
     set ipv6 next-hop global fd00::c
    router bgp 4200000003
     bgp router-id 127.0.0.3
     no bgp ebgp-requires-policy
     no bgp network import-check
     bgp allow-martian-nexthop
     bgp graceful-restart
     bgp graceful-restart preserve-fw-state
     bgp graceful-restart stalepath-time 30
     neighbor 127.0.0.1 remote-as 65001
     neighbor 127.0.0.1 port %d
     neighbor 127.0.0.1 ebgp-multihop 2
     neighbor 127.0.0.1 disable-connected-check
     neighbor 127.0.0.1 update-source 127.0.0.3
     neighbor 127.0.0.1 timers 3 9
     neighbor 127.0.0.1 timers connect 1
     address-family ipv4 unicast
      network 10.3.0.0/24
      neighbor 127.0.0.1 soft-reconfiguration inbound
     exit-address-family
     address-family ipv6 unicast
      network fd00:3::/64
      neighbor 127.0.0.1 activate
      neighbor 127.0.0.1 soft-reconfiguration inbound
      neighbor 127.0.0.1 route-map v6 out
     exit-address-family
    """
        .formatted(ourPort);
  }

  private void startFrr() throws IOException {
    String folder = frr.folder().toString();
    frr.start(
        List.of(
            "/usr/lib/frr/bgpd",
            "-n",
            "-Z",
            "-f",
            folder + "/bgpd.conf",
            "-i",
            folder + "/bgpd.pid",
            "--vty_socket",
            folder,
            "-p",
            Integer.toString(itsPort),
            "-l",
            ITS,
            "-P",
            "0",
            "-u",
            "frr",
            "-g",
            "frr"));
    Await.until(
        "bgpd answers", WAIT, () -> vtysh("show bgp summary").contains("127.0.0.1"), frr::log);
  }

  private void startSpeaker(StartMode mode) {
    routes = new RouteRecorder();
    speaker = BgpSpeaker.start(config, mode, routes);
  }

  private void inSync() {
    speaker.originate(Cidr.parse(OUR_ROUTE));
    speaker.originate(Cidr.parse(OUR_ROUTE6));
    speaker.localRoutesInSync();
  }

  private void converge() {
    inSync();
    until(
        "both have all routes",
        () -> bothHave() && routes.has(ITS_ROUTE) && routes.has(ITS_ROUTE6));
    until("converged", routes::isConverged);
  }

  @AfterEach
  void stop() throws IOException {
    try {
      speaker.close();
    } finally {
      frr.close();
    }
  }

  private String vtysh(String... commands) {
    return Daemon.vtysh(frr.folder(), commands);
  }

  private boolean frrHas(String prefix) {
    String family = prefix.contains(":") ? "ipv6" : "ipv4";
    return vtysh("show bgp " + family + " unicast " + prefix).contains("65001");
  }

  private boolean bothHave() {
    return frrHas(OUR_ROUTE) && frrHas(OUR_ROUTE6);
  }

  private PeerStatus peer() {
    return speaker.status().peers().getFirst();
  }

  private RouteStatus.PathStatus received(String prefix) {
    return SlicedRoutes.received(speaker, "frr").stream()
        .filter(route -> route.prefix().equals(Cidr.parse(prefix)))
        .findFirst()
        .orElseThrow()
        .paths()
        .getFirst();
  }

  private void until(String what, BooleanSupplier condition) {
    Await.until(what, WAIT, condition, this::evidence);
  }

  private String evidenceOfFrr() {
    return frr.log() + vtysh("show bgp neighbors 127.0.0.1", "show bgp ipv4", "show bgp ipv6");
  }

  private String evidence() {
    return evidenceOfFrr() + peer() + "\n" + routes.changes();
  }

  @Test
  void exchangesRoutesOfBothFamiliesBothWays() {
    converge();
    assertThat(vtysh("show bgp ipv4 unicast " + OUR_ROUTE)).contains("65001").contains(OURS);
    assertThat(vtysh("show bgp ipv6 unicast " + OUR_ROUTE6)).contains("fd00::a");
    String neighbour = vtysh("show bgp neighbors 127.0.0.1");
    assertThat(neighbour)
        .contains("BGP state = Established")
        .contains("4 Byte AS: advertised and received")
        .contains("Address Family IPv6 Unicast: advertised and received");
    assertThat(routes.route(ITS_ROUTE).orElseThrow().nextHops())
        .containsExactly(LearnedRoute.NextHop.of(IpAddress.parse(ITS)));
    assertThat(routes.route(ITS_ROUTE6).orElseThrow().nextHops())
        .containsExactly(LearnedRoute.NextHop.of(IpAddress.parse("fd00::c")));
    // FRR tells us our own routes too, which are kept and not used.
    assertThat(peer().prefixes().get(Family.IPV4)).isEqualTo(new PeerStatus.Prefixes(2, 1, 1));
    assertThat(peer().prefixes().get(Family.IPV6)).isEqualTo(new PeerStatus.Prefixes(2, 1, 1));
    assertThat(received(OUR_ROUTE).verdict()).isEqualTo("own AS in the AS path");
    assertThat(received(ITS_ROUTE).verdict()).isEqualTo("best");
    assertThat(received(ITS_ROUTE).attributes().asPath()).hasToString("4200000003");

    speaker.withdraw(Cidr.parse(OUR_ROUTE));
    until("withdrawn at frr", () -> !frrHas(OUR_ROUTE));
    assertThat(frrHas(OUR_ROUTE6)).isTrue();
    vtysh(
        "configure terminal",
        "router bgp 4200000003",
        "address-family ipv4 unicast",
        "no network " + ITS_ROUTE);
    until("withdrawn here", () -> !routes.has(ITS_ROUTE));
    assertThat(routes.has(ITS_ROUTE6)).isTrue();
    assertThat(peer().counters().established()).isEqualTo(1);
  }

  @Test
  void refreshesRoutesBothWays() {
    converge();
    long received = peer().counters().updatesReceived();
    speaker.refresh("frr");
    until("received again", () -> peer().counters().updatesReceived() >= received + 2);
    long sent = peer().counters().updatesSent();
    vtysh(
        "configure terminal",
        "router bgp 4200000003",
        "address-family ipv4 unicast",
        "no neighbor 127.0.0.1 soft-reconfiguration inbound");
    vtysh("clear bgp ipv4 unicast 127.0.0.1 in");
    until("sent again", () -> peer().counters().updatesSent() > sent);
    assertThat(bothHave()).isTrue();
    assertThat(routes.changes()).as("nothing changed by it").hasSize(3);
  }

  @Test
  void frrKeepsOurRoutesWhileWeRestart() {
    converge();
    speaker.closeForRestart();
    Await.always("kept while away", Duration.ofSeconds(2), this::bothHave, this::evidenceOfFrr);
    assertThat(vtysh("show bgp neighbors 127.0.0.1")).doesNotContain("state = Established");
    assertThat(vtysh("show bgp ipv4 unicast " + OUR_ROUTE)).containsIgnoringCase("stale");

    startSpeaker(new StartMode.Restarted(Set.of(Family.IPV4, Family.IPV6)));
    until("established", () -> peer().state() == Phase.ESTABLISHED);
    Await.always("kept until in sync", Duration.ofSeconds(2), this::bothHave, this::evidence);
    inSync();
    until("selection over", routes::isConverged);
    Await.always("kept after it", Duration.ofSeconds(1), this::bothHave, this::evidence);
    until(
        "not stale any more",
        () ->
            !vtysh("show bgp ipv4 unicast " + OUR_ROUTE)
                .toLowerCase(Locale.ROOT)
                .contains("stale"));
    assertThat(routes.changes()).endsWith("converged").hasSize(3);
  }

  @Test
  void withoutTheForwardingBitFrrDropsOurRoutes() {
    converge();
    speaker.closeForRestart();
    startSpeaker(new StartMode.Restarted(Set.of()));
    until("established", () -> peer().state() == Phase.ESTABLISHED);
    until("dropped", () -> !frrHas(OUR_ROUTE));
  }

  @Test
  void shutdownIsNoRestart() {
    converge();
    speaker.shutdown("maintenance of rack 7");
    Await.until(
        "dropped at once", Duration.ofSeconds(2), () -> !frrHas(OUR_ROUTE), this::evidenceOfFrr);
    assertThat(vtysh("show bgp neighbors 127.0.0.1"))
        .contains("Notification received (Cease/Administrative Shutdown/Hard Reset)");
  }

  @Test
  void keepsFrrsRoutesWhileItIsKilledAndComesBack() throws IOException {
    converge();
    frr.kill();
    until("session down", () -> peer().state() != Phase.ESTABLISHED);
    assertThat(peer().staleFamilies()).containsExactly(Family.IPV4, Family.IPV6);
    startFrr();
    until("back", () -> peer().state() == Phase.ESTABLISHED);
    until("all there again", () -> peer().staleFamilies().isEmpty() && bothHave());
    assertThat(routes.changes()).as("never away").hasSize(3);
  }

  @Test
  void itsNotificationDropsItsRoutesAtOnce() {
    converge();
    vtysh(
        "configure terminal",
        "router bgp 4200000003",
        "neighbor 127.0.0.1 shutdown message rack 8 is off");
    until("session down", () -> peer().state() != Phase.ESTABLISHED);
    until("dropped", () -> !routes.has(ITS_ROUTE) && !routes.has(ITS_ROUTE6));
    assertThat(peer().whyDown().orElseThrow())
        .containsIgnoringCase("administrative shutdown")
        .contains("rack 8 is off");
  }
}
