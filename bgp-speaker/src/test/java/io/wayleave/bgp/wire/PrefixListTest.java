package io.wayleave.bgp.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PrefixListTest {
  private static final List<Cidr> IPV6 =
      List.of(Cidr.parse("::/0"), Cidr.parse("2001:db8:1::/48"), Cidr.parse("2001:db8::1/128"));

  @Test
  void isTheListOfItsPrefixes() {
    PrefixList list = PrefixList.of(Family.IPV6, IPV6);
    assertThat(list).isEqualTo(IPV6).hasSize(3);
    assertThat(list.hashCode()).isEqualTo(IPV6.hashCode());
    assertThat(PrefixList.empty(Family.IPV4)).isEmpty();
  }

  @Test
  void showsPrefixesAsNumbers() {
    List<String> seen = new ArrayList<>();
    PrefixList.of(Family.IPV6, IPV6)
        .forEachPrefix((high, low, length) -> seen.add("%x %x %d".formatted(high, low, length)));
    PrefixList.of(Cidr.parse("10.1.2.3/32"), Cidr.parse("255.0.0.0/8"))
        .forEachPrefix((high, low, length) -> seen.add("%x %x %d".formatted(high, low, length)));
    assertThat(seen)
        .containsExactly(
            "0 0 0",
            "20010db800010000 0 48",
            "20010db800000000 1 128",
            "0 a010203 32",
            "0 ff000000 8");
  }

  @Test
  void growsAndCannotBeChanged() {
    PrefixList.Builder builder = PrefixList.builder(Family.IPV4);
    for (int i = 0; i < 1000; i++) {
      builder.add(0, i, 32);
    }
    PrefixList list = builder.build();
    builder.add(0, 1, 32);
    assertThat(list).hasSize(1000);
    assertThat(list.get(999)).isEqualTo(Cidr.parse("0.0.3.231/32"));
    assertThatThrownBy(() -> list.add(Cidr.parse("10.0.0.0/8")))
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void refusesPrefixOfTheOtherFamily() {
    assertThatThrownBy(() -> PrefixList.of(Cidr.parse("10.0.0.0/8"), Cidr.parse("::/0")))
        .hasMessage("::/0 in a list of IPV4 prefixes");
  }
}
