package io.wayleave.bgp.wire;

import io.wayleave.bgp.wire.AsPath.Segment;
import io.wayleave.bgp.wire.AsPath.SegmentType;
import io.wayleave.model.Asn;
import java.util.ArrayList;
import java.util.List;

/** RFC 6793 section 4.2.3: the AS path out of AS_PATH and AS4_PATH. */
final class As4Merge {
  private As4Merge() {}

  /**
   * As many leading numbers of {@code asPath} as it is longer, and then {@code as4Path}. A set
   * counts as one number and a confederation segment as none, which is taken along when the
   * segments before it were.
   */
  static AsPath merge(AsPath asPath, AsPath as4Path) {
    int surplus = asPath.length() - as4Path.length();
    if (surplus < 0) {
      return asPath;
    }
    List<Segment> merged = new ArrayList<>();
    for (Segment segment : asPath.segments()) {
      if (segment.length() <= surplus) {
        merged.add(segment);
        surplus -= segment.length();
      } else {
        if (surplus > 0) {
          merged.add(new Segment(SegmentType.SEQUENCE, segment.numbers().subList(0, surplus)));
        }
        break;
      }
    }
    for (Segment segment : as4Path.segments()) {
      appendJoined(merged, segment);
    }
    return new AsPath(merged);
  }

  /**
   * Two sequences that meet become one when they fit, so the merged path looks like the real one.
   */
  private static void appendJoined(List<Segment> path, Segment next) {
    if (!path.isEmpty()
        && path.getLast().type() == SegmentType.SEQUENCE
        && next.type() == SegmentType.SEQUENCE
        && path.getLast().numbers().size() + next.numbers().size() <= AsPath.MAX_SEGMENT_SIZE) {
      List<Asn> numbers = new ArrayList<>(path.removeLast().numbers());
      numbers.addAll(next.numbers());
      path.add(new Segment(SegmentType.SEQUENCE, numbers));
    } else {
      path.add(next);
    }
  }
}
