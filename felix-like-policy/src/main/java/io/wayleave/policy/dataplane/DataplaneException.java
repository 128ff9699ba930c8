package io.wayleave.policy.dataplane;

/** The packet filter did not take what it was asked; the message says what and why. */
public final class DataplaneException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public DataplaneException(String message) {
    super(message);
  }

  public DataplaneException(String message, Throwable cause) {
    super(message, cause);
  }
}
