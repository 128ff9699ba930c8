package io.wayleave.linux.netlink;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.MacAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Writes netlink messages one after another into a growing array, in the byte order of the machine.
 * Bytes are written on the Java heap and copied once to where the kernel reads: many small writes
 * to native memory cost more. NOT thread safe.
 */
final class MessageWriter {
  private byte[] bytes = new byte[4096];
  private ByteBuffer buffer = view(bytes);
  private int messageStart;

  /** Starts over; what was written is lost. */
  void clear() {
    buffer.clear();
  }

  /** Takes back everything from this position on. */
  void truncate(int position) {
    buffer.position(position);
  }

  int size() {
    return buffer.position();
  }

  /** The first {@link #size} bytes of it are the messages. */
  byte[] array() {
    return bytes;
  }

  byte[] toBytes() {
    return Arrays.copyOf(bytes, buffer.position());
  }

  void begin(int type, int flags, int sequence) {
    ensure(RtNetlink.HEADER_SIZE);
    messageStart = buffer.position();
    // nlmsg_len is set by end(); nlmsg_pid stays 0, which the kernel takes as "this socket".
    buffer.putInt(0).putShort((short) type).putShort((short) flags).putInt(sequence).putInt(0);
  }

  void end() {
    buffer.putInt(messageStart, buffer.position() - messageStart);
  }

  /** Adds flags to the message that starts at this position. */
  void addFlags(int start, int flags) {
    int at = start + 6;
    buffer.putShort(at, (short) (buffer.getShort(at) | flags));
  }

  MessageWriter u8(int value) {
    ensure(1);
    buffer.put((byte) value);
    return this;
  }

  MessageWriter u16(int value) {
    ensure(2);
    buffer.putShort((short) value);
    return this;
  }

  MessageWriter u32(int value) {
    ensure(4);
    buffer.putInt(value);
    return this;
  }

  void u32(int type, int value) {
    attributeHeader(type, 4);
    buffer.putInt(value);
  }

  void u8(int type, int value) {
    attributeHeader(type, 1);
    buffer.put((byte) value);
    pad();
  }

  /** In network order, as netfilter has its numbers. */
  void be16(int type, int value) {
    attributeHeader(type, 2);
    buffer.put((byte) (value >>> 8)).put((byte) value);
    pad();
  }

  /** In network order, as netfilter has its numbers. */
  void be32(int type, int value) {
    attributeHeader(type, 4);
    buffer.putInt(bigEndian(value));
  }

  void text(int type, String value) {
    byte[] text = value.getBytes(UTF_8);
    attributeHeader(type, text.length + 1);
    buffer.put(text).put((byte) 0);
    pad();
  }

  void address(int type, IpAddress address) {
    attributeHeader(type, address.family().bytes());
    put(address);
  }

  void mac(int type, MacAddress address) {
    attributeHeader(type, 6);
    buffer.put(address.toBytes());
    pad();
  }

  /** RTA_VIA: a gateway of another family than the route's (struct rtvia). */
  void via(IpAddress gateway) {
    attributeHeader(RtNetlink.RTA_VIA, 2 + gateway.family().bytes());
    buffer.putShort((short) Families.number(gateway.family()));
    put(gateway);
    pad();
  }

  /** Starts an attribute whose content follows; {@link #endNest} takes what this returns. */
  int beginNest(int type) {
    int start = buffer.position();
    attributeHeader(type, 0);
    return start;
  }

  void endNest(int start) {
    buffer.putShort(start, (short) (buffer.position() - start));
  }

  private void put(IpAddress address) {
    // Addresses are in network order whatever the machine has.
    if (address.family() == Family.IPV4) {
      buffer.putInt(bigEndian(address.ipv4Bits()));
    } else {
      buffer.putLong(bigEndian(address.high())).putLong(bigEndian(address.low()));
    }
  }

  private void attributeHeader(int type, int length) {
    ensure(4 + RtNetlink.align(length));
    buffer.putShort((short) (4 + length)).putShort((short) type);
  }

  private void pad() {
    while ((buffer.position() & 3) != 0) {
      buffer.put((byte) 0);
    }
  }

  private void ensure(int more) {
    if (buffer.remaining() < more) {
      int position = buffer.position();
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, position + more));
      buffer = view(bytes).position(position);
    }
  }

  private static ByteBuffer view(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
  }

  private static int bigEndian(int value) {
    return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? value : Integer.reverseBytes(value);
  }

  private static long bigEndian(long value) {
    return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? value : Long.reverseBytes(value);
  }
}
