package io.wayleave.linux.netlink;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.MacAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Reads the messages of one datagram in place: {@link #next} moves to the next message, and {@link
 * #attributes} walks over its attributes. A length that does not fit ends the walk with an {@link
 * IllegalStateException}; nothing is read beyond the datagram. NOT thread safe.
 */
final class MessageReader {
  private final ByteBuffer buffer;
  private final int end;
  private int start;
  private int nextStart;

  /** The first {@code size} bytes of the array, which must not change while this is in use. */
  MessageReader(byte[] bytes, int size) {
    this.buffer = ByteBuffer.wrap(bytes, 0, size).order(ByteOrder.nativeOrder());
    this.end = size;
  }

  boolean next() {
    if (nextStart + RtNetlink.HEADER_SIZE > end) {
      return false;
    }
    start = nextStart;
    int length = buffer.getInt(start);
    if (length < RtNetlink.HEADER_SIZE || length > end - start) {
      throw new IllegalStateException(
          "a netlink message of "
              + length
              + " bytes in a datagram with "
              + (end - start)
              + " left");
    }
    nextStart = start + RtNetlink.align(length);
    return true;
  }

  int type() {
    return buffer.getShort(start + 4) & 0xffff;
  }

  int flags() {
    return buffer.getShort(start + 6) & 0xffff;
  }

  int sequence() {
    return buffer.getInt(start + 8);
  }

  /** Who caused it: the port of the requesting socket, 0 when the kernel did it by itself. */
  int portId() {
    return buffer.getInt(start + 12);
  }

  int payloadSize() {
    return buffer.getInt(start) - RtNetlink.HEADER_SIZE;
  }

  int u8(int payloadOffset) {
    return buffer.get(at(payloadOffset, 1)) & 0xff;
  }

  int u16(int payloadOffset) {
    return buffer.getShort(at(payloadOffset, 2)) & 0xffff;
  }

  int u32(int payloadOffset) {
    return buffer.getInt(at(payloadOffset, 4));
  }

  /** The attributes that begin so many bytes into the payload. */
  Attributes attributes(int payloadOffset) {
    int from = RtNetlink.HEADER_SIZE + RtNetlink.align(payloadOffset);
    int length = buffer.getInt(start);
    return new Attributes(buffer, start + Math.min(from, length), start + length);
  }

  private int at(int payloadOffset, int size) {
    if (payloadOffset + size > payloadSize()) {
      throw new IllegalStateException(
          "netlink message type " + type() + " has a payload of only " + payloadSize() + " bytes");
    }
    return start + RtNetlink.HEADER_SIZE + payloadOffset;
  }

  /** A walk over attributes, {@code while (attributes.next()) switch (attributes.type())}. */
  static final class Attributes {
    private final ByteBuffer buffer;
    private final int end;
    private int start;
    private int nextStart;
    private int length;

    Attributes(ByteBuffer buffer, int from, int end) {
      this.buffer = buffer;
      this.nextStart = from;
      this.end = end;
    }

    boolean next() {
      if (nextStart + 4 > end) {
        return false;
      }
      start = nextStart;
      length = buffer.getShort(start) & 0xffff;
      if (length < 4 || length > end - start) {
        throw new IllegalStateException(
            "a netlink attribute of " + length + " bytes where " + (end - start) + " are left");
      }
      nextStart = start + RtNetlink.align(length);
      return true;
    }

    int type() {
      return buffer.getShort(start + 2) & RtNetlink.NLA_TYPE_MASK;
    }

    int size() {
      return length - 4;
    }

    int u32() {
      require(4);
      return buffer.getInt(start + 4);
    }

    int u8() {
      require(1);
      return buffer.get(start + 4) & 0xff;
    }

    /** In network order, as netfilter has its numbers. */
    int be16() {
      require(2);
      return (buffer.get(start + 4) & 0xff) << 8 | (buffer.get(start + 5) & 0xff);
    }

    /** In network order, as netfilter has its numbers. */
    int be32() {
      require(4);
      return bigEndian(buffer.getInt(start + 4));
    }

    /** In network order, so many bytes into the content. */
    long be64(int offset) {
      require(offset + 8);
      return bigEndian(buffer.getLong(start + 4 + offset));
    }

    /** The bytes themselves, in network order; valid as long as the datagram is. */
    ByteBuffer content() {
      return buffer.slice(start + 4, size()).order(ByteOrder.BIG_ENDIAN);
    }

    String text() {
      int size = size();
      while (size > 0 && buffer.get(start + 4 + size - 1) == 0) {
        size--;
      }
      return new String(bytes(start + 4, size), UTF_8);
    }

    IpAddress address(Family family) {
      require(family.bytes());
      return readAddress(family, start + 4);
    }

    /** RTA_VIA; the family is in it. */
    IpAddress via() {
      require(2);
      Family family =
          Families.of(buffer.getShort(start + 4) & 0xffff)
              .orElseThrow(() -> new IllegalStateException("RTA_VIA of an unknown family"));
      require(2 + family.bytes());
      return readAddress(family, start + 6);
    }

    /** Only for {@link #size} 6. */
    MacAddress mac() {
      require(6);
      return MacAddress.ofBytes(bytes(start + 4, 6));
    }

    Attributes nested() {
      return new Attributes(buffer, start + 4, start + length);
    }

    /** Attributes behind a fixed header within this attribute. */
    Attributes nested(int headerSize) {
      require(headerSize);
      return new Attributes(buffer, start + 4 + RtNetlink.align(headerSize), start + length);
    }

    /** The entries of RTA_MULTIPATH, each a struct rtnexthop with attributes. */
    NextHopEntries nextHopEntries() {
      return new NextHopEntries(buffer, start + 4, start + length);
    }

    private byte[] bytes(int at, int size) {
      byte[] bytes = new byte[size];
      buffer.get(at, bytes);
      return bytes;
    }

    private IpAddress readAddress(Family family, int at) {
      if (family == Family.IPV4) {
        return IpAddress.ofIpv4(bigEndian(buffer.getInt(at)));
      }
      return IpAddress.ofIpv6(bigEndian(buffer.getLong(at)), bigEndian(buffer.getLong(at + 8)));
    }

    private void require(int bytes) {
      if (size() < bytes) {
        throw new IllegalStateException(
            "netlink attribute " + type() + " has only " + size() + " bytes of " + bytes);
      }
    }

    private static int bigEndian(int value) {
      return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? value : Integer.reverseBytes(value);
    }

    private static long bigEndian(long value) {
      return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? value : Long.reverseBytes(value);
    }
  }

  /** A walk over struct rtnexthop entries. */
  static final class NextHopEntries {
    private final ByteBuffer buffer;
    private final int end;
    private int start;
    private int nextStart;

    NextHopEntries(ByteBuffer buffer, int from, int end) {
      this.buffer = buffer;
      this.nextStart = from;
      this.end = end;
    }

    boolean next() {
      if (nextStart + RtNetlink.RTNEXTHOP_SIZE > end) {
        return false;
      }
      start = nextStart;
      int length = buffer.getShort(start) & 0xffff;
      if (length < RtNetlink.RTNEXTHOP_SIZE || length > end - start) {
        throw new IllegalStateException("a next hop entry of " + length + " bytes");
      }
      nextStart = start + RtNetlink.align(length);
      return true;
    }

    int flags() {
      return buffer.get(start + 2) & 0xff;
    }

    int hops() {
      return buffer.get(start + 3) & 0xff;
    }

    int interfaceIndex() {
      return buffer.getInt(start + 4);
    }

    Attributes attributes() {
      int length = buffer.getShort(start) & 0xffff;
      return new Attributes(buffer, start + RtNetlink.RTNEXTHOP_SIZE, start + length);
    }
  }
}
