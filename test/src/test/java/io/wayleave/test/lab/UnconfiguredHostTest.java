package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.status.AgentStatus;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A host on which nobody configured anything: agent, netctl and CNI plugin as the build leaves
 * them. It has namespaces of its own for the network and for mounts, in which {@code /run} and
 * {@code /var/lib/wayleave} are empty and go with the test.
 */
@Tag("lab")
class UnconfiguredHostTest {
  private static final Duration READY = Duration.ofMinutes(1);
  private static final Duration SOON = Duration.ofSeconds(20);

  private static final String HOST =
      """
      set -e
      ip link set lo up
      ip link add uplink type veth peer name far
      ip link set uplink up
      ip link set far up
      ip address add 192.0.2.1/24 dev uplink
      ip route add default via 192.0.2.2
      mount -t tmpfs tmpfs /run
      mkdir /run/upper /run/work
      mount -t overlay overlay -o lowerdir=/var/lib,upperdir=/run/upper,workdir=/run/work /var/lib
      mkdir -p /var/lib/wayleave
      mount -t tmpfs tmpfs /var/lib/wayleave
      [ ! -d /etc/wayleave ] || mount -t tmpfs tmpfs /etc/wayleave
      echo $$
      exec sleep 3600
      """;

  @TempDir private Path directory;
  private final List<Process> processes = new ArrayList<>();
  private final Installation tree = Installation.find();
  private long host;

  @BeforeEach
  void makeHost() throws IOException {
    Process process =
        start(List.of("unshare", "--net", "--mount", "--fork", "--kill-child", "sh", "-c", HOST));
    BufferedReader output = process.inputReader();
    String pid = output.readLine();
    assertThat(pid).as("the host's first process").isNotNull();
    host = Long.parseLong(pid);
  }

  @AfterEach
  void removeHost() throws Exception {
    for (Process process : processes.reversed()) {
      process.destroyForcibly();
      assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void agentAndNetctlWorkAsTheyComeAndARestartElsewhereKeepsEverything() throws Exception {
    assertThat(netctl("pool", "list").err())
        .contains("no datastore is named")
        .contains("name one by --datastore or WAYLEAVE_DATASTORE")
        .contains("/run/wayleave/admin.sock");

    Process agent = startAgent();
    assertThat(
            PosixFilePermissions.toString(
                Files.getPosixFilePermissions(file("/run/wayleave/admin.sock"))))
        .as("who may ask where the datastore is")
        .isEqualTo("rw-------");
    assertThat(AdminSocket.get(file("/run/wayleave/admin.sock"), "/v1/datastore", SOON))
        .isEqualTo("{\"url\":\"embedded:/var/lib/wayleave/datastore\"}");
    assertThat(check(netctl("node", "list"))).contains("192.0.2.1").contains("Ready");
    assertThat(check(netctl("pool", "create", "containers", "--cidr", "10.244.0.0/16")))
        .isEqualTo("IPPool containers created\n");
    String _ = inside("ip", "netns", "add", "c1").check();
    Command.Result added = cni("ADD");
    assertThat(added.succeeded()).as(added.text()).isTrue();
    assertThat(Json.read("wayleave", added.out()).at("/ips/0/address").asText())
        .startsWith("10.244.");
    assertThat(pingsTheHost()).isTrue();

    String port = port();
    agent.destroy();
    assertThat(agent.waitFor(20, TimeUnit.SECONDS)).isTrue();
    String url = "embedded:/var/lib/wayleave/datastore";
    assertThat(netctl("--datastore", url, "pool", "list").err())
        .contains(url + " is served by no process");
    Process squatter = start(words("busybox", "nc", "-l", "-p", port));
    Await.until("port " + port + " is taken", SOON, () -> listens(squatter, port), () -> port);

    Process _ = startAgent();
    assertThat(port()).isNotEqualTo(port);
    assertThat(check(netctl("pool", "list"))).contains("10.244.0.0/16");
    assertThat(check(netctl("endpoint", "list"))).contains("10.244.");
    assertThat(pingsTheHost()).isTrue();
    Command.Result deleted = cni("DEL");
    assertThat(deleted.succeeded()).as(deleted.text()).isTrue();
    assertThat(check(netctl("endpoint", "list"))).doesNotContain("10.244.");
  }

  private Process startAgent() throws IOException {
    Path log = directory.resolve("agent.log");
    List<String> command = words(tree.agent().toString());
    Process agent =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    processes.add(agent);
    Await.until(
        "the agent takes containers",
        READY,
        () -> !agent.isAlive() || status().filter(AgentStatus::ready).isPresent(),
        () -> Daemons.tail(log));
    assertThat(agent.isAlive()).as(Daemons.tail(log)).isTrue();
    return agent;
  }

  private Optional<AgentStatus> status() {
    try {
      return Optional.of(
          ResourceCodec.jsonMapper()
              .readValue(
                  AdminSocket.get(
                      file("/run/wayleave/admin.sock"), "/v1/status", Duration.ofSeconds(5)),
                  AgentStatus.class));
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private Command.Result netctl(String... arguments) {
    List<String> argv = new ArrayList<>(List.of(tree.netctl().toString(), "--timeout", "20s"));
    argv.addAll(List.of(arguments));
    return inside(argv.toArray(String[]::new)).within(Duration.ofMinutes(1)).run();
  }

  private static String check(Command.Result result) {
    assertThat(result.succeeded()).as(result.text()).isTrue();
    return result.out();
  }

  private Command.Result cni(String verb) {
    return inside(
            "env",
            "CNI_COMMAND=" + verb,
            "CNI_CONTAINERID=c1",
            "CNI_NETNS=/run/netns/c1",
            "CNI_IFNAME=eth0",
            "CNI_PATH=" + tree.cniPlugin().getParent(),
            tree.cniPlugin().toString())
        .input("{\"cniVersion\":\"1.0.0\",\"name\":\"wayleave\",\"type\":\"wayleave\"}")
        .run();
  }

  private boolean pingsTheHost() {
    return inside(
            "nsenter",
            "--net=/run/netns/c1",
            "ping",
            "-n",
            "-c",
            "3",
            "-i",
            "0.2",
            "-W",
            "2",
            "192.0.2.1")
        .run()
        .succeeded();
  }

  private String port() throws IOException {
    return Files.readString(file("/var/lib/wayleave/datastore/port")).strip();
  }

  /** On any address: that is how busybox does it, and it takes the port of loopback as well. */
  private static boolean listens(Process process, String port) {
    Pattern listening = Pattern.compile(":%04X 0+:0000 0A ".formatted(Integer.parseInt(port)));
    return Stream.of("tcp", "tcp6")
        .map(table -> Path.of("/proc/" + process.pid() + "/net/" + table))
        .anyMatch(
            table -> {
              try {
                return listening.matcher(Files.readString(table)).find();
              } catch (IOException e) {
                return false;
              }
            });
  }

  /** A file of the host as it is seen from here. */
  private Path file(String name) {
    return Path.of("/proc/" + host + "/root" + name);
  }

  private Command inside(String... argv) {
    return Command.of(words(argv));
  }

  /** A command on the host, with nothing of the test's environment. */
  private List<String> words(String... argv) {
    List<String> words =
        new ArrayList<>(
            List.of("nsenter", "-t", Long.toString(host), "--mount", "--net", "env", "-i"));
    for (String name : List.of("PATH", "JAVA_HOME")) {
      Optional.ofNullable(System.getenv(name)).ifPresent(value -> words.add(name + "=" + value));
    }
    words.addAll(List.of(argv));
    return words;
  }

  private Process start(List<String> command) throws IOException {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    processes.add(process);
    return process;
  }
}
