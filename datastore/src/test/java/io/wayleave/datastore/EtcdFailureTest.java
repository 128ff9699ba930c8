package io.wayleave.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.testing.Await;
import io.wayleave.datastore.testing.EtcdServer;
import io.wayleave.datastore.testing.MortalOwner;
import io.wayleave.datastore.testing.RecordingListener;
import io.wayleave.model.Update;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A real etcd that goes away, comes back, and forgets. */
@Tag("real")
@Timeout(120)
class EtcdFailureTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  /** What a busy machine may add to a deadline; far less than any timeout of gRPC's own. */
  private static final Duration TOLERANCE = Duration.ofSeconds(2);

  private EtcdServer etcd;
  private Datastore datastore;

  @BeforeEach
  void start() {
    etcd = EtcdServer.start();
    datastore = etcd.connect();
  }

  @AfterEach
  void stop() {
    datastore.close();
    etcd.close();
  }

  @Test
  void aStoreThatIsNotThereIsUnavailableWithinTheDeadline() {
    etcd.kill();
    Duration timeout = Duration.ofMillis(700);
    for (Runnable call :
        List.<Runnable>of(
            () -> datastore.get("a", Deadline.after(timeout)),
            () -> datastore.listAll("", Deadline.after(timeout)),
            () ->
                datastore.commit(
                    Transaction.builder().put("a", "1").build(), Deadline.after(timeout)),
            () -> datastore.openSession(Duration.ofSeconds(5), Deadline.after(timeout)))) {
      long start = System.nanoTime();
      assertThatThrownBy(call::run)
          .isInstanceOf(DatastoreUnavailableException.class)
          .hasMessageContaining("127.0.0.1:" + etcd.clientPort());
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(timeout.plus(TOLERANCE));
    }
  }

  @Test
  void aTransactionThatCouldNotBeSentIsKnownNotToHaveHappened() {
    etcd.kill();
    assertThatThrownBy(
            () ->
                datastore.commit(
                    Transaction.builder().put("a", "1").build(),
                    Deadline.after(Duration.ofMillis(300))))
        .isExactlyInstanceOf(DatastoreUnavailableException.class);
  }

  @Test
  void aServerThatNeverAnswersIsUnavailableWithinTheDeadlineAndGotNothing() throws IOException {
    // It accepts connections and swallows what is sent. Before it has answered as a server of
    // HTTP/2 no request goes to it, so that a transaction has certainly not happened.
    try (ServerSocket deaf = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        Datastore frozen =
            Datastores.open("etcd://127.0.0.1:" + deaf.getLocalPort(), DatastoreOptions.DEFAULTS)) {
      long start = System.nanoTime();
      assertThatThrownBy(() -> frozen.get("a", Deadline.after(Duration.ofMillis(500))))
          .isExactlyInstanceOf(DatastoreUnavailableException.class)
          .hasMessageContaining("500 ms");
      assertThatThrownBy(
              () ->
                  frozen.commit(
                      Transaction.builder().put("a", "1").build(),
                      Deadline.after(Duration.ofMillis(500))))
          .isExactlyInstanceOf(DatastoreUnavailableException.class);
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(TOLERANCE.plusSeconds(1));
    }
  }

  @Test
  void aServerThatStopsToAnswerMakesTheOutcomeUnknownWithinTheDeadline() {
    datastore.commit(Transaction.builder().put("a", "1").build(), deadline());
    etcd.freeze(true);
    try {
      long start = System.nanoTime();
      assertThatThrownBy(() -> datastore.get("a", Deadline.after(Duration.ofMillis(500))))
          .isExactlyInstanceOf(DatastoreUnavailableException.class);
      assertThatThrownBy(
              () ->
                  datastore.commit(
                      Transaction.builder().put("a", "2").build(),
                      Deadline.after(Duration.ofMillis(500))))
          .isInstanceOf(OutcomeUnknownException.class)
          .hasMessageContaining("no answer within 500 ms");
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(TOLERANCE.plusSeconds(1));
    } finally {
      etcd.freeze(false);
    }
    // It may be done, or not.
    assertThat(datastore.get("a", deadline()).orElseThrow().text()).isIn("1", "2");
  }

  @Test
  void ofSeveralMembersOneThatAnswersIsEnough() throws IOException {
    int nobody = EtcdServer.freePort();
    try (ServerSocket deaf = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        Datastore several =
            Datastores.open(
                "etcd://127.0.0.1:"
                    + nobody
                    + ",127.0.0.1:"
                    + deaf.getLocalPort()
                    + ",127.0.0.1:"
                    + etcd.clientPort(),
                DatastoreOptions.DEFAULTS)) {
      for (int i = 0; i < 10; i++) {
        several.commit(Transaction.builder().put("k" + i, "x").build(), deadline());
        assertThat(several.get("k" + i, deadline())).isPresent();
      }
    }
  }

  @Test
  void anInterruptedCallReturnsAtOnce() throws Exception {
    etcd.kill();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      CopyOnWriteArrayList<Thread> callers = new CopyOnWriteArrayList<>();
      Future<?> call =
          threads.submit(
              () -> {
                callers.add(Thread.currentThread());
                datastore.get("a", Deadline.after(LIMIT));
              });
      Await.until("calling", LIMIT, () -> !callers.isEmpty());
      callers.getFirst().interrupt();
      assertThatThrownBy(() -> call.get(5, TimeUnit.SECONDS))
          .hasCauseInstanceOf(DatastoreUnavailableException.class);
    }
  }

  @Test
  void callsSucceedAgainAsSoonAsTheStoreIsBack() {
    put("a", "1");
    etcd.kill();
    assertThatThrownBy(() -> datastore.get("a", Deadline.after(Duration.ofSeconds(3))))
        .isInstanceOf(DatastoreUnavailableException.class);
    etcd.startAgain();
    long start = System.nanoTime();
    assertThat(datastore.get("a", Deadline.after(LIMIT))).isPresent();
    // gRPC by itself would wait for the end of a pause that has grown meanwhile.
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(TOLERANCE.plusSeconds(1));
  }

  @Test
  void aWatchGoesOnAcrossARestartAndMissesNothing() throws Exception {
    Revision start = datastore.listAll("", deadline()).revision();
    try (Watch watch = datastore.watch("", start)) {
      put("a", "1");
      assertThat(DatastoreContractTest.take(watch, 1)).containsExactly("a=1");
      etcd.kill();
      assertThat(watch.take(deadline()))
          .singleElement()
          .isInstanceOf(WatchEvent.Disconnected.class);
      etcd.startAgain();
      try (Datastore other = etcd.connect()) {
        for (int i = 2; i <= 20; i++) {
          other.commit(Transaction.builder().put("a", Integer.toString(i)).build(), deadline());
        }
        other.commit(Transaction.builder().delete("a").build(), deadline());
      }
      List<String> seen = DatastoreContractTest.take(watch, 20);
      assertThat(seen).hasSize(20).startsWith("a=2").endsWith("a=20", "-a");
    }
  }

  @Test
  void aWatchWhoseHistoryWasCompactedWhileItWasAwayTellsToResync() throws Exception {
    put("a", "1");
    Revision start = datastore.listAll("", deadline()).revision();
    try (Watch watch = datastore.watch("", start)) {
      put("a", "2");
      assertThat(DatastoreContractTest.take(watch, 1)).containsExactly("a=2");
      etcd.kill();
      assertThat(watch.take(deadline()))
          .singleElement()
          .isInstanceOf(WatchEvent.Disconnected.class);
      etcd.startAgain();
      changeAndCompact();
      List<WatchEvent> events = watch.take(deadline());
      while (events.stream().noneMatch(WatchEvent.Resync.class::isInstance)) {
        assertThat(events).isNotEmpty().noneMatch(WatchEvent.Put.class::isInstance);
        events = watch.take(deadline());
      }
      assertThat(watch.isEnded()).isTrue();
    }
  }

  @Test
  void aSyncerFindsDeletionsThatWereCompactedAwayWhileItWasDisconnected() {
    put("r/kept", "1");
    put("r/deleted", "1");
    put("r/changed", "1");
    RecordingListener listener = new RecordingListener();
    try (Syncer<String, String> syncer =
        Syncer.start("test", datastore, "r/", RecordingListener.TEXT, listener)) {
      listener.await("in-sync");
      assertThat(syncer.status().connected()).isTrue();
      etcd.kill();
      Await.until("disconnected", LIMIT, () -> !syncer.status().connected());
      etcd.startAgain();
      try (Datastore other = etcd.connect()) {
        other.commit(
            Transaction.builder()
                .delete("r/deleted")
                .put("r/changed", "2")
                .put("r/created", "1")
                .build(),
            deadline());
        changeAndCompact();
      }
      listener.await("-deleted");
      listener.await("changed=2");
      listener.await("created=1");
      Await.until("connected", LIMIT, () -> syncer.status().connected());
    }
    assertThat(listener.told()).containsOnlyOnce("in-sync", "kept=1", "-deleted", "changed=2");
    assertThat(listener.told()).doesNotContain("-kept", "-changed");
  }

  @Test
  void aPresenceSurvivesARestartThatIsShorterThanItsTime() {
    CopyOnWriteArrayList<PresenceKeeper.State> states = new CopyOnWriteArrayList<>();
    try (PresenceKeeper keeper =
        PresenceKeeper.keep(
            datastore, "presence/me", new byte[0], Duration.ofSeconds(20), states::add)) {
      Await.until("present", LIMIT, () -> states.contains(PresenceKeeper.State.PRESENT));
      Version version = datastore.get("presence/me", deadline()).orElseThrow().version();
      etcd.kill();
      etcd.startAgain();
      assertThat(datastore.get("presence/me", deadline()).orElseThrow().version())
          .isEqualTo(version);
      assertThat(states).containsExactly(PresenceKeeper.State.PRESENT);
      assertThat(keeper).isNotNull();
    }
    assertThat(datastore.get("presence/me", deadline())).isEmpty();
  }

  @Test
  void aPresenceWhoseSessionExpiredIsMadeAgainAndItsOwnerIsTold() {
    CopyOnWriteArrayList<PresenceKeeper.State> states = new CopyOnWriteArrayList<>();
    try (PresenceKeeper keeper =
        PresenceKeeper.keep(
            datastore, "presence/me", new byte[0], Duration.ofSeconds(2), states::add)) {
      Await.until("present", LIMIT, () -> states.size() == 1);
      String lease =
          etcd.control("lease", "list").lines().skip(1).findFirst().orElseThrow().strip();
      etcd.control("lease", "revoke", lease);
      Await.until("present again", LIMIT, () -> states.size() == 3);
      assertThat(states)
          .containsExactly(
              PresenceKeeper.State.PRESENT,
              PresenceKeeper.State.LOST,
              PresenceKeeper.State.PRESENT);
      assertThat(datastore.get("presence/me", deadline())).isPresent();
      assertThat(keeper).isNotNull();
    }
  }

  @Test
  void aSessionIsKeptAliveBeyondItsTime() {
    // Two sessions of one second: one whose process has died measures the time for the other.
    try (Session session = datastore.openSession(Duration.ofSeconds(1), deadline())) {
      datastore.commit(
          Transaction.builder().putBound("presence/alive", new byte[0], session).build(),
          deadline());
      try (MortalOwner owner = MortalOwner.start(etcd.url(), "presence/dead", 2)) {
        assertThat(owner).isNotNull();
      }
      Await.until(
          "the dead one is gone",
          LIMIT,
          () -> datastore.get("presence/dead", deadline()).isEmpty());
      assertThat(datastore.get("presence/alive", deadline())).isPresent();
      assertThat(session.ended()).isNotDone();
    }
  }

  @Test
  @Tag("full")
  void aHundredThousandKeysAreFollowed() {
    byte[] value = new byte[100];
    int count = 100_000;
    for (int i = 0; i < count; i += 125) {
      Transaction.Builder transaction = Transaction.builder();
      for (int j = i; j < i + 125; j++) {
        transaction.put("many/%06d".formatted(j), value);
      }
      datastore.commit(transaction.build(), deadline());
    }
    AtomicInteger puts = new AtomicInteger();
    CountDownLatch inSync = new CountDownLatch(1);
    Syncer.Listener<String, String> listener =
        update -> {
          switch (update) {
            case Update.Put<String, String> _ -> puts.incrementAndGet();
            case Update.Delete<String, String> _ -> throw new AssertionError("nothing was deleted");
            case Update.InSync<String, String> _ -> inSync.countDown();
          }
        };
    try (Syncer<String, String> _ =
        Syncer.start("many", datastore, "many/", RecordingListener.TEXT, listener)) {
      Await.until("in sync", LIMIT, () -> inSync.getCount() == 0);
      assertThat(puts).hasValue(count);
    }
  }

  private void changeAndCompact() {
    try (Datastore other = etcd.connect()) {
      for (int i = 0; i < 3; i++) {
        other.commit(Transaction.builder().put("elsewhere", "x" + i).build(), deadline());
      }
      etcd.control("compact", other.listAll("", deadline()).revision().token());
    }
  }

  private void put(String key, String value) {
    datastore.commit(Transaction.builder().put(key, value).build(), deadline());
  }

  private static Deadline deadline() {
    return Deadline.after(LIMIT);
  }
}
