package io.wayleave.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.linux.NetworkNamespace;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.model.Direction;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.Kind;
import io.wayleave.model.status.PacketReport;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.dataplane.LogPrefix;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Real packets on the loopback interface of a namespace, logged by rules as the dataplane's. */
@Tag("real")
class PacketWatchTest {
  private static final Duration WAIT = Duration.ofSeconds(20);
  private static final RuleBlock.Id WEB = new RuleBlock.Id(Kind.GLOBAL_NETWORK_POLICY, "web");

  private final String name = "wla" + ProcessHandle.current().pid() + "-pw";
  private final PacketWatch watch = new PacketWatch(() -> List.of(WEB));
  private NetworkNamespace namespace;

  @BeforeEach
  void start() throws Exception {
    namespace = NetworkNamespace.create(name);
    try (NetlinkSocket socket = NetlinkSocket.open(namespace)) {
      socket.links().setUp(socket.links().get("lo").index());
    }
  }

  @AfterEach
  void stop() throws Exception {
    watch.close();
    namespace.close();
    NetworkNamespace.delete(name);
  }

  @Test
  void tellsWhichRuleLoggedAndWhatWasDenied() throws Exception {
    log("4001", "wl:" + LogPrefix.chainOf(WEB, Direction.Ingress) + ":2");
    log("4002", LogPrefix.DENIED);
    log("4003", "somebody else");
    // The kernel tells nobody before the reader is there; so they are sent until they are seen.
    List<PacketReport.Packet> seen = new ArrayList<>();
    long end = System.nanoTime() + WAIT.toNanos();
    while (seen.stream().map(PacketReport.Packet::why).distinct().count() < 2) {
      assertThat(System.nanoTime()).as("seen: %s", seen).isLessThan(end);
      PacketReport report = namespace.run(() -> watch.answer(Map.of()));
      assertThat(report.error()).isEmpty();
      seen = report.packets();
      for (int port = 4001; port <= 4003; port++) {
        send(port);
      }
      LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
    }
    assertThat(seen)
        .extracting(PacketReport.Packet::why)
        .containsOnly("logged by rule 3 of GlobalNetworkPolicy web, Ingress", "denied");
    PacketReport.Packet denied =
        seen.stream().filter(packet -> packet.why().equals("denied")).findFirst().orElseThrow();
    assertThat(denied.source()).isEqualTo("127.0.0.1");
    assertThat(denied.protocol()).isEqualTo("UDP");
    assertThat(denied.detail()).hasValueSatisfying(ports -> assertThat(ports).endsWith("to 4002"));
    long last = seen.getLast().number();
    assertThat(watch.answer(Map.of("after", Long.toString(last))).packets())
        .allSatisfy(packet -> assertThat(packet.number()).isGreaterThan(last));
  }

  @Test
  void saysThatSomebodyElseReadsTheLog() throws Exception {
    PacketWatch other = new PacketWatch(List::of);
    try {
      awaitError(other, false);
      awaitError(watch, true);
    } finally {
      other.close();
    }
  }

  @Test
  void refusesWhatIsNoNumber() {
    assertThatThrownBy(() -> watch.answer(Map.of("after", "yesterday")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("after: \"yesterday\" is not allowed");
  }

  private void awaitError(PacketWatch asked, boolean wanted) throws Exception {
    log("4001", LogPrefix.DENIED);
    long end = System.nanoTime() + WAIT.toNanos();
    while (true) {
      PacketReport report = namespace.run(() -> asked.answer(Map.of()));
      if (wanted ? report.error().isPresent() : !report.packets().isEmpty()) {
        return;
      }
      assertThat(System.nanoTime()).as("%s", report).isLessThan(end);
      send(4001);
      LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
    }
  }

  private void send(int port) throws IOException {
    namespace.run(
        () -> {
          try (DatagramSocket socket = new DatagramSocket()) {
            socket.send(new DatagramPacket(new byte[8], 8, InetAddress.getLoopbackAddress(), port));
          }
          return null;
        });
  }

  private void log(String port, String prefix) throws Exception {
    run(
        "nsenter",
        "--net=/run/netns/" + name,
        "iptables",
        "-A",
        "INPUT",
        "-p",
        "udp",
        "--dport",
        port,
        "-j",
        "NFLOG",
        "--nflog-group",
        Integer.toString(LogPrefix.GROUP),
        "--nflog-prefix",
        prefix);
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s: %s", String.join(" ", command), output).isZero();
  }
}
