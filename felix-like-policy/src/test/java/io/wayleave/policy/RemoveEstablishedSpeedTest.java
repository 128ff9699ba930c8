package io.wayleave.policy;

import static io.wayleave.policy.Fixtures.policy;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.linux.NetworkNamespace;
import io.wayleave.policy.dataplane.IptablesBackend;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What it takes to end flows on a host that has many, none of them of a container. */
@Tag("full")
@Tag("real")
final class RemoveEstablishedSpeedTest {
  private static final int PORTS = 1000;

  private final PacketLab lab = new PacketLab();
  private RunningEngine engine;

  @AfterEach
  void takeDown() {
    if (engine != null) {
      engine.close();
    }
    lab.close();
  }

  @Test
  void additionsDoNotWaitForALook() throws IOException {
    lab.in(lab.host(), "ip", "link", "set", "lo", "up");
    engine = RunningEngine.inSync(lab.config().withBackend(IptablesBackend.NFT));
    lab.in(lab.host(), "sysctl", "-q", "-w", "net.netfilter.nf_conntrack_udp_timeout=300");
    engine.program(lab.addContainer(1, Map.of("role", "server")));
    List<String> figures = new ArrayList<>();
    int flows = 0;
    for (int wanted : new int[] {0, 10_000, 100_000}) {
      fill(flows / PORTS, wanted / PORTS);
      flows = wanted;
      figures.add(
          "%d flows: endpoint added %s, policy changed %s"
              .formatted(flows, additions(flows), changes()));
    }
    String kernel = lab.in(lab.host(), "conntrack", "-C").strip();
    System.getLogger(getClass().getName())
        .log(System.Logger.Level.INFO, "{0} entries at the end; {1}", kernel, figures);
    assertThat(Integer.parseInt(kernel)).isGreaterThanOrEqualTo(flows);
  }

  /** Over some seconds, so that the looks that come later are among them. */
  private String additions(int flows) {
    List<Long> micros = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      int number = 1000 + flows % 7 * 1000 + i;
      long start = System.nanoTime();
      engine.program(
          Fixtures.endpoint(
              "n1",
              "e" + flows + "x" + i,
              "wl%011x".formatted(number),
              Map.of("role", "other"),
              "10." + (80 + flows / 10_000) + "." + i / 200 + "." + (1 + i % 200)));
      micros.add((System.nanoTime() - start) / 1000);
    }
    return figure(micros);
  }

  private String changes() {
    List<Long> micros = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      long start = System.nanoTime();
      engine.put(
          policy(
              "p",
              "selector: role == 'server'\ningress: [{action: Allow, protocol: TCP,"
                  + " destination: {ports: ["
                  + (100 + i)
                  + "]}}]"));
      micros.add((System.nanoTime() - start) / 1000);
    }
    return figure(micros);
  }

  private static String figure(List<Long> micros) {
    List<Long> sorted = micros.stream().sorted().toList();
    return "median %d us, largest %d us".formatted(sorted.get(sorted.size() / 2), sorted.getLast());
  }

  private void fill(int from, int to) throws IOException {
    try (NetworkNamespace host = NetworkNamespace.ofPath(Path.of("/run/netns", lab.host()))) {
      host.run(
          () -> {
            for (int round = from; round < to; round++) {
              try (DatagramSocket socket =
                  new DatagramSocket(
                      new InetSocketAddress(InetAddress.getByName("127.0.1." + (1 + round)), 0))) {
                for (int port = 1; port <= PORTS; port++) {
                  send(socket, port);
                }
              }
            }
            return null;
          });
    }
  }

  private static void send(DatagramSocket socket, int port) throws IOException {
    InetAddress to = InetAddress.getByName("127.0.2." + (1 + port % 200));
    try {
      socket.send(new DatagramPacket(new byte[1], 1, to, 1000 + port));
    } catch (PortUnreachableException e) {
      // Nobody listens; the flow is there all the same.
    }
  }
}
