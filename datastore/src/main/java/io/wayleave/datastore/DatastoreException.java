package io.wayleave.datastore;

/**
 * A datastore call failed. The subclasses tell what the caller can do: {@link
 * DatastoreUnavailableException} (try again later), {@link DatastoreRefusedException} (somebody
 * must mend the configuration or the request), {@link SnapshotExpiredException} (list again).
 */
public abstract sealed class DatastoreException extends RuntimeException
    permits DatastoreUnavailableException, DatastoreRefusedException, SnapshotExpiredException {
  private static final long serialVersionUID = 1L;

  DatastoreException(String message, Throwable cause) {
    super(message, cause);
  }
}
