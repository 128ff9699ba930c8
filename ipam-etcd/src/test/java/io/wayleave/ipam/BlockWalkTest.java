package io.wayleave.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Cidr;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class BlockWalkTest {
  @Test
  void everyBlockIsComeToOnceAndThenNone() {
    BlockWalk walk = new BlockWalk(Cidr.parse("10.0.0.0/22"), 26, "h1");
    assertThat(walk.count()).isEqualTo(16);
    Set<Cidr> seen = new HashSet<>();
    for (int i = 0; i < 16; i++) {
      assertThat(seen.add(walk.first(seen::contains, List.of()).orElseThrow())).isTrue();
    }
    assertThat(seen).allMatch(block -> Cidr.parse("10.0.0.0/22").contains(block));
    assertThat(walk.first(seen::contains, List.of())).isEmpty();
  }

  @Test
  void aHostStartsAtTheSamePlaceEachTimeAndHostsAtDifferentOnes() {
    Set<Cidr> starts = new HashSet<>();
    for (int i = 0; i < 64; i++) {
      Cidr pool = Cidr.parse("10.0.0.0/16");
      Cidr start = new BlockWalk(pool, 26, "host-" + i).first(_ -> false, List.of()).orElseThrow();
      assertThat(new BlockWalk(pool, 26, "host-" + i).first(_ -> false, List.of())).contains(start);
      starts.add(start);
    }
    // 64 hosts in 1,024 places: 62 different ones are expected.
    assertThat(starts).hasSizeGreaterThan(54);
  }

  @Test
  void aPoolOfOneBlockAndAHugePoolAreWalkedToo() {
    assertThat(new BlockWalk(Cidr.parse("10.0.0.0/26"), 26, "h1").first(_ -> false, List.of()))
        .isEqualTo(Optional.of(Cidr.parse("10.0.0.0/26")));
    Cidr huge = Cidr.parse("fd00::/8");
    assertThat(new BlockWalk(huge, 122, "h1").first(_ -> false, List.of()).orElseThrow())
        .matches(huge::contains)
        .matches(block -> block.prefixLength() == 122);
  }

  @Test
  void whatIsReservedIsPassedOverAsAWhole() {
    Cidr huge = Cidr.parse("fd00::/72");
    List<Cidr> reserved = List.of(Cidr.parse("fd00::/73"), Cidr.parse("fd00:0:0:0:80::/74"));
    for (int i = 0; i < 50; i++) {
      assertThat(new BlockWalk(huge, 122, "host-" + i).first(_ -> false, reserved))
          .hasValueSatisfying(
              block -> assertThat(reserved).noneMatch(each -> each.overlaps(block)));
      assertThat(new BlockWalk(huge, 122, "host-" + i).first(_ -> false, List.of(huge))).isEmpty();
    }
    Cidr small = Cidr.parse("10.0.0.0/24");
    for (int i = 0; i < 20; i++) {
      assertThat(
              new BlockWalk(small, 26, "host-" + i)
                  .first(
                      _ -> false, List.of(Cidr.parse("10.0.0.0/25"), Cidr.parse("10.0.0.192/26"))))
          .contains(Cidr.parse("10.0.0.128/26"));
    }
  }
}
