package io.wayleave.datastore.zookeeper;

import io.wayleave.datastore.Revision;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * The keys of listings that have more pages, until the last page is read, or nobody has asked for
 * one for a while, or there are too many: then the oldest goes. Thread safe.
 */
final class KeptListings {
  static final int MOST = 8;

  /** Longer than any caller waits between two pages. */
  static final Duration IDLE = Duration.ofMinutes(2);

  private final LongSupplier nanoTime;

  // Guarded by this; the oldest first.
  private final Map<Name, Kept> listings = new LinkedHashMap<>();

  /** Two readers of one prefix at one revision share what is kept. */
  private record Name(Revision revision, String prefix) {}

  /**
   * @param readers who have not read it to the end
   */
  private record Kept(List<String> keys, int readers, long nanos) {}

  KeptListings(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /** Somebody has read a first page, and there are more. */
  synchronized void begin(Revision revision, String prefix, List<String> keys) {
    dropIdle();
    Name name = new Name(revision, prefix);
    int readers = listings.containsKey(name) ? listings.get(name).readers() : 0;
    if (readers == 0 && listings.size() == MOST) {
      listings.remove(listings.keySet().iterator().next());
    }
    listings.put(name, new Kept(keys, readers + 1, nanoTime.getAsLong()));
  }

  /** The keys of a listing that was begun; empty: they are no longer kept. */
  synchronized Optional<List<String>> find(Revision revision, String prefix) {
    dropIdle();
    Kept kept =
        listings.computeIfPresent(
            new Name(revision, prefix),
            (_, known) -> new Kept(known.keys(), known.readers(), nanoTime.getAsLong()));
    return Optional.ofNullable(kept).map(Kept::keys);
  }

  /** One reader has read the last page. */
  synchronized void end(Revision revision, String prefix) {
    var _ =
        listings.computeIfPresent(
            new Name(revision, prefix),
            (_, known) ->
                known.readers() == 1
                    ? null
                    : new Kept(known.keys(), known.readers() - 1, known.nanos()));
  }

  synchronized int size() {
    return listings.size();
  }

  private void dropIdle() {
    long now = nanoTime.getAsLong();
    listings.values().removeIf(kept -> now - kept.nanos() > IDLE.toNanos());
  }
}
