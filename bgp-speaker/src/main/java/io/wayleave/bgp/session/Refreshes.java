package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Family;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Families whose routes a peer is telling again (RFC 7313 section 4): what it has not told again is
 * stale until the refresh ends, by the peer's word or, should that never come, by time. Decides and
 * keeps time; its owner removes routes. Owned by the {@link Loop} thread.
 */
final class Refreshes {
  private final Loop loop;
  private final Consumer<Family> overdue;
  private final Map<Family, Timer> running = new EnumMap<>(Family.class);

  /**
   * @param overdue told of a refresh that took too long, which is over then
   */
  Refreshes(Loop loop, Consumer<Family> overdue) {
    this.loop = requireNonNull(loop, "loop is null");
    this.overdue = requireNonNull(overdue, "overdue is null");
  }

  /** A refresh of the family begins, also in the midst of one. */
  void begin(Family family, Duration most) {
    running
        .computeIfAbsent(
            family,
            _ ->
                new Timer(
                    loop,
                    () -> {
                      running.remove(family);
                      overdue.accept(family);
                    }))
        .start(most);
  }

  /** Returns whether one was under way. */
  boolean end(Family family) {
    Timer timer = running.remove(family);
    if (timer == null) {
      return false;
    }
    timer.stop();
    return true;
  }

  /** The session is over, and its refreshes with it. */
  void clear() {
    running.values().forEach(Timer::stop);
    running.clear();
  }

  Set<Family> families() {
    return Set.copyOf(running.keySet());
  }
}
