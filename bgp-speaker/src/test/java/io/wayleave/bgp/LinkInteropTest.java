package io.wayleave.bgp;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.bfd.BfdPhase;
import io.wayleave.bgp.fsm.Phase;
import io.wayleave.bgp.session.RouteRecorder;
import io.wayleave.linux.netlink.Links;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Whole sessions over a link between two namespaces: unnumbered peers, and sessions tied to BFD,
 * with BIRD and FRR. Hold times are long, so whatever happens quickly is BFD's doing.
 */
@Tag("real")
class LinkInteropTest {
  private static final String LINK = JoinedNamespaces.LINK;
  private static final String OUR_ROUTE = "10.1.0.0/24";
  private static final String OUR_ROUTE6 = "fd00:1::/64";
  private static final String ITS_ROUTE = "10.2.0.0/24";
  private static final String ITS_ROUTE6 = "fd00:2::/64";
  private static final Duration WAIT = Duration.ofSeconds(20);
  private static final Duration QUICKLY = Duration.ofSeconds(2);
  private static final BfdSettings BFD =
      new BfdSettings(Duration.ofMillis(100), Duration.ofMillis(100), 3);

  private JoinedNamespaces net;
  private final List<AutoCloseable> toClose = new ArrayList<>();
  private final List<Daemon> daemons = new ArrayList<>();
  private RouteRecorder routes = new RouteRecorder();
  private BgpSpeaker speaker;
  private Path folder;

  @BeforeEach
  void join() throws IOException {
    net = JoinedNamespaces.create();
    net.our("ip", "addr", "add", "10.77.0.1/24", "dev", LINK);
    net.its("ip", "addr", "add", "10.77.0.2/24", "dev", LINK);
  }

  @AfterEach
  void stop() throws Exception {
    try {
      if (speaker != null) {
        speaker.close();
      }
      for (AutoCloseable closeable : toClose.reversed()) {
        closeable.close();
      }
    } finally {
      net.close();
    }
  }

  private Daemon daemon(String name) throws IOException {
    Daemon daemon = new Daemon(name);
    toClose.add(daemon);
    daemons.add(daemon);
    return daemon;
  }

  private void startSpeaker(PeerConfig peer, StartMode mode) throws IOException {
    routes = new RouteRecorder();
    SpeakerConfig config =
        SpeakerConfig.of(RouterId.parse("10.77.0.1"), Asn.of(65001))
            .withListen(new ListenAddress(IpAddress.parse("::"), ListenAddress.BGP_PORT))
            .withPeer(peer);
    speaker = net.ours().run(() -> BgpSpeaker.start(config, mode, routes));
    speaker.originate(Cidr.parse(OUR_ROUTE));
    if (peer.families().contains(Family.IPV6)) {
      speaker.originate(Cidr.parse(OUR_ROUTE6));
    }
    speaker.localRoutesInSync();
  }

  private static PeerConfig numbered(UnaryOperator<PeerConfig> changes) {
    return changes.apply(
        PeerConfig.of("tor", IpAddress.parse("10.77.0.2"), Asn.of(65002))
            .with(peer -> peer.bfd(Optional.of(BFD))));
  }

  private static PeerConfig unnumbered() {
    return PeerConfig.of("tor", new PeerAddress.OnInterface(LINK), new PeerAs.External())
        .with(peer -> peer.bfd(Optional.of(BFD)));
  }

  private PeerStatus peer() {
    return speaker.status().peers().getFirst();
  }

  private boolean bfdUp() {
    return peer().bfd().filter(path -> path.phase() == BfdPhase.UP).isPresent();
  }

  private void until(String what, BooleanSupplier condition) {
    until(what, WAIT, condition);
  }

  private void until(String what, Duration most, BooleanSupplier condition) {
    Await.until(what, most, condition, this::evidence);
  }

  private String evidence() {
    StringBuilder text = new StringBuilder(routes.changes() + "\n");
    daemons.forEach(daemon -> text.append(daemon.log()));
    try {
      text.append(peer());
    } catch (RuntimeException e) {
      text.append(e);
    }
    return text.toString();
  }

  // ---- BIRD

  private Daemon startBird(String bfd, String extra) throws IOException {
    Daemon bird = daemon("linkbird");
    bird.write(
        "bird.conf",
        """
        log stderr all;
        router id 10.77.0.2;
        protocol device { }
        protocol direct { ipv4; }
        protocol static { ipv4; route 10.2.0.0/24 blackhole; }
        protocol bfd {
          interface "fab0" { min rx interval 100 ms; min tx interval 100 ms; multiplier 3; };
        }
        protocol bgp wayleave {
          local 10.77.0.2 as 65002;
          neighbor 10.77.0.1 as 65001;
          hold time 90;
          graceful restart on;
          bfd %s;
          connect delay time 1; connect retry time 2; error wait time 1,2;
          %s
          ipv4 { import all; export where source = RTS_STATIC; };
        }
        """
            .formatted(bfd, extra));
    bird.start(
        net.itsCommand(List.of("bird", "-f", "-c", "bird.conf", "-s", "bird.ctl", "-P", "pid")));
    return bird;
  }

  private void upWithBird() {
    until("established", () -> routes.has(ITS_ROUTE) && birdHasOurs());
    until("bfd up", this::bfdUp);
    until("bird agrees", () -> daemons.getFirst().birdc("show", "bfd", "sessions").contains("Up"));
  }

  private boolean birdHasOurs() {
    return daemons.getFirst().birdc("show", "route", OUR_ROUTE).contains("10.77.0.1");
  }

  private static void signal(Daemon daemon, String name) {
    Daemon.run(List.of("kill", name, Long.toString(daemon.pid())));
  }

  @Test
  void aPeerThatStopsIsLostByBfdAndItsRoutesAreKept() throws IOException {
    Daemon bird = startBird("graceful", "");
    startSpeaker(numbered(peer -> peer), new StartMode.Fresh());
    upWithBird();
    signal(bird, "-STOP");
    until("lost", QUICKLY, () -> peer().state() != Phase.ESTABLISHED);
    assertThat(peer().whyDown().orElseThrow()).contains("BFD session down");
    assertThat(peer().staleFamilies()).containsExactly(Family.IPV4);
    Await.always("kept", QUICKLY, () -> routes.has(ITS_ROUTE), this::evidence);
    signal(bird, "-CONT");
    until("back", () -> peer().state() == Phase.ESTABLISHED && peer().staleFamilies().isEmpty());
    until("bfd back", this::bfdUp);
    until("its route again", () -> routes.has(ITS_ROUTE));
  }

  @Test
  void withoutGracefulRestartAPeerThatStopsTakesItsRoutesAlong() throws IOException {
    Daemon bird = startBird("on", "");
    startSpeaker(numbered(peer -> peer.withGracefulRestart(false)), new StartMode.Fresh());
    upWithBird();
    signal(bird, "-STOP");
    until("dropped", QUICKLY, () -> !routes.has(ITS_ROUTE));
    assertThat(peer().lastNotificationSent().orElseThrow().text()).contains("BFD Down");
    signal(bird, "-CONT");
    until("back", () -> routes.has(ITS_ROUTE) && bfdUp());
  }

  @Test
  void aPlannedRestartKeepsOurRoutesWhereTheSwitchSaysGraceful() throws IOException {
    startBird("graceful", "");
    startSpeaker(numbered(peer -> peer), new StartMode.Fresh());
    upWithBird();
    speaker.closeForRestart();
    Await.always("kept", Duration.ofSeconds(3), this::birdHasOurs, this::birdEvidence);
    startSpeaker(numbered(peer -> peer), new StartMode.Restarted(Set.of(Family.IPV4)));
    upWithBird();
  }

  /** Why the documents name the setting that a switch needs. */
  @Test
  void withPlainBfdOnTheSwitchAPlannedRestartLosesOurRoutes() throws IOException {
    startBird("on", "");
    startSpeaker(numbered(peer -> peer), new StartMode.Fresh());
    upWithBird();
    speaker.closeForRestart();
    Await.until("dropped", QUICKLY, () -> !birdHasOurs(), this::birdEvidence);
  }

  private String birdEvidence() {
    return daemons.getFirst().log()
        + daemons.getFirst().birdc("show", "protocols", "all", "wayleave");
  }

  @Test
  void bfdThatThePeerDoesNotSpeakKeepsNoSessionAway() throws IOException {
    startBird("off", "");
    startSpeaker(numbered(peer -> peer), new StartMode.Fresh());
    until("established", () -> routes.has(ITS_ROUTE) && birdHasOurs());
    assertThat(peer().bfd().orElseThrow().phase()).isEqualTo(BfdPhase.DOWN);
    Await.always("stays", QUICKLY, () -> peer().state() == Phase.ESTABLISHED, this::evidence);
  }

  // ---- FRR

  private void startFrr() throws IOException {
    Daemon zebra = daemon("linkfrr");
    folder = zebra.folder();
    zebra.write("zebra.conf", "log stdout\nip route 10.2.0.0/24 blackhole\n");
    zebra.write(
        "bfdd.conf",
        """
        log stdout
        bfd
         profile fast
          receive-interval 100
          transmit-interval 100
          detect-multiplier 3
         exit
        exit
        """);
    zebra.write(
        "bgpd.conf",
        """
        log stdout
        router bgp 65002
         bgp router-id 10.77.0.2
         no bgp ebgp-requires-policy
         no bgp network import-check
         bgp graceful-restart
         neighbor fab0 interface remote-as external
         neighbor fab0 bfd profile fast
         neighbor fab0 timers connect 1
         address-family ipv4 unicast
          network 10.2.0.0/24
         exit-address-family
         address-family ipv6 unicast
          network fd00:2::/64
          neighbor fab0 activate
         exit-address-family
        """);
    Daemon.run(List.of("chown", "-R", "frr:frr", folder.toString()));
    zebra.start(frr("zebra"));
    Await.until("zebra listens", WAIT, () -> Files.exists(folder.resolve("zserv")), zebra::log);
    daemon("linkbfdd").start(frr("bfdd", "--bfdctl", folder.resolve("ctl").toString()));
    Await.until(
        "bfdd answers", WAIT, () -> Files.exists(folder.resolve("bfdd.vty")), this::evidence);
    daemon("linkbgpd").start(frr("bgpd"));
  }

  private List<String> frr(String name, String... more) {
    List<String> command = new ArrayList<>(Daemon.frr(folder, name));
    command.addAll(List.of(more));
    return net.itsCommand(command);
  }

  private String vtysh(String command) {
    return Daemon.vtysh(folder, command);
  }

  @Test
  void anUnnumberedFrrCarriesBothFamiliesWithBfd() throws IOException {
    startFrr();
    startSpeaker(unnumbered(), new StartMode.Fresh());
    until("its routes", () -> routes.has(ITS_ROUTE) && routes.has(ITS_ROUTE6));
    for (String prefix : List.of(ITS_ROUTE, ITS_ROUTE6)) {
      assertThat(routes.route(prefix).orElseThrow().nextHops())
          .singleElement()
          .satisfies(
              hop -> {
                assertThat(hop.address().isLinkLocal()).isTrue();
                assertThat(hop.interfaceName()).contains(LINK);
              });
    }
    until(
        "frr has ours",
        () ->
            vtysh("show bgp ipv4 unicast " + OUR_ROUTE).contains("65001")
                && vtysh("show bgp ipv6 unicast " + OUR_ROUTE6).contains("65001"));
    until(
        "frr's kernel has ours",
        () -> net.its("ip", "route", "show", OUR_ROUTE).contains("via inet6 fe80"));
    assertThat(net.its("ip", "-6", "route", "show", OUR_ROUTE6)).contains("via fe80");
    until("bfd up", this::bfdUp);
    until("frr agrees", () -> vtysh("show bfd peers json").contains("\"status\":\"up\""));
    assertThat(vtysh("show bgp neighbors fab0"))
        .contains("Extended nexthop: advertised and received");

    // The path dies without either interface losing its carrier.
    net.its("ip6tables", "-I", "OUTPUT", "-o", LINK, "-j", "DROP");
    until("lost", QUICKLY, () -> peer().state() != Phase.ESTABLISHED);
    net.its("ip6tables", "-D", "OUTPUT", "-o", LINK, "-j", "DROP");
    until("back", () -> peer().state() == Phase.ESTABLISHED && bfdUp());

    // A planned restart.
    speaker.closeForRestart();
    Await.always(
        "kept",
        Duration.ofSeconds(3),
        () -> vtysh("show bgp ipv4 unicast " + OUR_ROUTE).contains("65001"),
        () -> vtysh("show bgp neighbors fab0"));
    startSpeaker(unnumbered(), new StartMode.Restarted(Set.of(Family.IPV4, Family.IPV6)));
    until("back after a restart", () -> peer().state() == Phase.ESTABLISHED && bfdUp());
    until("its routes after a restart", () -> routes.has(ITS_ROUTE) && routes.has(ITS_ROUTE6));

    // The interface goes away for good, and comes back as another one.
    net.disconnect();
    until("gone", QUICKLY, () -> peer().state() != Phase.ESTABLISHED);
    until("nobody there", () -> peer().address().isEmpty());
    net.connect();
    until("found again", () -> peer().state() == Phase.ESTABLISHED && bfdUp());
    until("its routes again", () -> routes.has(ITS_ROUTE) && routes.has(ITS_ROUTE6));
  }

  @Test
  void twoOfOursPeerUnnumbered() throws IOException {
    RouteRecorder itsRoutes = new RouteRecorder();
    SpeakerConfig its =
        SpeakerConfig.of(RouterId.parse("10.77.0.2"), Asn.of(65002))
            .withListen(new ListenAddress(IpAddress.parse("::"), ListenAddress.BGP_PORT))
            .withPeer(unnumbered());
    BgpSpeaker other = net.its().run(() -> BgpSpeaker.start(its, new StartMode.Fresh(), itsRoutes));
    toClose.add(other);
    other.originate(Cidr.parse(ITS_ROUTE));
    other.originate(Cidr.parse(ITS_ROUTE6));
    other.localRoutesInSync();
    startSpeaker(unnumbered(), new StartMode.Fresh());
    until(
        "routes both ways",
        () ->
            routes.has(ITS_ROUTE)
                && routes.has(ITS_ROUTE6)
                && itsRoutes.has(OUR_ROUTE)
                && itsRoutes.has(OUR_ROUTE6));
    until("bfd up", this::bfdUp);

    // The other side takes its BFD down on purpose.
    other.apply(its.withPeers(List.of(unnumbered().with(peer -> peer.bfd(Optional.empty())))));
    until("bfd down", () -> !bfdUp());
    assertThat(peer().bfd().orElseThrow().remotePhase()).isEqualTo(BfdPhase.ADMIN_DOWN);
    Await.always("stays", QUICKLY, () -> peer().state() == Phase.ESTABLISHED, this::evidence);
    assertThat(peer().counters().established()).isEqualTo(1);
    other.apply(its);
    until("bfd up again", this::bfdUp);

    try (NetlinkSocket socket = NetlinkSocket.open(net.its())) {
      socket.execute(Links.settingDown(socket.links().get(LINK).index()));
    }
    until("lost", QUICKLY, () -> peer().address().isEmpty());
    net.its("ip", "link", "set", LINK, "up");
    until("back", () -> peer().state() == Phase.ESTABLISHED && bfdUp());
  }
}
