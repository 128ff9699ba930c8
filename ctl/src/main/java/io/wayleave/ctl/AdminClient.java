package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.model.ResourceCodec;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Asks an agent or a speaker through its admin socket: HTTP/1.1 over a Unix socket, one request a
 * connection. It reads what ends with the connection or after {@code Content-Length}; the JDK's own
 * client cannot do Unix sockets. NOT thread safe.
 */
final class AdminClient {
  /** Far more than any answer: {@code /v1/routes} of 100,000 routes is some 20 MB. */
  private static final int MAX_ANSWER_BYTES = 256 * 1024 * 1024;

  private static final String HEADER_END = "\r\n\r\n";

  private final Path socket;
  private final Duration timeout;

  /**
   * @param socket the agent's admin socket
   * @param timeout for one question and its answer
   */
  AdminClient(Path socket, Duration timeout) {
    this.socket = requireNonNull(socket, "socket is null");
    this.timeout = requireNonNull(timeout, "timeout is null");
  }

  Path socket() {
    return socket;
  }

  /** Whether there is something at the socket's path. */
  boolean socketExists() {
    return Files.exists(socket, LinkOption.NOFOLLOW_LINKS);
  }

  /**
   * The answer as it is, for printing.
   *
   * @param path such as {@code /v1/status}
   * @throws CommandFailedException when no agent answers, or not with JSON
   */
  JsonNode get(String path) {
    return ask("GET", path);
  }

  /** Has something done; otherwise as {@link #get}. */
  JsonNode post(String path) {
    return ask("POST", path);
  }

  private JsonNode ask(String method, String path) {
    String answer = exchange(method, path);
    int headerEnd = answer.indexOf(HEADER_END);
    if (!answer.startsWith("HTTP/1.") || headerEnd < 0) {
      throw failed("what listens there does not speak HTTP/1.1; is it the agent's admin socket?");
    }
    String head = answer.substring(0, headerEnd);
    String body = answer.substring(headerEnd + HEADER_END.length());
    checkComplete(head, body);
    String status = head.lines().findFirst().orElseThrow();
    int code = statusCode(status);
    JsonNode json;
    try {
      json =
          ResourceCodec.jsonMapper()
              .readTree(body.getBytes(StandardCharsets.ISO_8859_1)); // the bytes as they came
    } catch (IOException e) {
      throw new CommandFailedException(
          message("it answered " + path + " with something that is not JSON (" + status + ")"), e);
    }
    if (code != 200) {
      throw failed(
          "it answered "
              + path
              + " with "
              + code
              + ": "
              + json.path("error").asText("no reason given"));
    }
    return json;
  }

  /**
   * An answer as one of our records. Fields that only a newer agent knows are passed over: during
   * an upgrade netctl and the agent differ.
   */
  <T> T read(JsonNode answer, Class<T> type) {
    try {
      return ResourceCodec.jsonMapper()
          .readerFor(type)
          .without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .readValue(answer);
    } catch (IOException e) {
      throw new CommandFailedException(
          message(
              "its answer does not fit this netctl "
                  + BuildVersion.own()
                  + "; use the netctl of the agent's version"),
          e);
    }
  }

  /** The whole answer, a character for each byte. */
  private String exchange(String method, String path) {
    long deadline = System.nanoTime() + timeout.toNanos();
    String request =
        method
            + " "
            + path
            + " HTTP/1.1\r\nHost: agent\r\nAccept: application/json\r\n"
            + (method.equals("POST") ? "Content-Length: 0\r\n" : "")
            + "Connection: close\r\n\r\n";
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
        Selector selector = Selector.open()) {
      channel.configureBlocking(false);
      ByteBuffer question = ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII));
      SelectionKey key = channel.register(selector, SelectionKey.OP_WRITE);
      while (question.hasRemaining()) {
        await(selector, deadline);
        channel.write(question);
      }
      key.interestOps(SelectionKey.OP_READ);
      ByteArrayOutputStream answer = new ByteArrayOutputStream();
      ByteBuffer buffer = ByteBuffer.allocate(64 * 1024);
      while (true) {
        await(selector, deadline);
        int count = channel.read(buffer.clear());
        if (count < 0) {
          return answer.toString(StandardCharsets.ISO_8859_1);
        }
        answer.write(buffer.array(), 0, count);
        if (answer.size() > MAX_ANSWER_BYTES) {
          throw failed("its answer is longer than " + MAX_ANSWER_BYTES + " bytes");
        }
      }
    } catch (ConnectException e) {
      throw new CommandFailedException(
          message("nothing listens there; start wayleave-agent on this host"), e);
    } catch (IOException e) {
      throw notReachable(e);
    }
  }

  private CommandFailedException notReachable(IOException e) {
    if (!socketExists()) {
      return new CommandFailedException(
          message(
              "there is no such socket; start wayleave-agent on this host, or name its socket by"
                  + " --admin-socket or WAYLEAVE_ADMIN_SOCKET"),
          e);
    }
    if (!Files.isWritable(socket)) {
      return new CommandFailedException(
          message("this user may not open the socket; ask as its owner, usually root"), e);
    }
    return new CommandFailedException(message(String.valueOf(e.getMessage())), e);
  }

  private void await(Selector selector, long deadline) throws IOException {
    long millis = Math.ceilDiv(deadline - System.nanoTime(), 1_000_000L);
    if (millis > 0) {
      selector.select(millis);
    }
    if (selector.selectedKeys().isEmpty()) {
      throw failed(
          "no answer within "
              + GlobalOptions.text(timeout)
              + "; see the agent's log, or give it longer by --timeout");
    }
    selector.selectedKeys().clear();
  }

  private void checkComplete(String head, String body) {
    for (String line : head.lines().skip(1).toList()) {
      int colon = line.indexOf(':');
      if (colon > 0 && line.substring(0, colon).equalsIgnoreCase("Content-Length")) {
        String length = line.substring(colon + 1).strip();
        if (!length.equals(Integer.toString(body.length()))) {
          throw failed(
              "the connection ended after "
                  + body.length()
                  + " of "
                  + length
                  + " bytes; try again");
        }
      }
    }
  }

  private static int statusCode(String statusLine) {
    String[] words = statusLine.split(" ", 3);
    return words.length > 1 && words[1].matches("[0-9]{3}") ? Integer.parseInt(words[1]) : 0;
  }

  private CommandFailedException failed(String why) {
    return new CommandFailedException(message(why));
  }

  private String message(String why) {
    return "no status from the agent at " + socket + ": " + why;
  }
}
