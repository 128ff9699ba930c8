package io.wayleave.test.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.test.ipam.StressRun.Fault;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Real hosts, each a process, hammer a real datastore of three members whose leader is killed and
 * which is partitioned, and then no address is lost or has two owners.
 */
class IpamStressTest {
  private static final Logger log = LoggerFactory.getLogger(IpamStressTest.class);

  /** Each fault so often. */
  private static final int ROUNDS = 3;

  @TempDir private Path folder;

  @AfterEach
  void leavesNoNamespace() {
    String run = "wlc" + ProcessHandle.current().pid() + "-";
    String[] names = Path.of("/run/netns").toFile().list();
    assertThat(names == null ? new String[0] : names).noneMatch(name -> name.startsWith(run));
  }

  @ParameterizedTest
  @EnumSource
  @Tag("real")
  @Timeout(120)
  void aKilledLeaderLosesAndDoublesNothing(ClusterKind kind) throws Exception {
    run(kind, 4, List.of(Fault.LEADER_KILLED), 20);
  }

  @ParameterizedTest
  @EnumSource
  @Tag("full")
  @Timeout(1800)
  void manyHostsAndManyFaultsLoseAndDoubleNothing(ClusterKind kind) throws Exception {
    List<Fault> faults = new ArrayList<>();
    for (int i = 0; i < ROUNDS; i++) {
      faults.addAll(List.of(Fault.values()));
    }
    run(kind, 32, faults, 64);
  }

  private void run(ClusterKind kind, int hosts, List<Fault> faults, int allocations)
      throws IOException, InterruptedException {
    long seed = System.nanoTime();
    List<Fault> order = new ArrayList<>(faults);
    Collections.shuffle(order, new Random(seed));
    log.info("stress of {} with seed {}: {}", kind, seed, order);
    try (StressRun run = StressRun.start(kind, hosts, StressHost.Defect.NONE, folder, seed)) {
      for (Fault fault : order) {
        run.suffer(fault, allocations);
        run.awaitProgress(allocations);
      }
      StressRun.Outcome outcome = run.end();
      log.info("stress of {}: {}", kind, outcome.report());
      assertThat(outcome.violations()).as("%s", outcome.report()).isEmpty();
      assertThat(outcome.status()).as("%s", outcome.report()).isZero();
    }
  }

  /**
   * The check of the real thing can fail; {@link StressCheckTest} has the same without processes.
   */
  @ParameterizedTest
  @EnumSource(
      value = StressHost.Defect.class,
      names = {"WRITES_WITHOUT_COMPARING", "NOTES_BEFORE_COMMIT"})
  @Tag("full")
  @Timeout(300)
  void aHostWithADefectIsCaught(StressHost.Defect defect) throws Exception {
    try (StressRun run = StressRun.start(ClusterKind.ETCD, 6, defect, folder, 1)) {
      run.awaitProgress(100);
      StressRun.Outcome outcome = run.end();
      log.info("{}: {}", defect, outcome.violations());
      assertThat(outcome.violations()).isNotEmpty();
      assertThat(outcome.status()).isEqualTo(1);
    }
  }
}
