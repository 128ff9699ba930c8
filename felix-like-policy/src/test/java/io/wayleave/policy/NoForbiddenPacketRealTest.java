package io.wayleave.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.policy.dataplane.IptablesBackend;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A container that fires packets from its first instant, and a neighbour that fires at it, while
 * policies change and the agent is killed at any moment and started again. Each packet is a flow of
 * its own. What is forbidden is counted where it would arrive.
 */
@Tag("real")
@ParameterizedClass
@EnumSource(IptablesBackend.class)
final class NoForbiddenPacketRealTest {
  private static final Pattern COUNTED = Pattern.compile("\\[([0-9]+):[0-9]+] .*--dport (9|10)\\b");

  private final IptablesBackend backend;
  private final PacketLab lab = new PacketLab();
  private final List<Process> firing = new ArrayList<>();
  private Optional<Agent> agent = Optional.empty();
  private int changes;

  NoForbiddenPacketRealTest(IptablesBackend backend) {
    this.backend = backend;
  }

  @AfterEach
  void takeDown() throws InterruptedException {
    agent.ifPresent(Agent::kill);
    for (Process process : firing) {
      process.destroyForcibly().waitFor();
    }
    lab.close();
  }

  @Test
  void whilePoliciesChangeAndTheAgentDies() throws Exception {
    fireThrough(2);
  }

  @Test
  @Tag("full")
  void whilePoliciesChangeAndTheAgentDiesOften() throws Exception {
    fireThrough(25);
  }

  private void fireThrough(int kills) throws Exception {
    // Flows end soon, or the table of them would be full of the fired ones.
    lab.in(lab.host(), "sysctl", "-q", "-w", "net.netfilter.nf_conntrack_udp_timeout=1");
    count(lab.outside());
    Random random = new Random(1);
    lab.addContainer(1, Map.of());
    agent = Optional.of(new Agent("1"));
    count(lab.container(1));
    fire(lab.container(1), PacketLab.OUTSIDE_V4, PacketLab.OUTSIDE_V6);
    fire(lab.outside(), PacketLab.v4(1), PacketLab.v6(1));
    // One that fires before anybody knows it: nothing of it arrives then.
    lab.addContainer(2, Map.of());
    fire(lab.container(2), PacketLab.OUTSIDE_V4, PacketLab.OUTSIDE_V6);
    agent.get().expect("changed 1");
    agent.get().order("add 2");
    agent.get().expect("added 2");
    for (int kill = 0; kill < kills; kill++) {
      int until = 2 + random.nextInt(6);
      for (int change = 0; change < until; change++) {
        agent.get().expect("changed ");
        changes++;
      }
      // In the middle of whatever it does.
      Thread.sleep(random.nextInt(60));
      agent.get().kill();
      agent = Optional.of(new Agent("1,2"));
    }
    agent.get().expect("changed 2");

    for (String where : List.of(lab.outside(), lab.container(1))) {
      for (String family : List.of("iptables", "ip6tables")) {
        assertThat(counted(where, family, 9)).as("forbidden, %s at %s", family, where).isZero();
        assertThat(counted(where, family, 10)).as("allowed, %s at %s", family, where).isPositive();
      }
    }
    assertThat(changes).isGreaterThanOrEqualTo(2 * kills);

    // The control: it is policy that stops them, and nothing else.
    agent.get().kill();
    agent = Optional.empty();
    try (RunningEngine open = RunningEngine.inSync(lab.config().withBackend(backend))) {
      open.program(lab.endpoint(1, Map.of()));
      for (String where : List.of(lab.outside(), lab.container(1))) {
        for (String family : List.of("iptables", "ip6tables")) {
          assertThat(lab.answersSoon(() -> counted(where, family, 9) > 0))
              .as("%s at %s", family, where)
              .isTrue();
        }
      }
    }
  }

  private void count(String namespace) {
    for (String family : List.of("iptables-nft", "ip6tables-nft")) {
      for (String port : List.of("9", "10")) {
        lab.in(namespace, family, "-A", "INPUT", "-p", "udp", "--dport", port);
      }
    }
  }

  private long counted(String namespace, String family, int port) {
    return lab.in(namespace, family + "-nft-save", "-c", "-t", "filter")
        .lines()
        .map(COUNTED::matcher)
        .filter(Matcher::find)
        .filter(matcher -> Integer.parseInt(matcher.group(2)) == port)
        .mapToLong(matcher -> Long.parseLong(matcher.group(1)))
        .sum();
  }

  /** Each packet from a port of its own; ends by itself if it is forgotten. */
  private void fire(String namespace, String v4, String v6) throws IOException {
    StringBuilder round = new StringBuilder();
    for (String to : List.of(v4, v6)) {
      for (int port : new int[] {9, 10}) {
        round.append("echo x >/dev/udp/").append(to).append('/').append(port).append("; ");
      }
    }
    firing.add(
        new ProcessBuilder(
                "nsenter",
                "--net=/run/netns/" + namespace,
                "nice",
                "-n",
                "15",
                "bash",
                "-c",
                // Bash itself is the process that is ended: a program between would leave it
                // behind.
                "while [ $SECONDS -lt 300 ]; do " + round + "done 2>/dev/null")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start());
  }

  /** {@link ChangingAgent}, in force. */
  private final class Agent {
    private final Process process;
    private final BufferedReader said;
    private final BufferedWriter orders;

    Agent(String containers) throws IOException {
      process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-XX:TieredStopAtLevel=1",
                  "-XX:+UseSerialGC",
                  "--enable-native-access=ALL-UNNAMED",
                  "-cp",
                  System.getProperty("java.class.path"),
                  ChangingAgent.class.getName(),
                  "/run/netns/" + lab.host(),
                  backend.name(),
                  containers)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      said = process.inputReader(StandardCharsets.UTF_8);
      orders =
          new BufferedWriter(
              new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
      expect("in force");
    }

    void order(String line) throws IOException {
      orders.write(line + "\n");
      orders.flush();
    }

    /** Waits until it says so; that it ends instead is a failure. */
    void expect(String start) throws IOException {
      String line = said.readLine();
      while (line != null && !line.startsWith(start)) {
        line = said.readLine();
      }
      assertThat(line).as("the agent says " + start).isNotNull();
    }

    void kill() {
      process.destroyForcibly();
      try {
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
