package io.wayleave.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.agent.BgpPlan.Drain;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DrainingTest {
  private final List<Runnable> later = new ArrayList<>();
  private int changes;
  private final Draining draining =
      new Draining(
          (time, task) -> {
            assertThat(time).isEqualTo(Draining.TIME);
            later.add(task);
          },
          () -> changes++);

  @Test
  void routesAreAnnouncedAsGoingBeforeTheSessionsEnd() {
    draining.begin(false);
    assertThat(draining.phase()).isEqualTo(Drain.NONE);
    draining.update(true);
    draining.update(true);
    assertThat(draining.phase()).isEqualTo(Drain.ANNOUNCED);
    assertThat(later).hasSize(1);
    later.getFirst().run();
    assertThat(draining.phase()).isEqualTo(Drain.DONE);
    assertThat(changes).isEqualTo(1);
    draining.update(true);
    assertThat(draining.phase()).isEqualTo(Drain.DONE);
    draining.update(false);
    assertThat(draining.phase()).isEqualTo(Drain.NONE);
  }

  @Test
  void theTimerOfADrainThatWasTakenBackEndsNoLaterOne() {
    draining.update(true);
    draining.update(false);
    later.getFirst().run();
    assertThat(draining.phase()).isEqualTo(Drain.NONE);
    draining.update(true);
    later.getFirst().run();
    assertThat(draining.phase()).isEqualTo(Drain.ANNOUNCED);
    later.get(1).run();
    assertThat(draining.phase()).isEqualTo(Drain.DONE);
  }

  @Test
  void aDrainedNodeStaysSoWhenItsAgentStarts() {
    draining.begin(true);
    assertThat(draining.phase()).isEqualTo(Drain.DONE);
    assertThat(later).isEmpty();
  }
}
