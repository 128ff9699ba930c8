package io.wayleave.bgp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.wayleave.model.Asn;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.time.Duration;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class ConfigTest {
  private static final SpeakerConfig SPEAKER =
      SpeakerConfig.of(RouterId.parse("10.0.0.1"), Asn.of(65001));

  private static PeerConfig peer(String name, String address) {
    return PeerConfig.of(name, IpAddress.parse(address), Asn.of(65002));
  }

  private static void refuses(String field, String value, ThrowingCallable made) {
    assertThatExceptionOfType(InvalidInputException.class)
        .isThrownBy(made)
        .satisfies(
            refusal -> {
              assertThat(refusal.field()).isEqualTo(field);
              assertThat(refusal.value()).isEqualTo(value);
              assertThat(refusal.allowed()).isNotEmpty();
            });
  }

  @Test
  void peersAreUnique() {
    SpeakerConfig one = SPEAKER.withPeer(peer("tor", "10.0.0.2"));
    refuses("peers[1].name", "tor", () -> one.withPeer(peer("tor", "10.0.0.3")));
    refuses("peers[1].address", "10.0.0.2", () -> one.withPeer(peer("other", "10.0.0.2")));
  }

  @Test
  void addressesMustBeOfOneHostAndOneFamily() {
    refuses("address", "0.0.0.0", () -> peer("tor", "0.0.0.0"));
    refuses("address", "ff02::1", () -> peer("tor", "ff02::1"));
    refuses("address", "fe80::1", () -> peer("tor", "fe80::1"));
    refuses(
        "sourceAddress",
        "fd00::1",
        () -> peer("tor", "10.0.0.2").withSourceAddress(IpAddress.parse("fd00::1")));
    refuses("name", "", () -> peer("", "10.0.0.2"));
    refuses("port", "0", () -> peer("tor", "10.0.0.2").withPort(0));
    refuses("port", "65536", () -> new ListenAddress(IpAddress.parse("10.0.0.1"), 65_536));
  }

  @Test
  void timersAreThoseThatTheWireCanCarry() {
    refuses("holdTime", "PT2S", () -> Timers.DEFAULT.withHoldTime(Duration.ofSeconds(2)));
    refuses("holdTime", "PT3.5S", () -> Timers.DEFAULT.withHoldTime(Duration.ofMillis(3500)));
    refuses("connectRetry", "PT0S", () -> Timers.DEFAULT.withConnectRetry(Duration.ZERO));
    refuses(
        "idleHoldMax",
        "PT1S",
        () -> Timers.DEFAULT.withIdleHold(Duration.ofSeconds(2), Duration.ofSeconds(1)));
    // RFC 9687 section 4.4.
    refuses("sendHold", "PT1M30S", () -> Timers.DEFAULT.withSendHold(Duration.ofSeconds(90)));
    refuses(
        "restartTime",
        "PT1H8M16S",
        () -> GracefulRestart.DEFAULT.withRestartTime(Duration.ofSeconds(4096)));
    assertThat(Timers.DEFAULT.withHoldTime(Duration.ZERO).holdTime()).isZero();
  }

  @Test
  void pathsAreCounted() {
    refuses("maximumPaths", "0", () -> new PathSelection(0, true, false));
  }
}
