package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * An IP protocol by its number (IANA "Protocol Numbers"); written by name where it has one here.
 */
public record Protocol(int number) {
  public static final Protocol ICMP = new Protocol(1);
  public static final Protocol TCP = new Protocol(6);
  public static final Protocol UDP = new Protocol(17);
  public static final Protocol ICMPV6 = new Protocol(58);
  public static final Protocol SCTP = new Protocol(132);
  public static final Protocol UDPLITE = new Protocol(136);

  private static final Map<String, Protocol> BY_NAME =
      new TreeMap<>(
          Map.of(
              "ICMP", ICMP, "TCP", TCP, "UDP", UDP, "ICMPV6", ICMPV6, "SCTP", SCTP, "UDPLITE",
              UDPLITE));

  public Protocol {
    if (number < 1 || number > 255) {
      throw new InvalidInputException("", Integer.toString(number), allowed());
    }
  }

  @JsonCreator
  public static Protocol of(int number) {
    return new Protocol(number);
  }

  @JsonCreator
  public static Protocol parse(String text) {
    Protocol named = BY_NAME.get(text.toUpperCase(Locale.ROOT));
    if (named != null) {
      return named;
    }
    if (!text.matches("[0-9]{1,3}")) {
      throw new InvalidInputException("", text, allowed());
    }
    return new Protocol(Integer.parseInt(text));
  }

  /** Whether its packets have a source and a destination port. */
  public boolean hasPorts() {
    return equals(TCP) || equals(UDP) || equals(SCTP) || equals(UDPLITE);
  }

  /** A number for protocols without a name here. */
  @JsonValue
  public Object toJson() {
    String text = toString();
    return Character.isDigit(text.charAt(0)) ? (Object) number : text;
  }

  @Override
  public String toString() {
    return BY_NAME.entrySet().stream()
        .filter(entry -> entry.getValue().number == number)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(Integer.toString(number));
  }

  private static String allowed() {
    return "TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite or a number of 1 to 255";
  }
}
