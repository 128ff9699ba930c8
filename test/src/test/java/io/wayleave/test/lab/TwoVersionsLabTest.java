package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Agents of two versions in one fleet, as during an upgrade: what both can read they have alike and
 * say so; what only the newer one can read is in force there, closed elsewhere, and netctl of
 * either version says that they differ.
 */
@Tag("lab")
@ExtendWith(SharedLab.class)
class TwoVersionsLabTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final String NEWER_HOST = "r2h1";
  private static final List<String> OLDER_HOSTS = List.of("r1h1", "r1h2", "r2h2");

  private static final String FOR_BOTH =
      """
      apiVersion: wayleave.io/v1
      kind: GlobalNetworkPolicy
      metadata: {name: both}
      spec: {selector: role == 'web', ingress: [{action: Allow}]}
      """;

  private static final String FOR_THE_NEWER =
      FOR_BOTH.replace("name: both", "name: newer").replace("spec: {", "spec: {FIELD: fast, ");

  @Test
  void theyAgreeOrSaySo(Lab lab, @TempDir Path directory) throws Exception {
    Installation newer = NewerBuild.make(directory);
    LabAgent upgraded = lab.host(NEWER_HOST).agent();
    LabContainer client = lab.host("r1h2").run("client", Map.of("role", "client"));
    LabContainer here = lab.host(NEWER_HOST).run("here", Map.of("role", "web"));
    LabContainer there = lab.host("r1h1").run("there", Map.of("role", "web"));
    LabContainer other = lab.host("r1h1").run("other", Map.of("role", "other"));
    PingMatrix _ = PingMatrix.await(lab, Set.of(), SOON);
    try {
      upgraded.stop();
      upgraded.begin(newer);
      upgraded.awaitReady();
      lab.awaitSessions();

      // What both versions can read: either netctl sees it in force on all nodes.
      assertThat(lab.netctl("apply", "-f", "-", "--wait", "30s").input(FOR_BOTH).check())
          .endsWith("policy is in force on 4 nodes\n");
      assertThat(newer(lab, newer, "apply", "-f", "-", "--wait", "30s").input(FOR_BOTH).check())
          .endsWith("policy is in force on 4 nodes\n");
      String agreed = newer(lab, newer, "policy", "status").check();
      assertThat(agreed).containsPattern(NEWER_HOST + " +" + NewerBuild.VERSION + " +current +-");
      assertThat(Ping.once(client.network(), here.address())).isTrue();
      assertThat(Ping.once(client.network(), there.address())).isTrue();

      // What only the newer one can read.
      Command.Result written =
          newer(lab, newer, "apply", "-f", "-", "--wait", "5s")
              .input(FOR_THE_NEWER.replace("FIELD", NewerBuild.FIELD))
              .run();
      assertThat(written.succeeded()).isFalse();
      assertThat(written.err())
          .contains("not in force within 5s on 3 nodes: " + String.join(", ", OLDER_HOSTS));
      assertThat(Ping.once(client.network(), here.address())).as("where it is read").isTrue();
      assertThat(Ping.once(client.network(), there.address())).as("where it is not").isFalse();
      assertThat(Ping.once(client.network(), other.address())).as("what it is not for").isTrue();

      String byNewer = newer(lab, newer, "policy", "status").check();
      String byOlder = lab.netctl("policy", "status").run().out();
      assertThat(byNewer).containsPattern(NEWER_HOST + " +\\S+ +current +-");
      // What it cannot read itself it cannot take for what is stored.
      assertThat(byOlder).containsPattern(NEWER_HOST + " +\\S+ +behind +-");
      String cannotRead =
          " +GlobalNetworkPolicy newer cannot be read: .*" + NewerBuild.FIELD + ".* are closed";
      for (String node : OLDER_HOSTS) {
        assertThat(byNewer).containsPattern(node + " +\\S+ +behind" + cannotRead);
        assertThat(byOlder).containsPattern(node + " +\\S+ +current" + cannotRead);
      }
    } finally {
      for (String name : List.of("both", "newer")) {
        lab.netctl("delete", "globalnetworkpolicy", name, "--if-exists").run();
      }
      upgraded.stop();
      upgraded.start();
      lab.awaitSessions();
    }
  }

  private static Command newer(Lab lab, Installation newer, String... arguments) {
    List<String> all = new ArrayList<>(List.of("--timeout", "60s"));
    all.addAll(List.of(arguments));
    return lab.netctl(Optional.empty()).command(newer, all).within(Duration.ofMinutes(2));
  }
}
