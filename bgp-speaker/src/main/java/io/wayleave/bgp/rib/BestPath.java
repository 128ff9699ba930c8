package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.AddPath;
import io.wayleave.bgp.PathSelection;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;

/**
 * Chooses among the paths to one prefix. A pure function of the set of paths: their order and the
 * order of their arrival do not matter.
 */
public final class BestPath {
  private static final DecisionStep[] STEPS = DecisionStep.values();

  private final PathSelection settings;
  private final NextHopMetric metric;

  public BestPath(PathSelection settings, NextHopMetric metric) {
    this.settings = requireNonNull(settings, "settings is null");
    this.metric = requireNonNull(metric, "metric is null");
  }

  /** What became of one path. */
  public sealed interface Verdict {
    /** The path that is told to peers. */
    record Best() implements Verdict {
      @Override
      public String toString() {
        return "best";
      }
    }

    /** Equal to the best one up to the tie breaks, and used beside it. */
    record Multipath() implements Verdict {
      @Override
      public String toString() {
        return "multipath";
      }
    }

    record Lost(DecisionStep at) implements Verdict {
      @Override
      public String toString() {
        return at.toString();
      }
    }

    record Unusable(Rejection reason) implements Verdict {
      @Override
      public String toString() {
        return reason.toString();
      }
    }
  }

  /** The best path first, then those used beside it; none when no path is usable. */
  public Candidates select(Candidates candidates) {
    return switch (candidates) {
      case Path only -> usable(only) ? only : Candidates.NONE;
      case Candidates.Several several -> Candidates.of(decide(several, Optional.empty()));
      case Candidates.None none -> none;
    };
  }

  /**
   * Which of the paths chosen before stay while nothing else can be chosen: those in whose place
   * there is a path now by a next hop of which nothing is known yet. A route must not be away for
   * as long as somebody looks up whether it may be replaced. A path that was withdrawn, or replaced
   * by one that may not be used, does not stay.
   */
  Candidates kept(Candidates former, Candidates candidates) {
    Candidates kept = former;
    for (int i = former.count() - 1; i >= 0; i--) {
      Path path = former.get(i);
      int at = candidates.indexOf(path.source(), path.pathId());
      if (at < 0 || !isAwaited(candidates.get(at))) {
        kept = kept.without(i);
      }
    }
    return kept;
  }

  private boolean isAwaited(Path path) {
    return path.usable()
        && !path.isLocal()
        && !path.isOnLinkOfSession()
        && metric.isAwaited(path.nextHop().gateway());
  }

  /** The best usable paths, best first, at most that many; {@link AddPath#ALL} has no end. */
  List<Path> ranked(Candidates candidates, int most) {
    List<Path> left = new ArrayList<>(candidates.count());
    for (int i = 0; i < candidates.count(); i++) {
      if (usable(candidates.get(i))) {
        left.add(candidates.get(i));
      }
    }
    if (most == AddPath.ALL) {
      return left;
    }
    List<Path> ranked = new ArrayList<>();
    while (ranked.size() < most && !left.isEmpty()) {
      Path best = select(Candidates.of(left)).get(0);
      ranked.add(best);
      left.remove(best);
    }
    return ranked;
  }

  /** The verdict of each path, in the order of the candidates; for people. */
  public List<Verdict> explain(Candidates candidates) {
    IdentityHashMap<Path, Verdict> verdicts = new IdentityHashMap<>();
    List<Path> chosen = decide(candidates, Optional.of(verdicts));
    for (int i = 0; i < chosen.size(); i++) {
      verdicts.put(chosen.get(i), i == 0 ? new Verdict.Best() : new Verdict.Multipath());
    }
    List<Verdict> inOrder = new ArrayList<>(candidates.count());
    for (int i = 0; i < candidates.count(); i++) {
      inOrder.add(verdicts.get(candidates.get(i)));
    }
    return inOrder;
  }

  private List<Path> decide(
      Candidates candidates, Optional<IdentityHashMap<Path, Verdict>> verdicts) {
    List<Path> alive = new ArrayList<>(candidates.count());
    for (int i = 0; i < candidates.count(); i++) {
      Path path = candidates.get(i);
      if (usable(path)) {
        alive.add(path);
      } else if (verdicts.isPresent()) {
        Rejection reason =
            path.rejection().orElseGet(() -> Rejection.unreachable(path.nextHop().gateway()));
        verdicts.get().put(path, new Verdict.Unusable(reason));
      }
    }
    List<Path> equal = alive;
    for (DecisionStep step : STEPS) {
      if (alive.size() < 2) {
        break;
      }
      List<Path> left = better(alive, step);
      if (verdicts.isPresent() && left.size() < alive.size()) {
        for (Path path : alive) {
          if (!left.contains(path)) {
            verdicts.get().put(path, new Verdict.Lost(step));
          }
        }
      }
      alive = left;
      if (step.compareTo(DecisionStep.FIRST_TIE_BREAK) < 0) {
        equal = left;
      }
    }
    return alive.isEmpty() ? alive : withEqualPaths(alive.getFirst(), equal);
  }

  private boolean usable(Path path) {
    return path.usable() && (path.isLocal() || metric.of(path).isPresent());
  }

  private int compare(DecisionStep step, Path a, Path b, NextHopMetric of) {
    return step == DecisionStep.MED && settings.alwaysCompareMed()
        ? DecisionStep.compareMed(a, b)
        : step.compare(a, b, of);
  }

  /** The paths that no other one beats at this step. */
  private List<Path> better(List<Path> alive, DecisionStep step) {
    if (step.isTotal() || (step == DecisionStep.MED && settings.alwaysCompareMed())) {
      Path top = alive.getFirst();
      for (Path path : alive) {
        if (compare(step, path, top, metric) < 0) {
          top = path;
        }
      }
      List<Path> left = new ArrayList<>(alive.size());
      for (Path path : alive) {
        if (compare(step, path, top, metric) == 0) {
          left.add(path);
        }
      }
      return left;
    }
    List<Path> left = new ArrayList<>(alive.size());
    for (Path path : alive) {
      boolean beaten = false;
      for (Path other : alive) {
        beaten |= compare(step, other, path, metric) < 0;
      }
      if (!beaten) {
        left.add(path);
      }
    }
    return left;
  }

  /** The best path and, in the order of the tie breaks, those that may be used beside it. */
  private List<Path> withEqualPaths(Path best, List<Path> equal) {
    if (settings.maximumPaths() == 1 || equal.size() < 2 || best.isLocal()) {
      return List.of(best);
    }
    List<Path> used = new ArrayList<>(equal.size());
    for (Path path : equal) {
      // Without relaxation the whole AS path must be the same, not only its length.
      if (!path.equals(best)
          && (settings.asPathRelax()
              || path.attributes().asPath().equals(best.attributes().asPath()))) {
        used.add(path);
      }
    }
    used.sort(this::tieBreak);
    used.addFirst(best);
    return used.size() > settings.maximumPaths()
        ? List.copyOf(used.subList(0, settings.maximumPaths()))
        : used;
  }

  private int tieBreak(Path a, Path b) {
    for (DecisionStep step : STEPS) {
      boolean breaksTies = step.compareTo(DecisionStep.FIRST_TIE_BREAK) >= 0;
      int order = breaksTies ? compare(step, a, b, metric) : 0;
      if (order != 0) {
        return order;
      }
    }
    return 0;
  }
}
