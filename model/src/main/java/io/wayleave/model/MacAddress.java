package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.HexFormat;

/** An Ethernet address: 48 bits, written {@code ee:ee:ee:ee:ee:ee}. */
public record MacAddress(long bits) {
  private static final HexFormat FORMAT = HexFormat.ofDelimiter(":");

  public MacAddress {
    if (bits >>> 48 != 0) {
      throw new IllegalArgumentException("an Ethernet address has 48 bits");
    }
  }

  /** From 6 bytes in network order. */
  public static MacAddress ofBytes(byte[] bytes) {
    if (bytes.length != 6) {
      throw new IllegalArgumentException("an Ethernet address has 6 bytes, not " + bytes.length);
    }
    long bits = 0;
    for (byte b : bytes) {
      bits = bits << 8 | (b & 0xff);
    }
    return new MacAddress(bits);
  }

  @JsonCreator
  public static MacAddress parse(String text) {
    try {
      byte[] bytes = FORMAT.parseHex(text);
      if (bytes.length == 6) {
        return ofBytes(bytes);
      }
    } catch (IllegalArgumentException e) {
      throw (InvalidInputException) refusal(text).initCause(e);
    }
    throw refusal(text);
  }

  /** 6 bytes in network order. */
  public byte[] toBytes() {
    byte[] bytes = new byte[6];
    for (int i = 0; i < 6; i++) {
      bytes[i] = (byte) (bits >>> (40 - 8 * i));
    }
    return bytes;
  }

  @Override
  @JsonValue
  public String toString() {
    return FORMAT.formatHex(toBytes());
  }

  private static InvalidInputException refusal(String text) {
    return new InvalidInputException("", text, "an Ethernet address such as 02:00:00:12:34:56");
  }
}
