package io.wayleave.test.bench;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Encodes the messages that the load tool sends (RFC 4271 §4). An encoder of its own, and not the
 * speaker's: a defect that both sides share would not be seen.
 */
final class Messages {
  static final int HEADER = 19;
  static final int LARGEST = 4096;
  static final int OPEN = 1;
  static final int UPDATE = 2;
  static final int NOTIFICATION = 3;
  static final int KEEPALIVE = 4;
  static final int HOLD_SECONDS = 240;

  private static final byte[] MARKER = new byte[16];
  private static final int AS_TRANS = 23456;

  static {
    Arrays.fill(MARKER, (byte) 0xff);
  }

  private Messages() {}

  /** IPv4 unicast, route refresh and four-octet AS numbers. */
  static byte[] open(int as, int routerId) {
    byte[] capabilities =
        ByteBuffer.allocate(14).put(new byte[] {1, 4, 0, 1, 0, 1, 2, 0, 65, 4}).putInt(as).array();
    ByteBuffer out = begin(ByteBuffer.allocate(LARGEST), OPEN);
    out.put((byte) 4).putShort((short) AS_TRANS).putShort((short) HOLD_SECONDS).putInt(routerId);
    out.put((byte) (capabilities.length + 2)).put((byte) 2).put((byte) capabilities.length);
    return finish(out.put(capabilities));
  }

  static byte[] keepalive() {
    return finish(begin(ByteBuffer.allocate(HEADER), KEEPALIVE));
  }

  /** Appends UPDATEs that announce prefixes with one set of attributes, as few as will do. */
  static void announce(ByteBuffer out, byte[] attributes, long[] keys, int from, int to) {
    int next = from;
    while (next < to) {
      int start = out.position();
      begin(out, UPDATE).putShort((short) 0).putShort((short) attributes.length).put(attributes);
      next = prefixes(out, start + LARGEST, keys, next, to);
      length(out, start);
    }
  }

  /** Appends UPDATEs that withdraw prefixes, as few as will do. */
  static void withdraw(ByteBuffer out, long[] keys) {
    int next = 0;
    while (next < keys.length) {
      int start = out.position();
      begin(out, UPDATE).putShort((short) 0);
      int list = out.position();
      // The last two octets are for the length of the attributes, of which there are none.
      next = prefixes(out, start + LARGEST - 2, keys, next, keys.length);
      out.putShort(list - 2, (short) (out.position() - list));
      out.putShort((short) 0);
      length(out, start);
    }
  }

  private static int prefixes(ByteBuffer out, int limit, long[] keys, int from, int to) {
    int next = from;
    while (next < to) {
      int length = PrefixSet.length(keys[next]);
      int octets = (length + 7) / 8;
      if (out.position() + 1 + octets > limit) {
        break;
      }
      int address = PrefixSet.address(keys[next]);
      out.put((byte) length);
      for (int i = 0; i < octets; i++) {
        out.put((byte) (address >>> (24 - 8 * i)));
      }
      next++;
    }
    return next;
  }

  private static ByteBuffer begin(ByteBuffer out, int type) {
    return out.put(MARKER).putShort((short) 0).put((byte) type);
  }

  private static void length(ByteBuffer out, int start) {
    out.putShort(start + MARKER.length, (short) (out.position() - start));
  }

  private static byte[] finish(ByteBuffer out) {
    length(out, 0);
    byte[] message = new byte[out.position()];
    out.get(0, message);
    return message;
  }
}
