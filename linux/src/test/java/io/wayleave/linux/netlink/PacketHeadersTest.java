package io.wayleave.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PacketHeadersTest {
  private static final String V4 = "45000028 00004000 40PP0000 0a000001 0a000002";
  private static final String V6 =
      "60000000 0020PP40 fd000000000000000000000000000001 fd000000000000000000000000000002";

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "06 | 9c400050 | TCP 10.0.0.1:40000 > 10.0.0.2:80",
        "11 | 00350035 | UDP 10.0.0.1:53 > 10.0.0.2:53",
        "84 | 00010002 | SCTP 10.0.0.1:1 > 10.0.0.2:2",
        "01 | 08000000 12340001 | ICMP 10.0.0.1 > 10.0.0.2 8/0 id 4660",
        "01 | 03010000 00000000 | ICMP 10.0.0.1 > 10.0.0.2 3/1 id 0",
        "2f | 00000000 | 47 10.0.0.1 > 10.0.0.2",
        "06 | 9c4000 | TCP 10.0.0.1 > 10.0.0.2",
      })
  void readsIpv4(String protocol, String rest, String expected) {
    assertThat(tuple(V4.replace("PP", protocol) + rest)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "06 | 9c400050 | TCP [fd00::1]:40000 > [fd00::2]:80",
        "3a | 80000000 00070001 | ICMPV6 fd00::1 > fd00::2 128/0 id 7",
        // Hop-by-hop of 8 bytes, then destination options of 16, then UDP.
        "00 | 3c00000000000000 1101000000000000 0000000000000000 00350035 | UDP [fd00::1]:53 >"
            + " [fd00::2]:53",
        // A first fragment has ports, a later one none.
        "2c | 1100000100000001 00350035 | UDP [fd00::1]:53 > [fd00::2]:53",
        "2c | 1100010100000001 00350035 | UDP fd00::1 > fd00::2",
        // The header that follows was not copied.
        "00 | 11000000 | none",
      })
  void readsIpv6(String next, String rest, String expected) {
    assertThat(tuple(V6.replace("PP", next) + rest)).isEqualTo(expected);
  }

  @Test
  void optionsAndFragmentsOfIpv4() {
    assertThat(tuple("46000028 00004000 40110000 0a000001 0a000002 01010101 00350035"))
        .isEqualTo("UDP 10.0.0.1:53 > 10.0.0.2:53");
    assertThat(tuple("45000028 00000010 40110000 0a000001 0a000002 00350035"))
        .isEqualTo("UDP 10.0.0.1 > 10.0.0.2");
  }

  @Test
  void anyBytesAreNoFailure() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = new byte[random.nextInt(80)];
      random.nextBytes(bytes);
      if (bytes.length > 0 && i % 2 == 0) {
        bytes[0] = (byte) (i % 4 == 0 ? 0x45 : 0x60);
      }
      try {
        assertThat(PacketHeaders.tuple(ByteBuffer.wrap(bytes))).isNotNull();
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed + " bytes " + HexFormat.of().formatHex(bytes), e);
      }
    }
  }

  private static String tuple(String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
    return PacketHeaders.tuple(ByteBuffer.wrap(bytes)).map(FlowTuple::toString).orElse("none");
  }
}
