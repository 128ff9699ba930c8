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
    int boundary = merged.size();
    merged.addAll(as4Path.segments());
    joinSequences(merged, boundary);
    return new AsPath(merged);
  }

  /**
   * Two sequences that meet where AS_PATH ends and AS4_PATH starts become one when they fit, so
   * that the path looks as it did before an old speaker passed it on.
   */
  private static void joinSequences(List<Segment> path, int boundary) {
    if (boundary == 0 || boundary == path.size()) {
      return;
    }
    Segment left = path.get(boundary - 1);
    Segment right = path.get(boundary);
    int size = left.numbers().size() + right.numbers().size();
    if (left.type() == SegmentType.SEQUENCE
        && right.type() == SegmentType.SEQUENCE
        && size <= AsPath.MAX_SEGMENT_SIZE) {
      List<Asn> numbers = new ArrayList<>(left.numbers());
      numbers.addAll(right.numbers());
      path.set(boundary - 1, new Segment(SegmentType.SEQUENCE, numbers));
      path.remove(boundary);
    }
  }
}
