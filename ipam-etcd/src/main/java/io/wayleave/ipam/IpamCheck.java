package io.wayleave.ipam;

import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreMover;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.TransactionResult;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds what should not be in the store while the fabric works on it, and mends what can be mended
 * without harm. Nothing is locked and nothing is written but what mends.
 *
 * <p>It reads everything twice. A problem is one only when both passes show it and the records that
 * show it did not change in between: then they stood so at one and the same moment, for a version
 * never comes again. What changed is looked at again, a few times. Mending compares the same
 * records once more, in its transaction. Thread safe; blocks.
 */
public final class IpamCheck {
  /** Passes without any progress over what changes all the time. */
  private static final int MAX_PASSES = 8;

  private static final String CHANGED = "it changed at the moment of mending";

  private final Datastore datastore;
  private final InstantSource clock;

  /** What became of a problem. */
  public enum Outcome {
    /** It is there; it was not asked to mend it, and it could be. */
    FIXABLE,
    /** It was mended. */
    FIXED,
    /** It is there; a person has to decide. */
    LEFT
  }

  /**
   * A problem and what became of it.
   *
   * @param note what was or would be done, from "by" on; or why nothing is
   */
  public record Finding(IpamProblem problem, Outcome outcome, String note) {}

  /**
   * Everything that was found.
   *
   * @param unsettled what looked like a problem, but changed each time that it was looked at
   * @param blocks how many were looked at
   * @param handles how many were looked at
   */
  public record Report(
      List<Finding> findings, List<IpamProblem> unsettled, int blocks, int handles) {
    public Report {
      findings = List.copyOf(findings);
      unsettled = List.copyOf(unsettled);
    }

    /** How many problems there still are. */
    public long remaining() {
      return findings.stream().filter(finding -> finding.outcome() != Outcome.FIXED).count();
    }
  }

  /** A problem, however its records change. */
  private record Topic(IpamProblem.Kind kind, String subject, String detail) {
    static Topic of(IpamProblem problem) {
      return new Topic(problem.kind(), problem.subject(), problem.detail());
    }
  }

  public IpamCheck(Datastore datastore, InstantSource clock) {
    this.datastore = requireNonNull(datastore, "datastore is null");
    this.clock = requireNonNull(clock, "clock is null");
  }

  /**
   * Looks at everything.
   *
   * @param fix whether to mend what can be mended
   * @param deadline for the whole
   * @throws io.wayleave.model.InvalidInputException when it is to mend a store into which a move
   *     did not end: what belongs together may come yet
   */
  public Report run(boolean fix, Deadline deadline) {
    if (fix) {
      DatastoreMover.checkWhole(datastore, deadline);
    }
    List<Finding> fixed = new ArrayList<>();
    Map<Topic, Finding> proven = new LinkedHashMap<>();
    List<IpamProblem> unsettled = List.of();
    IpamPicture picture = IpamPicture.read(datastore, deadline);
    List<IpamProblem> before = IpamDiagnosis.of(picture);
    boolean more = !before.isEmpty();
    for (int idle = 0; more && idle < MAX_PASSES; idle++) {
      picture = IpamPicture.read(datastore, deadline);
      List<IpamProblem> now = IpamDiagnosis.of(picture);
      proven.keySet().retainAll(now.stream().map(Topic::of).toList());
      IpamRepair repair = new IpamRepair(picture, clock.instant().getEpochSecond());
      Set<IpamProblem> known = new HashSet<>(before);
      more = false;
      for (IpamProblem problem : now) {
        if (known.contains(problem)) {
          Finding finding = treat(problem, repair.of(problem), fix, deadline);
          if (finding.outcome() == Outcome.FIXED) {
            fixed.add(finding);
            proven.remove(Topic.of(problem));
            // That changed what shows others; they get their passes anew.
            idle = -1;
          } else {
            proven.put(Topic.of(problem), finding);
          }
          more |= finding.outcome() == Outcome.FIXED || finding.note().equals(CHANGED);
        }
      }
      List<IpamProblem> changed = now.stream().filter(problem -> !known.contains(problem)).toList();
      unsettled =
          changed.stream().filter(problem -> !proven.containsKey(Topic.of(problem))).toList();
      more |= fix ? !changed.isEmpty() : !unsettled.isEmpty();
      before = now;
    }
    List<Finding> all = new ArrayList<>(fixed);
    all.addAll(proven.values());
    return new Report(all, unsettled, picture.blocks().size(), picture.handles().size());
  }

  private Finding treat(
      IpamProblem problem, IpamRepair.Verdict verdict, boolean fix, Deadline deadline) {
    return switch (verdict) {
      case IpamRepair.Leave(String why) -> new Finding(problem, Outcome.LEFT, why);
      case IpamRepair.Mend mend when !fix -> new Finding(problem, Outcome.FIXABLE, mend.what());
      case IpamRepair.Mend(var transaction, String what) ->
          switch (datastore.commit(transaction, deadline)) {
            case TransactionResult.Committed _ -> new Finding(problem, Outcome.FIXED, what);
            case TransactionResult.Failed _ -> new Finding(problem, Outcome.LEFT, CHANGED);
          };
    };
  }
}
