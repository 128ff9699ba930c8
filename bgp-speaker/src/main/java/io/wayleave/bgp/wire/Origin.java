package io.wayleave.bgp.wire;

import java.util.Locale;

/** ORIGIN, RFC 4271 section 5.1.1. The ordinal is the value on the wire and the preference. */
public enum Origin {
  IGP,
  EGP,
  INCOMPLETE;

  private static final Origin[] VALUES = values();

  /** Whether that octet is one of the three. */
  static boolean isDefined(int code) {
    return code < VALUES.length;
  }

  static Origin of(int code) {
    return VALUES[code];
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
