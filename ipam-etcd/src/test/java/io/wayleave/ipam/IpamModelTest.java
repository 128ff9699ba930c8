package io.wayleave.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Datastore;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.logging.Level;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Random histories; see {@link ModelRun}. */
class IpamModelTest {
  private static final Logger log = LoggerFactory.getLogger("ipam-model");

  /** What IPAM says of each fault would hide what this test says. */
  private static final java.util.logging.Logger QUIET =
      java.util.logging.Logger.getLogger("io.wayleave.ipam");

  private static final int STEPS = 200;

  /**
   * How often histories come at least to each point: processes die at each commit of each
   * operation, before and after it, each read fails, and so on.
   */
  private static final int HITS = 100;

  /** As often when there is no time for many. */
  private static final int FEW_HITS = 30;

  /** Histories that a thread runs one after the other, and that count deaths together. */
  private static final int CHUNK = 20;

  /** More histories than are needed for that. */
  private static final int MOST_HISTORIES = 500;

  @Test
  @Timeout(900)
  void noHistoryLosesOrDoublesAnAddress() {
    run(0, 2 * CHUNK, FEW_HITS);
  }

  /** {@code ./dev bench ipam-model} sets how many, and the first seed. */
  @Test
  @Tag("full")
  @Timeout(value = 12, unit = TimeUnit.HOURS)
  void noneOfManyHistoriesLosesOrDoublesAnAddress() {
    run(
        Long.getLong("wayleave.model.seed", 0),
        Integer.getInteger("wayleave.model.histories", 2000),
        HITS);
  }

  /** What some histories came to. NOT thread safe. */
  private static final class Tally {
    private final ModelPoints points;
    private final Map<FaultyDatastore.Fault, Integer> faults =
        new EnumMap<>(FaultyDatastore.Fault.class);
    private int histories;
    private int exhausted;

    Tally(int wanted) {
      points = new ModelPoints(wanted);
    }

    void add(Tally other) {
      other.points.all().forEach(points::hit);
      other.faults.forEach((fault, count) -> faults.merge(fault, count, Integer::sum));
      histories += other.histories;
      exhausted += other.exhausted;
    }
  }

  @BeforeAll
  static void quiet() {
    QUIET.setLevel(Level.SEVERE);
  }

  @AfterAll
  static void loud() {
    QUIET.setLevel(null);
  }

  private static void run(long seed, int atLeast, int hits) {
    long began = System.nanoTime();
    Tally all = new Tally(hits);
    int cores = Runtime.getRuntime().availableProcessors();
    int chunks = 0;
    try (ExecutorService threads = Executors.newFixedThreadPool(cores)) {
      while (all.histories < atLeast
          || (all.points.fewest() < hits && all.histories < MOST_HISTORIES)) {
        int left = Math.ceilDiv(Math.max(0, atLeast - all.histories), CHUNK);
        List<Future<Tally>> running = new ArrayList<>();
        for (int i = 0; i < Math.max(left, cores); i++) {
          int chunk = chunks++;
          running.add(
              threads.submit(
                  () -> chunk(seed, chunk, hits, atLeast <= MOST_HISTORIES || chunk % 10 == 0)));
        }
        for (Future<Tally> each : running) {
          all.add(result(each, threads));
          if (all.histories % 1000 < CHUNK) {
            log.info("{} histories, {} s", all.histories, seconds(began));
          }
        }
      }
    }
    log.info(
        "{} histories from seed {} of at least {} steps: {} s; points {}; faults {}; nothing free"
            + " {}",
        all.histories,
        seed,
        STEPS,
        seconds(began),
        all.points.describe(Integer.MAX_VALUE),
        all.faults,
        all.exhausted);
    // The histories went where it hurts: every fault, full pools, and death at every point.
    assertThat(all.faults.keySet()).containsExactlyInAnyOrder(FaultyDatastore.Fault.values());
    assertThat(all.faults.values()).as("%s", all.faults).allMatch(count -> count > hits);
    assertThat(all.exhausted).isGreaterThan(hits);
    assertThat(all.points.describe(hits))
        .as("points that %d histories seldom came to", all.histories)
        .isEmpty();
  }

  /** A history depends on its seed and on where processes died before, in the same chunk. */
  private static Tally chunk(long seed, int chunk, int hits, boolean deadly) {
    long first = seed + (long) chunk * CHUNK;
    // Death comes wherever it was seldom so far, or as it comes.
    Tally tally = new Tally(deadly ? hits / 2 : 0);
    for (long each = first; each < first + CHUNK; each++) {
      ModelRun history = new ModelRun(each, tally.points, UnaryOperator.identity());
      List<String> violations = history.run(STEPS);
      assertThat(violations)
          .as("history %d of chunk %d from %d after %s", each, chunk, seed, history.history())
          .isEmpty();
      assertThat(history.crashes()).as("crashes in history %d", each).isGreaterThanOrEqualTo(2);
      history.faults().forEach((fault, count) -> tally.faults.merge(fault, count, Integer::sum));
      tally.exhausted += history.exhausted();
      tally.histories++;
    }
    return tally;
  }

  private static Tally result(Future<Tally> chunk, ExecutorService threads) {
    try {
      return chunk.get();
    } catch (ExecutionException e) {
      threads.shutdownNow();
      throw e.getCause() instanceof Error error ? error : new AssertionError(e.getCause());
    } catch (InterruptedException e) {
      threads.shutdownNow();
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  private static long seconds(long began) {
    return TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - began);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("io.wayleave.ipam.ModelDefects#all")
  @Timeout(120)
  void aDefectIsCaught(String defect, UnaryOperator<Datastore> breakage, String symptom) {
    for (long seed = 0; seed < 300; seed++) {
      List<String> violations = new ModelRun(seed, new ModelPoints(0), breakage).run(STEPS);
      if (violations.stream().anyMatch(violation -> violation.contains(symptom))) {
        return;
      }
    }
    throw new AssertionError("not noticed: " + defect);
  }
}
