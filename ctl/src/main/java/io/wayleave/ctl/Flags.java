package io.wayleave.ctl;

import io.wayleave.model.InvalidInputException;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Says a refusal of the model in the words of the command line: who typed {@code --block-size 99}
 * knows no {@code spec.blockSize}.
 */
final class Flags {
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
}
