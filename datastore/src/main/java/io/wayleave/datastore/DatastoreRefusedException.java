package io.wayleave.datastore;

/**
 * The store answered and refused: wrong credentials, no permission, a request that is too large, no
 * space left. Trying again does not help by itself. Nothing was changed.
 */
public final class DatastoreRefusedException extends DatastoreException {
  private static final long serialVersionUID = 1L;

  public DatastoreRefusedException(String message, Throwable cause) {
    super(message, cause);
  }
}
