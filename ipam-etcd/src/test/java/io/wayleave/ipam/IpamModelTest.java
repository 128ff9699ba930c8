package io.wayleave.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.Version;
import io.wayleave.datastore.testing.BrokenDatastore;
import io.wayleave.datastore.testing.DelegatingDatastore;
import io.wayleave.model.Kind;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.logging.Level;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
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

  /** How often processes die at least at each commit of each operation, before and after it. */
  private static final int HITS = 100;

  /** Histories that a thread runs one after the other, and that count deaths together. */
  private static final int CHUNK = 20;

  /** More histories than are needed for that. */
  private static final int MOST_HISTORIES = 500;

  @Test
  @Timeout(900)
  void noHistoryLosesOrDoublesAnAddress() {
    run(0, 2 * CHUNK);
  }

  /** {@code ./dev bench ipam-model} sets how many, and the first seed. */
  @Test
  @Tag("full")
  @Timeout(value = 12, unit = TimeUnit.HOURS)
  void noneOfManyHistoriesLosesOrDoublesAnAddress() {
    run(
        Long.getLong("wayleave.model.seed", 0),
        Integer.getInteger("wayleave.model.histories", 2000));
  }

  /** What some histories came to. NOT thread safe. */
  private static final class Tally {
    private final CrashPoints points;
    private final Map<FaultyDatastore.Fault, Integer> faults =
        new EnumMap<>(FaultyDatastore.Fault.class);
    private int histories;
    private int exhausted;

    Tally(int wanted) {
      points = new CrashPoints(wanted);
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

  private static void run(long seed, int atLeast) {
    long began = System.nanoTime();
    Tally all = new Tally(HITS);
    int cores = Runtime.getRuntime().availableProcessors();
    int chunks = 0;
    try (ExecutorService threads = Executors.newFixedThreadPool(cores)) {
      while (all.histories < atLeast
          || (all.points.fewest() < HITS && all.histories < MOST_HISTORIES)) {
        int left = Math.ceilDiv(Math.max(0, atLeast - all.histories), CHUNK);
        List<Future<Tally>> running = new ArrayList<>();
        for (int i = 0; i < Math.max(left, cores); i++) {
          int chunk = chunks++;
          running.add(
              threads.submit(
                  () -> chunk(seed, chunk, atLeast <= MOST_HISTORIES || chunk % 10 == 0)));
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
        "{} histories from seed {} of at least {} steps: {} s; deaths {}; faults {}; nothing free"
            + " {}",
        all.histories,
        seed,
        STEPS,
        seconds(began),
        all.points.all(),
        all.faults,
        all.exhausted);
    // The histories went where it hurts: every fault, full pools, and death at every point.
    assertThat(all.faults.keySet()).containsExactlyInAnyOrder(FaultyDatastore.Fault.values());
    assertThat(all.faults.values()).as("%s", all.faults).allMatch(count -> count > HITS);
    assertThat(all.exhausted).isGreaterThan(HITS);
    assertThat(all.points.all().values())
        .as("deaths in %d histories: %s", all.histories, all.points.all())
        .allMatch(hits -> hits >= HITS);
  }

  /** A history depends on its seed and on where processes died before, in the same chunk. */
  private static Tally chunk(long seed, int chunk, boolean deadly) {
    long first = seed + (long) chunk * CHUNK;
    // Death comes wherever it was seldom so far, or as it comes.
    Tally tally = new Tally(deadly ? HITS / 2 : 0);
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
                condition -> condition.key().startsWith(ResourceStore.prefix(Kind.IP_POOL))),
            "is in no pool"),
        Arguments.of(
            "an allocation does not mind reservations",
            withoutConditions(condition -> condition.key().equals(Keys.SETTINGS_GUARD)),
            "is reserved"),
        Arguments.of(
            "the affinity is not deleted",
            withoutOperations(
                operation ->
                    operation instanceof Transaction.Delete
                        && operation.key().startsWith(Keys.AFFINITIES)),
            "affinity"),
        Arguments.of(
            "an acknowledged allocation is lost", forgetful(IpamModelTest::allocates), "was given"),
        Arguments.of(
            "an acknowledged release did nothing",
            forgetful(IpamModelTest::releases),
            "was released, or never given"),
        Arguments.of(
            "a refused allocation is written all the same",
            (UnaryOperator<Datastore>) Untruthful::new,
            "was released, or never given"),
        Arguments.of(
            "an allocation takes whatever handle it finds for its own",
            (UnaryOperator<Datastore>) Flattering::new,
            "was given twice"),
        Arguments.of(
            "a collection does not mind that the node is back",
            withoutConditions(
                condition ->
                    condition instanceof Transaction.Absent
                        && condition.key().startsWith(ResourceStore.prefix(Kind.NODE))),
            "was given"));
  }

  private static boolean allocates(Transaction transaction) {
    return transaction.operations().stream()
        .anyMatch(each -> each instanceof Transaction.Put && each.key().startsWith(Keys.HANDLES));
  }

  private static boolean releases(Transaction transaction) {
    return transaction.operations().stream()
        .anyMatch(
            each -> each instanceof Transaction.Delete && each.key().startsWith(Keys.HANDLES));
  }

  private static UnaryOperator<Datastore> forgetful(Predicate<Transaction> forgotten) {
    return store -> new Forgetful(store, forgotten);
  }

  /** Acknowledges each tenth of certain transactions and does not do it. */
  private static final class Forgetful extends DelegatingDatastore {
    private final Predicate<Transaction> forgotten;
    private int count;

    Forgetful(Datastore delegate, Predicate<Transaction> forgotten) {
      super(delegate);
      this.forgotten = forgotten;
    }

    @Override
    public TransactionResult commit(Transaction transaction, Deadline deadline) {
      if (!forgotten.test(transaction) || ++count % 10 != 0) {
        return super.commit(transaction, deadline);
      }
      Map<String, Version> versions = new HashMap<>();
      transaction.operations().forEach(each -> versions.put(each.key(), new Version("1")));
      return new TransactionResult.Committed(
          super.list("", Optional.empty(), 1, deadline).revision(), versions);
    }
  }

  /** Does each tenth allocation and says that it did not get it. */
  private static final class Untruthful extends DelegatingDatastore {
    private int count;

    Untruthful(Datastore delegate) {
      super(delegate);
    }

    @Override
    public TransactionResult commit(Transaction transaction, Deadline deadline) {
      TransactionResult result = super.commit(transaction, deadline);
      if (allocates(transaction) && ++count % 10 == 0) {
        throw new DatastoreUnavailableException("injected, a lie", null);
      }
      return result;
    }
  }

  /** Shows a handle as if the last attempt to write it had done so. */
  private static final class Flattering extends DelegatingDatastore {
    private final Map<String, String> attempts = new HashMap<>();

    Flattering(Datastore delegate) {
      super(delegate);
    }

    @Override
    public TransactionResult commit(Transaction transaction, Deadline deadline) {
      for (Transaction.Operation operation : transaction.operations()) {
        if (operation instanceof Transaction.Put put && put.key().startsWith(Keys.HANDLES)) {
          attempts.put(put.key(), Handle.fromJson(put.value()).attempt());
        }
      }
      return super.commit(transaction, deadline);
    }

    @Override
    public Optional<Entry> get(String key, Deadline deadline) {
      Optional<Entry> entry = super.get(key, deadline);
      return !attempts.containsKey(key)
          ? entry
          : entry.map(
              found -> {
                Handle handle = Handle.fromJson(found.value());
                return new Entry(
                    key,
                    new Handle(
                            handle.id(),
                            handle.node(),
                            handle.generation(),
                            attempts.get(key),
                            handle.use(),
                            handle.attributes(),
                            handle.owners(),
                            handle.assigned())
                        .toJson(),
                    found.version());
              });
    }
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
      Predicate<Transaction.Condition> dropped) {
    return store -> BrokenDatastore.withoutConditions(store, dropped);
  }

  private static UnaryOperator<Datastore> withoutOperations(
      Predicate<Transaction.Operation> dropped) {
    return store -> BrokenDatastore.withoutOperations(store, dropped);
  }
}
