package io.wayleave.bgp.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.wire.AsPath.Segment;
import io.wayleave.bgp.wire.AsPath.SegmentType;
import io.wayleave.model.Asn;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** RFC 6793 section 4.2.3. */
class As4MergeTest {
  private static final Pattern SEGMENT =
      Pattern.compile("\\{([^}]*)}|\\(([^)]*)\\)|\\[([^]]*)]|([0-9][0-9 ]*)");

  @ParameterizedTest(name = "{3}")
  @CsvSource({
    "1 23456 23456, 70000 80000, 1 70000 80000, leading numbers are prepended",
    "23456 23456, 70000 80000, 70000 80000, equally long",
    "23456, 70000 80000, 23456, a longer AS4_PATH is ignored",
    "1 2 3 {4 5}, 90000 {4 80000}, 1 2 90000 {4 80000}, a set counts as one",
    "{1 2} 3 23456, 70000, {1 2} 3 70000, a leading set",
    "(9 8) 1 23456, 70000, (9 8) 1 70000, a leading confederation segment",
    "1 (9) 23456, 70000, 1 (9) 70000, a confederation segment next to a prepended one",
    "(9) 23456, 70000, (9) 70000, a leading confederation segment alone",
    "1 2, '', 1 2, an empty AS4_PATH",
    "1 23456 {2 3}, 70000 {80000}, 1 70000 {80000}, sequence and set"
  })
  void merges(String asPath, String as4Path, String expected, String why) {
    AsPath merged = As4Merge.merge(path(asPath), path(as4Path));
    assertThat(merged).as(why).hasToString(expected);
    assertThat(merged.length()).isEqualTo(path(asPath).length());
  }

  @Test
  void joinsSequencesOnlyWhileTheyFit() {
    AsPath asPath =
        new AsPath(
            List.of(
                new Segment(SegmentType.SEQUENCE, List.of(Asn.of(1))),
                new Segment(SegmentType.SEQUENCE, Collections.nCopies(255, Asn.of(23456)))));
    AsPath as4Path =
        new AsPath(
            List.of(new Segment(SegmentType.SEQUENCE, Collections.nCopies(255, Asn.of(70000)))));
    assertThat(As4Merge.merge(asPath, as4Path).segments())
        .extracting(segment -> segment.numbers().size())
        .containsExactly(1, 255);
  }

  /** Reads what {@link AsPath#toString} writes. */
  static AsPath path(String text) {
    List<Segment> segments = new ArrayList<>();
    Matcher matcher = SEGMENT.matcher(text);
    SegmentType[] types = {
      SegmentType.SET, SegmentType.CONFED_SEQUENCE, SegmentType.CONFED_SET, SegmentType.SEQUENCE
    };
    while (matcher.find()) {
      for (int group = 1; group <= types.length; group++) {
        if (matcher.group(group) != null) {
          List<Asn> numbers =
              Arrays.stream(matcher.group(group).trim().split(" ")).map(Asn::parse).toList();
          segments.add(new Segment(types[group - 1], numbers));
        }
      }
    }
    AsPath path = new AsPath(segments);
    assertThat(path).hasToString(text);
    return path;
  }
}
