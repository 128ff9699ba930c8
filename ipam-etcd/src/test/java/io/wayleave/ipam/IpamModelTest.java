package io.wayleave.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.testing.BrokenDatastore;
import io.wayleave.model.Kind;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Random histories; see {@link ModelRun}. */
class IpamModelTest {
  private static final int STEPS = 200;

  /** How often processes die at least at each commit of each operation, before and after it. */
  private static final int HITS = 100;

  /** More histories than are needed for that. */
  private static final int MOST_HISTORIES = 400;

  @Test
  @Timeout(900)
  void noHistoryLosesOrDoublesAnAddress() {
    run(40);
  }

  @Test
  @Tag("full")
  @Timeout(2400)
  void noneOfManyHistoriesLosesOrDoublesAnAddress() {
    run(2000);
  }

  private static void run(int atLeast) {
    Map<FaultyDatastore.Fault, Integer> faults = new EnumMap<>(FaultyDatastore.Fault.class);
    CrashPoints points = new CrashPoints(HITS);
    int exhausted = 0;
    int histories = 0;
    while (histories < atLeast || (points.fewest() < HITS && histories < MOST_HISTORIES)) {
      long seed = histories++;
      ModelRun history = new ModelRun(seed, points, UnaryOperator.identity());
      List<String> violations = history.run(STEPS);
      assertThat(violations).as("history %d after %s", seed, history.history()).isEmpty();
      assertThat(history.crashes()).as("crashes in history %d", seed).isGreaterThanOrEqualTo(2);
      history.faults().forEach((fault, count) -> faults.merge(fault, count, Integer::sum));
      exhausted += history.exhausted();
    }
    // The histories went where it hurts: every fault, full pools, and death at every point.
    assertThat(faults.keySet()).containsExactlyInAnyOrder(FaultyDatastore.Fault.values());
    assertThat(faults.values()).as("%s", faults).allMatch(count -> count > HITS);
    assertThat(exhausted).isGreaterThan(HITS);
    assertThat(points.all().values())
        .as("deaths in %d histories: %s", histories, points.all())
        .allMatch(hits -> hits >= HITS);
  }

  static Stream<Arguments> defects() {
    return Stream.of(
        Arguments.of(
            "blocks are written whatever their state",
            withoutConditions(condition -> condition.key().startsWith(Keys.BLOCKS)),
            "has two holders"),
        Arguments.of(
            "a handle is overwritten",
            withoutConditions(
                condition ->
                    condition instanceof Transaction.Absent
                        && (condition.key().startsWith(Keys.HANDLES)
                            || condition.key().startsWith(Keys.RESOURCES))),
            "has no handle"),
        Arguments.of(
            "the handle is not written",
            withoutOperations(
                operation ->
                    operation instanceof Transaction.Put
                        && operation.key().startsWith(Keys.HANDLES)),
            "has no handle"),
        Arguments.of(
            "the handle is not deleted",
            withoutOperations(
                operation ->
                    operation instanceof Transaction.Delete
                        && operation.key().startsWith(Keys.HANDLES)),
            "is free in its block"),
        Arguments.of(
            "the block is not written",
            withoutOperations(operation -> operation.key().startsWith(Keys.BLOCKS)),
            "is in no block"),
        Arguments.of(
            "the owner record is not written",
            withoutOperations(
                operation ->
                    operation instanceof Transaction.Put
                        && operation.key().startsWith(Keys.RESOURCES)),
            "has no owner record"),
        Arguments.of(
            "the owner record is not deleted",
            withoutOperations(
                operation ->
                    operation instanceof Transaction.Delete
                        && operation.key().startsWith(Keys.RESOURCES)),
            "has no handle"),
        Arguments.of(
            "the plain owner record is not written",
            withoutOperations(
                operation ->
                    operation instanceof Transaction.Put
                        && operation.key().startsWith(IpamKeys.OWNERS)),
            "has no owner record"),
        Arguments.of(
            "an allocation does not mind its pool",
            withoutConditions(
                condition ->
                    condition.key().equals(Keys.POOL_GUARD)
                        || condition.key().startsWith(ResourceStore.prefix(Kind.IP_POOL))),
            "is in no pool"),
        Arguments.of(
            "the affinity is not deleted",
            withoutOperations(
                operation ->
                    operation instanceof Transaction.Delete
                        && operation.key().startsWith(Keys.AFFINITIES)),
            "affinity"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("defects")
  @Timeout(120)
  void aDefectIsCaught(String defect, UnaryOperator<Datastore> breakage, String symptom) {
    for (long seed = 0; seed < 300; seed++) {
      List<String> violations = new ModelRun(seed, new CrashPoints(0), breakage).run(STEPS);
      if (violations.stream().anyMatch(violation -> violation.contains(symptom))) {
        return;
      }
    }
    throw new AssertionError("not noticed: " + defect);
  }

  private static UnaryOperator<Datastore> withoutConditions(
      java.util.function.Predicate<Transaction.Condition> dropped) {
    return store -> BrokenDatastore.withoutConditions(store, dropped);
  }

  private static UnaryOperator<Datastore> withoutOperations(
      java.util.function.Predicate<Transaction.Operation> dropped) {
    return store -> BrokenDatastore.withoutOperations(store, dropped);
  }
}
