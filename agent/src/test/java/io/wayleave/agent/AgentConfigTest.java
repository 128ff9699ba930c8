package io.wayleave.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.bgp.daemon.LogSetup;
import io.wayleave.model.Asn;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Protocol;
import io.wayleave.model.policy.FailsafePort;
import io.wayleave.model.policy.WorkloadToHost;
import io.wayleave.model.status.DatastoreAccess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AgentConfigTest {
  @TempDir Path dir;

  @Test
  void hasDefaultsWithoutAFile() throws IOException {
    AgentConfig config =
        AgentConfig.load(dir.resolve("none"), false, Map.of()).withNodeNameIfAbsent("host1");
    assertThat(config.nodeName()).isEqualTo("host1");
    assertThat(config.datastore()).isEqualTo("embedded:/var/lib/wayleave/datastore");
    assertThat(load("stateDir: /elsewhere", Map.of()).datastore())
        .isEqualTo("embedded:/elsewhere/datastore");
    assertThat(load("", Map.of("WAYLEAVE_DATASTORE", "etcd://a")).datastore())
        .isEqualTo("etcd://a");
    assertThat(config.agentSocket()).isEqualTo(Path.of("/run/wayleave/agent.sock"));
    assertThat(config.addTimeoutSeconds()).isEqualTo(10);
    assertThat(config.iptablesBackend()).isEqualTo(AgentConfig.IptablesBackend.auto);
  }

  @Test
  void theShippedSampleIsReadAndEqualsTheDefaults() throws IOException {
    Path root = Path.of(System.getenv("WAYLEAVE_SOURCE_ROOT"));
    AgentConfig sample = AgentConfig.load(root.resolve("packaging/etc/agent.yaml"), true, Map.of());
    assertThat(sample).isEqualTo(AgentConfig.load(dir.resolve("none"), false, Map.of()));
  }

  @Test
  void readsEveryFieldAndLetsTheEnvironmentOverride() throws IOException {
    String yaml =
        """
        nodeName: r1h1
        datastore: etcd://10.90.0.2:2379
        ipv4Address: 10.90.1.11
        ipv6Address: fd90:1::11
        asNumber: 4200010001
        labels: {rack: "1"}
        agentSocket: /run/x/agent.sock
        adminSocket: /run/x/admin.sock
        stateDir: /var/lib/x
        addTimeoutSeconds: 7
        gcIntervalSeconds: 0
        gcGraceSeconds: 9
        iptablesBackend: legacy
        workloadToHostAction: Drop
        failsafeInbound: ["tcp:2222"]
        failsafeOutbound: []
        logDeniedPackets: true
        removeEstablished: false
        logLevel: debug
        logFormat: json
        """;
    AgentConfig config = load(yaml, Map.of());
    assertThat(config.labels()).containsExactly(Map.entry("rack", "1"));
    assertThat(config.ipv6Address()).contains(IpAddress.parse("fd90:1::11"));
    assertThat(config.logFormat()).isEqualTo(LogSetup.Format.json);
    assertThat(config.gcIntervalSeconds()).isZero();
    assertThat(config.gcGraceSeconds()).isEqualTo(9);
    assertThat(config.workloadToHostAction()).isEqualTo(WorkloadToHost.Drop);
    assertThat(config.failsafeInbound()).containsExactly(new FailsafePort(Protocol.TCP, 2222));
    assertThat(config.failsafeOutbound()).isEmpty();
    assertThat(config.logDeniedPackets()).isTrue();
    assertThat(config.removeEstablished()).isFalse();
    assertThat(config.hostRules().removeEstablished()).isFalse();
    assertThat(load("nodeName: r1h1", Map.of()).hostRules().removeEstablished()).isTrue();
    assertThat(load(yaml, Map.of("WAYLEAVE_REMOVE_ESTABLISHED", "true")).removeEstablished())
        .isTrue();

    AgentConfig overridden =
        load(
            yaml,
            Map.of(
                "WAYLEAVE_NODE_NAME", "other",
                "WAYLEAVE_AS_NUMBER", "65001",
                "WAYLEAVE_LABELS", "rack=2,zone=b",
                "WAYLEAVE_ADD_TIMEOUT_SECONDS", "30",
                "WAYLEAVE_LOG_LEVEL", ""));
    assertThat(overridden.nodeName()).isEqualTo("other");
    assertThat(overridden.asNumber()).contains(new Asn(65001));
    assertThat(overridden.labels()).containsOnly(Map.entry("rack", "2"), Map.entry("zone", "b"));
    assertThat(overridden.addTimeoutSeconds()).isEqualTo(30);
    assertThat(overridden.logLevel()).isEqualTo(LogSetup.Level.debug);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nodename: x                 | nodename: \"x\" is not allowed; allowed: one of the fields"
            + " that exist here: addTimeoutSeconds,",
        "ipv4Address: fd00::1        | ipv4Address: \"fd00::1\" is not allowed; allowed: an IPV4"
            + " address",
        "ipv4Address: 10.0.0         | ipv4Address: \"10.0.0\" is not allowed",
        "asNumber: 0                 | asNumber: \"0\" is not allowed; allowed: an AS number of 1"
            + " to 4294967295",
        "agentSocket: run/a.sock     | agentSocket: \"run/a.sock\" is not allowed; allowed: an"
            + " absolute path",
        "addTimeoutSeconds: 301      | addTimeoutSeconds: \"301\" is not allowed; allowed: 1 to 300"
            + " seconds",
        "addTimeoutSeconds: soon     | addTimeoutSeconds: \"soon\" is not allowed; allowed: a"
            + " number",
        "gcIntervalSeconds: -1       | gcIntervalSeconds: \"-1\" is not allowed; allowed: 0 to"
            + " 86400 seconds",
        "gcGraceSeconds: 86401       | gcGraceSeconds: \"86401\" is not allowed; allowed: 0 to"
            + " 86400 seconds",
        "iptablesBackend: bpf        | iptablesBackend: \"bpf\" is not allowed; allowed: auto, nft,"
            + " legacy",
        "workloadToHostAction: Deny  | workloadToHostAction: \"Deny\" is not allowed; allowed:"
            + " Return, Accept, Drop",
        "failsafeInbound: [ssh]      | failsafeInbound[0]: \"ssh\" is not allowed; allowed: tcp,",
        "failsafeOutbound: ['icmp:1'] | failsafeOutbound[0]: \"icmp:1\" is not allowed",
        "logDeniedPackets: maybe     | logDeniedPackets: \"maybe\" is not allowed; allowed: true"
            + " or false",
        "removeEstablished: later    | removeEstablished: \"later\" is not allowed; allowed: true"
            + " or false",
        "labels: [a]                 | labels: ",
        "labels: {'a b': c}          | labels: \"a b\" is not allowed",
        "nodeName: a/b               | nodename",
        "just text                   | allowed: an object with the fields of the agent",
        "nodeName: [                 | allowed: well-formed YAML or JSON",
      })
  void refusesNamingTheField(String yaml, String message) {
    assertThatThrownBy(() -> load(yaml, Map.of()))
        .isInstanceOf(InvalidInputException.class)
        .message()
        .containsIgnoringCase(message);
  }

  @Test
  void refusesAFileThatWasNamedAndIsNotThere() {
    assertThatThrownBy(() -> AgentConfig.load(dir.resolve("none"), true, Map.of()))
        .hasMessage(
            "config: \"" + dir.resolve("none") + "\" is not allowed; allowed: a file that exists");
  }

  @Test
  void credentialsForTheDatastoreComeTogetherOrNotAtAll() throws IOException {
    Path password = dir.resolve("password");
    Files.writeString(password, "secret\n");
    AgentConfig config =
        load(
            "datastoreCa: /ca.pem\ndatastoreUser: agent\ndatastorePasswordFile: " + password,
            Map.of("WAYLEAVE_DATASTORE_CERT", "/c.pem", "WAYLEAVE_DATASTORE_KEY", "/k.pem"));
    assertThat(config.datastoreOptions().password()).contains("secret");
    assertThat(config.datastoreOptions().caFile()).contains(Path.of("/ca.pem"));
    assertThat(config.datastoreOptions().keyFile()).contains(Path.of("/k.pem"));
    assertThat(config.datastoreAccess())
        .isEqualTo(
            new DatastoreAccess(
                "embedded:/var/lib/wayleave/datastore",
                Optional.of("/ca.pem"),
                Optional.of("/c.pem"),
                Optional.of("/k.pem"),
                Optional.of("agent"),
                Optional.of(password.toString())));
    assertThat(load("datastoreCa: ca.pem", Map.of()).datastoreAccess().caFile().orElseThrow())
        .as("whoever asks has another working directory")
        .startsWith("/")
        .endsWith("/ca.pem");
    AgentConfig userAlone = load("datastoreUser: agent", Map.of());
    assertThatThrownBy(userAlone::datastoreOptions)
        .hasMessage(
            "datastorePasswordFile: \"\" is not allowed; allowed: datastoreUser and"
                + " datastorePasswordFile together, or none");
    AgentConfig noFile = load("datastoreUser: a\ndatastorePasswordFile: /nowhere", Map.of());
    assertThatThrownBy(noFile::datastoreOptions)
        .hasMessageContaining("datastorePasswordFile: \"/nowhere\" is not allowed");
  }

  @Test
  void namesTheVariableOfAField() {
    assertThat(AgentConfig.variable("nodeName")).isEqualTo("WAYLEAVE_NODE_NAME");
    assertThat(AgentConfig.variable("ipv4Address")).isEqualTo("WAYLEAVE_IPV4_ADDRESS");
    assertThatThrownBy(() -> load("{}", Map.of("WAYLEAVE_LABELS", "x")))
        .hasMessageContaining(
            "WAYLEAVE_LABELS: \"x\" is not allowed; allowed: key=value, separated by commas");
  }

  private AgentConfig load(String yaml, Map<String, String> environment) throws IOException {
    Path file = dir.resolve("agent.yaml");
    Files.writeString(file, yaml);
    return AgentConfig.load(file, true, environment);
  }
}
