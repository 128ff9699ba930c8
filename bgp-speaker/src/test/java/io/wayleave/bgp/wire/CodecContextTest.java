package io.wayleave.bgp.wire;

import static io.wayleave.bgp.wire.CodecContext.negotiate;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.bgp.wire.BgpMessage.Open;
import io.wayleave.bgp.wire.Capability.ExtendedNextHop;
import io.wayleave.model.Asn;
import io.wayleave.model.Family;
import io.wayleave.model.RouterId;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CodecContextTest {
  private static final Capability IPV4 = new Capability.MultiProtocol(AddressFamily.IPV4_UNICAST);
  private static final Capability IPV6 = new Capability.MultiProtocol(AddressFamily.IPV6_UNICAST);
  private static final Capability EXTENDED_MESSAGE = new Capability.ExtendedMessage();

  @Test
  void takesWhatBothOffer() {
    Open all =
        open(
            65001,
            IPV4,
            IPV6,
            new Capability.FourOctetAs(Asn.of(65001)),
            new Capability.EnhancedRouteRefresh(),
            new ExtendedNextHop(List.of(ExtendedNextHop.Encoding.IPV4_OVER_IPV6)));
    CodecContext both = negotiate(all, all);
    assertThat(both.families())
        .containsExactlyInAnyOrder(AddressFamily.IPV4_UNICAST, AddressFamily.IPV6_UNICAST);
    assertThat(both.fourOctetAs()).isTrue();
    assertThat(both.enhancedRouteRefresh()).isTrue();
    assertThat(both.ipv4OverIpv6()).isTrue();
    for (CodecContext one : List.of(negotiate(all, open(65002)), negotiate(open(65002), all))) {
      // RFC 4760 section 8: a speaker without the capability has IPv4 unicast.
      assertThat(one.families()).containsExactly(AddressFamily.IPV4_UNICAST);
      assertThat(one.fourOctetAs()).isFalse();
      assertThat(one.enhancedRouteRefresh()).isFalse();
      assertThat(one.ipv4OverIpv6()).isFalse();
    }
  }

  /** RFC 8654 section 4: each direction has the limit of its receiver. */
  @Test
  void limitsMessagesByTheReceiver() {
    CodecContext weReadLong = negotiate(open(65001, EXTENDED_MESSAGE), open(65002));
    assertThat(weReadLong.maxReceive()).isEqualTo(65535);
    assertThat(weReadLong.maxSend()).isEqualTo(4096);
    CodecContext theyReadLong = negotiate(open(65001), open(65002, EXTENDED_MESSAGE));
    assertThat(theyReadLong.maxReceive()).isEqualTo(4096);
    assertThat(theyReadLong.maxSend()).isEqualTo(65535);
  }

  /** RFC 7911 section 4: who sends is decided for each direction and family. */
  @Test
  void pathIdsGoWhereOneSendsWhatTheOtherReceives() {
    Open sends = open(65001, IPV4, IPV6, addPath(AddressFamily.IPV4_UNICAST, false, true));
    Open receives = open(65002, IPV4, IPV6, addPath(AddressFamily.IPV4_UNICAST, true, false));
    CodecContext out = negotiate(sends, receives);
    assertThat(out.sendsPathIds(Family.IPV4)).isTrue();
    assertThat(out.readsPathIds(Family.IPV4)).isFalse();
    assertThat(out.sendsPathIds(Family.IPV6)).isFalse();
    CodecContext in = negotiate(receives, sends);
    assertThat(in.readsPathIds(Family.IPV4)).isTrue();
    assertThat(in.sendsPathIds(Family.IPV4)).isFalse();
    assertThat(negotiate(sends, sends).pathIdsSent()).isEmpty();
    assertThat(negotiate(receives, open(65001, IPV4)).pathIdsReceived()).isEmpty();
  }

  private static Capability addPath(AddressFamily family, boolean receive, boolean send) {
    return new Capability.AddPath(List.of(new Capability.AddPath.Direction(family, receive, send)));
  }

  @Test
  void comparesRealAsNumbers() {
    assertThat(negotiate(open(65001), open(65001)).isInternal()).isTrue();
    assertThat(negotiate(open(65001), open(65002)).isInternal()).isFalse();
    Open first = Open.of(Asn.of(70001), 9, RouterId.parse("10.0.0.1"), List.of());
    Open second = Open.of(Asn.of(70002), 9, RouterId.parse("10.0.0.2"), List.of());
    assertThat(first.myAs()).isEqualTo(second.myAs()).isEqualTo(Asn.AS_TRANS);
    assertThat(negotiate(first, second).isInternal()).isFalse();
  }

  @Test
  void leavesOutFamiliesThatTheCodecCannotRead() {
    Capability labelled = new Capability.MultiProtocol(new AddressFamily(1, 4));
    assertThat(negotiate(open(1, labelled, IPV6), open(2, labelled, IPV6)).families())
        .containsExactly(AddressFamily.IPV6_UNICAST);
  }

  @Test
  void refusesLimitsThatNoRfcKnows() {
    assertThatThrownBy(
            () ->
                new CodecContext(
                    CodecContext.PeerType.INTERNAL,
                    true,
                    Set.of(),
                    false,
                    false,
                    Set.of(),
                    Set.of(),
                    4095,
                    4096))
        .hasMessage("message limit 4095 is out of range: 4096 to 65535");
  }

  private static Open open(int as, Capability... capabilities) {
    return new Open(as, 9, RouterId.parse("10.0.0.1"), List.of(capabilities));
  }
}
