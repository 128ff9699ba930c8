package io.wayleave.datastore;

/**
 * A transaction was sent and no answer came: it may or may not have been committed, or may be
 * committed still. The caller resolves it by reading.
 */
public final class OutcomeUnknownException extends DatastoreUnavailableException {
  private static final long serialVersionUID = 1L;

  public OutcomeUnknownException(String message, Throwable cause) {
    super(message, cause);
  }
}
