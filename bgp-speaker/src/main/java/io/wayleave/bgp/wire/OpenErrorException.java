package io.wayleave.bgp.wire;

import io.wayleave.bgp.wire.BgpMessage.Notification;

/** Ends the reading of an OPEN; never leaves this package. */
final class OpenErrorException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Notification notification;

  OpenErrorException(Notification notification, String reason) {
    super(reason, null, false, false);
    this.notification = notification;
  }

  /** RFC 4271 section 6.2: a known parameter that is malformed has subcode 0. */
  static OpenErrorException malformed(String reason) {
    return new OpenErrorException(Notifications.openError(Iana.UNSPECIFIC), reason);
  }

  Notification notification() {
    return notification;
  }
}
