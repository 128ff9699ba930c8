package io.wayleave.policy;

import io.wayleave.linux.NetworkNamespace;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/**
 * A flow between sockets in two namespaces, both ends of which the test holds. What is sent is one
 * byte, so that it can be told when it was sent.
 */
abstract sealed class OpenFlow implements AutoCloseable {
  private static final int SLICE_MILLIS = 20;

  private final String name;

  private OpenFlow(String name) {
    this.name = name;
  }

  /** Over which bytes have gone both ways. */
  static OpenFlow tcp(String client, String server, String address, int port) throws IOException {
    return tcp(client, server, address, port, address, port);
  }

  /** To an address that is translated to the server's. */
  static OpenFlow tcp(
      String client, String server, String address, int port, String realAddress, int realPort)
      throws IOException {
    return opened(new Tcp(client, server, address, port, realAddress, realPort));
  }

  /** Over which bytes have gone both ways. */
  static OpenFlow udp(String client, String server, String address, int port) throws IOException {
    return opened(new Udp(client, server, address, port));
  }

  private static OpenFlow opened(OpenFlow flow) throws IOException {
    if (flow.passes('a')) {
      return flow;
    }
    flow.close();
    throw new AssertionError(flow + " does not pass");
  }

  abstract void clientSends(int value) throws IOException;

  abstract void serverSends(int value) throws IOException;

  /** What has come to the client, and comes in the next moment. */
  abstract List<Integer> clientHas() throws IOException;

  /** What has come to the server, and comes in the next moment. */
  abstract List<Integer> serverHas() throws IOException;

  /** Whether such a byte gets through both ways within seconds. */
  boolean passes(int value) throws IOException {
    long end = System.nanoTime() + 10_000_000_000L;
    boolean toServer = false;
    boolean toClient = false;
    while (System.nanoTime() - end < 0) {
      if (!toServer) {
        clientSends(value);
        toServer = serverHas().contains(value);
      } else {
        serverSends(value);
        toClient |= clientHas().contains(value);
      }
      if (toServer && toClient) {
        return true;
      }
    }
    return false;
  }

  @Override
  public final String toString() {
    return name;
  }

  @Override
  public abstract void close() throws IOException;

  private static <T> T in(String namespace, Callable<T> task) throws IOException {
    try (NetworkNamespace there = NetworkNamespace.ofPath(Path.of("/run/netns", namespace))) {
      return there.run(task);
    }
  }

  private static final class Tcp extends OpenFlow {
    private final ServerSocket listening;
    private final Socket client;
    private final Socket server;

    Tcp(String from, String to, String address, int port, String realAddress, int realPort)
        throws IOException {
      super("TCP to " + address + " port " + port);
      listening = in(to, () -> new ServerSocket(realPort, 5, InetAddress.getByName(realAddress)));
      client =
          in(
              from,
              () -> {
                Socket socket = new Socket();
                socket.connect(new InetSocketAddress(InetAddress.getByName(address), port), 10_000);
                return socket;
              });
      server = listening.accept();
      for (Socket socket : List.of(client, server)) {
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(SLICE_MILLIS);
      }
    }

    @Override
    void clientSends(int value) throws IOException {
      client.getOutputStream().write(value);
    }

    @Override
    void serverSends(int value) throws IOException {
      server.getOutputStream().write(value);
    }

    @Override
    List<Integer> clientHas() throws IOException {
      return read(client);
    }

    @Override
    List<Integer> serverHas() throws IOException {
      return read(server);
    }

    private static List<Integer> read(Socket socket) throws IOException {
      List<Integer> values = new ArrayList<>();
      byte[] bytes = new byte[4096];
      try {
        int count = socket.getInputStream().read(bytes);
        for (int i = 0; i < count; i++) {
          values.add((int) bytes[i]);
        }
      } catch (SocketTimeoutException e) {
        // Nothing more.
      }
      return values;
    }

    @Override
    public void close() throws IOException {
      client.close();
      server.close();
      listening.close();
    }
  }

  private static final class Udp extends OpenFlow {
    private final DatagramSocket client;
    private final DatagramSocket server;
    private final InetSocketAddress there;

    /** The client, once something has come from it. */
    private volatile InetSocketAddress seen = new InetSocketAddress(0);

    Udp(String from, String to, String address, int port) throws IOException {
      super("UDP to " + address + " port " + port);
      there = new InetSocketAddress(InetAddress.getByName(address), port);
      server = in(to, () -> new DatagramSocket(there));
      client = in(from, () -> new DatagramSocket());
      for (DatagramSocket socket : List.of(client, server)) {
        socket.setSoTimeout(SLICE_MILLIS);
      }
    }

    @Override
    void clientSends(int value) throws IOException {
      send(client, value, there);
    }

    @Override
    void serverSends(int value) throws IOException {
      if (seen.getPort() != 0) {
        send(server, value, seen);
      }
    }

    private static void send(DatagramSocket from, int value, InetSocketAddress to)
        throws IOException {
      try {
        from.send(new DatagramPacket(new byte[] {(byte) value}, 1, to));
      } catch (SocketException e) {
        // A host is told that its own packet is dropped (EPERM).
        if (!String.valueOf(e.getMessage()).contains("not permitted")) {
          throw e;
        }
      }
    }

    @Override
    List<Integer> clientHas() throws IOException {
      return read(client);
    }

    @Override
    List<Integer> serverHas() throws IOException {
      return read(server);
    }

    private List<Integer> read(DatagramSocket socket) throws IOException {
      List<Integer> values = new ArrayList<>();
      DatagramPacket packet = new DatagramPacket(new byte[1], 1);
      try {
        while (true) {
          socket.receive(packet);
          values.add((int) packet.getData()[0]);
          if (socket.getLocalPort() == there.getPort()) {
            seen = (InetSocketAddress) packet.getSocketAddress();
          }
        }
      } catch (SocketTimeoutException e) {
        // Nothing more.
      }
      return values;
    }

    @Override
    public void close() {
      client.close();
      server.close();
    }
  }
}
