package io.wayleave.ctl;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/**
 * Plays the agent's admin API on a Unix socket: reads a request up to its empty line, writes what
 * the test wants byte by byte, and closes. One thread, connections one after the other.
 */
final class AdminServer implements AutoCloseable {
  private final Path socket;
  private final ServerSocketChannel listener;
  private final Function<String, String> answer;
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private final Thread thread;

  /**
   * @param answer from the request to the whole answer with status line; an empty one means that
   *     the server keeps silent and the connection open until it is closed itself
   */
  AdminServer(Path socket, Function<String, String> answer) {
    this.socket = socket;
    this.answer = answer;
    try {
      listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      listener.bind(UnixDomainSocketAddress.of(socket));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    thread = Thread.ofPlatform().name("admin-server").start(this::serve);
  }

  /** Answers every request with this body, as the agent does. */
  static AdminServer answering(Path socket, String status, String body) {
    return new AdminServer(socket, _ -> response(status, body));
  }

  static String response(String status, String body) {
    return "HTTP/1.1 "
        + status
        + "\r\nContent-Type: application/json\r\ncontent-length: "
        + body.getBytes(StandardCharsets.UTF_8).length
        + "\r\nConnection: close\r\n\r\n"
        + body;
  }

  /** Requests so far. */
  List<String> requests() {
    return requests;
  }

  private void serve() {
    try {
      while (true) {
        SocketChannel connection = listener.accept();
        String request = read(connection);
        requests.add(request);
        String text = answer.apply(request);
        if (text.isEmpty()) {
          listener.accept(); // ends with close(), and keeps the connection until then
        }
        for (byte each : text.getBytes(StandardCharsets.UTF_8)) {
          connection.write(ByteBuffer.wrap(new byte[] {each}));
        }
        connection.close();
      }
    } catch (AsynchronousCloseException e) {
      return; // by close()
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String read(SocketChannel connection) throws IOException {
    ByteArrayOutputStream request = new ByteArrayOutputStream();
    ByteBuffer one = ByteBuffer.allocate(1);
    while (connection.read(one.clear()) > 0) {
      request.write(one.get(0));
      String text = request.toString(StandardCharsets.US_ASCII);
      if (text.endsWith("\r\n\r\n")) {
        return text;
      }
    }
    return request.toString(StandardCharsets.US_ASCII);
  }

  @Override
  public void close() {
    try {
      listener.close();
      thread.join();
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
