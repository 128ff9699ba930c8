package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;

/** What a rule says of a port: numbers, or the name that endpoints give to a port of theirs. */
public sealed interface Port permits PortRange, PortName {
  @JsonCreator
  static Port of(int port) {
    return PortRange.of(port);
  }

  /**
   * Reads {@code 80}, {@code 8000:8080} or a name.
   *
   * @throws InvalidInputException when it is none of them
   */
  @JsonCreator
  static Port parse(String text) {
    return !text.isEmpty() && text.chars().allMatch(c -> c == ':' || (c >= '0' && c <= '9'))
        ? PortRange.parse(text)
        : new PortName(text);
  }
}
