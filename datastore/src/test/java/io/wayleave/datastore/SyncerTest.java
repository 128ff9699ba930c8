package io.wayleave.datastore;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.testing.Await;
import io.wayleave.datastore.testing.DelegatingDatastore;
import io.wayleave.datastore.testing.RecordingListener;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SyncerTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  private final MemoryDatastore store = new MemoryDatastore();
  private final RecordingListener listener = new RecordingListener();

  @Test
  void whatExistsThenInSyncThenChangesOnOneThread() {
    put("r/a", "1");
    put("r/b", "1");
    put("other/c", "1");
    try (Syncer<String, String> _ = start()) {
      listener.await("in-sync");
      put("r/a", "2");
      delete("r/b");
      put("r/d", "1");
      listener.await("d=1");
    }
    assertThat(listener.told())
        .containsExactly("a=1", "b=1", "connected", "in-sync", "a=2", "-b", "d=1");
    assertThat(listener.threads()).containsOnly("syncer-test");
  }

  @Test
  void afterAResyncOnlyDifferencesAreToldAndInSyncNotAgain() {
    put("r/same", "1");
    put("r/deleted", "1");
    put("r/changed", "1");
    try (Syncer<String, String> _ = start()) {
      listener.await("in-sync");
      store.disconnect();
      listener.await("disconnected");
      store.reconnect();
      // All of it before the syncer can see a single event: its history is gone.
      store.commit(
          Transaction.builder().delete("r/deleted").put("r/changed", "2").put("r/new", "1").build(),
          deadline());
      store.compact();
      listener.await("-deleted");
    }
    assertThat(listener.told().stream().filter(text -> !text.endsWith("connected")).toList())
        .startsWith("changed=1", "deleted=1", "same=1", "in-sync")
        .containsOnlyOnce("in-sync", "same=1", "changed=2", "new=1", "-deleted")
        .hasSize(7);
  }

  @Test
  void whatIsKnownIsNotCurrentBetweenAResyncAndTheComparison() {
    put("r/a", "1");
    put("r/b", "1");
    Datastore forgetful =
        new DelegatingDatastore(store) {
          private boolean forgot;

          @Override
          public Watch watch(String prefix, Revision after) {
            if (forgot) {
              return super.watch(prefix, after);
            }
            forgot = true;
            delete("r/b");
            return new Forgetful();
          }
        };
    try (Syncer<String, String> _ =
        Syncer.start("test", forgetful, "r/", RecordingListener.TEXT, listener)) {
      listener.await("-b");
      Await.until("connected again", LIMIT, () -> listener.told().getLast().equals("connected"));
    }
    assertThat(listener.told())
        .containsExactly("a=1", "b=1", "connected", "in-sync", "disconnected", "-b", "connected");
  }

  /** Tells at once that it cannot tell. */
  private static final class Forgetful implements Watch {
    private boolean told;

    @Override
    public List<WatchEvent> take(Deadline deadline) {
      told = true;
      return List.of(new WatchEvent.Reconnected(), new WatchEvent.Resync("injected"));
    }

    @Override
    public boolean isEnded() {
      return told;
    }

    @Override
    public void close() {
      told = true;
    }
  }

  @Test
  void aDeletedAndRecreatedKeyWithTheSameValueIsToldAfterAResync() {
    put("r/a", "1");
    try (Syncer<String, String> _ = start()) {
      listener.await("in-sync");
      store.disconnect();
      listener.await("disconnected");
      store.reconnect();
      delete("r/a");
      put("r/a", "1");
      store.compact();
      Await.until(
          "told again",
          LIMIT,
          () -> listener.told().stream().filter(text -> text.equals("a=1")).count() == 2);
    }
  }

  @Test
  void aValueThatDoesNotDecodeIsReportedAndGoneUntilItIsMended() {
    put("r/a", "bad");
    put("r/b", "1");
    try (Syncer<String, String> _ = start()) {
      listener.await("in-sync");
      put("r/b", "bad");
      put("r/b", "2");
      put("r/a", "1");
      listener.await("a=1");
      put("r/c", "bad");
      delete("r/c");
      put("r/d", "1");
      listener.await("d=1");
    }
    assertThat(listener.told())
        .containsExactly(
            "invalid r/a: the value is bad",
            "b=1",
            "connected",
            "in-sync",
            "-b",
            "invalid r/b: the value is bad",
            "not invalid r/b",
            "b=2",
            "not invalid r/a",
            "a=1",
            "invalid r/c: the value is bad",
            "not invalid r/c",
            "d=1");
  }

  @Test
  void aFollowerThatThrowsGetsWhatComesAfter() {
    try (Syncer<String, String> _ = start()) {
      listener.await("in-sync");
      put("r/a", "throw");
      put("r/b", "1");
      listener.await("b=1");
    }
  }

  @Test
  void aDecoderWithADefectIsReportedLikeABadValue() {
    Syncer.Decoder<String, String> defective =
        new Syncer.Decoder<>() {
          @Override
          public String key(String key) {
            return RecordingListener.TEXT.key(key);
          }

          @Override
          public String value(String key, Entry entry) {
            throw new IllegalStateException("a defect of the decoder");
          }
        };
    put("r/a", "1");
    try (Syncer<String, String> _ = Syncer.start("test", store, "r/", defective, listener)) {
      listener.await("in-sync");
    }
    assertThat(listener.told())
        .containsExactly("invalid r/a: a defect of the decoder", "connected", "in-sync");
  }

  @Test
  void aStoreThatIsAwayAtTheStartIsWaitedForAndItsAbsenceHasAnAge() {
    put("r/a", "1");
    store.disconnect();
    AtomicReference<Instant> now = new AtomicReference<>(Instant.EPOCH);
    try (Syncer<String, String> syncer =
        Syncer.start("test", store, "r/", RecordingListener.TEXT, listener, now::get)) {
      listener.await("disconnected");
      now.set(Instant.EPOCH.plusSeconds(60));
      assertThat(syncer.status().since()).isEqualTo(Instant.EPOCH);
      assertThat(syncer.status().reason()).contains("memory is away");
      store.reconnect();
      listener.await("in-sync");
      assertThat(syncer.status())
          .isEqualTo(new Syncer.Status(true, Instant.EPOCH.plusSeconds(60), ""));
    }
    assertThat(listener.told()).containsSubsequence("disconnected", "a=1", "in-sync");
  }

  @Test
  void afterCloseNothingIsTold() {
    Syncer<String, String> syncer = start();
    listener.await("in-sync");
    syncer.close();
    List<String> before = listener.told();
    put("r/a", "1");
    assertThat(listener.told()).isEqualTo(before);
    assertThat(Thread.getAllStackTraces().keySet())
        .extracting(Thread::getName)
        .doesNotContain("syncer-test");
  }

  @Test
  void aListingOfManyPagesIsToldCompletely() {
    for (int i = 0; i < 2500; i += 100) {
      Transaction.Builder transaction = Transaction.builder();
      for (int j = i; j < i + 100; j++) {
        transaction.put("r/k%04d".formatted(j), "v");
      }
      store.commit(transaction.build(), deadline());
    }
    try (Syncer<String, String> _ = start()) {
      listener.await("in-sync");
    }
    assertThat(listener.told()).hasSize(2502).contains("k0000=v", "k2499=v");
  }

  private Syncer<String, String> start() {
    return Syncer.start("test", store, "r/", RecordingListener.TEXT, listener);
  }

  private void put(String key, String value) {
    store.commit(Transaction.builder().put(key, value).build(), deadline());
  }

  private void delete(String key) {
    store.commit(Transaction.builder().delete(key).build(), deadline());
  }

  private static Deadline deadline() {
    return Deadline.after(LIMIT);
  }
}
