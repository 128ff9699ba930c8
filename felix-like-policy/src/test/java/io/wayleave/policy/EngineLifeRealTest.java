package io.wayleave.policy;

import static io.wayleave.policy.Fixtures.policy;
import static io.wayleave.policy.PacketLab.OUTSIDE_V4;
import static io.wayleave.policy.PacketLab.v4;
import static io.wayleave.policy.PacketLab.v6;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.dataplane.IptablesBackend;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Start, restart and repair of the engine on a real kernel, with packets under way. */
@Tag("real")
@ParameterizedClass
@EnumSource(IptablesBackend.class)
final class EngineLifeRealTest {
  private static final GlobalNetworkPolicy CLIENTS_ONLY =
      policy(
          "clients-only",
          """
          selector: role == 'server'
          ingress:
          - action: Allow
            source: {selector: role == 'client'}
          """);

  private final IptablesBackend backend;
  private final String iptables;
  private final PacketLab lab = new PacketLab();
  private RunningEngine engine;

  EngineLifeRealTest(IptablesBackend backend) {
    this.backend = backend;
    this.iptables = PacketLab.program(backend);
  }

  @AfterEach
  void takeDown() {
    if (engine != null) {
      engine.close();
    }
    lab.close();
  }

  @Test
  void beforeInSyncNothingPassesAndAddWaits() {
    WorkloadEndpoint one = lab.addContainer(1, Map.of());
    engine = RunningEngine.beforeInSync(config());
    CompletableFuture<Void> programmed = engine.engine().program(one).toCompletableFuture();
    engine.resync();
    assertThat(programmed).isNotDone();
    assertThat(lab.tcp(lab.container(1), OUTSIDE_V4, 80)).isFalse();

    engine.becomeInSync();
    RunningEngine.await(programmed);
    assertOpenFromOutside(true);
  }

  @Test
  void aRestartKeepsPolicyInForceWithoutAGap() {
    WorkloadEndpoint server = lab.addContainer(1, Map.of("role", "server"));
    WorkloadEndpoint client = lab.addContainer(2, Map.of("role", "client"));
    engine = RunningEngine.inSync(config());
    engine.put(CLIENTS_ONLY);
    engine.program(server, client);
    List<String> rules = ruleLines();

    CompletableFuture<String> allowed = pings(lab.container(2), v4(1));
    CompletableFuture<String> allowed6 = pings(lab.container(2), v6(1));
    CompletableFuture<String> denied = pings(lab.outside(), v4(1));
    engine.close();
    assertThat(ruleLines()).isEqualTo(rules);
    engine = RunningEngine.beforeInSync(config());
    assertThat(ruleLines()).isEqualTo(rules);
    // Half of what there is: acting on it would cut the client off.
    engine.tell(CLIENTS_ONLY);
    engine.tell(server);
    engine.resync();
    assertThat(ruleLines()).isEqualTo(rules);
    engine.tell(client);
    engine.becomeInSync();
    assertThat(ruleLines()).isEqualTo(rules);

    assertThat(allowed.join()).contains(" 0% packet loss");
    assertThat(allowed6.join()).contains(" 0% packet loss");
    assertThat(denied.join()).contains("100% packet loss");
    // The control of the last line: that flow is stopped by the policy and nothing else.
    engine.deletePolicy("clients-only");
    assertOpenFromOutside(true);
  }

  @Test
  void whatAnEarlierAgentLeftIsSweptInSyncOnly() {
    lab.in(lab.host(), iptables, "-N", "wl-in-stale");
    lab.in(lab.host(), "ipset", "create", "wl-4-stale", "hash:net", "family", "inet");
    lab.in(lab.host(), iptables, "-N", "wl-fw-stale");
    lab.in(
        lab.host(),
        iptables,
        "-A",
        "wl-fw-stale",
        "-m",
        "set",
        "--match-set",
        "wl-4-stale",
        "src",
        "-j",
        "wl-in-stale");
    lab.in(lab.host(), iptables, "-N", "others");
    lab.in(lab.host(), "ipset", "create", "others", "hash:net", "family", "inet");

    engine = RunningEngine.beforeInSync(config());
    engine.resync();
    assertThat(lab.filter(backend)).contains(":wl-fw-stale ", ":wl-in-stale ");
    assertThat(sets()).contains("wl-4-stale");

    engine.becomeInSync();
    assertThat(lab.filter(backend)).doesNotContain("stale").contains(":others ");
    // The kernel may hold the set a moment longer than the rule; the engine tries again by itself.
    assertThat(lab.answersSoon(() -> !sets().contains("wl-4-stale"))).isTrue();
    assertThat(sets()).contains("others");
  }

  @Test
  void whatOthersDoIsRepairedWithinASecond() {
    protectedServer(config());
    List<String> ours = ourLines();
    String save = iptables + "-save -t filter";
    damage(
        ours,
        "our jump is gone",
        save + " | sed -n 's/^-A FORWARD/-D FORWARD/p' | grep wl-FORWARD | xargs " + iptables);
    damage(ours, "a rule was put before our jump", iptables + " -I FORWARD -j ACCEPT");
    damage(ours, "our chain has no rules", iptables + " -F wl-to-wl");
    damage(ours, "our chain has another rule", iptables + " -I wl-to-wl 1 -g wl-allow");
    damage(ours, "everything is gone", iptables + " -F; " + iptables + " -X");
    damage(ours, "the table was replaced", "echo '*filter\nCOMMIT' | " + iptables + "-restore");
    damage(
        ours,
        "the table was replaced by one with other rules",
        save + " | grep -v ' wl-' | grep -v '^:wl-' | " + iptables + "-restore");
    damage(ours, "only the other family's table is damaged", iptables.replace("ip", "ip6") + " -F");
    String set = sets().lines().filter(name -> name.startsWith("wl-4n-")).findFirst().orElseThrow();
    damage(ours, "everything is gone again", iptables + " -F; " + iptables + " -X");
    damage(ours, "a set has another member", "ipset add " + set + " 192.0.2.0/24");
    assertThat(lab.in(lab.host(), "ipset", "save", set)).doesNotContain("192.0.2.0");
    assertOpenFromOutside(false);
  }

  @Test
  void aResyncRepairsWhatNothingTells() {
    protectedServer(config());
    lab.addContainer(2, Map.of());
    engine.program(
        Fixtures.endpoint("n1", "c2", PacketLab.interfaceOf(2), Map.of("role", "client"), v4(2)));
    String set = sets().lines().filter(name -> name.startsWith("wl-4n-")).findFirst().orElseThrow();
    assertThat(lab.in(lab.host(), "ipset", "save", set)).contains("add " + set + " " + v4(2));
    lab.in(
        lab.host(),
        "sh",
        "-c",
        "printf 'add %s 192.0.2.2\ndel %s %s\n' "
            + set
            + " "
            + set
            + " "
            + v4(2)
            + " | ipset restore");
    assertOpenFromOutside(true);
    engine.resync();
    assertOpenFromOutside(false);
    assertThat(lab.in(lab.host(), "ipset", "save", set)).contains("add " + set + " " + v4(2));
  }

  @Test
  void itResyncsByItself() {
    protectedServer(config().withResyncInterval(Duration.ofMillis(300)));
    lab.in(lab.host(), iptables, "-F", "FORWARD");
    assertThat(lab.answersSoon(() -> lab.filter(backend).contains("-j wl-FORWARD"))).isTrue();
    assertOpenFromOutside(false);
  }

  @Test
  void theBackEndOfTheHostIsChosen() {
    for (int i = 0; i < 3; i++) {
      lab.in(lab.host(), iptables, "-A", "INPUT", "-p", "tcp", "--dport", "1" + i, "-j", "ACCEPT");
    }
    PolicyConfig config = lab.config();
    assertThat(config.backend()).isEmpty();
    protectedServer(config);
    assertThat(lab.filter(backend)).contains("-A FORWARD", "-j wl-FORWARD");
    assertOpenFromOutside(false);

    // A restart goes on with what it left, although the other back end has more rules now.
    IptablesBackend other =
        backend == IptablesBackend.NFT ? IptablesBackend.LEGACY : IptablesBackend.NFT;
    for (int i = 0; i < 50; i++) {
      lab.in(
          lab.host(),
          PacketLab.program(other),
          "-A",
          "INPUT",
          "-p",
          "udp",
          "--dport",
          Integer.toString(2000 + i),
          "-j",
          "ACCEPT");
    }
    engine.close();
    engine = RunningEngine.inSync(config);
    assertThat(lab.filter(other)).doesNotContain("wl-");
  }

  @Test
  void changingTheBackEndLeavesNothingInTheOther() {
    IptablesBackend other =
        backend == IptablesBackend.NFT ? IptablesBackend.LEGACY : IptablesBackend.NFT;
    WorkloadEndpoint server = lab.addContainer(1, Map.of("role", "server"));
    engine = RunningEngine.inSync(lab.config().withBackend(other));
    engine.program(server);
    engine.close();
    engine = RunningEngine.inSync(config());
    assertThat(lab.filter(other)).doesNotContain("wl-");
    // The old rules would drop what they do not know.
    engine.program(server);
    assertOpenFromOutside(true);
    engine.put(CLIENTS_ONLY);
    assertOpenFromOutside(false);
  }

  /** What others did since its last table is seen by a program that goes on. */
  @Test
  void theProgramThatWaitsForTheNextTableEndsWithTheEngine() {
    protectedServer(config());
    assertThat(lab.answersSoon(() -> programsInHost().size() == 2)).isTrue();
    List<ProcessHandle> waiting = programsInHost();
    lab.in(lab.host(), iptables, "-I", "FORWARD", "-j", "ACCEPT");
    engine.resync();
    assertOpenFromOutside(false);

    // One that was killed is no failure, and the next write is made.
    programsInHost().forEach(ProcessHandle::destroyForcibly);
    assertThat(lab.answersSoon(() -> waiting.stream().noneMatch(ProcessHandle::isAlive))).isTrue();
    engine.deletePolicy("clients-only");
    assertOpenFromOutside(true);

    engine.put(CLIENTS_ONLY);
    assertThat(programsInHost()).hasSize(2);
    engine.close();
    assertThat(programsInHost()).isEmpty();
  }

  /** Our own children that are in the host's namespace. */
  private List<ProcessHandle> programsInHost() {
    return lab.in(lab.outside(), "ip", "netns", "pids", lab.host())
        .lines()
        .flatMap(pid -> ProcessHandle.of(Long.parseLong(pid)).stream())
        .filter(process -> process.parent().equals(Optional.of(ProcessHandle.current())))
        .toList();
  }

  @Test
  void aDeletedEndpointLeavesNothing() {
    protectedServer(config());
    assertThat(lab.filter(backend)).contains("wl-in-", "wl-gi-clients-only");
    engine.engine().forget(Fixtures.endpoint("n1", "c1", "wl1", Map.of()).name());
    engine.settle();
    assertThat(lab.filter(backend)).doesNotContain("wl-in-").doesNotContain("wl-gi-");
    assertThat(
            lab.answersSoon(
                () ->
                    sets()
                        .lines()
                        .filter(name -> name.startsWith("wl-"))
                        .allMatch(name -> name.endsWith("-endpoints"))))
        .isTrue();
    assertThat(lab.in(lab.host(), "ipset", "save")).doesNotContain("add wl-");
    assertOpenFromOutside(false);
  }

  /** Container 1, which only clients may reach. */
  private void protectedServer(PolicyConfig config) {
    WorkloadEndpoint server = lab.addContainer(1, Map.of("role", "server"));
    engine = RunningEngine.inSync(config);
    engine.program(server);
    assertOpenFromOutside(true);
    engine.put(CLIENTS_ONLY);
    assertOpenFromOutside(false);
  }

  /**
   * Others run a script in the host's namespace; the resync, every ten minutes, has no part in it.
   */
  private void damage(List<String> ours, String what, String script) {
    String set = lab.in(lab.host(), "ipset", "save");
    lab.in(lab.host(), "bash", "-c", script);
    long start = System.nanoTime();
    assertThat(
            lab.answersSoon(
                () -> ourLines().equals(ours) && lab.in(lab.host(), "ipset", "save").equals(set)))
        .as("repaired after: " + what)
        .isTrue();
    long millis = (System.nanoTime() - start) / 1_000_000;
    System.getLogger(getClass().getName())
        .log(System.Logger.Level.INFO, "{0} ms ({1}): {2}", millis, backend, what);
    assertThat(millis).as("repaired after: " + what).isLessThan(1000);
  }

  /** Our chains, and the rules of the host's chains as far as the first one: ours. */
  private List<String> ourLines() {
    List<String> lines = new ArrayList<>();
    for (String program : List.of(iptables, iptables.replace("ip", "ip6"))) {
      List<String> all =
          lab.in(lab.host(), program + "-save", "-t", "filter")
              .lines()
              .filter(line -> line.startsWith("-A"))
              .toList();
      for (String chain : List.of("INPUT", "FORWARD", "OUTPUT")) {
        all.stream()
            .filter(line -> line.startsWith("-A " + chain + " "))
            .findFirst()
            .ifPresent(lines::add);
      }
      // nft lists chains in the order of their making.
      all.stream().filter(line -> line.startsWith("-A wl-")).sorted().forEach(lines::add);
    }
    return lines;
  }

  private void assertOpenFromOutside(boolean open) {
    if (open) {
      assertThat(lab.answersSoon(() -> lab.tcp(lab.outside(), v4(1), 80))).isTrue();
    } else {
      assertThat(lab.tcp(lab.outside(), v4(1), 80)).isFalse();
    }
  }

  private PolicyConfig config() {
    return lab.config().withBackend(backend);
  }

  private List<String> ruleLines() {
    return lab.filter(backend).lines().filter(line -> line.startsWith("-A")).toList();
  }

  private String sets() {
    return lab.in(lab.host(), "ipset", "list", "-n");
  }

  /** Fifty a second for three seconds. */
  private CompletableFuture<String> pings(String from, String to) {
    return CompletableFuture.supplyAsync(
        () -> lab.exec(from, "busybox", "ping", "-i", "0.02", "-c", "150", "-W", "1", to).stdout(),
        task -> Thread.ofVirtual().start(task));
  }
}
