package io.wayleave.datastore.testing;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Stands between clients and a real ZooKeeper, and loses the request or the answer of a transaction
 * when it is told to: reads before it, in ZooKeeper's protocol another operation, pass.
 */
public final class ZooKeeperProxy implements AutoCloseable {
  /** ZooKeeper's number of a transaction that writes; one that only reads is 22. */
  private static final int MULTI = 14;

  /** What is lost of the next transaction. */
  public enum Loss {
    /** The server does not get it, and the connection breaks. */
    REQUEST,
    /** The server does it, and the connection breaks before its answer. */
    ANSWER,
    /** The server does it, and nothing of what it says from then on arrives. */
    EVERYTHING
  }

  private final ServerSocket listener;
  private final int serverPort;
  private final AtomicReference<Optional<Loss>> next = new AtomicReference<>(Optional.empty());
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

  /**
   * Starts to listen on loopback.
   *
   * @param server its address on loopback and port
   */
  public ZooKeeperProxy(String server) {
    serverPort = Integer.parseInt(server.substring(server.lastIndexOf(':') + 1));
    try {
      listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(this::accept);
  }

  public String url() {
    return "zookeeper://127.0.0.1:" + listener.getLocalPort();
  }

  /** Loses that of the next transaction, once. */
  public void lose(Loss loss) {
    next.set(Optional.of(loss));
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        Socket server = new Socket(InetAddress.getLoopbackAddress(), serverPort);
        sockets.add(client);
        sockets.add(server);
        Connection connection = new Connection(client, server);
        Thread.ofVirtual().start(connection::requests);
        Thread.ofVirtual().start(connection::answers);
      } catch (IOException _) {
        // Closed, or the server is away: the client tries again.
      }
    }
  }

  private final class Connection {
    private final Socket client;
    private final Socket server;
    private volatile Optional<Integer> lostAnswer = Optional.empty();
    private volatile boolean silent;

    Connection(Socket client, Socket server) {
      this.client = client;
      this.server = server;
    }

    void requests() {
      try (client;
          server) {
        DataInputStream in = new DataInputStream(client.getInputStream());
        DataOutputStream out = new DataOutputStream(server.getOutputStream());
        pass(frame(in), out); // the beginning of the connection
        while (true) {
          byte[] frame = frame(in);
          ByteBuffer header = ByteBuffer.wrap(frame);
          Optional<Loss> loss =
              header.getInt(4) == MULTI ? next.getAndSet(Optional.empty()) : Optional.empty();
          if (loss.isPresent()) {
            switch (loss.get()) {
              case REQUEST -> {
                return;
              }
              case ANSWER -> lostAnswer = Optional.of(header.getInt(0));
              case EVERYTHING -> silent = true;
            }
          }
          pass(frame, out);
        }
      } catch (IOException _) {
        // One of the two has closed.
      }
    }

    void answers() {
      try (client;
          server) {
        DataInputStream in = new DataInputStream(server.getInputStream());
        DataOutputStream out = new DataOutputStream(client.getOutputStream());
        pass(frame(in), out);
        while (true) {
          byte[] frame = frame(in);
          if (lostAnswer.filter(id -> id == ByteBuffer.wrap(frame).getInt(0)).isPresent()) {
            return;
          }
          if (!silent) {
            pass(frame, out);
          }
        }
      } catch (IOException _) {
        // One of the two has closed.
      }
    }
  }

  private static byte[] frame(DataInputStream in) throws IOException {
    byte[] frame = new byte[in.readInt()];
    in.readFully(frame);
    return frame;
  }

  private static void pass(byte[] frame, DataOutputStream out) throws IOException {
    out.write(ByteBuffer.allocate(4 + frame.length).putInt(frame.length).put(frame).array());
    out.flush();
  }

  @Override
  public void close() {
    try {
      listener.close();
      for (Socket socket : sockets) {
        socket.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
