package io.wayleave.datastore.etcd;

import com.google.protobuf.ByteString;
import io.etcd.jetcd.api.Event;
import io.etcd.jetcd.api.WatchCreateRequest;
import io.etcd.jetcd.api.WatchGrpc;
import io.etcd.jetcd.api.WatchRequest;
import io.etcd.jetcd.api.WatchResponse;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.wayleave.datastore.DatastoreException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Watch;
import io.wayleave.datastore.WatchEvent;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A watch as a sequence of etcd watch streams, each beginning where the events of the one before
 * ended. The place to go on moves only by what has arrived: by events, and by progress
 * notifications, which etcd sends after all events before them.
 *
 * <p>It has no thread: messages are queued by gRPC's I/O thread and everything else, reconnection
 * included, is done by whoever reads. gRPC's flow control keeps the queue short.
 */
final class EtcdWatch implements Watch {
  private static final Duration FIRST_PAUSE = Duration.ofMillis(50);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);

  /** Batches that may wait to be read; etcd keeps back what is beyond. */
  private static final int MAX_QUEUE = 64;

  private final EtcdConnection connection;
  private final EtcdDatastore datastore;
  private final ByteString prefix;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // Guarded by the lock.
  private final Deque<List<WatchEvent>> queue = new ArrayDeque<>();
  private Optional<Stream> current = Optional.empty();
  private long nextRevision;
  private boolean connected = true;
  private boolean tokenRefused;
  private boolean behind;
  private boolean lastEventQueued;
  private boolean closed;
  private Duration pause = FIRST_PAUSE;
  private Deadline pauseEnd = Deadline.after(Duration.ZERO);

  EtcdWatch(
      EtcdConnection connection, EtcdDatastore datastore, ByteString prefix, long firstRevision) {
    this.connection = connection;
    this.datastore = datastore;
    this.prefix = prefix;
    this.nextRevision = firstRevision;
  }

  @Override
  public List<WatchEvent> take(Deadline deadline) throws InterruptedException {
    while (true) {
      boolean authenticate;
      boolean verify;
      lock.lockInterruptibly();
      try {
        List<WatchEvent> events = queue.poll();
        if (events != null) {
          current.ifPresent(Stream::requestMore);
          return events;
        }
        if (closed || lastEventQueued || deadline.hasPassed()) {
          return List.of();
        }
        authenticate = current.isEmpty() && pauseEnd.hasPassed() && tokenRefused;
        verify = behind;
        if (!authenticate && !verify) {
          connectWhenDue();
          await(deadline);
        }
      } finally {
        lock.unlock();
      }
      if (authenticate) {
        authenticate(deadline);
      }
      if (verify) {
        verify(deadline);
      }
    }
  }

  private void connectWhenDue() {
    if (current.isEmpty() && pauseEnd.hasPassed()) {
      connection.hurry();
      Stream stream = new Stream();
      current = Optional.of(stream);
      stream.start(nextRevision);
    }
  }

  /** Waits for a change, the end of a pause or the deadline; the caller's loop sees which. */
  @SuppressWarnings("WaitNotInLoop") // the loop is in take()
  private void await(Deadline deadline) throws InterruptedException {
    long nanos = deadline.remaining().toNanos();
    if (current.isEmpty()) {
      nanos = Math.min(nanos, pauseEnd.remaining().toNanos());
    }
    if (queue.isEmpty() && nanos > 0) {
      var _ = changed.awaitNanos(nanos);
    }
  }

  /** Blocks, so it is done without the lock. */
  private void authenticate(Deadline deadline) {
    try {
      connection.authenticate(deadline.within(datastore.requestTimeout()));
      lock.lock();
      try {
        tokenRefused = false;
      } finally {
        lock.unlock();
      }
    } catch (DatastoreException e) {
      lock.lock();
      try {
        disconnected(e.getMessage());
      } finally {
        lock.unlock();
      }
    }
  }

  /**
   * A member answered with an older revision than we have seen. It may only lag behind the others;
   * when the whole store is older (restored from a backup), what we know never happened.
   */
  private void verify(Deadline deadline) {
    try {
      long newest = datastore.currentRevision(deadline.within(datastore.requestTimeout()));
      lock.lock();
      try {
        behind = false;
        if (newest + 1 < nextRevision) {
          resync("the store is at revision " + newest + ", before " + nextRevision);
        }
      } finally {
        lock.unlock();
      }
    } catch (DatastoreException e) {
      lock.lock();
      try {
        drop();
        behind = false;
        disconnected(e.getMessage());
      } finally {
        lock.unlock();
      }
    }
  }

  // The following are called with the lock held.

  /** Forgotten first: the end of a cancelled stream may be told from within the cancellation. */
  private void drop() {
    Optional<Stream> dropped = current;
    current = Optional.empty();
    dropped.ifPresent(Stream::cancel);
  }

  private void disconnected(String reason) {
    pauseEnd = Deadline.after(pause);
    pause =
        pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause.multipliedBy(2);
    if (connected) {
      connected = false;
      queue.add(List.of(new WatchEvent.Disconnected(reason)));
    }
    changed.signalAll();
  }

  private void resync(String reason) {
    drop();
    lastEventQueued = true;
    queue.add(List.of(new WatchEvent.Resync(reason)));
    datastore.forget(this);
    changed.signalAll();
  }

  private void received(WatchResponse response) {
    if (response.getCompactRevision() != 0) {
      resync(
          "changes after revision "
              + (nextRevision - 1)
              + " are compacted up to "
              + response.getCompactRevision());
    } else if (response.getCanceled()) {
      String reason = response.getCancelReason();
      tokenRefused =
          EtcdConnection.isTokenRefused(Status.UNKNOWN.withDescription(reason))
              // So a member answers a watch whose token it does not know.
              || reason.contains("permission denied");
      drop();
      disconnected("watch refused: " + reason);
    } else if (response.getCreated()) {
      pause = FIRST_PAUSE;
      behind = response.getHeader().getRevision() + 1 < nextRevision;
      if (!connected) {
        connected = true;
        queue.add(List.of(new WatchEvent.Reconnected()));
      }
      changed.signalAll();
    } else if (response.getEventsCount() == 0) {
      nextRevision = Math.max(nextRevision, response.getHeader().getRevision() + 1);
    } else {
      List<WatchEvent> events = new ArrayList<>(response.getEventsCount());
      for (Event event : response.getEventsList()) {
        events.add(
            switch (event.getType()) {
              case PUT -> new WatchEvent.Put(datastore.entry(event.getKv()));
              case DELETE -> new WatchEvent.Delete(datastore.key(event.getKv().getKey()));
              case UNRECOGNIZED -> throw new IllegalStateException("watch event " + event);
            });
      }
      nextRevision = response.getEvents(response.getEventsCount() - 1).getKv().getModRevision() + 1;
      queue.add(events);
      changed.signalAll();
    }
  }

  @Override
  public boolean isEnded() {
    lock.lock();
    try {
      return closed || (lastEventQueued && queue.isEmpty());
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      queue.clear();
      drop();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    datastore.forget(this);
  }

  /** One etcd watch. Its callbacks come from gRPC's I/O thread. */
  private final class Stream extends ClientCall.Listener<WatchResponse> {
    private final ClientCall<WatchRequest, WatchResponse> call =
        connection.open(WatchGrpc.getWatchMethod());
    private boolean owed;

    void start(long revision) {
      call.start(this, new Metadata());
      call.request(1);
      call.sendMessage(
          WatchRequest.newBuilder()
              .setCreateRequest(
                  WatchCreateRequest.newBuilder()
                      .setKey(prefix)
                      .setRangeEnd(EtcdDatastore.prefixEnd(prefix))
                      .setStartRevision(revision)
                      // Moves the place to go on past compactions while nothing changes here.
                      .setProgressNotify(true))
              .build());
    }

    void requestMore() {
      if (owed && queue.size() < MAX_QUEUE) {
        owed = false;
        call.request(1);
      }
    }

    void cancel() {
      call.cancel("watch closed", null);
    }

    private boolean isCurrent() {
      return current.filter(this::equals).isPresent();
    }

    @Override
    public void onMessage(WatchResponse response) {
      lock.lock();
      try {
        if (isCurrent()) {
          received(response);
          owed = true;
          requestMore();
        }
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      lock.lock();
      try {
        if (isCurrent()) {
          current = Optional.empty();
          tokenRefused = EtcdConnection.isTokenRefused(status);
          disconnected(EtcdConnection.reason(status));
        }
      } finally {
        lock.unlock();
      }
    }
  }
}
