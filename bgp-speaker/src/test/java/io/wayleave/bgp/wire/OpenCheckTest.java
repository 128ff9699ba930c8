package io.wayleave.bgp.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.wire.BgpMessage.Open;
import io.wayleave.bgp.wire.DecodeOutcome.Reset;
import io.wayleave.model.Asn;
import io.wayleave.model.RouterId;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OpenCheckTest {
  private static final Capability IPV4 = new Capability.MultiProtocol(AddressFamily.IPV4_UNICAST);
  private static final Capability IPV6 = new Capability.MultiProtocol(AddressFamily.IPV6_UNICAST);
  private static final Open LOCAL = open(4200000000L, "10.0.0.1", IPV4, IPV6);

  @Test
  void acceptsTheExpectedPeer() {
    assertThat(check(open(65001, "10.0.0.2", IPV4), 65001)).isEmpty();
    assertThat(check(open(4200000000L, "10.0.0.2", IPV4), 4200000000L)).isEmpty();
    assertThat(OpenCheck.check(LOCAL, open(65001, "10.0.0.2"), _ -> true, "any")).isEmpty();
  }

  @Test
  void refusesAnotherAs() {
    assertRefused(
        check(open(4200000001L, "10.0.0.2", IPV4), 65001),
        "0202",
        "OPEN: AS 4200000001; expected: 65001");
    // AS_TRANS in the field stands for a number in the capability, it is not the number.
    assertThat(check(open(4200000001L, "10.0.0.2", IPV4), Asn.AS_TRANS)).isPresent();
  }

  /** RFC 6286 section 2.1: an external peer may have the same identifier. */
  @Test
  void refusesOurOwnIdentifierFromAnInternalPeerOnly() {
    assertRefused(
        check(open(4200000000L, "10.0.0.1", IPV4), 4200000000L),
        "0203",
        "OPEN: BGP identifier 10.0.0.1 is our own; expected: another one");
    assertThat(check(open(65001, "10.0.0.1", IPV4), 65001)).isEmpty();
  }

  /** RFC 5492 section 5. */
  @Test
  void refusesPeerWithoutCommonFamily() {
    Open foreign = open(65001, "10.0.0.2", new Capability.MultiProtocol(new AddressFamily(25, 65)));
    assertRefused(
        check(foreign, 65001),
        "0207" + "010400010001" + "010400020001",
        "OPEN: families [afi-25-safi-65]; expected: one of [ipv4-unicast, ipv6-unicast]");
  }

  private static Optional<Reset> check(Open remote, long expectedAs) {
    return OpenCheck.check(LOCAL, remote, Asn.of(expectedAs)::equals, Long.toString(expectedAs));
  }

  private static void assertRefused(Optional<Reset> reset, String answer, String reason) {
    assertThat(reset).isPresent();
    assertThat(Wire.answerOf(reset.get())).isEqualTo(answer);
    assertThat(reset.get().reason()).isEqualTo(reason);
  }

  private static Open open(long as, String id, Capability... capabilities) {
    return Open.of(Asn.of(as), 9, RouterId.parse(id), List.of(capabilities));
  }
}
