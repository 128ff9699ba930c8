package io.wayleave.bgp;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.unnumbered.LinkNeighbour;
import io.wayleave.bgp.unnumbered.NeighbourDiscovery;
import io.wayleave.bgp.unnumbered.NeighbourListener;
import io.wayleave.linux.netlink.NetlinkSocket;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Finding neighbours by router advertisements, among ourselves and with FRR. */
@Tag("real")
class UnnumberedInteropTest {
  private static final String LINK = JoinedNamespaces.LINK;
  private static final Duration WAIT = Duration.ofSeconds(20);

  private JoinedNamespaces net;
  private final List<AutoCloseable> toClose = new ArrayList<>();
  private final Recorder ours = new Recorder();
  private final Recorder theirs = new Recorder();

  private static final class Recorder implements NeighbourListener {
    private final List<String> heard = new CopyOnWriteArrayList<>();
    private volatile LinkNeighbour last;

    @Override
    public void found(LinkNeighbour neighbour) {
      last = neighbour;
      heard.add("found " + neighbour);
    }

    @Override
    public void silent(LinkNeighbour neighbour) {
      heard.add("silent " + neighbour);
    }

    @Override
    public void lost(LinkNeighbour neighbour, String reason) {
      heard.add("lost " + neighbour + ": " + reason);
    }
  }

  @BeforeEach
  void join() throws IOException {
    net = JoinedNamespaces.create();
  }

  @AfterEach
  void stop() throws Exception {
    try {
      for (AutoCloseable closeable : toClose.reversed()) {
        closeable.close();
      }
    } finally {
      net.close();
    }
  }

  private NeighbourDiscovery startOurs() throws IOException {
    NeighbourDiscovery discovery = net.ours().run(() -> NeighbourDiscovery.start(ours));
    toClose.add(discovery);
    discovery.watch(LINK);
    return discovery;
  }

  private NeighbourDiscovery startTheirs() throws IOException {
    NeighbourDiscovery discovery = net.its().run(() -> NeighbourDiscovery.start(theirs));
    toClose.add(discovery);
    discovery.watch(LINK);
    return discovery;
  }

  private String ourAddress() {
    return linkLocal(net.our("ip", "-6", "addr", "show", "dev", LINK, "scope", "link"));
  }

  private String itsAddress() {
    return linkLocal(net.its("ip", "-6", "addr", "show", "dev", LINK, "scope", "link"));
  }

  private static String linkLocal(String addresses) {
    Matcher matcher = Pattern.compile("inet6 (fe80:[0-9a-f:]+)").matcher(addresses);
    assertThat(matcher.find()).as(addresses).isTrue();
    return matcher.group(1);
  }

  private void until(String what, BooleanSupplier condition) {
    Await.until(what, WAIT, condition, () -> ours.heard + " " + theirs.heard);
  }

  @Test
  void twoOfOursFindEachOther() throws IOException {
    startOurs();
    startTheirs();
    String foundIts = "found " + itsAddress() + "%" + LINK;
    until("found", () -> !ours.heard.isEmpty() && !theirs.heard.isEmpty());
    assertThat(ours.heard).containsExactly(foundIts);
    assertThat(theirs.heard).containsExactly("found " + ourAddress() + "%" + LINK);
    try (NetlinkSocket socket = NetlinkSocket.open(net.ours())) {
      assertThat(ours.last.interfaceIndex()).isEqualTo(socket.links().get(LINK).index());
    }

    net.its("ip", "link", "set", LINK, "down");
    until("lost", () -> ours.heard.size() == 2 && theirs.heard.size() == 2);
    assertThat(ours.heard.getLast()).endsWith(": interface has no carrier");
    assertThat(theirs.heard.getLast()).endsWith(": interface is down");
    net.its("ip", "link", "set", LINK, "up");
    until("found again", () -> ours.heard.size() == 3 && theirs.heard.size() == 3);
    assertThat(ours.heard.getLast()).isEqualTo(foundIts);
  }

  @Test
  void anInterfaceMayComeLaterAndBeReplaced() throws IOException {
    net.disconnect();
    startOurs();
    startTheirs();
    net.connect();
    until("found", () -> !ours.heard.isEmpty() && !theirs.heard.isEmpty());
    LinkNeighbour first = ours.last;
    net.disconnect();
    until("lost", () -> ours.heard.size() == 2);
    net.connect();
    until("found again", () -> ours.heard.size() == 3 && theirs.heard.size() >= 3);
    assertThat(ours.last.address()).hasToString(itsAddress());
    assertThat(ours.last.interfaceIndex()).isNotEqualTo(first.interfaceIndex());
  }

  @Test
  void whoIsNotWatchedIsNotFound() throws IOException {
    startTheirs();
    NeighbourDiscovery discovery = startOurs();
    until("found", () -> !ours.heard.isEmpty());
    discovery.unwatch(LINK);
    until("lost", () -> ours.heard.size() == 2);
    assertThat(ours.heard.getLast()).endsWith(": not watched any more");
    discovery.watch(LINK);
    until("found again", () -> ours.heard.size() == 3);
  }

  @Test
  void frrAndWeFindEachOther() throws IOException {
    Daemon zebra = new Daemon("unzebra");
    toClose.add(zebra);
    zebra.write("zebra.conf", "log stdout\n");
    Path folder = zebra.folder();
    Daemon bgpd = new Daemon("unbgpd");
    toClose.add(bgpd);
    zebra.write(
        "bgpd.conf",
        """
        log stdout
        router bgp 65002
         bgp router-id 10.77.0.2
         no bgp ebgp-requires-policy
         neighbor fab0 interface remote-as external
        """);
    Daemon.run(List.of("chown", "-R", "frr:frr", folder.toString()));
    zebra.start(net.itsCommand(Daemon.frr(folder, "zebra")));
    Await.until("zebra listens", WAIT, () -> Files.exists(folder.resolve("zserv")), zebra::log);
    bgpd.start(net.itsCommand(Daemon.frr(folder, "bgpd")));
    startOurs();
    Await.until(
        "we found frr",
        WAIT,
        () -> ours.heard.contains("found " + itsAddress() + "%" + LINK),
        () -> ours.heard + zebra.log() + bgpd.log());
    String ourAddress = ourAddress();
    // bgpd dials the address that zebra learned from our advertisement.
    Await.until(
        "frr found us",
        WAIT,
        () -> Daemon.vtysh(folder, "show bgp neighbors fab0").contains(ourAddress),
        () -> zebra.log() + bgpd.log());
    assertThat(ours.heard).hasSize(1);
  }
}
