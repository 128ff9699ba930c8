package io.wayleave.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpAddressTest {
  @ParameterizedTest
  @CsvSource({
    "10.1.2.3, 10.1.2.3",
    "0.0.0.0, 0.0.0.0",
    "255.255.255.255, 255.255.255.255",
    "::, ::",
    "::1, ::1",
    "fd00::, fd00::",
    "2001:DB8::1, 2001:db8::1",
    "2001:db8:0:0:1:0:0:1, 2001:db8::1:0:0:1",
    "2001:db8:0:1:1:1:1:1, 2001:db8:0:1:1:1:1:1",
    "2001:0:0:1:0:0:0:1, 2001:0:0:1::1",
    "fe80:0:0:0:ecee:eeff:feee:eeee, fe80::ecee:eeff:feee:eeee",
    "::ffff:1.2.3.4, ::ffff:102:304",
    "1:2:3:4:5:6:7::, 1:2:3:4:5:6:7:0",
  })
  void readsAndWritesTheCanonicalForm(String text, String canonical) {
    IpAddress address = IpAddress.parse(text);
    assertThat(address).hasToString(canonical);
    assertThat(IpAddress.parse(canonical)).isEqualTo(address);
    assertThat(IpAddress.ofBytes(address.toBytes())).isEqualTo(address);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "10",
        "10.1.2",
        "10.1.2.256",
        "10.1.2.3.4",
        "10.01.2.3",
        "10.1.2.-3",
        "10.1.2.3 ",
        " 10.1.2.3",
        "1.2.3.4.",
        ":",
        ":::",
        "1::2::3",
        "12345::",
        "g::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::1.2.3",
        "fe80::1%eth0",
        "localhost",
        "１0.0.0.1"
      })
  void refusesWhatIsNoAddress(String text) {
    assertThatThrownBy(() -> IpAddress.parse(text))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("\"" + text + "\"")
        .hasMessageContaining("allowed: an IPv4 or IPv6 address");
  }

  @Test
  void agreesWithTheJdkOnRandomAddresses() throws Exception {
    Random random = new Random(7);
    for (int i = 0; i < 2000; i++) {
      byte[] bytes = new byte[random.nextBoolean() ? 4 : 16];
      random.nextBytes(bytes);
      for (int zero = random.nextInt(bytes.length); zero > 0; zero--) {
        bytes[random.nextInt(bytes.length)] = 0;
      }
      IpAddress address = IpAddress.ofBytes(bytes);
      assertThat(IpAddress.parse(address.toString())).isEqualTo(address);
      assertThat(InetAddress.ofLiteral(address.toString()).getAddress())
          .as(address.toString())
          .isEqualTo(address.toBytes());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.255, 1, 10.0.1.0",
    "10.0.1.0, -1, 10.0.0.255",
    "255.255.255.255, 1, 0.0.0.0",
    "fd00::ffff:ffff:ffff:ffff, 1, fd00:0:0:1::",
    "fd00:0:0:1::, -1, fd00::ffff:ffff:ffff:ffff",
    "::, -1, ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  })
  void steps(String from, long steps, String to) {
    assertThat(IpAddress.parse(from).plus(steps)).isEqualTo(IpAddress.parse(to));
  }

  @Test
  void ordersUnsigned() {
    assertThat(IpAddress.parse("127.0.0.1")).isLessThan(IpAddress.parse("128.0.0.1"));
    assertThat(IpAddress.parse("7fff::")).isLessThan(IpAddress.parse("8000::"));
    assertThat(IpAddress.parse("255.255.255.255")).isLessThan(IpAddress.parse("::"));
  }

  @Test
  void knowsSpecialRanges() {
    assertThat(IpAddress.parse("169.254.1.1").isLinkLocal()).isTrue();
    assertThat(IpAddress.parse("169.253.1.1").isLinkLocal()).isFalse();
    assertThat(IpAddress.parse("febf::1").isLinkLocal()).isTrue();
    assertThat(IpAddress.parse("fec0::1").isLinkLocal()).isFalse();
    assertThat(IpAddress.parse("::1").isLoopback()).isTrue();
    assertThat(IpAddress.parse("239.1.1.1").isMulticast()).isTrue();
    assertThat(IpAddress.parse("ff02::1").isMulticast()).isTrue();
  }
}
