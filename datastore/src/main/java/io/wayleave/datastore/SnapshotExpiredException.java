package io.wayleave.datastore;

/** The revision that a {@link Page.Cursor} reads at is no longer kept; list from the beginning. */
public final class SnapshotExpiredException extends DatastoreException {
  private static final long serialVersionUID = 1L;

  public SnapshotExpiredException(String message, Throwable cause) {
    super(message, cause);
  }
}
