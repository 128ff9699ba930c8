package io.wayleave.bgp.wire;

import static java.util.Objects.requireNonNull;

import java.util.OptionalInt;

/**
 * One thing that is wrong with an UPDATE.
 *
 * @param approach what RFC 7606 asks for
 * @param attribute type code of the attribute at fault, none when it is not an attribute's fault
 * @param notification what RFC 4271 section 6.3 has sent when the session is reset for it
 * @param reason for the log: what was found and what was expected
 */
public record UpdateError(
    Approach approach, OptionalInt attribute, BgpMessage.Notification notification, String reason) {
  public UpdateError {
    requireNonNull(approach, "approach is null");
    requireNonNull(attribute, "attribute is null");
    requireNonNull(notification, "notification is null");
    requireNonNull(reason, "reason is null");
  }

  /**
   * RFC 7606 section 2, from the weakest to the strongest. "AFI/SAFI disable" is not used: where it
   * is allowed, so is session reset.
   */
  public enum Approach {
    ATTRIBUTE_DISCARD,
    TREAT_AS_WITHDRAW,
    SESSION_RESET
  }

  @Override
  public String toString() {
    return (attribute.isPresent() ? PathAttribute.nameOf(attribute.getAsInt()) + ": " : "")
        + reason;
  }
}
