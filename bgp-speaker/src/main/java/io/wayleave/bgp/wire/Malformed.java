package io.wayleave.bgp.wire;

import io.wayleave.bgp.wire.UpdateError.Approach;

/**
 * What a row of the table finds wrong with a value; the decoder adds the attribute itself.
 *
 * @param subcode of the UPDATE message error, should the session be reset for it
 */
record Malformed(Approach approach, int subcode, String reason) {
  static Malformed discard(int subcode, String reason) {
    return new Malformed(Approach.ATTRIBUTE_DISCARD, subcode, reason);
  }

  static Malformed withdraw(int subcode, String reason) {
    return new Malformed(Approach.TREAT_AS_WITHDRAW, subcode, reason);
  }

  static Malformed reset(int subcode, String reason) {
    return new Malformed(Approach.SESSION_RESET, subcode, reason);
  }
}
