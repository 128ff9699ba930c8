package io.wayleave.model;

import static java.util.Objects.requireNonNull;

/**
 * Input from a person or another program that Wayleave refuses. It always names the field, the
 * value that was given and what would be allowed, so that one line is enough to mend it.
 */
public final class InvalidInputException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private final String field;
  private final String value;
  private final String allowed;

  /**
   * @param field path of the field, such as {@code spec.blockSize}; empty when the whole input is
   *     meant
   * @param value what was given, as the user wrote it
   * @param allowed what is allowed instead, as the end of the sentence "allowed: …"
   */
  public InvalidInputException(String field, String value, String allowed) {
    super(message(field, value, allowed));
    this.field = requireNonNull(field, "field is null");
    this.value = requireNonNull(value, "value is null");
    this.allowed = requireNonNull(allowed, "allowed is null");
  }

  public String field() {
    return field;
  }

  public String value() {
    return value;
  }

  public String allowed() {
    return allowed;
  }

  /**
   * The same refusal seen from a surrounding object: {@code within("spec")} turns {@code cidr} into
   * {@code spec.cidr}.
   */
  public InvalidInputException within(String parent) {
    if (parent.isEmpty()) {
      return this;
    }
    String joined =
        field.isEmpty() ? parent : field.startsWith("[") ? parent + field : parent + "." + field;
    InvalidInputException outer = new InvalidInputException(joined, value, allowed);
    outer.initCause(this);
    return outer;
  }

  private static String message(String field, String value, String allowed) {
    String subject = field.isEmpty() ? "" : field + ": ";
    return subject + "\"" + value + "\" is not allowed; allowed: " + allowed;
  }
}
