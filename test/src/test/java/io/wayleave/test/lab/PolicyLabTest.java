package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What netctl says of policies, against what packets meet, on a whole fabric. */
@Tag("lab")
@ExtendWith(SharedLab.class)
class PolicyLabTest {
  private static final Duration CONVERGED = Duration.ofSeconds(20);

  /** Strangers are logged and denied by a tier before all others; the rest is left to others. */
  private static final String POLICY =
      """
      apiVersion: wayleave.io/v1
      kind: Tier
      metadata: {name: lab}
      spec: {order: 10, defaultAction: Pass}
      ---
      apiVersion: wayleave.io/v1
      kind: GlobalNetworkPolicy
      metadata: {name: no-strangers}
      spec:
        tier: lab
        selector: role == "web"
        ingress:
        - {action: Log, source: {selector: role == "stranger"}}
        - {action: Deny, source: {selector: role == "stranger"}}
      """;

  @Test
  void whatNetctlSaysIsWhatPacketsMeet(Lab lab) throws Exception {
    LabContainer web = lab.host("r1h1").run("web", Map.of("role", "web"));
    LabContainer stranger = lab.host("r2h1").run("stranger", Map.of("role", "stranger"));
    LabContainer friend = lab.host("r2h2").run("friend", Map.of("role", "friend"));
    PingMatrix _ = PingMatrix.await(lab, Set.of(), CONVERGED);
    try {
      assertThat(lab.netctl("apply", "-f", "-", "--wait", "30s").input(POLICY).check())
          .endsWith("policy is in force on 4 nodes\n");
      // At once: who waited for that need not wait any more.
      assertThat(Ping.once(stranger.network(), web.address())).isFalse();
      assertThat(Ping.once(friend.network(), web.address())).isTrue();

      assertThat(explained(lab, stranger, web))
          .contains("verdict: DENY")
          .contains("by rule 2 of GlobalNetworkPolicy \"no-strangers\"");
      assertThat(explained(lab, friend, web)).contains("verdict: ALLOW");
      // As the host's agent reports it.
      assertThat(
              lab.netctl("policy", "explain", "--from", web.address().toString(), "--to", "r1h1")
                  .check())
          .contains("(workloadToHostAction: Return)");
      assertThat(lab.netctl("policy", "status").check())
          .containsPattern("GlobalNetworkPolicy no-strangers +1 +r1h1 +-")
          .containsPattern("r2h2 +\\S+ +current +-");

      assertThat(watched(lab, stranger, web))
          .contains("logged by rule 1 of GlobalNetworkPolicy no-strangers, Ingress")
          .contains(stranger.address() + " (r2h1.")
          .contains(web.address() + " (r1h1.")
          .contains("ICMP type 8, code 0");

      countersSayWhatWasSent(lab, web, stranger);

      String endpoint = endpointOf(lab, stranger);
      lab.netctl("endpoint", "label", endpoint, "role=friend").check();
      Await.until(
          "the stranger is a friend",
          CONVERGED,
          () -> Ping.once(stranger.network(), web.address()),
          () -> explained(lab, stranger, web));
      assertThat(explained(lab, stranger, web)).contains("verdict: ALLOW");
    } finally {
      lab.netctl("delete", "globalnetworkpolicy", "no-strangers", "--if-exists").check();
      lab.netctl("delete", "tier", "lab", "--if-exists").check();
    }
  }

  /** Echo requests of one ping are one flow, which is established with the first answer. */
  @Test
  void anEstablishedFlowEndsWhenNetctlSaysThatThePolicyIsInForce(Lab lab) throws Exception {
    LabContainer web = lab.host("r1h1").run("web", Map.of("role", "web"));
    LabContainer near = lab.host("r1h1").run("near", Map.of("role", "stranger"));
    LabContainer far = lab.host("r2h1").run("far", Map.of("role", "stranger"));
    LabContainer friend = lab.host("r2h2").run("friend", Map.of("role", "friend"));
    PingMatrix _ = PingMatrix.await(lab, Set.of(), CONVERGED);
    try (Pinger fromNear = Pinger.start(near.network(), web.address());
        Pinger fromFar = Pinger.start(far.network(), web.address());
        // Of the server too, whose egress the policy leaves alone: it is the other's flow that
        // ends.
        Pinger fromWeb = Pinger.start(web.network(), far.address());
        Pinger fromFriend = Pinger.start(friend.network(), web.address())) {
      lab.netctl("apply", "-f", "-", "--wait", "30s").input(POLICY).check();
      int answeredNear = fromNear.answered();
      int answeredFar = fromFar.answered();
      fromFriend.awaitReplies(100);
      fromWeb.awaitReplies(100);
      assertThat(fromNear.answered()).isEqualTo(answeredNear);
      assertThat(fromFar.answered()).isEqualTo(answeredFar);

      lab.netctl("delete", "globalnetworkpolicy", "no-strangers", "--wait", "30s").check();
      // The same flows, which nobody began anew.
      fromNear.awaitReplies(10);
      fromFar.awaitReplies(10);
      assertThat(fromFriend.stop().lost()).isEmpty();
    } finally {
      lab.netctl("delete", "globalnetworkpolicy", "no-strangers", "--if-exists").check();
      lab.netctl("delete", "tier", "lab", "--if-exists").check();
    }
  }

  private static String explained(Lab lab, LabContainer from, LabContainer to) {
    return lab.netctl(
            "policy",
            "explain",
            "--from",
            from.address().toString(),
            "--to",
            to.address().toString(),
            "--proto",
            "icmp")
        .check();
  }

  /** Each ping is a packet that gets no answer, so a flow that is never established. */
  private static void countersSayWhatWasSent(Lab lab, LabContainer web, LabContainer stranger) {
    long logged = counted(lab, "1 +Log");
    long denied = counted(lab, "2 +Deny");
    for (int i = 0; i < 3; i++) {
      assertThat(Ping.once(stranger.network(), web.address())).isFalse();
    }
    assertThat(counted(lab, "1 +Log")).isEqualTo(logged + 3);
    assertThat(counted(lab, "2 +Deny")).isEqualTo(denied + 3);
    assertThat(lab.netctl("policy", "counters").check())
        .containsPattern("no policy decides, and there is no profile +workload +Ingress +Allow +");
    assertThat(lab.netctl("policy", "counters", "strangers").run().err())
        .contains("no policy or profile is called \"strangers\"; there are GlobalNetworkPolicy");
    assertThat(
            lab.netctl(Optional.of("r2h1"))
                .command(List.of("policy", "counters", "no-strangers"))
                .check())
        .contains("GlobalNetworkPolicy no-strangers governs no endpoint of node r2h1");
  }

  /** IPv4 packets of a rule, as the agent of the host of the web server says. */
  private static long counted(Lab lab, String rule) {
    String counters = lab.netctl("policy", "counters", "no-strangers").check();
    Matcher row =
        Pattern.compile("GlobalNetworkPolicy no-strangers +Ingress +" + rule + " +(\\d+) ")
            .matcher(counters);
    assertThat(row.find()).as(counters).isTrue();
    return Long.parseLong(row.group(1));
  }

  /** What netctl shows of the first packet that is logged, while the one pings the other. */
  private static String watched(Lab lab, LabContainer from, LabContainer to)
      throws InterruptedException, ExecutionException, TimeoutException {
    CompletableFuture<String> watch =
        CompletableFuture.supplyAsync(
            () -> lab.netctl("policy", "watch", "--count", "1").check(),
            task -> Thread.ofPlatform().start(task));
    // It takes netctl a moment to listen.
    Await.until(
        "a packet is seen",
        CONVERGED,
        () -> {
          Ping.once(from.network(), to.address());
          return watch.isDone();
        },
        () -> lab.netctl("policy", "status").check());
    return watch.get(1, TimeUnit.SECONDS);
  }

  private static String endpointOf(Lab lab, LabContainer container) {
    return lab.netctl("endpoint", "list", "-o", "yaml")
        .check()
        .lines()
        .filter(line -> line.strip().startsWith("name: "))
        .map(line -> line.strip().substring("name: ".length()))
        .filter(
            name ->
                lab.netctl("endpoint", "show", name)
                    .check()
                    .contains(container.address().toString()))
        .findFirst()
        .orElseThrow();
  }
}
