package io.wayleave.bgp.session;

import static io.wayleave.bgp.session.VirtualSpeaker.config;
import static io.wayleave.bgp.session.VirtualSpeaker.peer;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.wire.AddressFamily;
import io.wayleave.bgp.wire.BgpMessage;
import io.wayleave.bgp.wire.Capability;
import io.wayleave.model.Asn;
import io.wayleave.model.RouterId;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class KeepaliveTest {
  private static final String A = "10.0.0.1";
  private static final String B = "10.0.0.2";

  /** RFC 4271 section 4.4: also with the shortest hold time, whose third the jitter shortens. */
  @Test
  void noMoreThanOneASecondAreSent() {
    VirtualNetwork network = new VirtualNetwork();
    ScriptedPeer peer =
        ScriptedPeer.listen(
            network.host(B),
            BgpMessage.Open.of(
                Asn.of(65002),
                3,
                RouterId.parse(B),
                List.of(new Capability.MultiProtocol(AddressFamily.IPV4_UNICAST))));
    VirtualSpeaker a =
        VirtualSpeaker.start(network.host(A), config(A, 65001, peer(B, 65002))).inSync();
    assertThat(network.runUntil(() -> a.established(B), Duration.ofSeconds(20))).isTrue();
    peer.heard.clear();
    int seconds = 60;
    for (int second = 0; second < seconds; second++) {
      peer.send(BgpMessage.Keepalive.INSTANCE);
      network.run(Duration.ofSeconds(1));
    }
    assertThat(a.status(B).counters().established()).isEqualTo(1);
    assertThat(peer.heard.stream().filter(BgpMessage.Keepalive.class::isInstance).count())
        .isBetween(seconds - 2L, seconds + 1L);
  }
}
