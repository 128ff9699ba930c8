package io.wayleave.test.lab;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** Asks an agent's admin API: one request and one connection each time. */
public final class AdminSocket {
  /** Ends reads that take too long: a socket channel has no timeout of its own. */
  private static final ScheduledExecutorService WATCHDOG =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("admin-watchdog").factory());

  private AdminSocket() {}

  /**
   * The body of an answer with status 200.
   *
   * @throws IOException when nobody answers in time, or with another status
   */
  public static String get(Path socket, String path, Duration deadline) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      ScheduledFuture<?> watchdog =
          WATCHDOG.schedule(() -> close(channel), deadline.toMillis(), TimeUnit.MILLISECONDS);
      try {
        channel.connect(UnixDomainSocketAddress.of(socket));
        String request = "GET " + path + " HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n";
        ByteBuffer bytes = ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII));
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        Channels.newInputStream(channel).transferTo(answer);
        return body(socket, path, answer.toString(StandardCharsets.UTF_8));
      } finally {
        watchdog.cancel(false);
      }
    }
  }

  /** The server sends a length and closes, so the body is all after the first empty line. */
  private static String body(Path socket, String path, String answer) throws IOException {
    int end = answer.indexOf("\r\n\r\n");
    if (end < 0 || !answer.startsWith("HTTP/1.1 200 ")) {
      throw new IOException(socket + path + " answered: " + answer.lines().findFirst().orElse(""));
    }
    return answer.substring(end + 4);
  }

  private static void close(SocketChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      // The reader sees the end of the connection either way.
    }
  }
}
