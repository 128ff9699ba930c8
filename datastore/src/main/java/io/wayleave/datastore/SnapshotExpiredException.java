package io.wayleave.datastore;

/**
 * The listing that a {@link Page.Cursor} goes on with is no longer kept; list from the beginning.
 */
public final class SnapshotExpiredException extends DatastoreException {
  private static final long serialVersionUID = 1L;

  public SnapshotExpiredException(String message, Throwable cause) {
    super(message, cause);
  }
}
