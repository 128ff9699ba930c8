package io.wayleave.datastore;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.testing.Await;
import io.wayleave.model.InvalidInputException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What every {@link Datastore} keeps. The subclasses give it a store. */
@Timeout(120)
abstract class DatastoreContractTest {
  static final Duration LIMIT = Duration.ofSeconds(20);

  protected Datastore datastore;

  /** A client of an empty store. */
  protected abstract Datastore open();

  /** Another client of the same store, as another process has one. */
  protected abstract Datastore another();

  /** Makes the store forget all history up to now. */
  protected abstract void compact();

  /**
   * Has another process put the key, bound to a session of one second, and waits until it is there.
   * The returned action lets that process die without a farewell.
   */
  protected abstract Runnable mortalOwnerOf(String key);

  @BeforeEach
  final void openStore() {
    datastore = open();
  }

  @AfterEach
  final void closeStore() {
    if (datastore != null) {
      datastore.close();
    }
  }

  @Test
  void aKeyThatIsNotThereIsEmpty() {
    assertThat(datastore.get("a/b", deadline())).isEmpty();
  }

  @Test
  void aPutCanBeReadWithTheVersionThatTheTransactionReported() {
    TransactionResult.Committed committed =
        committed(Transaction.builder().ifAbsent("a/b").put("a/b", "one").build());
    Entry entry = datastore.get("a/b", deadline()).orElseThrow();
    assertThat(entry)
        .isEqualTo(new Entry("a/b", "one".getBytes(UTF_8), committed.versionOf("a/b")));
  }

  @Test
  void severalKeysAreReadTogether() {
    committed(Transaction.builder().put("a", "1").put("b", "2").build());
    assertThat(datastore.getAll(List.of("a", "b", "c"), deadline()))
        .hasSize(2)
        .hasEntrySatisfying("a", entry -> assertThat(entry.text()).isEqualTo("1"))
        .hasEntrySatisfying("b", entry -> assertThat(entry.text()).isEqualTo("2"));
  }

  @Test
  void aTransactionWhoseConditionFailsChangesNothing() {
    committed(Transaction.builder().put("a", "1").put("b", "2").build());
    Entry a = datastore.get("a", deadline()).orElseThrow();
    TransactionResult result =
        datastore.commit(
            Transaction.builder()
                .ifUnchanged(a)
                .ifAbsent("b")
                .ifExists("c")
                .put("a", "changed")
                .delete("b")
                .put("d", "new")
                .build(),
            deadline());
    TransactionResult.Failed failed = (TransactionResult.Failed) result;
    assertThat(failed.failed())
        .containsExactly(new Transaction.Absent("b"), new Transaction.Exists("c"));
    assertThat(failed.because("b")).isTrue();
    assertThat(failed.because("a")).isFalse();
    assertThat(failed.current()).containsOnlyKeys("a", "b").containsEntry("a", a);
    assertThat(texts("")).containsExactly("a=1", "b=2");
  }

  @Test
  void aTransactionChangesAllItsKeysAtOneMoment() throws Exception {
    committed(Transaction.builder().put("left", "0").put("right", "0").build());
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> writer =
          threads.submit(
              () -> {
                for (int i = 1; i <= 100; i++) {
                  String text = Integer.toString(i);
                  committed(Transaction.builder().put("left", text).put("right", text).build());
                }
              });
      do {
        var both = datastore.getAll(List.of("left", "right"), deadline());
        assertThat(both.get("left").text()).isEqualTo(both.get("right").text());
      } while (!writer.isDone());
      writer.get(1, TimeUnit.SECONDS);
    }
    assertThat(texts("")).containsExactly("left=100", "right=100");
  }

  @Test
  void racingIncrementsLoseNone() throws Exception {
    int threadCount = 8;
    int each = 25;
    committed(Transaction.builder().put("counter", "0").build());
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < threadCount; i++) {
        running.add(
            threads.submit(
                () -> {
                  for (int done = 0; done < each; ) {
                    Entry entry = datastore.get("counter", deadline()).orElseThrow();
                    int next = Integer.parseInt(entry.text()) + 1;
                    if (datastore
                        .commit(
                            Transaction.builder()
                                .ifUnchanged(entry)
                                .put("counter", Integer.toString(next))
                                .build(),
                            deadline())
                        .isCommitted()) {
                      done++;
                    }
                  }
                }));
      }
      for (Future<?> thread : running) {
        thread.get(60, TimeUnit.SECONDS);
      }
    }
    assertThat(texts("")).containsExactly("counter=" + threadCount * each);
  }

  @Test
  void theVersionOfADeletedKeyIsNotValidForItsSuccessor() {
    committed(Transaction.builder().put("a", "same").build());
    Entry first = datastore.get("a", deadline()).orElseThrow();
    committed(Transaction.builder().delete("a").build());
    committed(Transaction.builder().put("a", "same").build());
    assertThat(
            datastore
                .commit(
                    Transaction.builder().ifUnchanged(first).put("a", "stale").build(), deadline())
                .isCommitted())
        .isFalse();
    assertThat(texts("")).containsExactly("a=same");
  }

  @Test
  void theVersionOfADeletedKeyIsNeverGivenOutAgain() {
    Set<Version> seen = new HashSet<>();
    for (int i = 0; i < 20; i++) {
      Version put = committed(Transaction.builder().put("a", "same").build()).versionOf("a");
      assertThat(datastore.get("a", deadline()).orElseThrow().version()).isEqualTo(put);
      assertThat(seen.add(put)).isTrue();
      committed(Transaction.builder().delete("a").build());
    }
  }

  @Test
  void aStaleConditionLosesEveryRaceWithDeletionAndCreation() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        Datastore other = another()) {
      Version stale = committed(Transaction.builder().put("a", "first").build()).versionOf("a");
      committed(Transaction.builder().delete("a").build());
      Future<?> recreating =
          threads.submit(
              () -> {
                while (!stop.get()) {
                  other.commit(Transaction.builder().put("a", "same").build(), deadline());
                  other.commit(Transaction.builder().delete("a").build(), deadline());
                }
              });
      for (int i = 0; i < 100; i++) {
        assertThat(
                datastore
                    .commit(
                        Transaction.builder().ifUnchanged("a", stale).put("b", "no").build(),
                        deadline())
                    .isCommitted())
            .isFalse();
        // A version that was read may be stale by now, and then must fail, or hold, in truth.
        Optional<Entry> read = datastore.get("a", deadline());
        if (read.isPresent()) {
          var _ =
              datastore.commit(
                  Transaction.builder().ifUnchanged(read.get()).put("a", "mine").build(),
                  deadline());
        }
      }
      stop.set(true);
      recreating.get(30, TimeUnit.SECONDS);
    }
    assertThat(datastore.get("b", deadline())).isEmpty();
  }

  @Test
  void oneOfManyWhoCreateTheSameKeyWins() throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Boolean>> creators = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        String mine = "by " + i;
        creators.add(
            threads.submit(
                () ->
                    datastore
                        .commit(
                            Transaction.builder().ifAbsent("a/b").put("a/b", mine).build(),
                            deadline())
                        .isCommitted()));
      }
      int winners = 0;
      for (Future<Boolean> creator : creators) {
        winners += creator.get(30, TimeUnit.SECONDS) ? 1 : 0;
      }
      assertThat(winners).isEqualTo(1);
    }
  }

  @Test
  void anAbsenceIsGuardedAlsoWhereNothingIsPut() throws Exception {
    // Each of two puts its own flag only while the other's is absent: never both.
    for (int round = 0; round < 30; round++) {
      committed(Transaction.builder().delete("x").delete("y").build());
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        Future<TransactionResult> x =
            threads.submit(
                () ->
                    datastore.commit(
                        Transaction.builder().ifAbsent("y").put("x", "").build(), deadline()));
        Future<TransactionResult> y =
            threads.submit(
                () ->
                    datastore.commit(
                        Transaction.builder().ifAbsent("x").put("y", "").build(), deadline()));
        assertThat(x.get(30, TimeUnit.SECONDS).isCommitted())
            .isNotEqualTo(y.get(30, TimeUnit.SECONDS).isCommitted());
      }
    }
  }

  @Test
  void aKeyMayBeTheBeginningOfOthersAndHaveAnyLetters() {
    Transaction.Builder transaction = Transaction.builder();
    List<String> keys =
        List.of(".", "a", "a/..", "a/b", "a/b/c", "a/%41", "ä/\u0085\uf000 x", "zookeeper");
    keys.forEach(key -> transaction.put(key, "v"));
    committed(transaction.build());
    assertThat(datastore.listAll("", deadline()).entries())
        .extracting(Entry::key)
        .containsExactlyInAnyOrderElementsOf(keys);
    committed(Transaction.builder().delete("a").delete("a/b").build());
    assertThat(datastore.listAll("a/", deadline()).entries())
        .extracting(Entry::key)
        .containsExactlyInAnyOrder("a/..", "a/b/c", "a/%41");
  }

  @Test
  void aBoundKeyIsTakenOverByAnotherSessionAndByNone() {
    Session first = datastore.openSession(Duration.ofSeconds(30), deadline());
    committed(Transaction.builder().putBound("p/a", new byte[0], first).build());
    committed(Transaction.builder().putBound("p/b", new byte[0], first).build());
    Session second = datastore.openSession(Duration.ofSeconds(30), deadline());
    committed(Transaction.builder().putBound("p/a", new byte[] {'2'}, second).build());
    committed(Transaction.builder().put("p/b", "kept").build());
    first.close();
    assertThat(texts("p/")).containsExactly("p/a=2", "p/b=kept");
    second.close();
    Await.until("gone", LIMIT, () -> datastore.get("p/a", deadline()).isEmpty());
    assertThat(texts("p/")).containsExactly("p/b=kept");
  }

  @Test
  void deletingWhatIsNotThereIsNoError() {
    committed(Transaction.builder().delete("nothing").build());
  }

  @Test
  void aTransactionOfTooManyOperationsIsRefusedByName() {
    Transaction.Builder fits = Transaction.builder();
    for (int i = 0; i < Transaction.MAX_OPERATIONS; i++) {
      fits.ifAbsent("k" + i).put("k" + i, "v");
    }
    committed(fits.build());
    Transaction.Builder tooMany = Transaction.builder();
    for (int i = 0; i <= Transaction.MAX_OPERATIONS; i++) {
      tooMany.put("k" + i, "v");
    }
    assertThatThrownBy(tooMany::build)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("transaction.operations")
        .hasMessageContaining("129")
        .hasMessageContaining("128");
  }

  @Test
  void aListingHasEveryKeyInOrderAndTheWatchAfterItWhatItDoesNotShow() throws Exception {
    for (int i = 0; i < 25; i++) {
      committed(Transaction.builder().put("list/%02d".formatted(i), "old").build());
    }
    committed(Transaction.builder().put("listing", "not under the prefix").build());
    SortedMap<String, String> picture = new TreeMap<>();
    List<String> seen = new ArrayList<>();
    int pages = 0;
    Optional<Page.Cursor> cursor = Optional.empty();
    Optional<Revision> revision = Optional.empty();
    do {
      Page page = datastore.list("list/", cursor, 10, deadline());
      for (Entry entry : page.entries()) {
        seen.add(entry.key());
        picture.put(entry.key(), entry.text());
      }
      revision.ifPresent(first -> assertThat(page.revision()).isEqualTo(first));
      revision = Optional.of(page.revision());
      cursor = page.next();
      pages++;
      committed(
          Transaction.builder()
              .put("list/00", "new")
              .put("list/24", "new")
              .put("list/30", "new")
              .delete("list/23")
              .build());
    } while (cursor.isPresent());
    assertThat(pages).isEqualTo(3);
    assertThat(seen).doesNotHaveDuplicates().isSorted().hasSizeBetween(24, 25);
    if (datastore.listsOneMoment()) {
      assertThat(picture).hasSize(25).allSatisfy((_, value) -> assertThat(value).isEqualTo("old"));
    }

    try (Watch watch = datastore.watch("list/", revision.orElseThrow())) {
      follow(
          watch,
          picture,
          () ->
              !picture.containsKey("list/23")
                  && List.of("list/00", "list/24", "list/30").stream()
                      .allMatch(key -> "new".equals(picture.get(key))));
    }
    assertThat(picture).hasSize(25);
  }

  @Test
  void anEmptyPrefixListsEverythingAndAnEmptyListingHasOnePage() {
    Page page = datastore.list("", Optional.empty(), 10, deadline());
    assertThat(page.entries()).isEmpty();
    assertThat(page.next()).isEmpty();
    committed(Transaction.builder().put("a", "1").put("b/c", "2").build());
    assertThat(texts("")).containsExactly("a=1", "b/c=2");
  }

  @Test
  void aCursorWhoseSnapshotIsGoneSaysSo() {
    for (int i = 0; i < 5; i++) {
      committed(Transaction.builder().put("list/" + i, "x").build());
    }
    Page first = datastore.list("list/", Optional.empty(), 2, deadline());
    committed(Transaction.builder().put("list/9", "x").build());
    compact();
    assertThatThrownBy(() -> datastore.list("list/", first.next(), 2, deadline()))
        .isInstanceOf(SnapshotExpiredException.class);
    assertThat(datastore.listAll("list/", deadline()).entries()).hasSize(6);
  }

  @Test
  void aWatchTellsChangesInOrder() throws Exception {
    Revision start = datastore.listAll("w/", deadline()).revision();
    try (Datastore writer = another();
        Watch watch = datastore.watch("w/", start)) {
      for (int i = 0; i < 30; i++) {
        String key = "w/k" + i % 7;
        Transaction.Builder transaction = Transaction.builder().put("other/k", "not watched");
        boolean delete = i % 10 == 9;
        if (delete) {
          transaction.ifExists(key).delete(key);
        } else {
          transaction.put(key, "v" + i);
        }
        writer.commit(transaction.build(), deadline());
        assertThat(take(watch, 1)).containsExactly(delete ? "-" + key : key + "=v" + i);
      }
    }
  }

  @Test
  void aWatchOfManyFastChangesTellsTheLastOfEachKeyAndNothingOlderAfterIt() throws Exception {
    committed(Transaction.builder().put("w/before", "0").build());
    Datastore.Listing listing = datastore.listAll("w/", deadline());
    SortedMap<String, String> expected = new TreeMap<>();
    listing.entries().forEach(entry -> expected.put(entry.key(), entry.text()));
    SortedMap<String, String> picture = new TreeMap<>(expected);
    try (Datastore writer = another();
        Watch watch = datastore.watch("w/", listing.revision())) {
      for (int i = 0; i < 300; i++) {
        String key = "w/k" + i % 7;
        if (i % 10 == 9) {
          writer.commit(Transaction.builder().delete(key).build(), deadline());
          expected.remove(key);
        } else {
          writer.commit(Transaction.builder().put(key, "%03d".formatted(i)).build(), deadline());
          expected.put(key, "%03d".formatted(i));
        }
      }
      writer.commit(Transaction.builder().put("w/last", "x").build(), deadline());
      expected.put("w/last", "x");
      follow(watch, picture, () -> picture.containsKey("w/last"));
    }
    assertThat(picture).isEqualTo(expected);
  }

  @Test
  void theChangesOfOneTransactionComeTogether() throws Exception {
    Revision start = datastore.listAll("", deadline()).revision();
    try (Watch watch = datastore.watch("", start)) {
      committed(Transaction.builder().put("a", "1").put("b", "2").put("c", "3").build());
      assertThat(watch.take(Deadline.after(LIMIT))).hasSize(3);
    }
  }

  @Test
  void aWatchFromATransactionDoesNotTellOfIt() throws Exception {
    datastore.listAll("", deadline());
    TransactionResult.Committed mine = committed(Transaction.builder().put("a", "mine").build());
    try (Watch watch = datastore.watch("", mine.revision())) {
      committed(Transaction.builder().put("a", "next").build());
      assertThat(take(watch, 1)).containsExactly("a=next");
    }
  }

  @Test
  void aWatchOfHistoryThatIsGoneTellsToResync() throws Exception {
    Revision start = datastore.listAll("", deadline()).revision();
    committed(Transaction.builder().put("a", "1").build());
    committed(Transaction.builder().put("a", "2").build());
    compact();
    try (Watch watch = datastore.watch("", start)) {
      List<WatchEvent> events = watch.take(Deadline.after(LIMIT));
      assertThat(events).singleElement().isInstanceOf(WatchEvent.Resync.class);
      assertThat(watch.isEnded()).isTrue();
      assertThat(watch.take(Deadline.after(LIMIT))).isEmpty();
    }
  }

  @Test
  void anEmptyBatchMeansThatTheDeadlinePassed() throws Exception {
    Revision start = datastore.listAll("", deadline()).revision();
    try (Watch watch = datastore.watch("", start)) {
      assertThat(watch.take(Deadline.after(Duration.ofMillis(50)))).isEmpty();
      assertThat(watch.isEnded()).isFalse();
    }
  }

  @Test
  void closingAWatchWakesItsReader() throws Exception {
    Revision start = datastore.listAll("", deadline()).revision();
    Watch watch = datastore.watch("", start);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<List<WatchEvent>> reader = threads.submit(() -> watch.take(Deadline.after(LIMIT)));
      watch.close();
      assertThat(reader.get(5, TimeUnit.SECONDS)).isEmpty();
    }
    assertThat(watch.isEnded()).isTrue();
  }

  @Test
  void aBoundKeyGoesWithItsSession() {
    Session session = datastore.openSession(Duration.ofSeconds(30), deadline());
    committed(
        Transaction.builder()
            .putBound("presence/me", new byte[0], session)
            .put("stays", "x")
            .build());
    assertThat(datastore.get("presence/me", deadline())).isPresent();
    session.close();
    assertThat(session.ended()).isCompletedWithValue(Session.End.CLOSED);
    Await.until("gone", LIMIT, () -> datastore.get("presence/me", deadline()).isEmpty());
    assertThat(texts("")).containsExactly("stays=x");
    session.close();
  }

  @Test
  void aBoundKeyGoesWhenItsProcessDied() {
    Runnable death = mortalOwnerOf("presence/me");
    assertThat(datastore.get("presence/me", deadline())).isPresent();
    death.run();
    Await.until("gone", LIMIT, () -> datastore.get("presence/me", deadline()).isEmpty());
  }

  @Test
  void aKeyCannotBeBoundToASessionThatHasEnded() {
    Session session = datastore.openSession(Duration.ofSeconds(30), deadline());
    session.close();
    assertThatThrownBy(
            () ->
                datastore.commit(
                    Transaction.builder().putBound("a", new byte[0], session).build(), deadline()))
        .isInstanceOf(DatastoreRefusedException.class);
  }

  @Test
  void keysAndPrefixesOfAnotherFormAreRefused() {
    for (String key : List.of("", "/a", "a/", "a//b", "a\nb")) {
      assertThatThrownBy(() -> datastore.get(key, deadline()))
          .as(key)
          .isInstanceOf(InvalidInputException.class);
    }
    assertThatThrownBy(() -> datastore.listAll("a", deadline()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("prefix");
  }

  @Test
  void aClosedStoreIsUnavailable() {
    datastore.close();
    assertThatThrownBy(() -> datastore.get("a", deadline()))
        .isInstanceOf(DatastoreUnavailableException.class);
  }

  /** Every change of a key told for itself: what some stores do beyond the contract. */
  protected final void checkThatEveryFastChangeIsTold() throws Exception {
    committed(Transaction.builder().put("w/before", "0").build());
    Revision start = datastore.listAll("w/", deadline()).revision();
    committed(Transaction.builder().put("w/a", "1").build());
    try (Datastore writer = another();
        Watch watch = datastore.watch("w/", start)) {
      List<String> expected = new ArrayList<>(List.of("w/a=1"));
      for (int i = 0; i < 200; i++) {
        String key = "w/k" + i % 7;
        if (i % 10 == 9) {
          writer.commit(Transaction.builder().ifExists(key).delete(key).build(), deadline());
          expected.add("-" + key);
        } else {
          writer.commit(
              Transaction.builder().put(key, "v" + i).put("other/k", "not watched").build(),
              deadline());
          expected.add(key + "=v" + i);
        }
      }
      assertThat(take(watch, expected.size())).containsExactlyElementsOf(expected);
    }
  }

  /** Applies what is told until the condition holds; each key's values must not go back. */
  private static void follow(Watch watch, SortedMap<String, String> picture, BooleanSupplier end)
      throws InterruptedException {
    Deadline limit = Deadline.after(LIMIT);
    while (!end.getAsBoolean()) {
      List<WatchEvent> events = watch.take(limit);
      assertThat(events).as("events beyond %s", picture).isNotEmpty();
      for (WatchEvent event : events) {
        switch (event) {
          case WatchEvent.Put put -> {
            String before = picture.put(put.entry().key(), put.entry().text());
            if (before != null && before.matches("[0-9]+")) {
              assertThat(put.entry().text()).isGreaterThan(before);
            }
          }
          case WatchEvent.Delete delete -> picture.remove(delete.key());
          case WatchEvent.Resync resync -> throw new AssertionError(resync.reason());
          case WatchEvent.Disconnected _, WatchEvent.Reconnected _ -> {}
        }
      }
    }
  }

  protected Deadline deadline() {
    return Deadline.after(LIMIT);
  }

  protected TransactionResult.Committed committed(Transaction transaction) {
    return (TransactionResult.Committed) datastore.commit(transaction, deadline());
  }

  protected List<String> texts(String prefix) {
    return datastore.listAll(prefix, deadline()).entries().stream()
        .map(entry -> entry.key() + "=" + entry.text())
        .toList();
  }

  /** The next changes as text, until there are that many. */
  protected static List<String> take(Watch watch, int count) throws InterruptedException {
    List<String> seen = new ArrayList<>();
    Deadline end = Deadline.after(LIMIT);
    while (seen.size() < count) {
      List<WatchEvent> events = watch.take(end);
      if (events.isEmpty()) {
        throw new AssertionError("only " + seen);
      }
      for (WatchEvent event : events) {
        switch (event) {
          case WatchEvent.Put put -> seen.add(put.entry().key() + "=" + put.entry().text());
          case WatchEvent.Delete delete -> seen.add("-" + delete.key());
          case WatchEvent.Resync resync -> throw new AssertionError(resync.reason());
          case WatchEvent.Disconnected _, WatchEvent.Reconnected _ -> {}
        }
      }
    }
    return seen;
  }
}
