package io.wayleave.bgp.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.InvalidInputException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdminServerTest {
  private static final String STATUS =
      "GET /v1/status?x=1 HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n";

  @TempDir Path dir;
  private Path socket;
  private AdminServer server;

  @BeforeEach
  void start() throws IOException {
    socket = dir.resolve("run/admin.sock");
    Supplier<Object> broken =
        () -> {
          throw new IllegalStateException("owner gone");
        };
    server =
        new AdminServer(
            socket,
            Map.of(
                "/v1/status",
                Endpoint.get(() -> Map.of("node", "n1")),
                "/v1/broken",
                Endpoint.get(broken),
                "/v1/echo",
                Endpoint.post(parameters -> parameters),
                "/v1/picky",
                Endpoint.get(
                    parameters -> {
                      throw new InvalidInputException("peer", parameters.get("peer"), "tor1");
                    }),
                "/metrics",
                Endpoint.get(() -> new Endpoint.Text("text/plain", "one 1\n"))));
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void answersJson() throws IOException {
    String response = ask(STATUS);
    assertThat(response)
        .startsWith("HTTP/1.1 200 OK\r\n")
        .contains("content-type: application/json")
        .endsWith("\r\n\r\n{\"node\":\"n1\"}");
  }

  @Test
  void saysWhatThereIs() throws IOException {
    assertThat(ask("GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n"))
        .startsWith("HTTP/1.1 404")
        .endsWith(
            "{\"error\":\"path /nothing does not exist; there are: /metrics, /v1/broken, /v1/echo,"
                + " /v1/picky, /v1/status\"}");
    assertThat(ask("DELETE /v1/status HTTP/1.1\r\nConnection: close\r\n\r\n"))
        .startsWith("HTTP/1.1 405")
        .endsWith("{\"error\":\"method DELETE is not allowed; allowed: GET\"}");
    assertThat(ask("nonsense\r\n\r\n")).startsWith("HTTP/1.1 400");
  }

  @Test
  void parametersReachTheAnswer() throws IOException {
    assertThat(ask("POST /v1/echo?a=1&b=x%20y HTTP/1.1\r\nConnection: close\r\n\r\n"))
        .startsWith("HTTP/1.1 200 OK")
        .endsWith("{\"a\":\"1\",\"b\":\"x y\"}");
    assertThat(ask("GET /v1/echo HTTP/1.1\r\nConnection: close\r\n\r\n"))
        .endsWith("{\"error\":\"method GET is not allowed; allowed: POST\"}");
    assertThat(ask("GET /v1/picky?peer=tor9 HTTP/1.1\r\nConnection: close\r\n\r\n"))
        .startsWith("HTTP/1.1 400")
        .endsWith("{\"error\":\"peer: \\\"tor9\\\" is not allowed; allowed: tor1\"}");
  }

  @Test
  void textIsLeftAsItIs() throws IOException {
    assertThat(ask("GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n"))
        .contains("content-type: text/plain\r\n")
        .endsWith("\r\n\r\none 1\n");
  }

  @Test
  void aFailureIsAnAnswerToo() throws IOException {
    assertThat(ask("GET /v1/broken HTTP/1.1\r\nConnection: close\r\n\r\n"))
        .startsWith("HTTP/1.1 500")
        .contains("owner gone");
    assertThat(ask(STATUS)).startsWith("HTTP/1.1 200 OK");
  }

  @Test
  void onlyRootMayOpenItAndNothingIsLeft() throws IOException {
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
        .isEqualTo("rw-------");
    server.close();
    assertThat(socket).doesNotExist();
  }

  @Test
  void aSocketLeftByAKilledAgentIsReplaced() throws IOException {
    server.close();
    Files.createFile(socket);
    start();
    assertThat(ask(STATUS)).startsWith("HTTP/1.1 200 OK");
  }

  private String ask(String request) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII)));
      return new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
