package io.wayleave.bgp.wire;

import io.netty.buffer.ByteBuf;
import io.wayleave.bgp.wire.BgpMessage.Notification;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The NOTIFICATIONs that this speaker sends, each with the data that its RFC asks for. */
public final class Notifications {
  /** RFC 9003 section 2: the length octet allows 255 octets of UTF-8. */
  public static final int MAX_SHUTDOWN_TEXT = 255;

  private Notifications() {}

  /** RFC 4271 section 6.1; no data. */
  public static Notification notSynchronized() {
    return new Notification(Iana.ERR_HEADER, Iana.HEADER_NOT_SYNCHRONIZED);
  }

  /** RFC 4271 section 6.1: the data is the erroneous length field. */
  public static Notification badMessageLength(int length) {
    return new Notification(Iana.ERR_HEADER, Iana.HEADER_BAD_LENGTH, twoOctets(length));
  }

  /** RFC 4271 section 6.1: the data is the erroneous type field. */
  public static Notification badMessageType(int type) {
    return new Notification(Iana.ERR_HEADER, Iana.HEADER_BAD_TYPE, Octets.of((byte) type));
  }

  /** RFC 4271 section 6.2: the data is the largest version that we have, which is 4. */
  public static Notification unsupportedVersion() {
    return new Notification(Iana.ERR_OPEN, Iana.OPEN_UNSUPPORTED_VERSION, twoOctets(Iana.VERSION));
  }

  /** An OPEN error without data; the subcode is one of {@code Iana.OPEN_*}. */
  public static Notification openError(int subcode) {
    return new Notification(Iana.ERR_OPEN, subcode);
  }

  /** RFC 5492 section 5: the data lists the capabilities that we insist on. */
  public static Notification unsupportedCapability(List<Capability> required) {
    return new Notification(
        Iana.ERR_OPEN, Iana.OPEN_UNSUPPORTED_CAPABILITY, CapabilityCodec.encode(required));
  }

  /** RFC 4271 section 6.5. */
  public static Notification holdTimerExpired() {
    return new Notification(Iana.ERR_HOLD_TIMER_EXPIRED, Iana.UNSPECIFIC);
  }

  /** RFC 9687 section 3.2. */
  public static Notification sendHoldTimerExpired() {
    return new Notification(Iana.ERR_SEND_HOLD_TIMER_EXPIRED, Iana.UNSPECIFIC);
  }

  /**
   * RFC 6608 section 4: the data is the type of the message that was not expected.
   *
   * @param subcode one of {@code Iana.FSM_UNEXPECTED_*}
   */
  public static Notification unexpectedMessage(int subcode, int messageType) {
    return new Notification(Iana.ERR_FSM, subcode, Octets.of((byte) messageType));
  }

  /** An FSM error that is no message's fault, RFC 4271 section 6.6. */
  public static Notification fsmError() {
    return new Notification(Iana.ERR_FSM, Iana.UNSPECIFIC);
  }

  /** RFC 4486: a Cease without data; the subcode is one of {@code Iana.CEASE_*}. */
  public static Notification cease(int subcode) {
    return new Notification(Iana.ERR_CEASE, subcode);
  }

  /**
   * RFC 8538 section 3.1: the session ends for good although a NOTIFICATION alone would let the
   * peer keep our routes; the data is the NOTIFICATION that says why.
   */
  public static Notification hardReset(Notification reason) {
    byte[] inner = reason.data().toArray();
    byte[] data = new byte[2 + inner.length];
    data[0] = (byte) reason.code();
    data[1] = (byte) reason.subcode();
    System.arraycopy(inner, 0, data, 2, inner.length);
    return new Notification(Iana.ERR_CEASE, Iana.CEASE_HARD_RESET, Octets.of(data));
  }

  public static boolean isHardReset(Notification notification) {
    return notification.code() == Iana.ERR_CEASE && notification.subcode() == Iana.CEASE_HARD_RESET;
  }

  /**
   * Whether nobody is to keep routes after it, so that it needs a {@link #hardReset} around it once
   * RFC 8538 is negotiated. Its section 5.1 suggests so for limits, shutdown and de-configuration;
   * when BFD says that the path is dead (RFC 9384), keeping routes would lead packets into it.
   */
  public static boolean isFinal(Notification notification) {
    return notification.code() == Iana.ERR_CEASE
        && switch (notification.subcode()) {
          case Iana.CEASE_MAXIMUM_PREFIXES,
              Iana.CEASE_ADMINISTRATIVE_SHUTDOWN,
              Iana.CEASE_PEER_DECONFIGURED,
              Iana.CEASE_BFD_DOWN,
              Iana.CEASE_HARD_RESET ->
              true;
          default -> false;
        };
  }

  /** RFC 4486 section 4: the data says which limit was reached. */
  public static Notification maximumPrefixes(AddressFamily family, long limit) {
    return new Notification(
        Iana.ERR_CEASE,
        Iana.CEASE_MAXIMUM_PREFIXES,
        Octets.of(
            (byte) (family.afi() >> 8),
            (byte) family.afi(),
            (byte) family.safi(),
            (byte) (limit >> 24),
            (byte) (limit >> 16),
            (byte) (limit >> 8),
            (byte) limit));
  }

  /**
   * RFC 9003: Administrative Shutdown with a message to the peer's operator, cut after 255 octets
   * of UTF-8 between two characters. Empty text sends none.
   */
  public static Notification shutdown(String text) {
    return withText(Iana.CEASE_ADMINISTRATIVE_SHUTDOWN, text);
  }

  /** RFC 9003: Administrative Reset, as {@link #shutdown}. */
  public static Notification reset(String text) {
    return withText(Iana.CEASE_ADMINISTRATIVE_RESET, text);
  }

  private static Notification withText(int subcode, String text) {
    if (text.isEmpty()) {
      return cease(subcode);
    }
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    int length = Math.min(utf8.length, MAX_SHUTDOWN_TEXT);
    while (length > 0 && length < utf8.length && (utf8[length] & 0xc0) == 0x80) {
      length--;
    }
    byte[] data = new byte[1 + length];
    data[0] = (byte) length;
    System.arraycopy(utf8, 0, data, 1, length);
    return new Notification(Iana.ERR_CEASE, subcode, Octets.of(data));
  }

  /** RFC 7313 section 5: the data is the complete message. */
  static Notification routeRefreshLength(ByteBuf message, int start, int length) {
    return new Notification(
        Iana.ERR_ROUTE_REFRESH,
        Iana.ROUTE_REFRESH_INVALID_LENGTH,
        Octets.copy(message, start, length));
  }

  /** RFC 4271 section 6.3, an error without data. */
  static Notification update(int subcode) {
    return new Notification(Iana.ERR_UPDATE, subcode);
  }

  /** RFC 4271 section 6.3: the data is the attribute, from its flags to the end of its value. */
  static Notification update(int subcode, Octets attribute) {
    return new Notification(Iana.ERR_UPDATE, subcode, attribute);
  }

  private static Octets twoOctets(int value) {
    return Octets.of((byte) (value >> 8), (byte) value);
  }
}
