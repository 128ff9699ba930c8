package io.wayleave.bgp.bfd;

/** State of a session (RFC 5880 section 4.1, Sta). */
public enum BfdPhase {
  ADMIN_DOWN(0),
  DOWN(1),
  INIT(2),
  UP(3);

  private final int code;

  BfdPhase(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }

  /** Of two bits, so every code has a phase. */
  static BfdPhase of(int code) {
    return switch (code & 3) {
      case 0 -> ADMIN_DOWN;
      case 1 -> DOWN;
      case 2 -> INIT;
      default -> UP;
    };
  }
}
