package io.wayleave.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The small number-like words: AS numbers, router ids, Ethernet addresses, protocols, ports. */
class NumbersTest {
  @Test
  void asNumbersInBothForms() {
    assertThat(Asn.parse("65001").number()).isEqualTo(65001);
    assertThat(Asn.parse("64086.59904")).isEqualTo(new Asn(4_200_000_000L));
    assertThat(Asn.parse("4294967295").isTwoOctet()).isFalse();
    assertThat(Asn.parse("65535").isTwoOctet()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"0", "-1", "4294967296", "1.65536", "65536.1", "1.2.3", "", "AS65001", "0.0"})
  void refusesOtherAsNumbers(String text) {
    assertThatThrownBy(() -> Asn.parse(text))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("an AS number of 1 to 4294967295");
  }

  @Test
  void routerIdsOrderUnsigned() {
    assertThat(RouterId.parse("10.0.0.1")).isLessThan(RouterId.parse("192.0.2.1"));
    assertThatThrownBy(() -> RouterId.parse("0.0.0.0")).hasMessageContaining("0.0.0.0");
    assertThatThrownBy(() -> RouterId.parse("fd00::1")).hasMessageContaining("a router id such as");
  }

  @Test
  void ethernetAddresses() {
    MacAddress mac = MacAddress.parse("EE:ee:00:0a:b0:01");
    assertThat(mac).hasToString("ee:ee:00:0a:b0:01");
    assertThat(MacAddress.ofBytes(mac.toBytes())).isEqualTo(mac);
    assertThatThrownBy(() -> MacAddress.parse("ee:ee:00:0a:b0"))
        .hasMessageContaining("an Ethernet address");
  }

  @Test
  void protocolsByNameAndNumber() {
    assertThat(Protocol.parse("tcp")).isEqualTo(Protocol.TCP).hasToString("TCP");
    assertThat(Protocol.parse("6")).isEqualTo(Protocol.TCP);
    assertThat(Protocol.parse("47").toJson()).isEqualTo(47);
    assertThat(Protocol.UDPLITE.hasPorts()).isTrue();
    assertThat(Protocol.ICMP.hasPorts()).isFalse();
    assertThatThrownBy(() -> Protocol.parse("gopher")).hasMessageContaining("\"gopher\"");
    assertThatThrownBy(() -> Protocol.parse("256")).hasMessageContaining("1 to 255");
  }

  @Test
  void portRanges() {
    assertThat(PortRange.parse("80")).isEqualTo(new PortRange(80, 80));
    assertThat(PortRange.parse("8000:8080")).hasToString("8000:8080");
    for (String bad : new String[] {"8080:8000", "65536", "80-90", "", "a"}) {
      assertThatThrownBy(() -> PortRange.parse(bad)).hasMessageContaining("a port of 0 to 65535");
    }
  }
}
