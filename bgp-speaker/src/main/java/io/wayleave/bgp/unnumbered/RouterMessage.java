package io.wayleave.bgp.unnumbered;

import io.wayleave.linux.Packet;
import io.wayleave.linux.PacketSocket;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * The two ICMPv6 messages by which routers are found, as far as they are needed (RFC 4861 sections
 * 4.1 and 4.2). The checksum is the kernel's.
 */
sealed interface RouterMessage {
  int SOLICITATION = 133;
  int ADVERTISEMENT = 134;

  /**
   * A router says that it is there.
   *
   * @param validity how long that can be believed without another one
   */
  record Advertisement(Duration validity) implements RouterMessage {}

  /** Somebody asks routers to show themselves. */
  record Solicitation() implements RouterMessage {}

  /** To be silently discarded (RFC 4861 sections 6.1.1 and 6.1.2), or nothing for us. */
  record Discarded(String reason) implements RouterMessage {}

  /** RFC 6275 section 7.3: the longest time between two advertisements. */
  int INTERVAL_OPTION = 7;

  int SOLICITATION_BYTES = 8;
  int ADVERTISEMENT_BYTES = 16;

  /** Advertisements that may get lost before their sender counts as gone. */
  int MISSED = 3;

  /** The longest interval that RFC 4861 section 6.2.1 allows between advertisements. */
  Duration LONGEST_INTERVAL = Duration.ofMinutes(30);

  /** One of ours: no default router, no prefixes, nothing to configure. */
  static byte[] advertisement(Duration interval) {
    return ByteBuffer.allocate(ADVERTISEMENT_BYTES + 8)
        .put((byte) ADVERTISEMENT)
        .put((byte) 0)
        .putShort((short) 0)
        // Hop limit 0 and no flags: unspecified. Lifetime 0: no default router.
        .putInt(0)
        .putInt(0)
        .putInt(0)
        .put((byte) INTERVAL_OPTION)
        .put((byte) 1)
        .putShort((short) 0)
        .putInt((int) interval.toMillis())
        .array();
  }

  static byte[] solicitation() {
    return ByteBuffer.allocate(SOLICITATION_BYTES).put((byte) SOLICITATION).array();
  }

  static RouterMessage decode(Packet packet) {
    byte[] bytes = packet.payload();
    if (bytes.length < SOLICITATION_BYTES) {
      return new Discarded("only " + bytes.length + " bytes");
    }
    if (packet.hopLimit() != PacketSocket.HOP_LIMIT) {
      return new Discarded("hop limit " + packet.hopLimit() + " in place of 255");
    }
    if (bytes[1] != 0) {
      return new Discarded("code " + (bytes[1] & 0xff));
    }
    return switch (bytes[0] & 0xff) {
      case SOLICITATION -> solicitation(bytes);
      case ADVERTISEMENT -> advertisement(packet);
      default -> new Discarded("type " + (bytes[0] & 0xff));
    };
  }

  private static RouterMessage solicitation(byte[] bytes) {
    return optionsAreWhole(bytes, SOLICITATION_BYTES)
        ? new Solicitation()
        : new Discarded("an option of a bad length");
  }

  private static RouterMessage advertisement(Packet packet) {
    byte[] bytes = packet.payload();
    if (!packet.source().isLinkLocal()) {
      return new Discarded("source " + packet.source() + " is not link-local");
    }
    if (bytes.length < ADVERTISEMENT_BYTES) {
      return new Discarded("only " + bytes.length + " bytes");
    }
    if (!optionsAreWhole(bytes, ADVERTISEMENT_BYTES)) {
      return new Discarded("an option of a bad length");
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    // A default router's lifetime says how long it is good for. One that is no default router may
    // name its interval; if it does not, the longest that there is must be assumed.
    Duration validity = Duration.ofSeconds(Short.toUnsignedInt(buffer.getShort(6)));
    if (validity.isZero()) {
      validity = LONGEST_INTERVAL;
    }
    for (int at = ADVERTISEMENT_BYTES; at < bytes.length; at += (bytes[at + 1] & 0xff) * 8) {
      if ((bytes[at] & 0xff) == INTERVAL_OPTION && bytes[at + 1] == 1) {
        long millis = Integer.toUnsignedLong(buffer.getInt(at + 4));
        Duration interval = Duration.ofMillis(millis);
        if (millis > 0 && interval.compareTo(LONGEST_INTERVAL) <= 0) {
          validity = interval.multipliedBy(MISSED);
        }
      }
    }
    return new Advertisement(validity);
  }

  private static boolean optionsAreWhole(byte[] bytes, int from) {
    int at = from;
    while (at < bytes.length) {
      int length = at + 1 < bytes.length ? (bytes[at + 1] & 0xff) * 8 : 0;
      if (length == 0 || at + length > bytes.length) {
        return false;
      }
      at += length;
    }
    return true;
  }
}
