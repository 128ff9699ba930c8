package io.wayleave.bgp.rib;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PrefixTableTest {
  private static Cidr prefix(Family family, Random random) {
    // Few bits, so that prefixes come again, and runs of neighbours as well as lonely ones.
    int length = random.nextInt(family.bits() + 1);
    IpAddress address =
        family == Family.IPV4
            ? IpAddress.ofIpv4((random.nextInt(64) << 24) | random.nextInt(40))
            : IpAddress.ofIpv6(
                (long) random.nextInt(4) << 61 | random.nextInt(4), random.nextInt(40));
    return Cidr.around(address, length);
  }

  @Test
  void aRetainedNumberBelongsToOnePrefix() {
    for (Family family : Family.values()) {
      Random random = new Random(2001);
      PrefixTable table = new PrefixTable(family);
      Map<Cidr, Integer> inUse = new HashMap<>();
      Set<Integer> given = new HashSet<>();
      for (int i = 0; i < 30_000; i++) {
        Cidr prefix = prefix(family, random);
        Integer known = inUse.get(prefix);
        if (known == null) {
          int id = table.add(prefix);
          table.retain(id);
          assertThat(given.add(id)).as("number %s", id).isTrue();
          inUse.put(prefix, id);
        } else {
          assertThat(table.find(prefix)).isEqualTo(known);
          assertThat(table.prefix(known)).isEqualTo(prefix);
          assertThat(table.length(known)).isEqualTo(prefix.prefixLength());
          if (random.nextInt(3) > 0) {
            table.release(known);
            inUse.remove(prefix);
            given.remove(known);
          }
        }
        assertThat(table.inUse()).isEqualTo(inUse.size());
      }
      inUse.forEach((prefix, id) -> assertThat(table.find(prefix)).isEqualTo(id));
    }
  }

  @Test
  void aPrefixThatComesBackFindsItsNumber() {
    PrefixTable table = new PrefixTable(Family.IPV4);
    int id = table.add(Cidr.parse("10.0.0.0/8"));
    table.retain(id);
    table.release(id);
    assertThat(table.add(Cidr.parse("10.0.0.0/8"))).isEqualTo(id);
  }

  @Test
  void numbersThatNobodyUsesAreGivenAwayBeforeTheTableGrows() {
    PrefixTable table = new PrefixTable(Family.IPV6);
    int first = table.capacity();
    for (int i = 0; i < 100 * first; i++) {
      int id = table.add(0x2001L << 48, i, 128);
      table.retain(id);
      table.release(id);
    }
    assertThat(table.capacity()).isEqualTo(first);
    for (int i = 0; i < 100 * first; i++) {
      table.retain(table.add(0x2001L << 48, i, 128));
    }
    assertThat(table.inUse()).isEqualTo(100 * first);
    assertThat(table.prefix(table.find(0x2001L << 48, 7, 128)))
        .isEqualTo(Cidr.parse("2001::7/128"));
  }

  @Test
  void hasNoPrefixOfTheOtherFamily() {
    PrefixTable table = new PrefixTable(Family.IPV4);
    assertThatThrownBy(() -> table.find(Cidr.parse("fd00::/8"))).hasMessageContaining("IPV4");
    assertThat(table.find(Cidr.parse("10.0.0.0/8"))).isEqualTo(PrefixTable.NONE);
  }
}
