package io.wayleave.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.linux.TestNamespace;
import io.wayleave.linux.Tool;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Protocol;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.PortUnreachableException;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Real flows on the loopback interface of a namespace. */
@Tag("real")
class ConntrackTest {
  private static final int MANY = 10_000;

  private TestNamespace namespace;
  private Conntrack conntrack;

  @BeforeEach
  void open() throws IOException {
    namespace = TestNamespace.create();
    for (String program : List.of("iptables-nft", "ip6tables-nft")) {
      // The kernel tracks flows where a rule asks for it.
      Tool.run(
          namespace, program, "-A", "INPUT", "-m", "conntrack", "--ctstate", "NEW", "-j", "ACCEPT");
    }
    conntrack = Conntrack.open(namespace.namespace());
  }

  @AfterEach
  void close() throws IOException {
    conntrack.close();
    namespace.close();
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void listsFlowsOfEachProtocolAndDeletesOne(Family family) throws IOException {
    IpAddress self = loopback(family);
    namespace
        .namespace()
        .run(
            () -> {
              try (ServerSocket server = new ServerSocket(0, 1, self.toInetAddress());
                  Socket client = new Socket(self.toInetAddress(), server.getLocalPort());
                  Socket accepted = server.accept();
                  DatagramSocket udp = new DatagramSocket(0, self.toInetAddress())) {
                send(udp, self, 4242);
                Tool.run(namespace, "ping", "-c", "1", self.toString());
                int from = client.getLocalPort();
                int to = server.getLocalPort();

                List<Flow> flows = conntrack.list(family, flow -> flow.concerns(self));

                Flow tcp = the(flows, Protocol.TCP);
                assertThat(tcp.original())
                    .isEqualTo(
                        new FlowTuple(self, self, Protocol.TCP, new FlowTuple.Ports(from, to)));
                assertThat(tcp.reply().detail()).isEqualTo(new FlowTuple.Ports(to, from));
                assertThat(tcp.seenReply()).isTrue();
                assertThat(tcp.assured()).isTrue();
                Flow sent = the(flows, Protocol.UDP);
                assertThat(sent.original().detail())
                    .isEqualTo(new FlowTuple.Ports(udp.getLocalPort(), 4242));
                assertThat(sent.seenReply()).isFalse();
                Flow echo = the(flows, family == Family.IPV4 ? Protocol.ICMP : Protocol.ICMPV6);
                assertThat(((FlowTuple.Icmp) echo.original().detail()).type())
                    .isEqualTo(family == Family.IPV4 ? 8 : 128);
                assertThat(tool(family)).hasSameSizeAs(conntrack.list(family, _ -> true));

                // One flow goes, and no other; a second time it is not there.
                assertThat(conntrack.delete(List.of(tcp))).isEqualTo(1);
                assertThat(conntrack.delete(List.of(tcp))).isZero();
                assertThat(tool(family))
                    .noneMatch(line -> line.contains("sport=" + from + " "))
                    .anyMatch(line -> line.startsWith("udp"));
                // The connection goes on, as a new flow to the kernel.
                client.getOutputStream().write(1);
                assertThat(accepted.getInputStream().read()).isEqualTo(1);
                assertThat(tool(family)).anyMatch(line -> line.contains("sport=" + from + " "));
                assertThat(conntrack.delete(List.of(sent, echo))).isEqualTo(2);
                return null;
              }
            });
  }

  @Test
  void leavesOutWhatIsNotWanted() throws IOException {
    namespace
        .namespace()
        .run(
            () -> {
              try (DatagramSocket udp = new DatagramSocket()) {
                send(udp, IpAddress.parse("127.0.0.1"), 4242);
                send(udp, IpAddress.parse("127.0.0.2"), 4242);
                return null;
              }
            });
    IpAddress second = IpAddress.parse("127.0.0.2");
    assertThat(conntrack.list(Family.IPV4, flow -> flow.concerns(second)))
        .extracting(flow -> flow.original().destination())
        .containsExactly(second);
    assertThat(conntrack.list(Family.IPV6, _ -> true)).isEmpty();
  }

  @Test
  void marksBitsOfOneFlowAndLeavesTheOthersAlone() throws IOException {
    IpAddress self = loopback(Family.IPV4);
    IpAddress self6 = loopback(Family.IPV6);
    namespace
        .namespace()
        .run(
            () -> {
              try (DatagramSocket udp = new DatagramSocket(0, self.toInetAddress());
                  DatagramSocket udp6 = new DatagramSocket(0, self6.toInetAddress())) {
                send(udp, self, 4242);
                send(udp, self, 4243);
                send(udp6, self6, 4242);
                return null;
              }
            });
    assertThat(conntrack.count()).isEqualTo(conntrack.list((_, _) -> true).size());
    List<Flow> flows = to(4242);
    assertThat(flows)
        .extracting(flow -> flow.original().family())
        .containsExactlyInAnyOrder(Family.values());
    assertThat(conntrack.mark(List.of(flows.getFirst()), 0x11, 0xff)).isEqualTo(1);
    assertThat(tool(flows.getFirst().original().family()))
        .anyMatch(line -> line.contains("dport=4242 ") && line.contains("mark=17 "));

    assertThat(conntrack.mark(flows, 0x8000000, 0x8000000)).isEqualTo(2);
    assertThat(to(4242)).extracting(Flow::mark).containsOnly(0x8000000, 0x8000011).hasSize(2);
    assertThat(to(4243)).extracting(Flow::mark).containsExactly(0);
    assertThat(conntrack.mark(flows, 0, 0x8000000)).isEqualTo(2);
    assertThat(to(4242)).extracting(Flow::mark).containsOnly(0, 0x11).hasSize(2);

    assertThat(conntrack.list((from, _) -> from.family() == Family.IPV6))
        .hasSameSizeAs(conntrack.list(Family.IPV6, _ -> true));
    assertThat(conntrack.list((_, _) -> false)).isEmpty();

    // One that has ended is no error, and is not made anew.
    conntrack.delete(flows);
    assertThat(conntrack.mark(flows, 0x8000000, 0x8000000)).isZero();
    assertThat(to(4242)).isEmpty();
    assertThatThrownBy(() -> conntrack.mark(flows, 3, 1))
        .hasMessage("value 0x3 has bits outside the mask 0x1");
  }

  private List<Flow> to(int port) throws IOException {
    return conntrack.list((from, answering) -> from.equals(answering)).stream()
        .filter(
            flow ->
                flow.original().detail() instanceof FlowTuple.Ports(int _, int destination)
                    && destination == port)
        .toList();
  }

  @Test
  void translatedFlowsConcernBothAddresses() throws IOException {
    Tool.run(
        namespace,
        "iptables-nft",
        "-t",
        "nat",
        "-A",
        "OUTPUT",
        "-d",
        "127.0.0.9",
        "-p",
        "udp",
        "-j",
        "DNAT",
        "--to-destination",
        "127.0.0.2:5353");
    namespace
        .namespace()
        .run(
            () -> {
              try (DatagramSocket udp = new DatagramSocket()) {
                send(udp, IpAddress.parse("127.0.0.9"), 4242);
                return null;
              }
            });
    Flow flow = conntrack.list(Family.IPV4, _ -> true).getFirst();
    assertThat(flow.original().destination()).isEqualTo(IpAddress.parse("127.0.0.9"));
    assertThat(flow.reply().source()).isEqualTo(IpAddress.parse("127.0.0.2"));
    assertThat(flow.concerns(IpAddress.parse("127.0.0.2"))).isTrue();
    assertThat(flow.concerns(IpAddress.parse("127.0.0.9"))).isTrue();
    assertThat(flow.concerns(IpAddress.parse("127.0.0.3"))).isFalse();
  }

  @Test
  void tenThousandFlowsAreListedAndDeletedFast() throws IOException {
    IpAddress self = loopback(Family.IPV4);
    namespace
        .namespace()
        .run(
            () -> {
              try (DatagramSocket udp = new DatagramSocket(0, self.toInetAddress())) {
                for (int port = 1; port <= MANY; port++) {
                  send(udp, self, 20_000 + port);
                }
                return null;
              }
            });
    List<Long> listed = new ArrayList<>();
    List<Flow> flows = List.of();
    for (int i = 0; i < 9; i++) {
      long start = System.nanoTime();
      flows = conntrack.list(Family.IPV4, flow -> flow.concerns(self));
      listed.add((System.nanoTime() - start) / 1000);
    }
    assertThat(flows.size()).isGreaterThanOrEqualTo(MANY);
    long start = System.nanoTime();
    int deleted = conntrack.delete(flows);
    long deletedIn = (System.nanoTime() - start) / 1000;
    assertThat(deleted).isEqualTo(flows.size());
    assertThat(conntrack.list(Family.IPV4, _ -> true)).isEmpty();
    System.getLogger(getClass().getName())
        .log(
            System.Logger.Level.INFO,
            "{0} flows in us: list {1}, delete {2}",
            flows.size(),
            listed,
            deletedIn);
    assertThat(listed.stream().sorted().toList().get(4)).isLessThan(500_000);
  }

  private static void send(DatagramSocket from, IpAddress to, int port) throws IOException {
    InetAddress address = to.toInetAddress();
    try {
      from.send(new DatagramPacket(new byte[1], 1, address, port));
    } catch (PortUnreachableException e) {
      // Nobody listens; the flow is there all the same.
    }
  }

  private static Flow the(List<Flow> flows, Protocol protocol) {
    return flows.stream()
        .filter(flow -> flow.original().protocol().equals(protocol))
        .findFirst()
        .orElseThrow();
  }

  private List<String> tool(Family family) throws IOException {
    return Tool.run(namespace, "conntrack", "-L", "-f", family == Family.IPV4 ? "ipv4" : "ipv6")
        .lines()
        .filter(line -> line.contains("src="))
        .toList();
  }

  private static IpAddress loopback(Family family) {
    return IpAddress.parse(family == Family.IPV4 ? "127.0.0.1" : "::1");
  }
}
