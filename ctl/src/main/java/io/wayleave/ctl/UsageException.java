package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

/**
 * The command line itself is wrong, and nothing was asked of any datastore or agent: exit code 2.
 * The message is what the user reads.
 */
final class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  UsageException(String message) {
    super(requireNonNull(message, "message is null"));
  }

  UsageException(String message, Throwable cause) {
    super(requireNonNull(message, "message is null"), cause);
  }
}
