package io.wayleave.bgp.wire;

import io.wayleave.bgp.wire.BgpMessage.Notification;
import io.wayleave.bgp.wire.BgpMessage.Open;
import io.wayleave.bgp.wire.DecodeOutcome.Reset;
import io.wayleave.model.Asn;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The checks of an OPEN that depend on configuration, RFC 4271 section 6.2; those that do not are
 * the decoder's. Holds no state.
 */
public final class OpenCheck {
  private OpenCheck() {}

  /**
   * Compares a peer's OPEN with what is expected of it.
   *
   * @param expectedAs whether a peer of that AS is wanted
   * @param expectation the same in words
   * @return what to end the session with, or nothing when all is well
   */
  public static Optional<Reset> check(
      Open local, Open remote, Predicate<Asn> expectedAs, String expectation) {
    if (!expectedAs.test(remote.as())) {
      return refusal(
          Notifications.openError(Iana.OPEN_BAD_PEER_AS),
          "AS " + remote.as() + "; expected: " + expectation);
    }
    if (remote.as().equals(local.as()) && remote.bgpId().equals(local.bgpId())) {
      // RFC 6286 section 2.1: unique within an AS only.
      return refusal(
          Notifications.openError(Iana.OPEN_BAD_BGP_IDENTIFIER),
          "BGP identifier " + remote.bgpId() + " is our own; expected: another one");
    }
    boolean noCommonFamily = CodecContext.negotiate(local, remote).families().isEmpty();
    if (noCommonFamily) {
      List<Capability> required =
          local.capabilities().stream().filter(Capability.MultiProtocol.class::isInstance).toList();
      return refusal(
          Notifications.unsupportedCapability(required),
          "families " + remote.families() + "; expected: one of " + local.families());
    }
    return Optional.empty();
  }

  private static Optional<Reset> refusal(Notification answer, String reason) {
    return Optional.of(Reset.with(answer, "OPEN: " + reason));
  }
}
