package io.wayleave.bgp.rib;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PathIdsTest {
  private final PathIds ids = new PathIds();

  @Test
  void aPathKeepsItsOwnAsLongAsAnySlotHasIt() {
    int id = ids.of(Paths.ofPathId(1, 7));
    assertThat(id).isNotZero();
    ids.use(id);
    ids.use(id);
    int other = ids.of(Paths.ofPathId(1, 8));
    ids.use(other);
    assertThat(other).isNotEqualTo(id);
    ids.unuse(id);
    assertThat(ids.of(Paths.ofPathId(1, 7))).isEqualTo(id);
    assertThat(ids.of(Paths.ofPathId(2, 7))).isNotIn(id, other);
    ids.unuse(id);
    assertThat(ids.of(Paths.ofPathId(3, 1))).as("given away again").isEqualTo(id);
    assertThat(ids.of(Paths.ofPathId(1, 7))).isNotEqualTo(id);
  }

  /** A table that goes takes its slots along. */
  @Test
  void aReleasedTableGivesAllBack() {
    PathSlots slots = new PathSlots(ids);
    int id = ids.of(Paths.of(1));
    int _ = slots.add(1, id);
    int _ = slots.add(2, id);
    slots.release();
    assertThat(ids.of(Paths.of(2))).isEqualTo(id);
  }
}
