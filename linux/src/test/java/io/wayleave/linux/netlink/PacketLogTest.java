package io.wayleave.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.linux.ClosedFdException;
import io.wayleave.linux.Errno;
import io.wayleave.linux.TestNamespace;
import io.wayleave.linux.Tool;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Protocol;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.PortUnreachableException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Real packets on the loopback interface of a namespace. */
@Tag("real")
class PacketLogTest {
  private static final Duration LONG = Duration.ofSeconds(10);
  private static final int GROUP = 7;

  private TestNamespace namespace;
  private int loopback;

  @BeforeEach
  void open() throws IOException {
    namespace = TestNamespace.create();
    try (NetlinkSocket socket = namespace.open()) {
      loopback = socket.links().get("lo").index();
    }
  }

  @AfterEach
  void close() throws IOException {
    namespace.close();
  }

  @ParameterizedTest
  @CsvSource({
    "iptables-nft, IPV4, 127.0.0.1",
    "ip6tables-nft, IPV6, ::1",
    "iptables-legacy, IPV4, 127.0.0.1",
    "ip6tables-legacy, IPV6, ::1"
  })
  void tellsWhatTheRulesSawInTheirOrder(String program, Family family, IpAddress self)
      throws IOException {
    Tool.run(namespace, program, "-A", "INPUT", "-j", "MARK", "--set-mark", "0x1234");
    log(program, "INPUT", "-p", "udp", "--nflog-prefix", "wl udp in");
    log(program, "OUTPUT", "-p", "udp", "--nflog-prefix", "wl udp out");
    String icmp = family == Family.IPV4 ? "icmp" : "ipv6-icmp";
    String request = family == Family.IPV4 ? "--icmp-type" : "--icmpv6-type";
    log(program, "INPUT", "-p", icmp, request, "echo-request", "--nflog-prefix", "wl ping");
    try (PacketLog log = PacketLog.open(namespace.namespace(), GROUP)) {
      Instant start = Instant.now();
      int port = sendUdp(self, 4242, 1);
      Tool.run(namespace, "ping", "-c", "1", self.toString());

      List<LoggedPacket> packets = await(log, 3);

      assertThat(packets)
          .extracting(LoggedPacket::prefix)
          .containsExactly("wl udp out", "wl udp in", "wl ping");
      LoggedPacket out = packets.getFirst();
      FlowTuple udp = new FlowTuple(self, self, Protocol.UDP, new FlowTuple.Ports(port, 4242));
      assertThat(out.tuple()).contains(udp);
      assertThat(out.outInterface()).isEqualTo(loopback);
      assertThat(out.inInterface()).isZero();
      assertThat(out.mark()).isZero();
      LoggedPacket in = packets.get(1);
      assertThat(in.tuple()).contains(udp);
      assertThat(in.inInterface()).isEqualTo(loopback);
      assertThat(in.mark()).isEqualTo(0x1234);
      in.time().ifPresent(time -> assertThat(time).isBetween(start, Instant.now()));
      FlowTuple ping = packets.get(2).tuple().orElseThrow();
      assertThat(ping.protocol())
          .isEqualTo(family == Family.IPV4 ? Protocol.ICMP : Protocol.ICMPV6);
      assertThat(((FlowTuple.Icmp) ping.detail()).type())
          .isEqualTo(family == Family.IPV4 ? 8 : 128);
      assertThat(log.lost()).isZero();
    }
  }

  @Test
  void countsWhatASlowReaderLost() throws IOException {
    log("iptables-nft", "OUTPUT", "-p", "udp", "--nflog-prefix", "x");
    int sent = 5000;
    try (PacketLog log = namespace.namespace().run(() -> PacketLog.open(GROUP, 16 * 1024))) {
      sendUdp(IpAddress.parse("127.0.0.1"), 4242, sent);
      List<LoggedPacket> read = new ArrayList<>();
      long end = System.nanoTime() + LONG.toNanos();
      // One packet more makes known how many are missing before it.
      while (read.size() + log.lost() < sent) {
        assertThat(System.nanoTime()).isLessThan(end);
        sendUdp(IpAddress.parse("127.0.0.1"), 4242, 1);
        sent++;
        read.addAll(log.poll(Duration.ofMillis(200)));
      }
      assertThat(log.lost()).isPositive();
      assertThat(read.size() + log.lost()).isLessThanOrEqualTo(sent);
    }
  }

  @Test
  void aGroupHasOneReader() throws IOException {
    try (PacketLog log = PacketLog.open(namespace.namespace(), GROUP)) {
      assertThatThrownBy(() -> PacketLog.open(namespace.namespace(), GROUP))
          .isInstanceOfSatisfying(
              NetlinkException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EPERM))
          .hasMessageStartingWith("bind NFLOG group 7: ");
      PacketLog.open(namespace.namespace(), GROUP + 1).close();
      assertThat(log.poll(Duration.ZERO)).isEmpty();
    }
    PacketLog again = PacketLog.open(namespace.namespace(), GROUP);
    again.close();
    assertThatThrownBy(() -> again.poll(LONG)).isInstanceOf(ClosedFdException.class);
  }

  private void log(String program, String chain, String... rule) throws IOException {
    List<String> command = new ArrayList<>(List.of(program, "-A", chain));
    for (String word : rule) {
      if (word.equals("--nflog-prefix")) {
        command.addAll(List.of("-j", "NFLOG", "--nflog-group", Integer.toString(GROUP)));
      }
      command.add(word);
    }
    Tool.run(namespace, command.toArray(String[]::new));
  }

  /** From which port. */
  private int sendUdp(IpAddress to, int port, int count) throws IOException {
    return namespace
        .namespace()
        .run(
            () -> {
              try (DatagramSocket socket = new DatagramSocket()) {
                for (int i = 0; i < count; i++) {
                  try {
                    socket.send(new DatagramPacket(new byte[1], 1, to.toInetAddress(), port));
                  } catch (PortUnreachableException e) {
                    // Nobody listens.
                  }
                }
                return socket.getLocalPort();
              }
            });
  }

  private static List<LoggedPacket> await(PacketLog log, int count) throws IOException {
    long end = System.nanoTime() + LONG.toNanos();
    List<LoggedPacket> packets = new ArrayList<>();
    while (packets.size() < count) {
      Duration left = Duration.ofNanos(end - System.nanoTime());
      assertThat(left).as("only these came: " + packets).isPositive();
      packets.addAll(log.poll(left));
    }
    return packets;
  }
}
