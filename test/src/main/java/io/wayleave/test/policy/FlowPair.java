package io.wayleave.test.policy;

import io.wayleave.linux.NetworkNamespace;
import io.wayleave.model.IpAddress;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.dataplane.IptablesBackend;
import io.wayleave.test.lab.Command;
import io.wayleave.test.lab.LabException;
import io.wayleave.test.lab.NetNs;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Two containers of a host that speak TCP with each other, each under a policy that names the
 * other, and any number of other endpoints on that host that are records only. Closing removes all.
 * NOT thread safe.
 */
final class FlowPair implements AutoCloseable {
  private static final int CLIENT = 1_000_001;
  private static final int SERVER = 1_000_002;
  private static final InetSocketAddress ADDRESS =
      new InetSocketAddress(address(SERVER).toInetAddress(), 7777);
  private static final String GATEWAY_MAC = "ee:ee:ee:ee:ee:ee";

  /** What a client wants: each octet back, or one octet when all that it sends has been read. */
  private static final byte ECHO = 1;

  private static final byte SINK = 2;
  private static final int CHUNK = 1 << 16;

  private final List<String> containers = new ArrayList<>();
  private final PolicyHost host;
  private final NetworkNamespace client;
  private final ServerSocketChannel listener;

  /**
   * Makes it.
   *
   * @param endpoints of the host, with these two
   */
  FlowPair(IptablesBackend backend, int endpoints) throws IOException, InterruptedException {
    host = new PolicyHost(backend);
    try {
      NetNs.sysctl(host.namespace(), "net.ipv4.ip_forward=1");
      // A host without any address of its own cannot ask containers for theirs.
      batch(host.namespace(), "link set lo up", "addr add 192.0.2.1/32 dev lo");
      client = NetworkNamespace.ofName(wire(CLIENT));
      try (NetworkNamespace server = NetworkNamespace.ofName(wire(SERVER))) {
        ProgrammingBench.populate(host, 0, endpoints - 2);
        host.tell(
            Fleet.policy(
                "server",
                "selector: role == 'server'\ntypes: [Ingress, Egress]\ningress:\n- {action: Allow,"
                    + " protocol: TCP, source: {selector: role == 'client'}, destination: {ports:"
                    + " [7777]}}\n"));
        host.tell(
            Fleet.policy(
                "client",
                "selector: role == 'client'\ntypes: [Ingress, Egress]\negress:\n- {action: Allow,"
                    + " protocol: TCP, destination: {selector: role == 'server', ports:"
                    + " [7777]}}\n"));
        host.program(endpoint(CLIENT, "client"));
        host.program(endpoint(SERVER, "server"));
        listener =
            server.run(() -> ServerSocketChannel.open(StandardProtocolFamily.INET).bind(ADDRESS));
      }
      Thread.ofPlatform().daemon().name("bench-server").start(this::serve);
    } catch (IOException | InterruptedException | RuntimeException e) {
      removeNamespaces();
      throw e;
    }
  }

  /** How long each of so many connections took to be there, in nanoseconds. */
  List<Long> connect(int times) throws IOException {
    return client.run(
        () -> {
          List<Long> nanos = new ArrayList<>();
          for (int i = 0; i < times; i++) {
            try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.INET)) {
              long begin = System.nanoTime();
              channel.connect(ADDRESS);
              nanos.add(System.nanoTime() - begin);
            }
          }
          return nanos;
        });
  }

  /** How long each of so many octets took there and back over one connection, in nanoseconds. */
  List<Long> roundTrip(int times) throws IOException {
    return client.run(
        () -> {
          List<Long> nanos = new ArrayList<>();
          try (SocketChannel channel = open(ECHO)) {
            ByteBuffer octet = ByteBuffer.allocateDirect(1);
            for (int i = 0; i < times; i++) {
              long begin = System.nanoTime();
              write(channel, octet.clear());
              expect(channel.read(octet.clear()));
              nanos.add(System.nanoTime() - begin);
            }
          }
          return nanos;
        });
  }

  /** Sends so much over one connection; the rate in Gbit/s until all has been read. */
  double throughput(int mebibytes) throws IOException {
    return client.run(
        () -> {
          try (SocketChannel channel = open(SINK)) {
            ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);
            long bytes = (long) mebibytes << 20;
            long begin = System.nanoTime();
            for (long sent = 0; sent < bytes; sent += CHUNK) {
              write(channel, chunk.clear());
            }
            channel.shutdownOutput();
            expect(channel.read(ByteBuffer.allocateDirect(1)));
            return bytes * 8.0 / (System.nanoTime() - begin);
          }
        });
  }

  private static SocketChannel open(byte wish) throws IOException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.INET);
    try {
      channel.connect(ADDRESS);
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      write(channel, ByteBuffer.wrap(new byte[] {wish}));
      return channel;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private static void write(SocketChannel channel, ByteBuffer octets) throws IOException {
    while (octets.hasRemaining()) {
      var _ = channel.write(octets);
    }
  }

  private static void expect(int octets) {
    if (octets != 1) {
      throw new LabException("the measured flow broke off");
    }
  }

  /** One connection after the other, until the listener is closed. */
  private void serve() {
    while (listener.isOpen()) {
      try (SocketChannel channel = listener.accept()) {
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        ByteBuffer octet = ByteBuffer.allocateDirect(1);
        if (channel.read(octet) == 1) {
          answer(channel, octet.get(0));
        }
      } catch (IOException e) {
        // The client ended, which it notices itself, or the listener was closed.
      }
    }
  }

  private static void answer(SocketChannel channel, byte wish) throws IOException {
    ByteBuffer octets = ByteBuffer.allocateDirect(wish == SINK ? CHUNK : 1);
    while (channel.read(octets) >= 0) {
      if (wish == ECHO) {
        write(channel, octets.flip());
      }
      octets.clear();
    }
    if (wish == SINK) {
      write(channel, octets.clear().limit(1));
    }
  }

  private static IpAddress address(int number) {
    return IpAddress.ofIpv4(0x0c00_0000 + number);
  }

  private static WorkloadEndpoint endpoint(int number, String role) {
    return Fleet.local(number, Map.of("role", role), List.of(address(number).toCidr()));
  }

  /** A container as the CNI plugin wires it; returns its namespace. */
  private String wire(int number) throws IOException {
    String name = PolicyHost.createNamespace();
    containers.add(name);
    String veth = Fleet.interfaceName(number);
    batch(
        host.namespace(),
        "link add " + veth + " address " + GATEWAY_MAC + " type veth peer name eth0 netns " + name,
        "link set " + veth + " up",
        "route add " + address(number) + "/32 dev " + veth);
    batch(
        name,
        "link set lo up",
        "link set eth0 up",
        "addr add " + address(number) + "/32 dev eth0",
        "neigh replace 169.254.1.1 lladdr " + GATEWAY_MAC + " dev eth0 nud permanent",
        "route add 169.254.1.1 dev eth0 scope link",
        "route add default via 169.254.1.1 dev eth0");
    return name;
  }

  private static void batch(String namespace, String... lines) {
    Command.of("ip", "-n", namespace, "-batch", "-").input(String.join("\n", lines) + "\n").check();
  }

  @Override
  public void close() throws IOException {
    listener.close();
    client.close();
    removeNamespaces();
  }

  private void removeNamespaces() {
    containers.forEach(PolicyHost::removeNamespace);
    host.close();
  }
}
