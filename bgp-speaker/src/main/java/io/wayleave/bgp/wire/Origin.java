package io.wayleave.bgp.wire;

import java.util.Locale;
import java.util.Optional;

/** ORIGIN, RFC 4271 section 5.1.1, from the most to the least preferred. */
public enum Origin {
  IGP(0),
  EGP(1),
  INCOMPLETE(2);

  private final int code;

  Origin(int code) {
    this.code = code;
  }

  /** The value on the wire; the lower one is preferred (RFC 4271 section 9.1.2.2 b). */
  public int code() {
    return code;
  }

  static Optional<Origin> of(int code) {
    return switch (code) {
      case 0 -> Optional.of(IGP);
      case 1 -> Optional.of(EGP);
      case 2 -> Optional.of(INCOMPLETE);
      default -> Optional.empty();
    };
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
