package io.wayleave.bgp.rib;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PathSlotsTest {
  @Test
  void eachPairHasItsSlotUntilItIsFreed() {
    PathIds ids = new PathIds();
    PathSlots slots = new PathSlots(ids);
    int first = ids.of(Paths.of(1));
    int second = ids.of(Paths.of(2));
    int one = slots.add(7, first);
    int two = slots.add(7, second);
    int other = slots.add(8, first);
    assertThat(slots.add(7, first)).isEqualTo(one);
    assertThat(slots.of(7)).containsExactly(one, two);
    assertThat(slots.prefix(other)).isEqualTo(8);
    assertThat(slots.pathId(two)).isEqualTo(second);
    slots.free(one);
    assertThat(slots.of(7)).containsExactly(two);
    assertThat(slots.add(9, second)).as("given away again").isEqualTo(one);
    assertThat(slots.prefix(one)).isEqualTo(9);
    for (int n = 0; n < 1000; n++) {
      int pathId = ids.of(Paths.ofPathId(3, n));
      int slot = slots.add(3, pathId);
      assertThat(slots.pathId(slot)).isEqualTo(pathId);
    }
    assertThat(slots.of(3)).hasSize(1000);
  }
}
