package io.wayleave.ctl;

import io.wayleave.model.InvalidInputException;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Says a refusal of the model in the words of the command line: who typed {@code --block-size 99}
 * knows no {@code spec.blockSize}.
 */
final class Flags {
  private static final Pattern SECONDS = Pattern.compile("([0-9]{1,5})(s|m|h|)");

  private Flags() {}

  /**
   * Makes something out of flags.
   *
   * @param flags the flag that each field came from
   * @throws UsageException naming the flag, the value and what is allowed
   */
  static <T> T read(Map<String, String> flags, Supplier<T> maker) {
    try {
      return maker.get();
    } catch (InvalidInputException e) {
      String flag = flags.getOrDefault(e.field(), e.field());
      throw new UsageException(
          new InvalidInputException(flag, e.value(), e.allowed()).getMessage(), e);
    }
  }

  /**
   * Reads a decimal number that fits 32 bits.
   *
   * @throws InvalidInputException when it is anything else
   */
  static Integer parseInteger(String text) {
    try {
      return Integer.valueOf(text);
    } catch (NumberFormatException e) {
      throw (InvalidInputException)
          new InvalidInputException("", text, "a whole number").initCause(e);
    }
  }

  /**
   * Reads {@code true} or {@code false}.
   *
   * @throws UsageException naming the flag, when it is anything else
   */
  static boolean parseBoolean(String flag, String text) {
    return switch (text) {
      case "true" -> true;
      case "false" -> false;
      default -> throw refusal(flag, text, "true or false");
    };
  }

  /**
   * Reads a time in whole seconds, such as {@code 90}, {@code 90s}, {@code 5m} or {@code 1h}.
   *
   * @throws UsageException naming the flag, when it is anything else
   */
  static int parseSeconds(String flag, String text) {
    Matcher matcher = SECONDS.matcher(text);
    if (!matcher.matches()) {
      throw refusal(flag, text, "0 to 1h in whole seconds, such as 90s, 5m or 1h");
    }
    int unit =
        switch (matcher.group(2)) {
          case "m" -> 60;
          case "h" -> 3600;
          default -> 1;
        };
    return Integer.parseInt(matcher.group(1)) * unit;
  }

  /**
   * Reads one of several words, in any case.
   *
   * @throws UsageException naming the flag and the words, when it is anything else
   */
  static <E extends Enum<E>> E parseEnum(String flag, String text, E[] values) {
    for (E value : values) {
      if (value.name().equalsIgnoreCase(text)) {
        return value;
      }
    }
    throw refusal(flag, text, String.join(" or ", Arrays.stream(values).map(Enum::name).toList()));
  }

  static UsageException refusal(String flag, String text, String allowed) {
    InvalidInputException refusal = new InvalidInputException(flag, text, allowed);
    return new UsageException(refusal.getMessage(), refusal);
  }
}
