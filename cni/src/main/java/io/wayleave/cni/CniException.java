package io.wayleave.cni;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.InvalidInputException;

/** A command failed; says what the runtime is told. */
public final class CniException extends Exception {
  private static final long serialVersionUID = 1L;

  /**
   * Error codes: those below 100 are well-known (CNI spec 1.1.0, section 5, "Error"), those from
   * 100 are Wayleave's own.
   */
  public enum Code {
    INCOMPATIBLE_VERSION(1),
    UNSUPPORTED_FIELD(2),
    INVALID_ENVIRONMENT(4),
    IO_FAILURE(5),
    DECODING_FAILURE(6),
    INVALID_CONFIG(7),
    TRY_AGAIN_LATER(11),
    NOT_AVAILABLE(50),
    /** The container has that interface already; ADD changed nothing. */
    ALREADY_ATTACHED(100),
    /** CHECK found something missing or changed. */
    DAMAGED(101),
    /** No pool has a free address for the container. */
    NO_ADDRESS(102),
    /** A kernel operation or another part failed in a way that trying again may not mend. */
    FAILED(999);

    private final int number;

    Code(int number) {
      this.number = number;
    }

    public int number() {
      return number;
    }
  }

  private final Code code;
  private final String details;

  /**
   * @param msg a short sentence on what is wrong, the same for all errors of the sort
   * @param details the thing, its value, and what is allowed or was asked
   */
  public CniException(Code code, String msg, String details) {
    super(msg);
    this.code = requireNonNull(code, "code is null");
    this.details = requireNonNull(details, "details is null");
  }

  public CniException(Code code, String msg, String details, Throwable cause) {
    this(code, msg, details);
    initCause(cause);
  }

  static CniException invalidConfig(InvalidInputException e) {
    return new CniException(
        Code.INVALID_CONFIG, "the network configuration is not valid", e.getMessage(), e);
  }

  static CniException invalidEnvironment(InvalidInputException e) {
    return new CniException(
        Code.INVALID_ENVIRONMENT,
        "an environment variable has a value that is not allowed",
        e.getMessage(),
        e);
  }

  static CniException tryAgain(String msg, String details) {
    return new CniException(Code.TRY_AGAIN_LATER, msg, details);
  }

  public Code code() {
    return code;
  }

  public String details() {
    return details;
  }
}
