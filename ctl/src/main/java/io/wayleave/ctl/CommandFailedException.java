package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

/**
 * The command was understood and could not be done: exit code 1. The message is what the user
 * reads, one line that names the thing and says what to do about it.
 */
final class CommandFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  CommandFailedException(String message) {
    super(requireNonNull(message, "message is null"));
  }

  CommandFailedException(String message, Throwable cause) {
    super(requireNonNull(message, "message is null"), cause);
  }
}
