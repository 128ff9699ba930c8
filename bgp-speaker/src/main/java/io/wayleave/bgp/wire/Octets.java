package io.wayleave.bgp.wire;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import java.util.HexFormat;

/** Bytes that nobody can change, compared by content: data that is carried and not understood. */
public final class Octets {
  public static final Octets EMPTY = new Octets(new byte[0]);

  private final byte[] bytes;

  private Octets(byte[] bytes) {
    this.bytes = bytes;
  }

  /** A copy of these bytes. */
  public static Octets of(byte... bytes) {
    return bytes.length == 0 ? EMPTY : new Octets(bytes.clone());
  }

  /** From hexadecimal digits, blanks between them ignored. */
  public static Octets parseHex(String hex) {
    return new Octets(HexFormat.of().parseHex(hex.replace(" ", "")));
  }

  /** Reads that many bytes and moves the buffer's reader index behind them. */
  static Octets read(ByteBuf buffer, int length) {
    byte[] bytes = new byte[length];
    buffer.readBytes(bytes);
    return new Octets(bytes);
  }

  /** The bytes of the whole buffer from {@code start}, reader index untouched. */
  static Octets copy(ByteBuf buffer, int start, int length) {
    byte[] bytes = new byte[length];
    buffer.getBytes(start, bytes);
    return new Octets(bytes);
  }

  public int length() {
    return bytes.length;
  }

  /** The byte at that place as an unsigned number. */
  public int at(int index) {
    return bytes[index] & 0xff;
  }

  public byte[] toArray() {
    return bytes.clone();
  }

  /** The first bytes, at most that many. */
  public Octets truncated(int length) {
    return bytes.length <= length ? this : new Octets(Arrays.copyOf(bytes, length));
  }

  void writeTo(ByteBuf out) {
    out.writeBytes(bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Octets octets && Arrays.equals(bytes, octets.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /** Hexadecimal digits. */
  @Override
  public String toString() {
    return HexFormat.of().formatHex(bytes);
  }
}
