package io.wayleave.linux;

import static java.util.Objects.requireNonNull;

import java.io.IOException;

/**
 * The kernel refused something. The message is one line: what was asked, then the name and the text
 * of the error, then what the kernel said beside it, if anything.
 */
public class SystemCallException extends IOException {
  private static final long serialVersionUID = 1L;

  private final int number;
  private final Errno errno;
  private final String asked;

  /**
   * @param asked what was asked, in words that finish "could not …": {@code open /run/netns/a}
   * @param number the positive error number
   */
  public SystemCallException(String asked, int number) {
    this(asked, number, "");
  }

  protected SystemCallException(String asked, int number, String kernelText) {
    super(message(asked, number, kernelText));
    this.number = number;
    this.errno = Errno.of(number);
    this.asked = requireNonNull(asked, "asked is null");
  }

  public Errno errno() {
    return errno;
  }

  /** The error number as the kernel gave it, useful when {@link #errno} is UNKNOWN. */
  public int number() {
    return number;
  }

  public String asked() {
    return asked;
  }

  private static String message(String asked, int number, String kernelText) {
    Errno errno = Errno.of(number);
    String name = errno == Errno.UNKNOWN ? "errno " + number : errno.name();
    String line = asked + ": " + name + " (" + errno.text() + ")";
    return kernelText.isEmpty() ? line : line + ": " + kernelText;
  }
}
