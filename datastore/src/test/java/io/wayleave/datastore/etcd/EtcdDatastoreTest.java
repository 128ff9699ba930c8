package io.wayleave.datastore.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.etcd.jetcd.api.KeyValue;
import io.etcd.jetcd.api.TxnResponse;
import io.etcd.jetcd.api.WatchCreateRequest;
import io.etcd.jetcd.api.WatchResponse;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreMover;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.DatastoreRefusedException;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Datastores;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.OutcomeUnknownException;
import io.wayleave.datastore.Revision;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.Watch;
import io.wayleave.datastore.WatchEvent;
import io.wayleave.datastore.testing.Await;
import io.wayleave.model.InvalidInputException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Against a member that does at will what real ones do by accident. */
@Timeout(60)
class EtcdDatastoreTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final Status TOO_MANY_REQUESTS =
      Status.RESOURCE_EXHAUSTED.withDescription("etcdserver: too many requests");

  private final FakeEtcd etcd = new FakeEtcd();
  private final Datastore datastore = Datastores.open(etcd.url(), DatastoreOptions.DEFAULTS);
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  @AfterEach
  void close() {
    datastore.close();
    etcd.close();
    threads.close();
  }

  @Test
  void aWatchThatBreaksBeforeItsFirstEventBeginsWhereItBegan() throws Exception {
    try (Watch watch = datastore.watch("", new Revision("50"))) {
      Future<List<String>> seen = read(watch, 1);
      // The member is at 90, and would have told of 51 to 90 next.
      stream(0).onNext(etcd.created(90));
      stream(0).onError(Status.UNAVAILABLE.asRuntimeException());
      stream(1).onNext(etcd.created(95));
      stream(1).onNext(etcd.put("a", 51));
      assertThat(seen.get(20, TimeUnit.SECONDS)).containsExactly("away", "back", "a");
      assertThat(etcd.watches)
          .extracting(WatchCreateRequest::getStartRevision)
          .containsExactly(51L, 51L);
    }
  }

  @Test
  void aWatchGoesOnAfterItsLastEventOrProgress() throws Exception {
    try (Watch watch = datastore.watch("", new Revision("50"))) {
      Future<List<String>> seen = read(watch, 2);
      stream(0).onNext(etcd.created(90));
      stream(0).onNext(etcd.put("a", 60));
      stream(0).onError(Status.UNAVAILABLE.asRuntimeException());
      stream(1).onNext(etcd.created(90));
      stream(1).onNext(etcd.progress(80));
      stream(1).onError(Status.UNAVAILABLE.asRuntimeException());
      stream(2).onNext(etcd.created(90));
      stream(2).onNext(etcd.put("b", 82));
      assertThat(seen.get(20, TimeUnit.SECONDS)).contains("a", "b");
      assertThat(etcd.watches)
          .extracting(WatchCreateRequest::getStartRevision)
          .containsExactly(51L, 61L, 81L);
      assertThat(etcd.watches).allMatch(WatchCreateRequest::getProgressNotify);
    }
  }

  @Test
  void aMemberThatLagsBehindIsNoReasonToResync() throws Exception {
    etcd.revision = 200;
    try (Watch watch = datastore.watch("", new Revision("150"))) {
      Future<List<String>> seen = read(watch, 1);
      stream(0).onNext(etcd.created(120));
      stream(0).onNext(etcd.put("a", 151));
      assertThat(seen.get(20, TimeUnit.SECONDS)).containsExactly("a");
    }
  }

  @Test
  void aStoreThatIsOlderThanWhatWasSeenIsAReasonToResync() throws Exception {
    etcd.revision = 120;
    try (Watch watch = datastore.watch("", new Revision("150"))) {
      Future<List<String>> seen = read(watch, 1);
      stream(0).onNext(etcd.created(120));
      assertThat(seen.get(20, TimeUnit.SECONDS)).containsExactly("resync");
      assertThat(watch.isEnded()).isTrue();
    }
  }

  @Test
  void aReaderThatDoesNotReadHoldsTheStreamBack() throws Exception {
    try (Watch watch = datastore.watch("", new Revision("50"))) {
      assertThat(watch.take(Deadline.after(Duration.ofMillis(1)))).isEmpty();
      StreamObserver<WatchResponse> stream = stream(0);
      stream.onNext(etcd.created(90));
      for (int i = 0; i < 500; i++) {
        stream.onNext(etcd.put("k" + i, 100 + i));
      }
      assertThat(read(watch, 500).get(20, TimeUnit.SECONDS))
          .hasSize(500)
          .startsWith("k0")
          .endsWith("k499");
    }
  }

  @Test
  void aTransactionWithoutAnswerHasAnUnknownOutcomeAndIsNotSentTwice() {
    AtomicInteger received = new AtomicInteger();
    etcd.onTransaction = _ -> received.incrementAndGet();
    assertThatThrownBy(() -> commit(Duration.ofMillis(500)))
        .isInstanceOf(OutcomeUnknownException.class)
        .hasMessageContaining("outcome unknown, no answer within 500 ms");
    assertThat(received).hasValue(1);
  }

  @Test
  void aTransactionWhoseConnectionBreaksHasAnUnknownOutcomeAndIsNotSentTwice() {
    AtomicInteger received = new AtomicInteger();
    etcd.onTransaction =
        answer -> {
          received.incrementAndGet();
          answer.onError(
              Status.UNAVAILABLE.withDescription("transport is closing").asRuntimeException());
        };
    assertThatThrownBy(() -> commit(LIMIT)).isInstanceOf(OutcomeUnknownException.class);
    assertThat(received).hasValue(1);
  }

  @Test
  void aTransactionThatAMemberWithoutLeaderDidNotTakeIsSentAgain() {
    AtomicInteger received = new AtomicInteger();
    etcd.onTransaction =
        answer -> {
          if (received.incrementAndGet() < 3) {
            answer.onError(
                Status.UNAVAILABLE.withDescription("etcdserver: no leader").asRuntimeException());
          } else {
            answer.onNext(
                TxnResponse.newBuilder().setSucceeded(true).setHeader(etcd.header(101)).build());
            answer.onCompleted();
          }
        };
    commit(LIMIT);
    assertThat(received).hasValue(3);
  }

  @Test
  void aTransactionThatAnOverloadedMemberDidNotTakeIsSentAgain() {
    AtomicInteger received = new AtomicInteger();
    etcd.onTransaction =
        answer -> {
          if (received.incrementAndGet() < 3) {
            answer.onError(TOO_MANY_REQUESTS.asRuntimeException());
          } else {
            answer.onNext(
                TxnResponse.newBuilder().setSucceeded(true).setHeader(etcd.header(101)).build());
            answer.onCompleted();
          }
        };
    commit(LIMIT);
    assertThat(received).hasValue(3);
  }

  @Test
  void aMemberThatStaysOverloadedIsUnavailableAndHasDoneNothing() {
    AtomicInteger received = new AtomicInteger();
    etcd.onTransaction =
        answer -> {
          received.incrementAndGet();
          answer.onError(TOO_MANY_REQUESTS.asRuntimeException());
        };
    assertThatThrownBy(() -> commit(Duration.ofMillis(300)))
        .isExactlyInstanceOf(DatastoreUnavailableException.class)
        .hasMessageContaining("too many requests");
    assertThat(received).hasValueGreaterThan(1);
  }

  @Test
  void keysThatAreNoTextAreNotMoved() {
    // Both look the same as text, and neither could be written again as it is.
    etcd.entries = List.of(foreign(0xfe), foreign(0xff));
    MemoryDatastore to = new MemoryDatastore();
    assertThatThrownBy(() -> new DatastoreMover(LIMIT).migrate(datastore, to))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("key: \"foreign\ufffd\"");
    assertThat(to.listAll("", Deadline.after(LIMIT)).entries()).isEmpty();
  }

  private static KeyValue foreign(int last) {
    return KeyValue.newBuilder()
        .setKey(
            ByteString.copyFromUtf8("/wayleave/v1/foreign")
                .concat(ByteString.copyFrom(new byte[] {(byte) last})))
        .build();
  }

  @Test
  void aRefusedTransactionIsNotSentAgain() {
    AtomicInteger received = new AtomicInteger();
    etcd.onTransaction =
        answer -> {
          received.incrementAndGet();
          answer.onError(
              Status.RESOURCE_EXHAUSTED
                  .withDescription("etcdserver: mvcc: database space exceeded")
                  .asRuntimeException());
        };
    assertThatThrownBy(() -> commit(LIMIT))
        .isInstanceOf(DatastoreRefusedException.class)
        .hasMessageContaining("transaction on a at etcd://127.0.0.1:")
        .hasMessageContaining("database space exceeded");
    assertThat(received).hasValue(1);
  }

  private void commit(Duration timeout) {
    datastore.commit(Transaction.builder().put("a", "1").build(), Deadline.after(timeout));
  }

  private StreamObserver<WatchResponse> stream(int number) {
    return Await.until("stream " + number, LIMIT, () -> etcd.stream(number));
  }

  /** Reads in another thread until that many keys, or a resync, have been told. */
  private Future<List<String>> read(Watch watch, int keys) {
    return threads.submit(
        () -> {
          List<String> seen = new ArrayList<>();
          int left = keys;
          while (left > 0 && !watch.isEnded()) {
            for (WatchEvent event : watch.take(Deadline.after(LIMIT))) {
              switch (event) {
                case WatchEvent.Put put -> {
                  seen.add(put.entry().key());
                  left--;
                }
                case WatchEvent.Delete delete -> seen.add("-" + delete.key());
                case WatchEvent.Resync _ -> seen.add("resync");
                case WatchEvent.Disconnected _ -> seen.add("away");
                case WatchEvent.Reconnected _ -> seen.add("back");
              }
            }
          }
          return seen;
        });
  }
}
