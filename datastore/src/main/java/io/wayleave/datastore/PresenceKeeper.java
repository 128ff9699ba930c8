package io.wayleave.datastore;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps one key in the store for as long as this process lives: it opens a session, puts the key
 * bound to it, and does both again when the session expired or the store was away. The owner is
 * told of each change.
 *
 * <p>One daemon thread, {@code presence-NAME}, does the work and calls the listener.
 */
public final class PresenceKeeper implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PresenceKeeper.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

  /** What the store shows of us. */
  public enum State {
    /** The key is in the store and lives as long as this process. */
    PRESENT,
    /** The session expired and the key is gone: others saw this process as dead. */
    LOST
  }

  private final Datastore datastore;
  private final String key;
  private final byte[] value;
  private final Duration timeToLive;
  private final Consumer<State> listener;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final CompletableFuture<Session.End> closed = new CompletableFuture<>();
  private final Thread thread;

  private PresenceKeeper(
      Datastore datastore,
      String key,
      byte[] value,
      Duration timeToLive,
      Consumer<State> listener) {
    this.datastore = requireNonNull(datastore, "datastore is null");
    this.key = Keys.checkKey(key);
    this.value = value.clone();
    this.timeToLive = requireNonNull(timeToLive, "timeToLive is null");
    this.listener = requireNonNull(listener, "listener is null");
    this.thread =
        Thread.ofPlatform().daemon().name("presence-" + Keys.lastSegment(key)).unstarted(this::run);
  }

  /**
   * Starts to keep the key and returns at once, also when the store is away. A key that is there
   * already (left by an earlier run of the same process) is overwritten and bound to this one.
   *
   * @param timeToLive how long the key outlives a process that died
   * @param listener called on the presence thread; must not block for long
   */
  public static PresenceKeeper keep(
      Datastore datastore,
      String key,
      byte[] value,
      Duration timeToLive,
      Consumer<State> listener) {
    PresenceKeeper presence = new PresenceKeeper(datastore, key, value, timeToLive, listener);
    presence.thread.start();
    return presence;
  }

  private void run() {
    Duration pause = FIRST_PAUSE;
    while (!isClosing()) {
      try (Session session = datastore.openSession(timeToLive, datastore.deadline())) {
        TransactionResult result =
            datastore.commit(
                Transaction.builder().putBound(key, value, session).build(), datastore.deadline());
        if (result instanceof TransactionResult.Failed failed) {
          throw new IllegalStateException("an unconditional put failed: " + failed);
        }
        log.info("presence kept key={} session={}", key, session.id());
        pause = FIRST_PAUSE;
        tell(State.PRESENT);
        Object end = CompletableFuture.anyOf(session.ended(), closed).join();
        if (Session.End.EXPIRED.equals(end)) {
          log.warn("presence lost key={} session={}", key, session.id());
          tell(State.LOST);
        }
      } catch (DatastoreException e) {
        log.warn(
            "presence not written key={} retry={}ms: {}", key, pause.toMillis(), e.getMessage());
        pauseFor(pause);
        pause = longer(pause);
      } catch (RuntimeException e) {
        // A defect must not make this process look dead to others for as long as it lives.
        log.error("presence failed, trying again key={} retry={}ms", key, pause.toMillis(), e);
        pauseFor(pause);
        pause = longer(pause);
      }
    }
  }

  private static Duration longer(Duration pause) {
    Duration twice = pause.multipliedBy(2);
    return twice.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : twice;
  }

  /** The owner's defect must not end its presence. */
  private void tell(State state) {
    try {
      listener.accept(state);
    } catch (RuntimeException e) {
      log.error("owner of presence failed key={} state={}", key, state, e);
    }
  }

  private boolean isClosing() {
    return closing.getCount() == 0;
  }

  private void pauseFor(Duration pause) {
    try {
      if (closing.await(pause.toNanos(), TimeUnit.NANOSECONDS)) {
        return;
      }
    } catch (InterruptedException e) {
      close();
    }
  }

  /** Deletes the key and ends the session, or leaves that to the store's clock when it is away. */
  @Override
  public void close() {
    closing.countDown();
    closed.complete(Session.End.CLOSED);
    if (Thread.currentThread().equals(thread)) {
      return;
    }
    try {
      thread.join(datastore.requestTimeout().plusSeconds(1));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
