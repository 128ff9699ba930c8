package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/**
 * An autonomous system number of four octets (RFC 6793), 1 to 4294967295. AS 0 is refused (RFC
 * 7607).
 */
public record Asn(long number) implements Comparable<Asn> {
  /** Stands for a four-octet number in a two-octet field (RFC 6793 section 9). */
  public static final int AS_TRANS = 23456;

  public Asn {
    if (number < 1 || number > 0xffff_ffffL) {
      throw new InvalidInputException("", Long.toString(number), "an AS number of 1 to 4294967295");
    }
  }

  @JsonCreator
  public static Asn of(long number) {
    return new Asn(number);
  }

  /** Reads asplain ({@code 65001}) or asdot ({@code 1.10}), RFC 5396. */
  @JsonCreator
  public static Asn parse(String text) {
    try {
      int dot = text.indexOf('.');
      if (dot < 0) {
        return new Asn(Long.parseLong(text));
      }
      int high = Integer.parseInt(text.substring(0, dot));
      int low = Integer.parseInt(text.substring(dot + 1));
      if (high >= 0 && high <= 0xffff && low >= 0 && low <= 0xffff) {
        return new Asn((long) high << 16 | low);
      }
    } catch (NumberFormatException e) {
      throw (InvalidInputException) refusal(text).initCause(e);
    }
    throw refusal(text);
  }

  /** Whether it fits the two-octet field of a speaker without RFC 6793. */
  public boolean isTwoOctet() {
    return number <= 0xffff;
  }

  @Override
  public int compareTo(Asn other) {
    return Long.compare(number, other.number);
  }

  @JsonValue
  public long toJson() {
    return number;
  }

  @Override
  public String toString() {
    return Long.toString(number);
  }

  private static InvalidInputException refusal(String text) {
    return new InvalidInputException(
        "", text, "an AS number of 1 to 4294967295, or in dotted form such as 1.10");
  }
}
