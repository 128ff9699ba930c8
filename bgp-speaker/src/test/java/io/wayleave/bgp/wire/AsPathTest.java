package io.wayleave.bgp.wire;

import static io.wayleave.bgp.wire.As4MergeTest.path;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.bgp.wire.AsPath.Segment;
import io.wayleave.bgp.wire.AsPath.SegmentType;
import io.wayleave.model.Asn;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class AsPathTest {
  @Test
  void countsSetsAsOneAndConfederationsAsNone() {
    assertThat(AsPath.EMPTY.length()).isZero();
    assertThat(path("1 2 3").length()).isEqualTo(3);
    assertThat(path("1 2 {3 4 5}").length()).isEqualTo(3);
    assertThat(path("(8 9) [7] 1").length()).isEqualTo(1);
  }

  @Test
  void knowsBothEnds() {
    assertThat(path("1 2 3").neighbour()).contains(Asn.of(1));
    assertThat(path("1 2 3").originAs()).contains(Asn.of(3));
    assertThat(path("{1 2} 3").neighbour()).isEmpty();
    assertThat(path("1 {2 3}").originAs()).isEmpty();
    assertThat(AsPath.EMPTY.neighbour()).isEmpty();
    assertThat(AsPath.EMPTY.originAs()).isEmpty();
  }

  @Test
  void countsNumbersInSegmentsOfAnyKind() {
    assertThat(path("1 2 1 {1 3} (1)").count(Asn.of(1))).isEqualTo(4);
    assertThat(path("1 2").contains(Asn.of(2))).isTrue();
    assertThat(path("1 2").contains(Asn.of(3))).isFalse();
  }

  /** RFC 4271 section 5.1.2 b). */
  @Test
  void prependsToSequenceOrBeforeAnythingElse() {
    assertThat(AsPath.EMPTY.prepend(Asn.of(9))).hasToString("9");
    assertThat(path("1 2").prepend(Asn.of(9)).segments()).hasSize(1);
    assertThat(path("{1 2}").prepend(Asn.of(9))).hasToString("9 {1 2}");
    AsPath full =
        new AsPath(List.of(new Segment(SegmentType.SEQUENCE, Collections.nCopies(255, Asn.of(1)))));
    assertThat(full.prepend(Asn.of(9)).segments())
        .extracting(segment -> segment.numbers().size())
        .containsExactly(1, 255);
  }

  @Test
  void segmentsHave1To255Numbers() {
    assertThatThrownBy(() -> new Segment(SegmentType.SET, List.of()))
        .hasMessage("a path segment of 0 numbers; allowed: 1 to 255");
    assertThatThrownBy(() -> new Segment(SegmentType.SET, Collections.nCopies(256, Asn.of(1))))
        .hasMessage("a path segment of 256 numbers; allowed: 1 to 255");
  }
}
