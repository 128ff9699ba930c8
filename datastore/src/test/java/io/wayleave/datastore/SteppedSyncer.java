package io.wayleave.datastore;

import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

/**
 * A {@link Syncer} that goes on when it is told to, on the caller's thread: for tests in which the
 * order of everything is given. NOT thread safe.
 */
public final class SteppedSyncer<K, V> {
  private final Datastore datastore;
  private final String prefix;
  private final Syncer<K, V> syncer;
  private Optional<Watch> watch = Optional.empty();

  public SteppedSyncer(
      Datastore datastore,
      String prefix,
      Syncer.Decoder<K, V> decoder,
      Syncer.Listener<K, V> listener) {
    this.datastore = datastore;
    this.prefix = prefix;
    this.syncer =
        new Syncer<>("stepped", datastore, prefix, decoder, listener, InstantSource.system());
  }

  /**
   * Lists and compares when there is no watch, else tells one batch of it, if one is at hand.
   *
   * @return whether it told anything or listed
   * @throws DatastoreException when a listing fails: the next step tries again
   */
  public boolean step() {
    if (watch.isEmpty()) {
      watch = Optional.of(datastore.watch(prefix, syncer.listAndCompare()));
      return true;
    }
    try {
      List<WatchEvent> events = watch.get().take(Deadline.after(Duration.ZERO));
      syncer.tell(events);
      if (watch.get().isEnded()) {
        watch.get().close();
        watch = Optional.empty();
      }
      return !events.isEmpty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
