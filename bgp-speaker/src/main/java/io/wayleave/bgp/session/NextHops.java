package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.NextHopSource;
import io.wayleave.bgp.rib.NextHopMetric;
import io.wayleave.model.IpAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;

/**
 * How far the next hops are that paths name, as a {@link NextHopSource} has told. One that was not
 * asked for before counts as unreachable until the source has answered: a path by it must not push
 * aside one that works, the path that it replaces included. Owned by the {@link Loop} thread.
 */
final class NextHops implements NextHopMetric {
  /** Below so many nothing is forgotten. */
  private static final int FEW = 1024;

  private final NextHopSource source;
  private final Map<IpAddress, OptionalLong> distances = new HashMap<>();
  // Without an answer; a part of them has not been asked for yet.
  private final Set<IpAddress> unanswered = new HashSet<>();
  // Those without an answer that were first named before the choice was otherwise made.
  private final Set<IpAddress> firstUnanswered = new HashSet<>();
  private final Set<IpAddress> changed = new HashSet<>();
  private boolean settling = true;
  private boolean more;
  private int sweepAt = FEW;

  NextHops(NextHopSource source) {
    this.source = requireNonNull(source, "source is null");
  }

  @Override
  public OptionalLong metric(IpAddress nextHop) {
    OptionalLong known = distances.get(nextHop);
    if (known == null) {
      distances.put(nextHop, OptionalLong.empty());
      unanswered.add(nextHop);
      if (settling) {
        firstUnanswered.add(nextHop);
      }
      more = true;
      return OptionalLong.empty();
    }
    return known;
  }

  @Override
  public boolean isAwaited(IpAddress nextHop) {
    return unanswered.contains(nextHop);
  }

  /** The source has told; what is not of interest any more is ignored. */
  void found(Map<IpAddress, OptionalLong> told) {
    told.forEach(
        (nextHop, distance) -> {
          OptionalLong former = distances.replace(nextHop, distance);
          if (former != null) {
            // The first answer is news even when it is that there is no way: what was chosen before
            // may have been kept for it.
            boolean first = unanswered.remove(nextHop);
            firstUnanswered.remove(nextHop);
            if (first || !former.equals(distance)) {
              changed.add(nextHop);
            }
          }
        });
  }

  /** Those by which paths are to be judged again. */
  Set<IpAddress> takeChanged() {
    Set<IpAddress> taken = Set.copyOf(changed);
    changed.clear();
    return taken;
  }

  /**
   * Asks for what is not known yet.
   *
   * @param inUse walks the tables: called when so many are known that some must be of no use any
   *     more, as a peer may name ever other ones
   */
  void ask(Supplier<Set<IpAddress>> inUse) {
    if (!more) {
      return;
    }
    more = false;
    if (distances.size() >= sweepAt) {
      Set<IpAddress> used = inUse.get();
      distances.keySet().retainAll(used);
      unanswered.retainAll(used);
      firstUnanswered.retainAll(used);
      changed.retainAll(used);
      sweepAt = Math.max(FEW, 2 * distances.size());
    }
    source.watch(Set.copyOf(distances.keySet()));
  }

  /**
   * Whatever was to be chosen after the start is chosen, as far as the next hops named until now
   * are known. {@link #settled} waits for none that is named from now on: a peer that names ever
   * other ones would keep it from coming true.
   */
  void endSettling() {
    settling = false;
  }

  /** Whether the source has answered for every one that was named before {@link #endSettling}. */
  boolean settled() {
    return firstUnanswered.isEmpty();
  }

  int size() {
    return distances.size();
  }
}
