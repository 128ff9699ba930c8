package io.wayleave.agent;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes this node out of service in two steps: peers are told first that its routes are about to go
 * (RFC 8326), and once the fabric has had time to find other ways, its sessions end. NOT thread
 * safe; owned by the core thread.
 */
final class Draining {
  private static final Logger log = LoggerFactory.getLogger(Draining.class);

  /** RFC 8326 section 4.1 leaves it open: as long as a fabric needs to converge. */
  static final Duration TIME = Duration.ofSeconds(10);

  private final BiConsumer<Duration, Runnable> later;
  private final Runnable onChange;
  private BgpPlan.Drain phase = BgpPlan.Drain.NONE;
  // Tells the timer of this drain from those of earlier ones.
  private int drains;

  /**
   * A node in service.
   *
   * @param later runs a task on the core thread after a time
   * @param onChange called on the core thread when time took a step on
   */
  Draining(BiConsumer<Duration, Runnable> later, Runnable onChange) {
    this.later = requireNonNull(later, "later is null");
    this.onChange = requireNonNull(onChange, "onChange is null");
  }

  BgpPlan.Drain phase() {
    return phase;
  }

  /**
   * The agent starts. A drained node stays so: whatever peers still keep of an earlier agent's
   * routes, nothing is to come to it.
   */
  void begin(boolean wanted) {
    phase = wanted ? BgpPlan.Drain.DONE : BgpPlan.Drain.NONE;
  }

  /** People want the node drained, or not any more. */
  void update(boolean wanted) {
    if (!wanted) {
      phase = BgpPlan.Drain.NONE;
      drains++;
    } else if (phase == BgpPlan.Drain.NONE) {
      phase = BgpPlan.Drain.ANNOUNCED;
      int drain = ++drains;
      log.info("node drains: its routes are announced as about to go");
      later.accept(TIME, () -> finish(drain));
    }
  }

  private void finish(int drain) {
    if (drain == drains) {
      phase = BgpPlan.Drain.DONE;
      log.info("node drained: its sessions end");
      onChange.run();
    }
  }
}
