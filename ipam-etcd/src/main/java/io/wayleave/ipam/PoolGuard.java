package io.wayleave.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.Version;
import java.util.Optional;

/**
 * The key that every change of what {@link PoolTable} reads bumps: two changes so never pass each
 * other unseen, and each host's next allocation is refused until it has read them.
 */
final class PoolGuard {
  private PoolGuard() {}

  static Optional<Version> read(Datastore datastore, Deadline deadline) {
    return datastore.get(Keys.POOL_GUARD, deadline).map(Entry::version);
  }

  /** A transaction that holds only while everything is as it was when this guard was read. */
  static Transaction.Builder bumped(Optional<Version> read) {
    // The value says nothing; its version is what is compared.
    return Transaction.builder().ifSame(Keys.POOL_GUARD, read).put(Keys.POOL_GUARD, "{}");
  }
}
