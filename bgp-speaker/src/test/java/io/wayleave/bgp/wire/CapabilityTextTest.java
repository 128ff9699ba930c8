package io.wayleave.bgp.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.wire.Capability.AddPath;
import io.wayleave.bgp.wire.Capability.GracefulRestart;
import io.wayleave.model.Asn;
import java.util.List;
import org.junit.jupiter.api.Test;

class CapabilityTextTest {
  private static final AddressFamily IPV4 = AddressFamily.IPV4_UNICAST;
  private static final AddressFamily IPV6 = AddressFamily.IPV6_UNICAST;

  private static GracefulRestart restart(int seconds, boolean notification) {
    return new GracefulRestart(
        false, notification, seconds, List.of(new GracefulRestart.RestartFamily(IPV4, true)));
  }

  private static AddPath addPath(AddressFamily family, boolean receive, boolean send) {
    return new AddPath(List.of(new AddPath.Direction(family, receive, send)));
  }

  @Test
  void eachHasTheNameThatEngineersUse() {
    assertThat(
            List.of(
                    new Capability.MultiProtocol(IPV6),
                    new Capability.MultiProtocol(new AddressFamily(25, 70)),
                    new Capability.RouteRefresh(),
                    new Capability.EnhancedRouteRefresh(),
                    new Capability.ExtendedMessage(),
                    new Capability.FourOctetAs(Asn.of(65002)),
                    new Capability.ExtendedNextHop(
                        List.of(Capability.ExtendedNextHop.Encoding.IPV4_OVER_IPV6)),
                    addPath(IPV4, true, true),
                    addPath(IPV6, true, false),
                    restart(120, true),
                    new GracefulRestart(
                        true, false, 5, List.of(new GracefulRestart.RestartFamily(IPV6, false))),
                    new GracefulRestart(false, false, 0, List.of()),
                    new Capability.Unknown(73, Octets.of(new byte[] {1, 97})),
                    new Capability.Unknown(99, Octets.EMPTY))
                .stream()
                .map(CapabilityText::of))
        .containsExactly(
            "multiprotocol ipv6",
            "multiprotocol afi-25-safi-70",
            "route-refresh",
            "enhanced-route-refresh",
            "extended-message",
            "4-byte-as 65002",
            "extended-next-hop ipv4 by ipv6",
            "add-path ipv4 send/receive",
            "add-path ipv6 receive",
            "graceful-restart 120s notification ipv4 forwarding-kept",
            "graceful-restart 5s restarting ipv6",
            "graceful-restart 0s helper-only",
            "hostname 0x0161",
            "capability-99");
  }

  @Test
  void inForceIsWhatBothSaid() {
    List<Capability> ours =
        List.of(
            new Capability.MultiProtocol(IPV4),
            new Capability.MultiProtocol(IPV6),
            new Capability.RouteRefresh(),
            new Capability.EnhancedRouteRefresh(),
            new Capability.FourOctetAs(Asn.of(1)),
            addPath(IPV4, true, true),
            restart(120, true));
    List<Capability> theirs =
        List.of(
            new Capability.FourOctetAs(Asn.of(2)),
            new Capability.RouteRefresh(),
            new Capability.MultiProtocol(IPV4),
            // They only send, so we only receive.
            addPath(IPV4, false, true),
            restart(60, false));
    assertThat(CapabilityText.inForce(ours, theirs))
        .containsExactly(
            "multiprotocol ipv4",
            "route-refresh",
            "4-byte-as",
            "add-path ipv4 receive",
            "graceful-restart peer-keeps-ours 120s ipv4 we-keep-peers 60s ipv4");
    assertThat(CapabilityText.inForce(ours, List.of())).isEmpty();
  }
}
