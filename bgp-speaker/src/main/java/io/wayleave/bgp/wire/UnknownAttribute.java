package io.wayleave.bgp.wire;

import static java.util.Objects.requireNonNull;

/**
 * An optional transitive attribute that this codec does not know, passed on as it came. The Partial
 * bit says that somebody on the way did not understand it (RFC 4271 section 5), so it is always
 * set.
 */
public record UnknownAttribute(int type, Octets value) {
  public UnknownAttribute {
    if (type < 0 || type > 0xff || PathAttribute.isKnown(type)) {
      throw new IllegalArgumentException(
          "attribute type " + type + " is not one of 0 to 255 without a row in the table");
    }
    requireNonNull(value, "value is null");
  }

  @Override
  public String toString() {
    return "attribute " + type + " 0x" + value;
  }
}
