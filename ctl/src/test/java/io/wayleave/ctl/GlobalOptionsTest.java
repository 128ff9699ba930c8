package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.model.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GlobalOptionsTest {
  private final NetctlRun netctl = new NetctlRun();

  @ParameterizedTest
  @CsvSource({"500ms,500", "5s,5000", "5,5000", "1m,60000", "10ms,10", "10m,600000"})
  void readsTimes(String text, long millis) {
    assertThat(GlobalOptions.parseTimeout(text)).isEqualTo(Duration.ofMillis(millis));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "0", "9ms", "11m", "601s", "-1s", "1h", "5 s", "PT5S", "1.5s", "9999999999"})
  void refusesOtherTimes(String text) {
    assertThatThrownBy(() -> GlobalOptions.parseTimeout(text))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "\"" + text + "\" is not allowed; allowed: 10ms to 10m, such as 500ms, 5s or 1m");
  }

  @Test
  void writesTimesAsItReadsThem() {
    assertThat(GlobalOptions.text(Duration.ofSeconds(5))).isEqualTo("5s");
    assertThat(GlobalOptions.text(Duration.ofMillis(1500))).isEqualTo("1500ms");
  }

  @Test
  void theVariableNamesTheDatastoreAndAFlagAnother() {
    netctl.run("pool", "list");
    assertThat(netctl.opened().getLast().url()).isEqualTo("etcd://127.0.0.1:2379");
    assertThat(netctl.opened().getLast().options().requestTimeout())
        .isEqualTo(Duration.ofSeconds(5));
    assertThat(netctl.opened().getLast().options().user()).isEmpty();
    netctl.run("pool", "list", "--datastore", "etcd://10.0.0.8");
    assertThat(netctl.opened().getLast().url()).isEqualTo("etcd://10.0.0.8");
  }

  @Test
  void whenNothingNamesADatastoreItIsTheAgents(@TempDir Path directory) throws IOException {
    Path password = Files.writeString(directory.resolve("password"), "s3cret\n");
    Path socket = directory.resolve("admin.sock");
    String answer =
        "{\"url\":\"etcds://10.0.0.7\",\"caFile\":\"/ca\",\"user\":\"ada\",\"passwordFile\":\""
            + password
            + "\",\"later\":1}";
    try (AdminServer agent = AdminServer.answering(socket, "200 OK", answer)) {
      netctl
          .variable("WAYLEAVE_DATASTORE", "")
          .variable("WAYLEAVE_ADMIN_SOCKET", socket.toString())
          .run("pool", "list");
      assertThat(agent.requests()).singleElement().asString().startsWith("GET /v1/datastore ");
      assertThat(netctl.opened().getLast().url()).isEqualTo("etcds://10.0.0.7");
      assertThat(netctl.opened().getLast().options().caFile()).contains(Path.of("/ca"));
      assertThat(netctl.opened().getLast().options().user()).contains("ada");
      assertThat(netctl.opened().getLast().options().password()).contains("s3cret");

      netctl.run("pool", "list", "--datastore-ca", "/mine");
      assertThat(netctl.opened().getLast().options().caFile()).contains(Path.of("/mine"));
      assertThat(netctl.opened().getLast().options().user()).as("all mine or none").isEmpty();

      netctl.run("pool", "list", "--datastore", "etcd://10.0.0.8");
      assertThat(netctl.opened().getLast().url()).isEqualTo("etcd://10.0.0.8");
      assertThat(netctl.opened().getLast().options().user()).isEmpty();
      assertThat(agent.requests()).hasSize(2);
    }
  }

  @Test
  void whenTheAgentTellsOfNoneEitherItSaysHowToNameOne(@TempDir Path directory) {
    Path socket = directory.resolve("admin.sock");
    netctl.variable("WAYLEAVE_DATASTORE", "").variable("WAYLEAVE_ADMIN_SOCKET", socket.toString());
    String line =
        "no datastore is named and this host's agent tells of none; name one by --datastore or"
            + " WAYLEAVE_DATASTORE (no status from the agent at "
            + socket
            + ": ";
    NetctlRun.Result result = netctl.run("pool", "list");
    assertThat(result.code()).isEqualTo(1);
    assertThat(result.out()).isEmpty();
    assertThat(result.err())
        .startsWith("netctl: " + line + "there is no such socket")
        .hasLineCount(1);
    assertThat(netctl.run("version").out()).contains("datastore  none: " + line);
    try (AdminServer _ =
        AdminServer.answering(socket, "404 Not Found", "{\"error\":\"an older agent\"}")) {
      assertThat(netctl.run("pool", "list").err())
          .startsWith("netctl: " + line)
          .contains("an older agent");
    }
    assertThat(netctl.opened()).isEmpty();
  }

  @Test
  void takesOptionsBeforeAndAfterTheCommand() {
    for (String line :
        new String[] {
          "--timeout 7s -o json --datastore etcd://a pool list",
          "pool --timeout 7s -o json --datastore etcd://a list",
          "pool list --timeout 7s -o json --datastore etcd://a"
        }) {
      NetctlRun.Result result = netctl.run(line.split(" "));
      assertThat(result.out()).as(line).startsWith("{");
      assertThat(netctl.opened().getLast().url()).as(line).isEqualTo("etcd://a");
      assertThat(netctl.opened().getLast().options().requestTimeout())
          .as(line)
          .isEqualTo(Duration.ofSeconds(7));
    }
  }

  @Test
  void handsOverCredentialsByFlag(@TempDir Path directory) throws IOException {
    Path password = Files.writeString(directory.resolve("password"), "s3cret\n");
    netctl.run(
        "pool",
        "list",
        "--datastore-ca",
        "/ca",
        "--datastore-cert",
        "/cert",
        "--datastore-key",
        "/key",
        "--datastore-user",
        "ada",
        "--datastore-password-file",
        password.toString());
    assertThat(netctl.opened().getLast().options())
        .satisfies(
            options -> {
              assertThat(options.caFile()).contains(Path.of("/ca"));
              assertThat(options.certificateFile()).contains(Path.of("/cert"));
              assertThat(options.keyFile()).contains(Path.of("/key"));
              assertThat(options.user()).contains("ada");
              assertThat(options.password()).contains("s3cret");
            });
  }

  @Test
  void handsOverCredentialsByEnvironment() {
    netctl
        .variable("WAYLEAVE_DATASTORE_CA", "/ca")
        .variable("WAYLEAVE_DATASTORE_CERT", "/cert")
        .variable("WAYLEAVE_DATASTORE_KEY", "/key")
        .variable("WAYLEAVE_DATASTORE_USER", "ada")
        .variable("WAYLEAVE_DATASTORE_PASSWORD", "s3cret")
        .run("pool", "list");
    assertThat(netctl.opened().getLast().options())
        .satisfies(
            options -> {
              assertThat(options.caFile()).contains(Path.of("/ca"));
              assertThat(options.certificateFile()).contains(Path.of("/cert"));
              assertThat(options.keyFile()).contains(Path.of("/key"));
              assertThat(options.user()).isEqualTo(Optional.of("ada"));
              assertThat(options.password()).contains("s3cret");
            });
  }

  @Test
  void saysWhichHalfOfAPairIsMissing() {
    NetctlRun.Result result = netctl.run("pool", "list", "--datastore-user", "ada");
    assertThat(result)
        .isEqualTo(
            new NetctlRun.Result(
                2,
                "",
                "netctl: --datastore-password-file: \"\" is not allowed; allowed: user and password"
                    + " together, or none\n"));
  }

  @Test
  void saysThatThePasswordFileIsMissing() {
    NetctlRun.Result result =
        netctl.run(
            "pool", "list", "--datastore-user", "ada", "--datastore-password-file", "/no/such");
    assertThat(result)
        .isEqualTo(
            new NetctlRun.Result(1, "", "netctl: the password file /no/such does not exist\n"));
  }
}
