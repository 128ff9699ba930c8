package io.wayleave.bgp;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.bfd.BfdEndpoint;
import io.wayleave.bgp.bfd.BfdListener;
import io.wayleave.bgp.bfd.BfdPhase;
import io.wayleave.bgp.bfd.BfdService;
import io.wayleave.bgp.bfd.BfdStatus;
import io.wayleave.bgp.bfd.Diagnostic;
import io.wayleave.linux.PacketSocket;
import io.wayleave.linux.netlink.Links;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * BFD against BIRD and FRR's bfdd over a link between two namespaces, by IPv4, IPv6 and link-local
 * addresses. The daemons' own CLIs must agree.
 */
@Tag("real")
class BfdInteropTest {
  private static final IpAddress ITS4 = IpAddress.parse("10.77.0.2");
  private static final IpAddress ITS6 = IpAddress.parse("fd77::2");
  private static final Duration WAIT = Duration.ofSeconds(20);
  // Both sides name 100 ms and three times.
  private static final BfdSettings SETTINGS =
      new BfdSettings(Duration.ofMillis(100), Duration.ofMillis(100), 3);
  private static final Duration DETECTION = Duration.ofMillis(300);
  // The machine may be slow; the silence itself must last for the detection time.
  private static final Duration SLACK = Duration.ofMillis(700);

  private JoinedNamespaces net;
  private Daemon daemon;
  private Daemon zebra;
  private BfdService service;
  private final List<String> heard = new CopyOnWriteArrayList<>();
  private final Map<String, Long> heardAt = new ConcurrentHashMap<>();
  private List<BfdEndpoint> endpoints;

  private final class Recorder implements BfdListener {
    private void record(String what) {
      heardAt.put(what, System.nanoTime());
      heard.add(what);
    }

    @Override
    public void up(BfdEndpoint endpoint) {
      record("up " + endpoint.peer());
    }

    @Override
    public void down(BfdEndpoint endpoint, Diagnostic diagnostic, boolean independent) {
      record("down " + endpoint.peer() + ": " + diagnostic);
    }

    @Override
    public void adminDown(BfdEndpoint endpoint) {
      record("admin down " + endpoint.peer());
    }
  }

  @BeforeEach
  void join() throws IOException {
    net = JoinedNamespaces.create();
    net.our("ip", "addr", "add", "10.77.0.1/24", "dev", JoinedNamespaces.LINK);
    net.our("ip", "addr", "add", "fd77::1/64", "dev", JoinedNamespaces.LINK, "nodad");
    net.its("ip", "addr", "add", ITS4 + "/24", "dev", JoinedNamespaces.LINK);
    net.its("ip", "addr", "add", ITS6 + "/64", "dev", JoinedNamespaces.LINK, "nodad");
    endpoints =
        List.of(
            BfdEndpoint.of(ITS4),
            BfdEndpoint.of(ITS6),
            BfdEndpoint.of(
                linkLocal(net.its("ip", "-6", "addr", "show", "scope", "link")), index()));
    service = net.ours().run(() -> BfdService.start(new Recorder()));
    endpoints.forEach(endpoint -> service.put(endpoint, SETTINGS));
  }

  private int index() throws IOException {
    try (NetlinkSocket socket = NetlinkSocket.open(net.ours())) {
      return socket.links().get(JoinedNamespaces.LINK).index();
    }
  }

  private static IpAddress linkLocal(String addresses) {
    Matcher matcher = Pattern.compile("inet6 (fe80:[0-9a-f:]+)").matcher(addresses);
    assertThat(matcher.find()).as(addresses).isTrue();
    return IpAddress.parse(matcher.group(1));
  }

  @AfterEach
  void stop() throws IOException {
    try {
      service.close();
    } finally {
      if (daemon != null) {
        daemon.close();
      }
      if (zebra != null) {
        zebra.close();
      }
      net.close();
    }
  }

  private void startBird() throws IOException {
    String ours = linkLocal(net.our("ip", "-6", "addr", "show", "scope", "link")).toString();
    daemon = new Daemon("bfdbird");
    daemon.write(
        "bird.conf",
        """
        log stderr all;
        router id 10.77.0.2;
        protocol device { }
        protocol direct { ipv4; ipv6; }
        protocol bfd {
          interface "fab0" { min rx interval 100 ms; min tx interval 100 ms; multiplier 3;
            idle tx interval 1 s; };
          neighbor 10.77.0.1 dev "fab0";
          neighbor fd77::1 dev "fab0";
          neighbor %s dev "fab0";
        }
        """
            .formatted(ours));
    daemon.start(
        net.itsCommand(List.of("bird", "-f", "-c", "bird.conf", "-s", "bird.ctl", "-P", "pid")));
  }

  private void startFrr(boolean passive) throws IOException {
    String ours = linkLocal(net.our("ip", "-6", "addr", "show", "scope", "link")).toString();
    daemon = new Daemon("bfdfrr");
    String timers =
        "receive-interval 100\n transmit-interval 100\n detect-multiplier 3\n"
            + (passive ? " passive-mode\n" : "")
            + " no shutdown\n exit\n";
    daemon.write(
        "bfdd.conf",
        "log stdout\nbfd\n"
            + " peer 10.77.0.1 local-address 10.77.0.2 interface fab0\n "
            + timers
            + " peer fd77::1 local-address fd77::2 interface fab0\n "
            + timers
            + " peer "
            + ours
            + " local-address "
            + endpoints.getLast().peer()
            + " interface fab0\n "
            + timers);
    daemon.write("zebra.conf", "log stdout\n");
    Daemon.run(List.of("chown", "-R", "frr:frr", daemon.folder().toString()));
    zebra = new Daemon("bfdzebra");
    zebra.start(net.itsCommand(Daemon.frr(daemon.folder(), "zebra")));
    Await.until(
        "zebra listens",
        WAIT,
        () -> Files.exists(daemon.folder().resolve("zserv")),
        () -> zebra.log());
    List<String> bfdd = new ArrayList<>(Daemon.frr(daemon.folder(), "bfdd"));
    bfdd.addAll(List.of("--bfdctl", daemon.folder().resolve("ctl").toString()));
    daemon.start(net.itsCommand(bfdd));
  }

  private Optional<BfdStatus> status(BfdEndpoint endpoint) {
    return service.status(endpoint);
  }

  /** Up and told: the listener hears of a session a moment after its status shows it. */
  private boolean allTold() {
    return allUp()
        && endpoints.stream().allMatch(endpoint -> heard.contains("up " + endpoint.peer()));
  }

  private boolean allUp() {
    return endpoints.stream()
        .allMatch(endpoint -> status(endpoint).filter(s -> s.phase() == BfdPhase.UP).isPresent());
  }

  private void until(String what, BooleanSupplier condition) {
    Await.until(what, WAIT, condition, this::evidence);
  }

  private String evidence() {
    return heard + "\n" + service.status() + "\n" + daemon.log();
  }

  private Duration since(long start, String what) {
    return Duration.ofNanos(heardAt.get(what) - start);
  }

  private void agreed() {
    for (BfdEndpoint endpoint : endpoints) {
      until(
          "intervals agreed with " + endpoint,
          () ->
              status(endpoint)
                  .filter(s -> s.detectionTime().equals(DETECTION))
                  .filter(s -> s.transmitInterval().equals(Duration.ofMillis(100)))
                  .isPresent());
    }
  }

  private void cutAndHeal() throws IOException {
    int index = index();
    long start = System.nanoTime();
    try (NetlinkSocket socket = NetlinkSocket.open(net.its())) {
      // Its end goes down; our interface stays up without a carrier, and packets go nowhere.
      socket.execute(Links.settingDown(socket.links().get(JoinedNamespaces.LINK).index()));
    }
    for (BfdEndpoint endpoint : endpoints) {
      String down = "down " + endpoint.peer() + ": control detection time expired";
      until(down, () -> heard.contains(down));
      assertThat(since(start, down)).isLessThan(DETECTION.plus(SLACK));
    }
    assertThat(index()).isEqualTo(index);
    heard.clear();
    net.its("ip", "link", "set", JoinedNamespaces.LINK, "up");
    net.its("ip", "addr", "add", ITS6 + "/64", "dev", JoinedNamespaces.LINK, "nodad");
    until("up again", this::allTold);
  }

  private void stopAndContinue() {
    heard.clear();
    long start = System.nanoTime();
    signal("-STOP");
    for (BfdEndpoint endpoint : endpoints) {
      String down = "down " + endpoint.peer() + ": control detection time expired";
      until(down, () -> heard.contains(down));
      // Its last packet may have been sent an interval before.
      assertThat(since(start, down)).isBetween(DETECTION.minusMillis(105), DETECTION.plus(SLACK));
    }
    signal("-CONT");
    until("up again", this::allTold);
  }

  private void signal(String name) {
    Daemon.run(List.of("kill", name, Long.toString(daemon.pid())));
  }

  @Test
  void birdAgrees() throws IOException {
    startBird();
    until("up", this::allTold);
    agreed();
    until("bird agrees", () -> daemon.birdc("show", "bfd", "sessions").split("Up", -1).length == 4);
    String sessions = daemon.birdc("show", "bfd", "sessions");
    assertThat(sessions).contains("10.77.0.1", "fd77::1", "0.100", "0.300");
    Await.always("stays up", Duration.ofSeconds(2), this::allUp, this::evidence);
    assertThat(heard).hasSize(3);
    cutAndHeal();
    stopAndContinue();
  }

  @Test
  void birdIsToldWhenWeEndOnPurpose() throws IOException {
    startBird();
    until("up", this::allTold);
    agreed();
    heard.clear();
    service.disable(endpoints.getFirst());
    until(
        "bird's session is down",
        () ->
            !daemon.birdc("show", "bfd", "sessions").matches("(?s).*10\\.77\\.0\\.1 +\\S+ +Up.*"));
    assertThat(heard).containsExactly("admin down " + ITS4);
    assertThat(daemon.log()).doesNotContain("expired");
    service.enable(endpoints.getFirst());
    until("up again", this::allUp);
  }

  @Test
  void frrAgrees() throws IOException {
    startFrr(false);
    until("up", this::allTold);
    agreed();
    until(
        "frr agrees",
        () ->
            Daemon.vtysh(daemon.folder(), "show bfd peers json")
                    .split("\"status\":\"up\"", -1)
                    .length
                == 4);
    assertThat(Daemon.vtysh(daemon.folder(), "show bfd peers json"))
        .contains("\"peer\":\"10.77.0.1\"", "\"peer\":\"fd77::1\"")
        .contains("\"remote-receive-interval\":100", "\"remote-transmit-interval\":100")
        .contains("\"remote-detect-multiplier\":3");
    Await.always("stays up", Duration.ofSeconds(2), this::allUp, this::evidence);
    cutAndHeal();
    stopAndContinue();
  }

  @Test
  void frrMayBePassiveAndTakeItDownOnPurpose() throws IOException {
    startFrr(true);
    until("up", this::allTold);
    agreed();
    heard.clear();
    Daemon.vtysh(
        daemon.folder(),
        "configure terminal",
        "bfd",
        "peer 10.77.0.1 local-address 10.77.0.2 interface fab0",
        "shutdown");
    until("told", () -> heard.contains("admin down " + ITS4));
    assertThat(status(endpoints.getFirst()).orElseThrow().remotePhase())
        .isEqualTo(BfdPhase.ADMIN_DOWN);
    assertThat(heard).hasSize(1);
  }

  @Test
  void frrAgreesToNewIntervalsWithoutAFlap() throws IOException {
    startFrr(false);
    until("up", this::allTold);
    agreed();
    int before = heard.size();
    service.put(
        endpoints.getFirst(), new BfdSettings(Duration.ofMillis(400), Duration.ofMillis(250), 4));
    until(
        "frr agrees",
        () ->
            Daemon.vtysh(daemon.folder(), "show bfd peers json")
                    .contains("\"remote-transmit-interval\":400")
                && Daemon.vtysh(daemon.folder(), "show bfd peers json")
                    .contains("\"remote-detect-multiplier\":4"));
    until(
        "agreed",
        () ->
            status(endpoints.getFirst())
                .orElseThrow()
                .detectionTime()
                .equals(Duration.ofMillis(750)));
    Await.always("no flap", Duration.ofSeconds(2), this::allUp, this::evidence);
    assertThat(heard).hasSize(before);
  }

  @Test
  void aTakenPortIsReportedAndTriedAgain() throws IOException {
    service.close();
    heard.clear();
    try (PacketSocket taken = net.ours().run(() -> PacketSocket.udp(ITS4.family(), 3784))) {
      assertThat(taken.receive()).isEmpty();
      service = net.ours().run(() -> BfdService.start(new Recorder()));
      startBird();
      service.put(endpoints.getFirst(), SETTINGS);
      until(
          "reported",
          () ->
              status(endpoints.getFirst())
                  .flatMap(BfdStatus::problem)
                  .filter(text -> text.contains("3784") && text.contains("EADDRINUSE"))
                  .isPresent());
    }
    until("up", () -> heard.contains("up " + ITS4));
    assertThat(status(endpoints.getFirst()).orElseThrow().problem()).isEmpty();
  }
}
