package io.wayleave.policy;

import static io.wayleave.policy.Fixtures.endpoint;
import static io.wayleave.policy.Fixtures.policy;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Family;
import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import io.wayleave.model.Update;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.PolicyDigest;
import io.wayleave.policy.PolicyStatus.RuleStatus;
import io.wayleave.policy.calc.PolicyCalculator;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.dataplane.Dataplane;
import io.wayleave.policy.dataplane.DataplaneException;
import io.wayleave.policy.dataplane.FakeKernel;
import io.wayleave.policy.dataplane.HostRules;
import io.wayleave.policy.dataplane.IptablesBackend;
import io.wayleave.policy.dataplane.TableWatch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** When what is written, by a clock that the test moves. */
final class PolicyReconcilerTest {
  private static final long MILLI = 1_000_000;
  private static final Duration RESYNC = Duration.ofSeconds(30);
  private static final WorkloadEndpoint WEB =
      endpoint("n1", "web", "wl1", Map.of("role", "web"), "10.0.0.1");
  private static final WorkloadEndpoint DB =
      endpoint("n1", "db", "wl2", Map.of("role", "db"), "10.0.0.2");
  private static final GlobalNetworkPolicy FROM_WEB =
      policy(
          "from-web",
          """
          selector: role == 'db'
          ingress: [{action: Allow, source: {selector: role == 'web'}}]
          """);

  private final FakeKernel kernel = new FakeKernel();
  private PolicyReconciler reconciler = reconciler();
  private long now = Long.MAX_VALUE - 1000;

  private PolicyReconciler reconciler() {
    return new PolicyReconciler(
        "n1",
        () ->
            new Dataplane(
                Set.of(Family.IPV4),
                IptablesBackend.NFT,
                HostRules.DEFAULT,
                kernel,
                kernel,
                Map::of,
                TableWatch.none()),
        RESYNC,
        Optional.empty());
  }

  @Test
  void theFrameComesFirstAndWithoutTheDatastore() {
    CompletableFuture<Void> framed = ask(reconciler::framed);
    assertThat(reconciler.status().framed()).isFalse();
    step();
    assertThat(framed).isCompleted();
    assertThat(reconciler.status().framed()).isTrue();
    assertThat(reconciler.status().inSync()).isFalse();
    assertThat(rules("FORWARD")).containsExactly("-j wl-FORWARD");
    assertThat(rules("wl-from-wl")).endsWith("-j DROP");
  }

  @Test
  void addWaitsForEveryKind() {
    CompletableFuture<Void> added = ask(done -> reconciler.program(DB, done));
    step();
    for (Kind kind : PolicyCalculator.KINDS) {
      if (kind != Kind.GLOBAL_NETWORK_POLICY) {
        reconciler.on(kind, new Update.InSync<>());
      }
    }
    step();
    assertThat(added).isNotDone();
    assertThat(rules("wl-from-wl")).noneMatch(rule -> rule.contains("wl2"));
    put(FROM_WEB);
    step();
    assertThat(added).isNotDone();
    reconciler.on(Kind.GLOBAL_NETWORK_POLICY, new Update.InSync<>());
    step();
    assertThat(added).isCompleted();
    assertThat(rules(decision("-o wl2"))).contains("-j wl-gi-from-web");
  }

  @Test
  void statusSaysWhatIsInForceAndWhatIsMissing() {
    inSync();
    String empty = reconciler.status().digest();
    put(
        policy(
            "from-web",
            """
            tier: absent
            selector: role == 'db'
            ingress: [{action: Deny, source: {selector: role == 'web'}}]
            """));
    put(WEB);
    put(DB);
    step();
    RuleBlock.Id id = new RuleBlock.Id(Kind.GLOBAL_NETWORK_POLICY, "from-web");
    assertThat(reconciler.status().rules())
        .containsExactly(Map.entry(id, new RuleStatus(1, true, Optional.empty())));
    assertThat(reconciler.status().missingTiers()).containsExactly("absent");
    assertThat(reconciler.status().missingProfiles()).isEmpty();
    String before = reconciler.status().digest();
    assertThat(before).isNotEqualTo(empty);

    // What is told and cannot be written is not in force.
    kernel.failWith("no permission");
    put(FROM_WEB);
    step();
    assertThat(reconciler.status().rules())
        .containsExactly(Map.entry(id, new RuleStatus(1, false, Optional.empty())));
    assertThat(reconciler.status().digest()).isEqualTo(before);
    assertThat(reconciler.status().missingTiers()).isEmpty();
    kernel.work();
    now += 100 * MILLI;
    step();
    assertThat(reconciler.status().rules().get(id).programmed()).isTrue();
    PolicyDigest stored = new PolicyDigest();
    stored.put(FROM_WEB);
    assertThat(reconciler.status().digest()).isEqualTo(stored.toString());
  }

  @Test
  void setsThenTablesAndAtTheEndTheReverse() {
    inSync();
    put(FROM_WEB);
    put(WEB);
    put(DB);
    kernel.takeLog();
    step();
    assertThat(commands())
        .containsExactly(
            "ipsets change", "iptables-nft-restore --noflush --wait=10", "ipsets change");
    assertThat(kernel.sets().get("wl-4-endpoints")).contains("10.0.0.2/32,wl2");

    reconciler.on(Kind.WORKLOAD_ENDPOINT, new Update.Delete<>(DB.name()));
    step();
    List<String> log = kernel.takeLog();
    assertThat(log)
        .containsSubsequence(
            "ipsets change",
            "del wl-4-endpoints 10.0.0.2/32,wl2",
            "iptables-nft-restore --noflush --wait=10",
            "ipsets change");
    assertThat(log.indexOf("ipsets change")).isZero();
    assertThat(kernel.sets()).containsOnlyKeys("wl-4-endpoints");
    assertThat(rules("wl-from-wl")).noneMatch(rule -> rule.contains("wl2"));
    assertThat(kernel.table(Family.IPV4)).doesNotContainKey("wl-gi-from-web");
  }

  /**
   * Between the steps of a write neither the old endpoint's address is let pass nor the new one's.
   */
  @Test
  void anInterfaceOfAnotherEndpointLosesTheOldAddressFirst() {
    inSync();
    put(WEB);
    put(DB);
    step();
    kernel.takeLog();
    reconciler.on(Kind.WORKLOAD_ENDPOINT, new Update.Delete<>(DB.name()));
    put(endpoint("n1", "other", "wl2", Map.of("role", "other"), "10.0.0.7"));
    step();
    assertThat(kernel.takeLog())
        .containsSubsequence(
            "del wl-4-endpoints 10.0.0.2/32,wl2",
            "iptables-nft-restore --noflush --wait=10",
            "add wl-4-endpoints 10.0.0.7/32,wl2");
    assertThat(kernel.sets().get("wl-4-endpoints"))
        .containsExactly("10.0.0.1/32,wl1", "10.0.0.7/32,wl2");
  }

  @Test
  void withoutTheSetOfEndpointsEverythingGoesThroughTheTrees() {
    kernel.restoreSets("create wl-4-endpoints hash:net family inet maxelem 65536");
    kernel.hold("wl-4-endpoints");
    inSync();
    put(FROM_WEB);
    put(WEB);
    put(DB);
    step();
    for (String chain : List.of("wl-FORWARD", "wl-from", "wl-to")) {
      assertThat(rules(chain)).isNotEmpty().noneMatch(rule -> rule.contains("endpoints"));
    }
    String established = "-m conntrack --ctstate RELATED,ESTABLISHED -g wl-allow";
    assertThat(rules("wl-from-wl"))
        .contains("-i wl1 -s 10.0.0.1/32 " + established, "-i wl2 -s 10.0.0.2/32 " + established);
    assertThat(rules("wl-to-wl"))
        .containsExactly(
            "-o wl1 " + established,
            "-o wl1 -g " + decision("-o wl1"),
            "-o wl2 " + established,
            "-o wl2 -g " + decision("-o wl2"),
            "-j DROP");
    assertThat(rules("wl-gi-from-web")).anyMatch(rule -> rule.contains("--match-set wl-4n-"));
    assertThat(reconciler.status().failing()).containsKey("wl-4-endpoints");
    kernel.work();
    now += RESYNC.toNanos();
    step();
    for (String chain : List.of("wl-FORWARD", "wl-from", "wl-to")) {
      assertThat(rules(chain)).anyMatch(rule -> rule.contains("--match-set wl-4-endpoints"));
    }
    for (String tree : List.of("wl-from-wl", "wl-to-wl")) {
      assertThat(rules(tree)).hasSize(3).noneMatch(rule -> rule.contains("ESTABLISHED"));
    }
    assertThat(reconciler.status().failing()).isEmpty();
  }

  @Test
  void everythingToldBeforeAStepIsOneWrite() {
    inSync();
    put(FROM_WEB);
    kernel.takeLog();
    for (int i = 0; i < 50; i++) {
      put(endpoint("n1", "c" + i, "wlc" + i, Map.of("role", "db"), "10.0.1." + i));
    }
    step();
    assertThat(commands()).hasSize(3);
  }

  @Test
  void aFailedWriteIsRepeatedWithGrowingPauses() {
    inSync();
    kernel.failWith("no permission");
    CompletableFuture<Void> added = ask(done -> reconciler.program(DB, done));
    assertThat(step()).isEqualTo(100 * MILLI);
    assertThat(reconciler.status().lastError())
        .hasValueSatisfying(error -> assertThat(error).contains("failed: no permission"));
    assertThat(reconciler.status().current()).isFalse();

    // News in the pause do not shorten it.
    put(WEB);
    kernel.takeLog();
    now += 99 * MILLI;
    assertThat(step()).isEqualTo(MILLI);
    assertThat(commands()).isEmpty();
    now += MILLI;
    assertThat(step()).isEqualTo(200 * MILLI);
    assertThat(commands()).isNotEmpty();
    for (int i = 0; i < 10; i++) {
      now += 2000 * MILLI;
      assertThat(step()).isLessThanOrEqualTo(2000 * MILLI);
    }
    assertThat(added).isNotDone();

    kernel.work();
    now += 2000 * MILLI;
    step();
    assertThat(added).isCompleted();
    assertThat(reconciler.status().lastError()).isEmpty();
    assertThat(reconciler.status().current()).isTrue();
    assertThat(rules("wl-from-wl"))
        .anyMatch(rule -> rule.startsWith("-i wl1 "))
        .anyMatch(rule -> rule.startsWith("-i wl2 "));
  }

  @Test
  void aDataplaneThatCannotBeOpenedIsTriedAgain() {
    boolean[] installed = {false};
    reconciler =
        new PolicyReconciler(
            "n1",
            () -> {
              if (!installed[0]) {
                throw new DataplaneException("cannot run iptables-nft-save");
              }
              return new Dataplane(
                  Set.of(Family.IPV4),
                  IptablesBackend.NFT,
                  HostRules.DEFAULT,
                  kernel,
                  kernel,
                  Map::of,
                  TableWatch.none());
            },
            RESYNC,
            Optional.empty());
    assertThat(step()).isEqualTo(100 * MILLI);
    assertThat(reconciler.status().lastError()).contains("cannot run iptables-nft-save");
    installed[0] = true;
    now += 100 * MILLI;
    step();
    assertThat(reconciler.status().framed()).isTrue();
  }

  @Test
  void aDefectIsShownAndRetried() {
    reconciler =
        new PolicyReconciler(
            "n1",
            () -> {
              throw new IllegalStateException("a defect");
            },
            RESYNC,
            Optional.empty());
    assertThat(step()).isEqualTo(100 * MILLI);
    assertThat(reconciler.status().lastError())
        .contains("java.lang.IllegalStateException: a defect");
  }

  @Test
  void aResyncComesByItself() {
    inSync();
    assertThat(step()).isEqualTo(RESYNC.toNanos());
    kernel.raw(Family.IPV4, "FORWARD").clear();
    now += RESYNC.toNanos() - 1;
    assertThat(step()).isEqualTo(1);
    assertThat(rules("FORWARD")).isEmpty();
    now += 1;
    assertThat(step()).isEqualTo(RESYNC.toNanos());
    assertThat(rules("FORWARD")).containsExactly("-j wl-FORWARD");
  }

  @Test
  void whatTheKernelStillHoldsIsDeletedLaterAndNobodyWaits() {
    inSync();
    put(FROM_WEB);
    put(DB);
    step();
    String set =
        kernel.sets().keySet().stream()
            .filter(name -> name.startsWith("wl-4n-"))
            .findFirst()
            .orElseThrow();
    kernel.hold(set);
    reconciler.on(Kind.WORKLOAD_ENDPOINT, new Update.Delete<>(DB.name()));
    CompletableFuture<Void> settled = ask(reconciler::settled);
    assertThat(step()).isEqualTo(100 * MILLI);
    assertThat(settled).isCompleted();
    assertThat(reconciler.status().failing()).containsOnlyKeys(set);
    kernel.work();
    now += 100 * MILLI;
    step();
    assertThat(kernel.sets()).containsOnlyKeys("wl-4-endpoints");
    assertThat(reconciler.status().failing()).isEmpty();
  }

  @Test
  void addCountsUntilTheDatastoreKnowsTheAttachment() {
    inSync();
    // The datastore still has the attachment before this one, and tells its end late.
    put(attachment("g1", "10.0.0.1"));
    CompletableFuture<Void> added =
        ask(done -> reconciler.program(attachment("g2", "10.0.0.2"), done));
    step();
    assertThat(added).isCompleted();
    assertThat(rules("wl-from-wl").getFirst()).startsWith("-i wl1 -s 10.0.0.2/32 -g ");
    put(attachment("g1", "10.0.0.1"));
    step();
    assertThat(rules("wl-from-wl").getFirst()).startsWith("-i wl1 -s 10.0.0.2/32 -g ");
    reconciler.on(Kind.WORKLOAD_ENDPOINT, new Update.Delete<>(WEB.name()));
    step();
    assertThat(rules("wl-from-wl").getFirst()).startsWith("-i wl1 -s 10.0.0.2/32 -g ");

    // From then on the datastore leads.
    put(attachment("g2", "10.0.0.2"));
    put(attachment("g2", "10.0.0.3"));
    step();
    assertThat(rules("wl-from-wl").getFirst()).startsWith("-i wl1 -s 10.0.0.3/32 -g ");
    reconciler.on(Kind.WORKLOAD_ENDPOINT, new Update.Delete<>(WEB.name()));
    step();
    assertThat(rules("wl-from-wl")).noneMatch(rule -> rule.contains("wl1"));
  }

  @Test
  void anUndoneAddLeavesNothing() {
    inSync();
    CompletableFuture<Void> added = ask(done -> reconciler.program(WEB, done));
    step();
    assertThat(added).isCompleted();
    assertThat(rules("wl-from-wl")).anyMatch(rule -> rule.contains("wl1"));
    CompletableFuture<Void> forgotten = ask(done -> reconciler.forget(WEB.name(), done));
    step();
    assertThat(forgotten).isCompleted();
    assertThat(rules("wl-from-wl")).noneMatch(rule -> rule.contains("wl1"));
  }

  @Test
  void whatTheOtherBackEndHasOfUsIsSweptInSync() {
    Map<String, List<String>> legacy = kernel.legacyTable(Family.IPV4);
    legacy.put("wl-FORWARD", new ArrayList<>(List.of("-j DROP")));
    legacy.put("others", new ArrayList<>());
    legacy.get("FORWARD").add("-j wl-FORWARD");
    legacy.get("FORWARD").add("-j others");
    step();
    assertThat(kernel.legacyTable(Family.IPV4)).isEqualTo(legacy);
    inSync();
    assertThat(kernel.legacyTable(Family.IPV4))
        .doesNotContainKey("wl-FORWARD")
        .containsEntry("FORWARD", List.of("-j others"))
        .containsKey("others");
  }

  @Test
  void twoRecordsOfOneInterfaceDoNotUndoEachOther() {
    inSync();
    put(endpoint("n1", "old", "wl1", Map.of(), "10.0.0.7"));
    put(WEB);
    step();
    reconciler.on(Kind.WORKLOAD_ENDPOINT, new Update.Delete<>("n1.old.eth0"));
    step();
    assertThat(rules("wl-from-wl").getFirst()).startsWith("-i wl1 -s 10.0.0.1/32 -g ");
    assertThat(rules("wl-to-wl")).contains("-o wl1 -g " + decision("-o wl1"));
  }

  @Test
  void abandonedWaitersFail() {
    CompletableFuture<Void> added = ask(done -> reconciler.program(WEB, done));
    reconciler.abandon(new IllegalStateException("closed"));
    assertThat(added).isCompletedExceptionally();
  }

  private static WorkloadEndpoint attachment(String generation, String address) {
    return endpoint("n1", "web", "wl1", generation, Map.of("role", "web"), address);
  }

  private void inSync() {
    PolicyCalculator.KINDS.forEach(kind -> reconciler.on(kind, new Update.InSync<>()));
    step();
  }

  private long step() {
    long wait = reconciler.step(now);
    reconciler.completeServed();
    return wait;
  }

  private void put(Resource resource) {
    reconciler.on(resource.kind(), new Update.Put<>(resource.id(), resource));
  }

  private static CompletableFuture<Void> ask(Consumer<CompletableFuture<Void>> question) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    question.accept(done);
    return done;
  }

  private List<String> commands() {
    return kernel.takeLog().stream()
        .filter(line -> line.startsWith("ipsets ") || line.startsWith("iptables"))
        .toList();
  }

  /** The chain that decides packets to an interface. */
  private String decision(String interfaceMatch) {
    String start = interfaceMatch + " -g ";
    return rules("wl-to-wl").stream()
        .filter(rule -> rule.startsWith(start))
        .map(rule -> rule.substring(start.length()))
        .findFirst()
        .orElseThrow();
  }

  private List<String> rules(String chain) {
    return kernel.rules(Family.IPV4, chain);
  }
}
