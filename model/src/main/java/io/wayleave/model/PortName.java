package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/**
 * The name of a port of an endpoint ({@link EndpointPort}). It has a letter at least, so that no
 * number is one.
 */
public record PortName(@JsonValue String name) implements Port {
  private static final Pattern NAME = Pattern.compile("(?=.*[A-Za-z])[A-Za-z0-9_.-]{1,128}");

  @JsonCreator
  public PortName {
    if (name == null || !NAME.matcher(name).matches()) {
      throw new InvalidInputException(
          "",
          String.valueOf(name),
          "a port of 0 to 65535, a range such as 8000:8080, or a name of 1 to 128 letters, digits,"
              + " '_', '.' and '-' with at least one letter");
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
