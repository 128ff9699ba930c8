package io.wayleave.policy;

import static io.wayleave.policy.Fixtures.policy;
import static io.wayleave.policy.PacketLab.v4;
import static io.wayleave.policy.PacketLab.v6;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.linux.NetworkNamespace;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.dataplane.IptablesBackend;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Packets of flows that conntrack knows: they do not walk the trees, and what must not pass does
 * not pass by that. That something was dropped is seen without waiting, by what comes in its place.
 */
@Tag("real")
@ParameterizedClass
@EnumSource(IptablesBackend.class)
final class EstablishedFlowRealTest {
  private static final int PORT = 7000;
  private static final int CLIENT_PORT = 5000;
  private static final int PATIENCE_MILLIS = 5000;

  private final IptablesBackend backend;
  private final List<DatagramSocket> sockets = new ArrayList<>();
  private PacketLab lab;
  private RunningEngine engine;
  private WorkloadEndpoint server;

  EstablishedFlowRealTest(IptablesBackend backend) {
    this.backend = backend;
  }

  @BeforeEach
  void bringUp() {
    lab = new PacketLab();
    engine = RunningEngine.inSync(lab.config().withBackend(backend));
    server = lab.addContainer(1, Map.of("role", "server"));
    engine.program(server, lab.addContainer(2, Map.of()), lab.addContainer(3, Map.of()));
  }

  @AfterEach
  void takeDown() {
    sockets.forEach(DatagramSocket::close);
    if (engine != null) {
      engine.close();
    }
    lab.close();
  }

  @Test
  void aForgedAddressDoesNotPassInTheFlowOfItsOwner() throws IOException {
    for (boolean six : List.of(false, true)) {
      DatagramSocket owner = socket(2, six ? v6(2) : v4(2), CLIENT_PORT);
      DatagramSocket target = socket(1, six ? v6(1) : v4(1), PORT);
      establish(owner, target);
      if (six) {
        lab.in(lab.container(3), "ip", "addr", "add", v6(2) + "/128", "dev", "eth0", "nodad");
      } else {
        lab.in(lab.container(3), "ip", "addr", "add", v4(2) + "/32", "dev", "eth0");
      }
      DatagramSocket forger = socket(3, six ? v6(2) : v4(2), CLIENT_PORT);
      send(forger, target, "forged");
      send(owner, target, "own");
      assertThat(receive(target)).isEqualTo("own");
    }
  }

  @Test
  void anInterfaceOfNoEndpointPassesNothingOfItsOldFlows() throws IOException {
    DatagramSocket client = socket(2, v4(2), CLIENT_PORT);
    DatagramSocket target = socket(1, v4(1), PORT);
    establish(client, target);

    RunningEngine.await(engine.engine().forget(server.id()).toCompletableFuture());
    send(client, target, "to nobody");
    send(target, client, "from nobody");
    engine.program(server);
    assertPassesBothWays(client, target);

    // Another endpoint has the interface: it does not speak for the old one's address.
    RunningEngine.await(engine.engine().forget(server.id()).toCompletableFuture());
    WorkloadEndpoint other =
        Fixtures.endpoint("n1", "other", PacketLab.interfaceOf(1), Map.of(), "10.77.0.99");
    engine.program(other);
    send(target, client, "from the old address");
    RunningEngine.await(engine.engine().forget(other.id()).toCompletableFuture());
    engine.program(server);
    assertPassesBothWays(client, target);

    // Also while no agent runs.
    engine.close();
    assertPassesBothWays(client, target);
    lab.in(lab.host(), "ip", "link", "set", PacketLab.interfaceOf(3), "down");
    lab.in(lab.host(), "ip", "link", "set", PacketLab.interfaceOf(3), "name", "wl0000000077");
    lab.in(lab.host(), "ip", "link", "set", "wl0000000077", "up");
    lab.in(lab.container(3), "ip", "addr", "add", v4(2) + "/32", "dev", "eth0");
    DatagramSocket unknown = socket(3, v4(2), CLIENT_PORT);
    send(unknown, target, "by an unknown interface");
    assertPassesBothWays(client, target);
  }

  @Test
  void whatAPolicyDeniesHasNoFlowThatCouldPass() throws IOException {
    engine.put(policy("p", "selector: role == 'server'\ntypes: [Ingress]"));
    DatagramSocket client = socket(2, v4(2), CLIENT_PORT);
    DatagramSocket target = socket(1, v4(1), PORT);
    send(client, target, "denied");
    send(client, target, "denied again");
    engine.deletePolicy("p");
    send(client, target, "allowed");
    assertThat(receive(target)).isEqualTo("allowed");
  }

  @Test
  void anEstablishedPacketWalksNoTree() throws IOException {
    DatagramSocket client = socket(2, v4(2), CLIENT_PORT);
    DatagramSocket target = socket(1, v4(1), PORT);
    establish(client, target);
    lab.in(lab.host(), PacketLab.program(backend), "-Z");
    for (int i = 0; i < 10; i++) {
      assertPassesBothWays(client, target);
    }
    assertThat(packets("-i wl+ -o wl+ .* -j ACCEPT")).isGreaterThanOrEqualTo(20);
    assertThat(packets("-i wl+ .* -j wl-from")).isZero();
    assertThat(packets("-o wl+ .* -j wl-to")).isZero();
  }

  /** Packets that met the rule of the first chain that fits. */
  private long packets(String rule) {
    Matcher matcher =
        Pattern.compile("(?m)^\\[(\\d+):\\d+] -A wl-FORWARD " + rule.replace("+", "\\+") + "$")
            .matcher(lab.filter(backend, "-c"));
    assertThat(matcher.find()).as("there is a rule " + rule).isTrue();
    return Long.parseLong(matcher.group(1));
  }

  private static void establish(DatagramSocket client, DatagramSocket target) throws IOException {
    assertPassesBothWays(client, target);
  }

  private static void assertPassesBothWays(DatagramSocket client, DatagramSocket target)
      throws IOException {
    send(client, target, "question");
    assertThat(receive(target)).isEqualTo("question");
    send(target, client, "answer");
    assertThat(receive(client)).isEqualTo("answer");
  }

  private DatagramSocket socket(int container, String address, int port) throws IOException {
    try (NetworkNamespace there = NetworkNamespace.ofName(lab.container(container))) {
      DatagramSocket socket =
          there.run(
              () ->
                  new DatagramSocket(new InetSocketAddress(InetAddress.ofLiteral(address), port)));
      socket.setSoTimeout(PATIENCE_MILLIS);
      sockets.add(socket);
      return socket;
    }
  }

  private static void send(DatagramSocket from, DatagramSocket to, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    from.send(new DatagramPacket(bytes, bytes.length, to.getLocalSocketAddress()));
  }

  private static String receive(DatagramSocket socket) throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[100], 100);
    socket.receive(packet);
    return new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8);
  }
}
