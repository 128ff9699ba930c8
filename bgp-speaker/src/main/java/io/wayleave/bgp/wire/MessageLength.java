package io.wayleave.bgp.wire;

/** Lengths that follow from the fixed fields of each message, header included. */
final class MessageLength {
  /** RFC 4271 section 4.2. */
  static final int MIN_OPEN = 29;

  /** RFC 4271 section 4.3. */
  static final int MIN_UPDATE = 23;

  /** RFC 4271 section 4.5. */
  static final int MIN_NOTIFICATION = 21;

  /** RFC 2918 section 3. */
  static final int ROUTE_REFRESH = 23;

  private MessageLength() {}
}
