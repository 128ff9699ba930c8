package io.wayleave.datastore;

/**
 * The store did not answer within the deadline, or not at all. Unless it is the subclass {@link
 * OutcomeUnknownException}, nothing was changed.
 */
public sealed class DatastoreUnavailableException extends DatastoreException
    permits OutcomeUnknownException {
  private static final long serialVersionUID = 1L;

  public DatastoreUnavailableException(String message, Throwable cause) {
    super(message, cause);
  }
}
