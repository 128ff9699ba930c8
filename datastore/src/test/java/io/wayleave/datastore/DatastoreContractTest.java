package io.wayleave.datastore;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.testing.Await;
import io.wayleave.model.InvalidInputException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
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
  void aListingHasAllPagesOfOneMomentInOrder() {
    for (int i = 0; i < 25; i++) {
      committed(Transaction.builder().put("list/%02d".formatted(i), "old").build());
    }
    committed(Transaction.builder().put("listing", "not under the prefix").build());
    List<String> seen = new ArrayList<>();
    int pages = 0;
    Optional<Page.Cursor> cursor = Optional.empty();
    Optional<Revision> revision = Optional.empty();
    do {
      Page page = datastore.list("list/", cursor, 10, deadline());
      page.entries().forEach(entry -> seen.add(entry.key() + "=" + entry.text()));
      revision.ifPresent(first -> assertThat(page.revision()).isEqualTo(first));
      revision = Optional.of(page.revision());
      cursor = page.next();
      pages++;
      committed(
          Transaction.builder()
              .put("list/24", "new")
              .put("list/30", "new")
              .delete("list/23")
              .build());
    } while (cursor.isPresent());
    assertThat(pages).isEqualTo(3);
    assertThat(seen).hasSize(25).contains("list/23=old", "list/24=old").isSorted();
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
  void aWatchTellsEveryChangeInOrder() throws Exception {
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
