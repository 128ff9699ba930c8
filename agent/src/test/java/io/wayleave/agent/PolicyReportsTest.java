package io.wayleave.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Keys;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.PresenceKeeper;
import io.wayleave.model.Kind;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.policy.FailsafePort;
import io.wayleave.model.policy.HostSettings;
import io.wayleave.model.policy.WorkloadToHost;
import io.wayleave.model.status.PolicyReport;
import io.wayleave.model.status.PolicyReport.InForce;
import io.wayleave.policy.PolicyStatus;
import io.wayleave.policy.PolicyStatus.RuleStatus;
import io.wayleave.policy.calc.RuleBlock;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class PolicyReportsTest {
  private static final RuleBlock.Id WEB = new RuleBlock.Id(Kind.NETWORK_POLICY, "shop/web");

  private static final HostSettings HOST =
      new HostSettings(
          WorkloadToHost.Drop,
          List.of(FailsafePort.parse("tcp:22"), FailsafePort.parse("udp:68")),
          List.of());

  @Test
  void saysWhatIsInForceAndWhatIsWrong() {
    PolicyStatus status =
        status("d1", new RuleStatus(3, false, Optional.of("no such match")), Set.of("absent"));
    assertThat(PolicyReports.report("1.2", HOST, status))
        .isEqualTo(
            new PolicyReport(
                "1.2",
                "d1",
                Map.of("NetworkPolicy shop/web", new InForce(3, Optional.of("no such match"))),
                List.of(
                    "Profile absent does not exist: it allows nothing",
                    "Tier first cannot be read: spec.x: unknown; closed",
                    "wl-x: in use"),
                Optional.of(HOST)));
  }

  @Test
  void theDatastoreHasItOnceSomethingIsInForce() throws Exception {
    CountDownLatch present = new CountDownLatch(1);
    try (MemoryDatastore datastore = new MemoryDatastore();
        PresenceKeeper presence =
            PresenceKeeper.keep(
                datastore,
                Keys.presence("n1"),
                new byte[] {1},
                Duration.ofSeconds(10),
                _ -> present.countDown())) {
      assertThat(present.await(10, TimeUnit.SECONDS)).isTrue();
      PolicyReports reports = new PolicyReports("n1", "1.2", HOST, presence);
      reports.accept(status("", new RuleStatus(1, true, Optional.empty()), Set.of()));
      reports.accept(status("d2", new RuleStatus(1, true, Optional.empty()), Set.of()));
      PolicyReport read = await(datastore);
      assertThat(read.digest()).isEqualTo("d2");
      assertThat(read.policies())
          .containsExactly(Map.entry("NetworkPolicy shop/web", new InForce(1, Optional.empty())));
      assertThat(read.host()).contains(HOST);
    }
  }

  private static PolicyReport await(MemoryDatastore datastore)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (System.nanoTime() - end < 0) {
      var entry = datastore.get(Keys.policyStatus("n1"), datastore.deadline());
      if (entry.isPresent()) {
        return ResourceCodec.jsonMapper()
            .readValue(new String(entry.get().value(), StandardCharsets.UTF_8), PolicyReport.class);
      }
      Thread.sleep(10);
    }
    throw new AssertionError("no report came");
  }

  private static PolicyStatus status(String digest, RuleStatus rules, Set<String> missingProfiles) {
    return new PolicyStatus(
        true,
        true,
        true,
        digest,
        3,
        Map.of(WEB, rules),
        Set.of(),
        missingProfiles,
        rules.failing().isPresent() ? Map.of("Tier first", "spec.x: unknown; closed") : Map.of(),
        rules.failing().isPresent()
            ? Map.of("NetworkPolicy shop/web", "no such match", "wl-x", "in use")
            : Map.of(),
        Optional.empty());
  }
}
