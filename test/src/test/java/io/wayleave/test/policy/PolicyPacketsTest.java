package io.wayleave.test.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.policy.dataplane.IptablesBackend;
import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Real packets, real kernels: over random fleets, whether the first packet of a flow arrives is
 * what the naive evaluator, the explanation and the engine's calculation say. Two hosts with an
 * engine each, their containers and what is outside are namespaces of this machine.
 */
@Tag("real")
final class PolicyPacketsTest {
  private static final int FLOWS_PER_FLEET = 60;
  private static final int LEAST_RULES_OF_A_FIELD = 50;
  private static final int LEAST_FLOWS_OF_A_KIND = 1;

  @Test
  void packetsMeetWhatTheJudgesSay() throws IOException {
    PacketRun run = new PacketRun(IptablesBackend.NFT, System.nanoTime());
    run.fleets(45, FLOWS_PER_FLEET);
    assertThat(run.flows()).isGreaterThanOrEqualTo(2000);
    assertMixed(run);
    assertThat(run.fields().rarerThan(LEAST_RULES_OF_A_FIELD)).isEmpty();
    assertThat(run.kinds().rarerThan(LEAST_FLOWS_OF_A_KIND)).isEmpty();
  }

  @Test
  void packetsMeetWhatTheJudgesSayInLegacyTables() throws IOException {
    PacketRun run = new PacketRun(IptablesBackend.LEGACY, System.nanoTime());
    run.fleets(8, FLOWS_PER_FLEET);
    assertMixed(run);
  }

  @Tag("full")
  @Test
  void packetsMeetWhatTheJudgesSayAtLength() throws IOException {
    for (IptablesBackend backend : IptablesBackend.values()) {
      PacketRun run = new PacketRun(backend, System.nanoTime());
      run.fleets(150, FLOWS_PER_FLEET);
      assertMixed(run);
    }
  }

  /** A kernel that passes everything, or nothing, would be found out. */
  @Test
  void kernelsThatDoNotFilterAreFoundOut() throws IOException {
    PacketRun open = new PacketRun(IptablesBackend.NFT, 1).withFault(PacketRun.Fault.NO_FILTER);
    assertThat(open.disputes(1, FLOWS_PER_FLEET))
        .isNotEmpty()
        .allSatisfy(dispute -> assertThat(dispute.arrived()).isTrue())
        // It is the filter that drops what comes from addresses of others, and nothing else.
        .anySatisfy(dispute -> assertThat(FleetLayout.twoHosts().spoofed(dispute.flow())).isTrue());
    PacketRun stale = new PacketRun(IptablesBackend.NFT, 1).withFault(PacketRun.Fault.OLD_POLICIES);
    assertThat(stale.disputes(2, FLOWS_PER_FLEET)).isNotEmpty();
  }

  private static void assertMixed(PacketRun run) {
    System.out.println(run);
    assertThat(run.denied()).isGreaterThan(run.flows() * 3 / 10);
    assertThat(run.flows() - run.denied()).isGreaterThan(run.flows() * 2 / 10);
  }
}
