package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdminClientTest {
  @TempDir private Path directory;
  private Path socket;

  @BeforeEach
  void nameSocket() {
    socket = directory.resolve("admin.sock");
  }

  @Test
  void asksOnceAndReadsUntilTheConnectionEnds() {
    try (AdminServer server = AdminServer.answering(socket, "200 OK", "{\"a\":\"Zürich\"}")) {
      assertThat(client().get("/v1/status").path("a").asText()).isEqualTo("Zürich");
      assertThat(server.requests())
          .containsExactly(
              String.join(
                  "\r\n",
                  "GET /v1/status HTTP/1.1",
                  "Host: agent",
                  "Accept: application/json",
                  "Connection: close",
                  "",
                  ""));
    }
  }

  @Test
  void readsAnAnswerOfManyPackets() {
    String body = "[" + "\"0123456789\",".repeat(30_000) + "0]";
    try (AdminServer _ = AdminServer.answering(socket, "200 OK", body)) {
      assertThat(client().get("/v1/routes").size()).isEqualTo(30_001);
    }
  }

  @Test
  void passesOnTheAgentsOwnError() {
    try (AdminServer _ =
        AdminServer.answering(
            socket, "404 Not Found", "{\"error\":\"path /v1/x does not exist\"}")) {
      assertFails(client(), "it answered /v1/x with 404: path /v1/x does not exist");
    }
  }

  @Test
  void refusesWhatIsNotJson() {
    try (AdminServer _ = AdminServer.answering(socket, "502 Bad Gateway", "<html>")) {
      assertFails(
          client(), "it answered /v1/x with something that is not JSON (HTTP/1.1 502 Bad Gateway)");
    }
  }

  @Test
  void refusesWhatIsNotHttp() {
    try (AdminServer _ = new AdminServer(socket, _ -> "SSH-2.0-OpenSSH_9.2\r\n")) {
      assertFails(
          client(), "what listens there does not speak HTTP/1.1; is it the agent's admin socket?");
    }
  }

  @Test
  void noticesATruncatedAnswer() {
    String whole = AdminServer.response("200 OK", "{\"a\":1}");
    try (AdminServer _ = new AdminServer(socket, _ -> whole.substring(0, whole.length() - 3))) {
      assertFails(client(), "the connection ended after 4 of 7 bytes; try again");
    }
  }

  @Test
  void doesNotWaitForEver() {
    try (AdminServer _ = new AdminServer(socket, _ -> "")) {
      assertFails(
          new AdminClient(socket, Duration.ofMillis(50)),
          "no answer within 50ms; see the agent's log, or give it longer by --timeout");
    }
  }

  @Test
  void saysThatThereIsNoSocket() {
    assertThat(client().socketExists()).isFalse();
    assertFails(
        client(),
        "there is no such socket; start wayleave-agent on this host, or name its socket by"
            + " --admin-socket or WAYLEAVE_ADMIN_SOCKET");
  }

  @Test
  void saysThatNobodyListens() throws IOException {
    try (ServerSocketChannel gone = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      gone.bind(UnixDomainSocketAddress.of(socket));
    }
    assertThat(client().socketExists()).as("an agent that was killed leaves its socket").isTrue();
    assertFails(client(), "nothing listens there; start wayleave-agent on this host");
  }

  @Test
  void saysThatThePathIsNoSocket() throws IOException {
    Files.writeString(socket, "a file");
    assertFails(client(), "nothing listens there; start wayleave-agent on this host");
  }

  @Test
  void saysThatThePathIsTooLong() {
    Path tooLong = directory.resolve("x".repeat(120));
    assertThatThrownBy(() -> new AdminClient(tooLong, Duration.ofSeconds(5)).get("/v1/x"))
        .isInstanceOf(CommandFailedException.class)
        .hasMessageStartingWith("no status from the agent at " + tooLong + ": ");
  }

  private AdminClient client() {
    return new AdminClient(socket, Duration.ofSeconds(5));
  }

  private void assertFails(AdminClient client, String why) {
    assertThatThrownBy(() -> client.get("/v1/x"))
        .isInstanceOf(CommandFailedException.class)
        .hasMessage("no status from the agent at " + socket + ": " + why);
  }
}
