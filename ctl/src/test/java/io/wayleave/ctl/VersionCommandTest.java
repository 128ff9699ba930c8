package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Keys;
import io.wayleave.datastore.Transaction;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VersionCommandTest {
  private static final String OWN = BuildVersion.own();

  @TempDir private Path directory;
  private final NetctlRun netctl = new NetctlRun();
  private Path socket;

  @BeforeEach
  void nameSocket() {
    socket = directory.resolve("admin.sock");
    netctl.variable("WAYLEAVE_ADMIN_SOCKET", socket.toString());
  }

  @Test
  void theBuildWroteAVersion() {
    assertThat(OWN).matches("[0-9]+\\.[0-9]+\\.[0-9]+.*");
  }

  @Test
  void showsEverythingThatHasAVersion() {
    netctl
        .datastore()
        .commit(
            Transaction.builder()
                .put(
                    Keys.presence("r1h1"),
                    "{\"version\":\"0.0.9\",\"since\":\"2026-11-24T15:00:00Z\"}")
                .build(),
            netctl.datastore().deadline());
    try (AdminServer _ = AdminServer.answering(socket, "200 OK", NodeCommandTest.STATUS)) {
      assertThat(netctl.run("version"))
          .isEqualTo(
              new NetctlRun.Result(
                  0,
                  """
                  netctl     %s
                  agent      0.1.0 on this host, node r1h1
                  datastore  etcd://127.0.0.1:2379 reachable

                  NODE  AGENT  SINCE
                  r1h1  0.0.9  2026-11-24T15:00:00Z
                  """
                      .formatted(OWN),
                  ""));
      assertThat(netctl.run("version", "-o", "yaml").out())
          .isEqualTo(
              """
              netctl: %s
              agent:
                socket: %s
                running: true
                version: 0.1.0
                node: r1h1
              datastore:
                url: etcd://127.0.0.1:2379
                reachable: true
              agents:
              - node: r1h1
                version: 0.0.9
                since: 2026-11-24T15:00:00Z
              """
                  .formatted(OWN, socket));
    }
  }

  @Test
  void whatCannotBeReachedIsPartOfTheAnswer() {
    netctl.datastore().disconnect();
    NetctlRun.Result result = netctl.run("version");
    assertThat(result.code()).isZero();
    assertThat(result.err()).isEmpty();
    assertThat(result.out())
        .startsWith(
            "netctl     "
                + OWN
                + "\nagent      none on this host (no socket "
                + socket
                + ")\ndatastore  etcd://127.0.0.1:2379 not reachable: ");
    assertThat(netctl.run("version", "-o", "json").out())
        .contains("\"reachable\": false")
        .contains("\"running\": false");
  }

  @Test
  void anAgentThatDoesNotAnswerIsPartOfTheAnswer() {
    try (AdminServer _ = AdminServer.answering(socket, "500 Oops", "{\"error\":\"broken\"}")) {
      assertThat(netctl.run("version").out())
          .contains(
              "agent      no status from the agent at "
                  + socket
                  + ": it answered /v1/status with 500: broken\n");
    }
  }

  @Test
  void asksNobodyWhenToldSo() {
    assertThat(netctl.run("version", "--client"))
        .isEqualTo(new NetctlRun.Result(0, "netctl     " + OWN + "\n", ""));
    assertThat(netctl.opened()).isEmpty();
  }
}
