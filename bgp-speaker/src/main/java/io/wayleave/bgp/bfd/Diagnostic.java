package io.wayleave.bgp.bfd;

/** Why a session changed its state last (RFC 5880 section 4.1, Diag). */
public enum Diagnostic {
  NONE(0, "no diagnostic"),
  DETECTION_TIME_EXPIRED(1, "control detection time expired"),
  ECHO_FAILED(2, "echo function failed"),
  NEIGHBOUR_SIGNALLED_DOWN(3, "neighbor signaled session down"),
  FORWARDING_RESET(4, "forwarding plane reset"),
  PATH_DOWN(5, "path down"),
  CONCATENATED_PATH_DOWN(6, "concatenated path down"),
  ADMINISTRATIVELY_DOWN(7, "administratively down"),
  REVERSE_CONCATENATED_PATH_DOWN(8, "reverse concatenated path down"),
  /** A code that the RFC has not given a meaning; never sent. */
  UNKNOWN(-1, "unknown diagnostic");

  private final int code;
  private final String text;

  Diagnostic(int code, String text) {
    this.code = code;
    this.text = text;
  }

  int code() {
    return code;
  }

  static Diagnostic of(int code) {
    for (Diagnostic diagnostic : values()) {
      if (diagnostic.code == code) {
        return diagnostic;
      }
    }
    return UNKNOWN;
  }

  /** In the words of the RFC. */
  @Override
  public String toString() {
    return text;
  }
}
