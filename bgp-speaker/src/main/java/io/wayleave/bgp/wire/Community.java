package io.wayleave.bgp.wire;

import io.wayleave.model.InvalidInputException;

/** A community of RFC 1997: 32 bits, written {@code 65000:1}. */
public record Community(int bits) {
  public static final Community GRACEFUL_SHUTDOWN = new Community(Iana.COMMUNITY_GRACEFUL_SHUTDOWN);
  public static final Community BLACKHOLE = new Community(Iana.COMMUNITY_BLACKHOLE);
  public static final Community NO_EXPORT = new Community(Iana.COMMUNITY_NO_EXPORT);
  public static final Community NO_ADVERTISE = new Community(Iana.COMMUNITY_NO_ADVERTISE);
  public static final Community NO_EXPORT_SUBCONFED =
      new Community(Iana.COMMUNITY_NO_EXPORT_SUBCONFED);

  public static Community of(int high, int low) {
    if (high < 0 || high > 0xffff || low < 0 || low > 0xffff) {
      throw refusal(high + ":" + low);
    }
    return new Community(high << 16 | low);
  }

  /** Reads {@code 65000:1}. */
  public static Community parse(String text) {
    int colon = text.indexOf(':');
    try {
      if (colon > 0) {
        return of(
            Integer.parseInt(text.substring(0, colon)),
            Integer.parseInt(text.substring(colon + 1)));
      }
    } catch (NumberFormatException e) {
      throw (InvalidInputException) refusal(text).initCause(e);
    }
    throw refusal(text);
  }

  @Override
  public String toString() {
    return (bits >>> 16) + ":" + (bits & 0xffff);
  }

  private static InvalidInputException refusal(String text) {
    return new InvalidInputException(
        "", text, "a community such as 65000:1, both numbers 0 to 65535");
  }
}
