package io.wayleave.bgp.rib;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PathSlotsTest {
  @Test
  void eachPairHasItsSlotUntilItIsFreed() {
    PathSlots slots = new PathSlots();
    int one = slots.add(7, 1);
    int two = slots.add(7, 2);
    int other = slots.add(8, 1);
    assertThat(slots.add(7, 1)).isEqualTo(one);
    assertThat(slots.of(7)).containsExactly(one, two);
    assertThat(slots.prefix(other)).isEqualTo(8);
    assertThat(slots.pathId(two)).isEqualTo(2);
    slots.free(one);
    assertThat(slots.of(7)).containsExactly(two);
    assertThat(slots.add(9, 5)).as("given away again").isEqualTo(one);
    assertThat(slots.prefix(one)).isEqualTo(9);
    for (int pathId = 0; pathId < 1000; pathId++) {
      int slot = slots.add(3, pathId);
      assertThat(slots.pathId(slot)).isEqualTo(pathId);
    }
    assertThat(slots.of(3)).hasSize(1000);
  }
}
