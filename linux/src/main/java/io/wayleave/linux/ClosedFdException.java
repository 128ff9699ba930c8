package io.wayleave.linux;

import java.io.IOException;

/** The descriptor was closed by its owner before or during the call. */
public final class ClosedFdException extends IOException {
  private static final long serialVersionUID = 1L;

  public ClosedFdException() {
    super("closed");
  }
}
