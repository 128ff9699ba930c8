package io.wayleave.datastore;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a key in the store for as long as this process lives, and others beside it ({@link #put}):
 * it opens a session, puts the keys bound to it, and does both again when the session expired or
 * the store was away. The owner is told of each change of the first key.
 *
 * <p>One daemon thread, {@code presence-NAME}, does the work and calls the listener.
 */
public final class PresenceKeeper implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PresenceKeeper.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

  /** Between two writes of what is put, so that what changes with each container costs few. */
  private static final Duration REST = Duration.ofMillis(200);

  /** What the store shows of us. */
  public enum State {
    /** The key is in the store and lives as long as this process. */
    PRESENT,
    /** The session expired and the key is gone: others saw this process as dead. */
    LOST
  }

  private final Datastore datastore;
  private final String key;
  private final Duration timeToLive;
  private final Consumer<State> listener;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final CompletableFuture<Session.End> closed = new CompletableFuture<>();

  /** Everything that is to be there while a session lives. */
  private final Map<String, byte[]> values = new ConcurrentHashMap<>();

  /** Keys whose last value the present session may not have written yet. */
  private final Set<String> unwritten = ConcurrentHashMap.newKeySet();

  /** Completes when {@link #put} has something to write; a new one for each look. */
  private volatile CompletableFuture<Session.End> wanted = new CompletableFuture<>();

  private final Thread thread;

  private PresenceKeeper(
      Datastore datastore,
      String key,
      byte[] value,
      Duration timeToLive,
      Consumer<State> listener) {
    this.datastore = requireNonNull(datastore, "datastore is null");
    this.key = Keys.checkKey(key);
    this.values.put(key, value.clone());
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

  /**
   * Keeps one more key, or another value of one, from now on and in every session to come. Returns
   * at once; of several values of a key that come fast, the last is written for certain, and some
   * of the others.
   */
  public void put(String otherKey, byte[] value) {
    values.put(Keys.checkKey(otherKey), value.clone());
    unwritten.add(otherKey);
    wanted.complete(null);
  }

  private void run() {
    Duration pause = FIRST_PAUSE;
    while (!isClosing()) {
      try (Session session = datastore.openSession(timeToLive, datastore.deadline())) {
        write(List.of(key), session);
        log.info("presence kept key={} session={}", key, session.id());
        pause = FIRST_PAUSE;
        tell(State.PRESENT);
        unwritten.addAll(values.keySet());
        unwritten.remove(key);
        Session.End end = serve(session);
        if (end == Session.End.EXPIRED) {
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

  /** Writes what is put, until the session or this keeper ends. */
  private Session.End serve(Session session) {
    Duration pause = FIRST_PAUSE;
    while (true) {
      CompletableFuture<Session.End> next = new CompletableFuture<>();
      wanted = next; // before looking at what there is, so that no put is missed
      List<String> keys = List.copyOf(unwritten);
      if (!keys.isEmpty()) {
        try {
          unwritten.removeAll(keys);
          write(keys, session);
          pause = FIRST_PAUSE;
          next = rested(next);
        } catch (DatastoreException e) {
          // The session may well live on; then the presence does.
          log.warn("not written keys={} retry={}ms: {}", keys, pause.toMillis(), e.getMessage());
          unwritten.addAll(keys);
          next = next.completeOnTimeout(null, pause.toMillis(), TimeUnit.MILLISECONDS);
          pause = longer(pause);
        }
      }
      Object end = CompletableFuture.anyOf(session.ended(), closed, next).join();
      if (end != null) {
        return (Session.End) end;
      }
    }
  }

  /** Completes with the other, but not before a rest. */
  private static CompletableFuture<Session.End> rested(CompletableFuture<Session.End> other) {
    CompletableFuture<Session.End> rest = new CompletableFuture<>();
    return rest.completeOnTimeout(null, REST.toMillis(), TimeUnit.MILLISECONDS)
        .thenCombine(other, (_, end) -> end);
  }

  private void write(List<String> keys, Session session) {
    Transaction.Builder writing = Transaction.builder();
    keys.forEach(each -> writing.putBound(each, values.get(each), session));
    TransactionResult result = datastore.commit(writing.build(), datastore.deadline());
    if (result instanceof TransactionResult.Failed failed) {
      throw new IllegalStateException("an unconditional put failed: " + failed);
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

  /** Deletes the keys and ends the session, or leaves that to the store's clock when it is away. */
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
