package io.wayleave.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CidrTest {
  @ParameterizedTest
  @CsvSource({
    "10.0.0.0/8, 10.0.0.0/8, 10.255.255.255, 16777216",
    "10.1.2.3, 10.1.2.3/32, 10.1.2.3, 1",
    "0.0.0.0/0, 0.0.0.0/0, 255.255.255.255, 4294967296",
    "fd00::/48, fd00::/48, fd00::ffff:ffff:ffff:ffff:ffff, 9223372036854775807",
    "fd00::/122, fd00::/122, fd00::3f, 64",
    "::/0, ::/0, ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff, 9223372036854775807",
    "fd00:0:0:1::/64, fd00:0:0:1::/64, fd00::1:ffff:ffff:ffff:ffff, 9223372036854775807",
  })
  void readsNetworks(String text, String canonical, String last, long size) {
    Cidr cidr = Cidr.parse(text);
    assertThat(cidr).hasToString(canonical);
    assertThat(cidr.last()).isEqualTo(IpAddress.parse(last));
    assertThat(cidr.size()).isEqualTo(size);
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.1/8, here 10.0.0.0/8",
    "10.0.0.0/33, a prefix length of 0 to 32",
    "10.0.0.0/, a network such as",
    "10.0.0.0/08, a network such as",
    "10.0.0/8, a network such as",
    "fd00::/129, a prefix length of 0 to 128",
    "fd00::1/64, here fd00::/64",
  })
  void refusesWhatIsNoNetwork(String text, String allowed) {
    assertThatThrownBy(() -> Cidr.parse(text))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("\"" + text + "\"")
        .hasMessageContaining(allowed);
  }

  @Test
  void contains() {
    Cidr net = Cidr.parse("10.1.0.0/16");
    assertThat(net.contains(IpAddress.parse("10.1.255.255"))).isTrue();
    assertThat(net.contains(IpAddress.parse("10.2.0.0"))).isFalse();
    assertThat(net.contains(Cidr.parse("10.1.4.0/24"))).isTrue();
    assertThat(net.contains(Cidr.parse("10.0.0.0/8"))).isFalse();
    assertThat(net.overlaps(Cidr.parse("10.0.0.0/8"))).isTrue();
    assertThat(Cidr.parse("0.0.0.0/0").contains(IpAddress.parse("::1"))).isFalse();
    assertThat(Cidr.around("10.1.2.3/24")).isEqualTo(Cidr.parse("10.1.2.0/24"));
  }
}
