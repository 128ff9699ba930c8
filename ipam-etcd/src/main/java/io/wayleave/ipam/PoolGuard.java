package io.wayleave.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.Version;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Two keys whose versions tell that something has changed which {@link PoolTable} reads.
 *
 * <p>Each change of a pool bumps the first, and creating one compares it: of two pools that overlap
 * one is refused. An allocation compares the pools that it takes from, and a change of any other is
 * none of its business; unless it has left a family out for which no pool would do, which any
 * change may change: such a one compares this key too.
 *
 * <p>Each change of a reservation or of the configuration bumps the second. Those are no part of a
 * pool, so an allocation that was planned before would not notice; it compares this key.
 *
 * @param pools empty: that key does not exist
 * @param settings empty: that key does not exist
 */
record PoolGuard(Optional<Version> pools, Optional<Version> settings) {
  /** As if neither existed. */
  static final PoolGuard NONE = new PoolGuard(Optional.empty(), Optional.empty());

  /** Both as they are now: one small read. */
  static PoolGuard read(Datastore datastore, Deadline deadline) {
    Map<String, Entry> found =
        datastore.getAll(List.of(Keys.POOL_GUARD, Keys.SETTINGS_GUARD), deadline);
    return new PoolGuard(
        Optional.ofNullable(found.get(Keys.POOL_GUARD)).map(Entry::version),
        Optional.ofNullable(found.get(Keys.SETTINGS_GUARD)).map(Entry::version));
  }

  /** A transaction for a change of a pool, which no other has changed since this was read. */
  Transaction.Builder changingPools() {
    // The value says nothing; its version is what is compared.
    return Transaction.builder().ifSame(Keys.POOL_GUARD, pools).put(Keys.POOL_GUARD, "{}");
  }

  /** A transaction for a change of a reservation or the configuration. */
  Transaction.Builder changingSettings() {
    return Transaction.builder()
        .ifSame(Keys.SETTINGS_GUARD, settings)
        .put(Keys.SETTINGS_GUARD, "{}");
  }
}
