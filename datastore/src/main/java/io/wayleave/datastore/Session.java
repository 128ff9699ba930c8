package io.wayleave.datastore;

import java.util.concurrent.CompletableFuture;

/**
 * A life sign that this process gives the store. Keys that are put bound to it are deleted when it
 * is closed, and by the store when no life sign came for the session's time to live. Life signs are
 * given by the implementation, also through reconnections.
 *
 * <p>A session that has ended never comes back; {@link PresenceKeeper} makes a new one.
 */
public interface Session extends Part {
  /** The store's name for it, for logs. */
  String id();

  /** Completes when the session has ended, and says why. Never completes exceptionally. */
  CompletableFuture<End> ended();

  /** Ends it and deletes its keys now, or, when the store is away, leaves that to its clock. */
  @Override
  void close();

  /** Why a session ended. */
  enum End {
    /** By {@link Session#close}. */
    CLOSED,
    /** The store ended it: no life sign arrived in time, or somebody revoked it. */
    EXPIRED
  }
}
