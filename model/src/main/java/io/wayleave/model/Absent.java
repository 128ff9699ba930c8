package io.wayleave.model;

import java.util.List;
import java.util.Optional;

/**
 * What Jackson hands to a record's constructor for a field that is not in the text is {@code null};
 * these turn it into the value that means absence, once, at the boundary.
 */
public final class Absent {
  private Absent() {}

  @SuppressWarnings("OptionalAssignedToNull")
  public static <T> Optional<T> orEmpty(Optional<T> value) {
    return value == null ? Optional.empty() : value;
  }

  public static <T> List<T> orEmpty(List<T> value) {
    return value == null ? List.of() : List.copyOf(value);
  }

  public static <T> T orElse(T value, T fallback) {
    return value == null ? fallback : value;
  }

  public static <T> T required(String field, T value, String allowed) {
    if (value == null) {
      throw new InvalidInputException(field, "", allowed);
    }
    return value;
  }
}
