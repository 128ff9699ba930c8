package io.wayleave.datastore;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Update;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows everything under a prefix and tells it as typed {@link Update}s: first each key that
 * exists, then in-sync, once, then each change. When the store was away or its history is gone, it
 * lists again, compares, and tells only what differs, deletions included.
 *
 * <p>A value that does not decode is reported to {@link Listener#onInvalid} and is to the follower
 * as if the key did not exist: a value that decoded before is told as deleted. What the follower
 * knows so depends on the store's state alone and not on the order of events.
 *
 * <p>One daemon thread, {@code syncer-NAME}, makes all calls of the listener.
 */
public final class Syncer<K, V> implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Syncer.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(50);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);
  private static final Duration LONG_POLL = Duration.ofMinutes(1);

  /** From the store's keys and bytes to objects. */
  public interface Decoder<K, V> {
    /**
     * What the follower calls this key of the store.
     *
     * @throws IllegalArgumentException when this is no key of the expected form
     */
    K key(String key);

    /**
     * What the entry's value says.
     *
     * @throws IllegalArgumentException when the value is not what the key should hold
     */
    V value(K key, Entry entry);
  }

  /** Is told everything, on the syncer's thread. */
  public interface Listener<K, V> {
    void onUpdate(Update<K, V> update);

    /** No further update is at hand right now: the time to act on what came. */
    default void onBatchEnd() {}

    /** An entry that cannot be read, and why. */
    default void onInvalid(String key, String reason) {}

    /** An entry that could not be read can be read now, which is told next, or is gone. */
    default void onInvalidGone(String key) {}

    /** The connection came or went. */
    default void onStatus(Status status) {}
  }

  /**
   * Whether the follower's picture is being kept current.
   *
   * @param since when that began
   * @param reason why there is no connection; empty when there is one
   */
  public record Status(boolean connected, Instant since, String reason) {}

  /** A key of the store; empty while its value cannot be read, so the follower has not it. */
  private record Known<K>(Optional<K> key, Version version) {}

  private final String name;
  private final Datastore datastore;
  private final String prefix;
  private final Decoder<K, V> decoder;
  private final Listener<K, V> listener;
  private final InstantSource clock;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread;

  // Owned by the syncer thread.
  private final Map<String, Known<K>> known = new HashMap<>();
  private boolean inSyncTold;

  private volatile Status status;
  private volatile Optional<Watch> current = Optional.empty();

  /** Its thread is not started. */
  Syncer(
      String name,
      Datastore datastore,
      String prefix,
      Decoder<K, V> decoder,
      Listener<K, V> listener,
      InstantSource clock) {
    this.name = requireNonNull(name, "name is null");
    this.datastore = requireNonNull(datastore, "datastore is null");
    this.prefix = Keys.checkPrefix(prefix);
    this.decoder = requireNonNull(decoder, "decoder is null");
    this.listener = requireNonNull(listener, "listener is null");
    this.clock = requireNonNull(clock, "clock is null");
    this.status = new Status(false, clock.instant(), "not connected yet");
    this.thread = Thread.ofPlatform().daemon().name("syncer-" + name).unstarted(this::run);
  }

  /**
   * Starts following, and returns at once, also when the store is away.
   *
   * @param name of what is followed, for the thread and the log
   */
  public static <K, V> Syncer<K, V> start(
      String name,
      Datastore datastore,
      String prefix,
      Decoder<K, V> decoder,
      Listener<K, V> listener) {
    return start(name, datastore, prefix, decoder, listener, InstantSource.system());
  }

  static <K, V> Syncer<K, V> start(
      String name,
      Datastore datastore,
      String prefix,
      Decoder<K, V> decoder,
      Listener<K, V> listener,
      InstantSource clock) {
    Syncer<K, V> syncer = new Syncer<>(name, datastore, prefix, decoder, listener, clock);
    syncer.thread.start();
    return syncer;
  }

  /** The present status; from any thread. */
  public Status status() {
    return status;
  }

  private void run() {
    Duration pause = FIRST_PAUSE;
    while (!isClosing()) {
      try {
        Revision revision = listAndCompare();
        pause = FIRST_PAUSE;
        follow(revision);
      } catch (SnapshotExpiredException e) {
        log.info("syncer lists again name={}: {}", name, e.getMessage());
      } catch (DatastoreException e) {
        setStatus(false, e.getMessage());
        pauseFor(pause);
        pause = min(pause.multipliedBy(2), LONGEST_PAUSE);
      } catch (InterruptedException e) {
        closing.countDown();
      } catch (RuntimeException e) {
        log.error("syncer failed and begins anew name={}", name, e);
        setStatus(false, e.toString());
        pauseFor(LONGEST_PAUSE);
      }
    }
  }

  /**
   * Reads everything and tells what differs from what was told before.
   *
   * @return where a watch begins that tells the rest
   */
  Revision listAndCompare() {
    Set<String> present = new HashSet<>();
    Optional<Page.Cursor> cursor = Optional.empty();
    Page page;
    do {
      // A deadline per page: a large listing may take long as long as it moves.
      page = datastore.list(prefix, cursor, Datastore.DEFAULT_PAGE_SIZE, datastore.deadline());
      for (Entry entry : page.entries()) {
        present.add(entry.key());
        put(entry);
      }
      cursor = page.next();
    } while (cursor.isPresent() && !isClosing());
    if (isClosing()) {
      return page.revision();
    }
    List<String> gone = known.keySet().stream().filter(key -> !present.contains(key)).toList();
    gone.forEach(this::delete);
    setStatus(true, "");
    if (!inSyncTold) {
      inSyncTold = true;
      tell(new Update.InSync<>());
    }
    endBatch();
    return page.revision();
  }

  private void follow(Revision revision) throws InterruptedException {
    try (Watch watch = datastore.watch(prefix, revision)) {
      current = Optional.of(watch);
      while (!isClosing() && !watch.isEnded()) {
        tell(watch.take(Deadline.after(LONG_POLL)));
      }
    } finally {
      current = Optional.empty();
    }
  }

  /** Tells what a watch has told. */
  void tell(List<WatchEvent> events) {
    for (WatchEvent event : events) {
      switch (event) {
        case WatchEvent.Put put -> put(put.entry());
        case WatchEvent.Delete delete -> delete(delete.key());
        case WatchEvent.Disconnected disconnected -> setStatus(false, disconnected.reason());
        case WatchEvent.Reconnected _ -> setStatus(true, "");
        // What the follower knows is old until it has been compared.
        case WatchEvent.Resync resync -> setStatus(false, "compares anew: " + resync.reason());
      }
    }
    if (!events.isEmpty()) {
      endBatch();
    }
  }

  private void put(Entry entry) {
    Known<K> before = known.get(entry.key());
    if (before != null && before.version().equals(entry.version())) {
      return;
    }
    Optional<K> told = before == null ? Optional.empty() : before.key();
    try {
      K key = told.isPresent() ? told.get() : decoder.key(entry.key());
      V value = decoder.value(key, entry);
      if (before != null && told.isEmpty()) {
        guard(() -> listener.onInvalidGone(entry.key()));
      }
      known.put(entry.key(), new Known<>(Optional.of(key), entry.version()));
      tell(new Update.Put<>(key, value));
    } catch (RuntimeException e) { // also a decoder's defect must not end the stream
      String reason = e.getMessage() == null ? e.toString() : e.getMessage();
      log.warn("value not readable name={} key={}: {}", name, entry.key(), reason);
      known.put(entry.key(), new Known<>(Optional.empty(), entry.version()));
      told.ifPresent(key -> tell(new Update.Delete<>(key)));
      guard(() -> listener.onInvalid(entry.key(), reason));
    }
  }

  private void delete(String storeKey) {
    Known<K> before = known.remove(storeKey);
    if (before != null) {
      before
          .key()
          .ifPresentOrElse(
              key -> tell(new Update.Delete<>(key)),
              () -> guard(() -> listener.onInvalidGone(storeKey)));
    }
  }

  private void setStatus(boolean connected, String reason) {
    Status before = status;
    if (before.connected() == connected && before.reason().equals(reason)) {
      return;
    }
    // A new reason for the same outage does not make the outage younger.
    Instant since = before.connected() == connected ? before.since() : clock.instant();
    Status now = new Status(connected, since, reason);
    status = now;
    if (connected) {
      log.info("syncer connected name={} store={}", name, datastore.description());
    } else if (before.connected() || before.reason().equals("not connected yet")) {
      log.warn("syncer disconnected name={}: {}", name, reason);
    }
    guard(() -> listener.onStatus(now));
  }

  private void tell(Update<K, V> update) {
    guard(() -> listener.onUpdate(update));
  }

  private void endBatch() {
    guard(listener::onBatchEnd);
  }

  /** One follower's defect must not end the stream for what comes after. */
  private void guard(Runnable call) {
    try {
      call.run();
    } catch (RuntimeException e) {
      log.error("syncer's follower failed name={}", name, e);
    }
  }

  private boolean isClosing() {
    return closing.getCount() == 0;
  }

  private void pauseFor(Duration pause) {
    try {
      if (closing.await(pause.toNanos(), TimeUnit.NANOSECONDS)) {
        log.debug("syncer closes name={}", name);
      }
    } catch (InterruptedException e) {
      closing.countDown();
    }
  }

  private static Duration min(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  /** Ends the stream; after it returns, the listener is not called any more. */
  @Override
  public void close() {
    closing.countDown();
    current.ifPresent(Watch::close);
    if (Thread.currentThread().equals(thread)) {
      return;
    }
    thread.interrupt();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
