package io.wayleave.bgp.unnumbered;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.linux.Packet;
import io.wayleave.model.IpAddress;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RouterMessageTest {
  private static final IpAddress ROUTER = IpAddress.parse("fe80::1");
  private static final IpAddress ALL_NODES = IpAddress.parse("ff02::1");

  private static RouterMessage decode(String hex) {
    return decode(HexFormat.of().parseHex(hex), ROUTER, 255);
  }

  private static RouterMessage decode(byte[] bytes, IpAddress source, int hopLimit) {
    return RouterMessage.decode(new Packet(bytes, source, 0, ALL_NODES, 1, hopLimit));
  }

  @Test
  void oursIsNoDefaultRouterAndNamesItsInterval() {
    byte[] bytes = RouterMessage.advertisement(Duration.ofSeconds(10));
    assertThat(HexFormat.of().formatHex(bytes))
        .isEqualTo("86000000" + "00000000" + "00000000" + "00000000" + "07010000" + "00002710");
    assertThat(decode(bytes, ROUTER, 255))
        .isEqualTo(new RouterMessage.Advertisement(Duration.ofSeconds(30)));
  }

  @ParameterizedTest
  @CsvSource({
    // lifetime 30 s; lifetime 0; with a link-layer address; an interval of 0 is none
    "8600abcd 4000001e 00000000 00000000, PT30S",
    "8600abcd 40000000 00000000 00000000, PT30M",
    "8600abcd 4000001e 00000000 00000000 0101 020202020202, PT30S",
    "8600abcd 4000001e 00000000 00000000 0701 0000 00000000, PT30S",
    "8600abcd 4000001e 00000000 00000000 0101 020202020202 0701 0000 00000fa0, PT12S",
  })
  void anAdvertisementSaysHowLongItIsValid(String hex, Duration validity) {
    assertThat(decode(hex.replace(" ", ""))).isEqualTo(new RouterMessage.Advertisement(validity));
  }

  @Test
  void readsASolicitation() {
    assertThat(decode(RouterMessage.solicitation(), ROUTER, 255))
        .isEqualTo(new RouterMessage.Solicitation());
    assertThat(decode("85000000000000000101020202020202"))
        .isEqualTo(new RouterMessage.Solicitation());
  }

  /** RFC 4861 sections 6.1.1 and 6.1.2. */
  @ParameterizedTest
  @CsvSource({
    "'', only 0 bytes",
    "86000000400000, only 7 bytes",
    "860000004000001e0000000000000000" + "0100020202020202, an option of a bad length",
    "860000004000001e0000000000000000" + "0102020202020202, an option of a bad length",
    "860000004000001e0000000000000000" + "01, an option of a bad length",
    "860000004000001e, only 8 bytes",
    "860100004000001e0000000000000000, code 1",
    "850000000000000001000000, an option of a bad length",
    "8800000000000000, type 136",
  })
  void discardsWhatTheRfcDiscards(String hex, String reason) {
    assertThat(decode(hex)).isEqualTo(new RouterMessage.Discarded(reason));
  }

  @Test
  void whatARouterForwardedOrNoRouterSentIsDiscarded() {
    byte[] bytes = RouterMessage.advertisement(Duration.ofSeconds(10));
    assertThat(decode(bytes, ROUTER, 254))
        .isEqualTo(new RouterMessage.Discarded("hop limit 254 in place of 255"));
    assertThat(decode(bytes, IpAddress.parse("2001:db8::1"), 255))
        .isEqualTo(new RouterMessage.Discarded("source 2001:db8::1 is not link-local"));
  }

  @Test
  void anyBytesAreReadOrRefused() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (int i = 0; i < 100_000; i++) {
      byte[] bytes = new byte[random.nextInt(64)];
      random.nextBytes(bytes);
      if (bytes.length > 1 && random.nextInt(4) > 0) {
        bytes[0] = (byte) (133 + random.nextInt(2));
        bytes[1] = 0;
      }
      assertThat(decode(bytes, ROUTER, 255)).as("seed %d", seed).isNotNull();
    }
  }
}
