package io.wayleave.linux.netlink;

import static java.util.Objects.requireNonNull;

/**
 * A change that the kernel refused.
 *
 * @param text one line: the change and the kernel's reason
 */
public record IpsetFailure(IpsetChange change, Reason reason, String text) {
  public enum Reason {
    /** A rule, another set or a reader holds the set. */
    BUSY,
    /** The two sets of a swap are of different kinds. */
    TYPE_MISMATCH,
    /** There is no such set. */
    MISSING,
    /** A set of that name and another format is there. */
    EXISTS,
    /** The set holds as many members as its format allows. */
    FULL,
    OTHER
  }

  public IpsetFailure {
    requireNonNull(change, "change is null");
    requireNonNull(reason, "reason is null");
    requireNonNull(text, "text is null");
  }
}
