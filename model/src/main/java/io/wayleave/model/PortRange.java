package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/**
 * Ports from {@code first} to {@code last}, both included; written {@code 80} or {@code 8000:8080}.
 */
public record PortRange(int first, int last) implements Port {
  public PortRange {
    if (first < 0 || last > 65535 || first > last) {
      throw new InvalidInputException("", first + ":" + last, allowed());
    }
  }

  @JsonCreator
  public static PortRange of(int port) {
    return new PortRange(port, port);
  }

  @JsonCreator
  public static PortRange parse(String text) {
    if (!text.matches("[0-9]{1,5}(:[0-9]{1,5})?")) {
      throw new InvalidInputException("", text, allowed());
    }
    int colon = text.indexOf(':');
    return colon < 0
        ? of(Integer.parseInt(text))
        : new PortRange(
            Integer.parseInt(text.substring(0, colon)),
            Integer.parseInt(text.substring(colon + 1)));
  }

  public boolean contains(int port) {
    return first <= port && port <= last;
  }

  @JsonValue
  public Object toJson() {
    return first == last ? (Object) first : toString();
  }

  @Override
  public String toString() {
    return first == last ? Integer.toString(first) : first + ":" + last;
  }

  private static String allowed() {
    return "a port of 0 to 65535 or a range such as 8000:8080";
  }
}
