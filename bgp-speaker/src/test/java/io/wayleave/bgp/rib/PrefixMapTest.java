package io.wayleave.bgp.rib;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PrefixMapTest {
  @ParameterizedTest
  @EnumSource(Family.class)
  void behavesAsAHashMap(Family family) {
    Random random = new Random(family.bits());
    PrefixMap<Integer> table = new PrefixMap<>(family);
    Map<Cidr, Integer> model = new HashMap<>();
    for (int i = 0; i < 50_000; i++) {
      Cidr prefix = randomPrefix(family, random);
      // Grows first, then shrinks, so that gaps are closed in a full table and in an empty one.
      if (random.nextInt(50_000) > i) {
        assertThat(table.put(prefix, i)).isEqualTo(model.put(prefix, i));
      } else {
        assertThat(table.remove(prefix)).isEqualTo(model.remove(prefix));
      }
      assertThat(table.get(prefix)).isEqualTo(model.get(prefix));
      assertThat(table.size()).isEqualTo(model.size());
    }
    Map<Cidr, Integer> entries = new HashMap<>();
    table.forEach(entries::put);
    assertThat(entries).isEqualTo(model).isNotEmpty();
    table.clear();
    assertThat(table.isEmpty()).isTrue();
    assertThat(table.get(randomPrefix(family, random))).isNull();
  }

  @Test
  void anAddressOfTheOtherFamilyIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new PrefixMap<String>(Family.IPV4).get(Cidr.parse("fd00::/64")))
        .withMessageContaining("fd00::/64");
  }

  /** Few enough that the same ones come again, of different lengths with the same address. */
  private static Cidr randomPrefix(Family family, Random random) {
    return switch (family) {
      case IPV4 ->
          Cidr.around(
              IpAddress.ofIpv4(0x0a000000 | random.nextInt(2000) << 8), 16 + random.nextInt(17));
      case IPV6 ->
          Cidr.around(
              IpAddress.ofIpv6(0xfd00_0000_0000_0000L | random.nextInt(40), random.nextInt(50)),
              64 + random.nextInt(65));
    };
  }
}
