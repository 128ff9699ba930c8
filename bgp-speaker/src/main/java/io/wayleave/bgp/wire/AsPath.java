package io.wayleave.bgp.wire;

import static java.util.Objects.requireNonNull;
import static java.util.stream.Collectors.joining;

import io.wayleave.model.Asn;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * AS_PATH with numbers of four octets, whatever the session carries (RFC 4271 section 5.1.2, RFC
 * 6793). Immutable.
 */
public record AsPath(List<Segment> segments) {
  public static final AsPath EMPTY = new AsPath(List.of());

  /** The length octet counts the numbers of a segment, RFC 4271 section 4.3. */
  static final int MAX_SEGMENT_SIZE = 255;

  public AsPath {
    segments = List.copyOf(segments);
  }

  /** A path of one AS_SEQUENCE. */
  public static AsPath sequence(Asn... numbers) {
    return numbers.length == 0
        ? EMPTY
        : new AsPath(List.of(new Segment(SegmentType.SEQUENCE, List.of(numbers))));
  }

  /** Kind of a segment; the confederation kinds do not leave a confederation (RFC 5065). */
  public enum SegmentType {
    SET(Iana.SEGMENT_AS_SET),
    SEQUENCE(Iana.SEGMENT_AS_SEQUENCE),
    CONFED_SEQUENCE(Iana.SEGMENT_AS_CONFED_SEQUENCE),
    CONFED_SET(Iana.SEGMENT_AS_CONFED_SET);

    private final int code;

    SegmentType(int code) {
      this.code = code;
    }

    public int code() {
      return code;
    }

    boolean isConfederation() {
      return this == CONFED_SEQUENCE || this == CONFED_SET;
    }

    static Optional<SegmentType> of(int code) {
      return switch (code) {
        case Iana.SEGMENT_AS_SET -> Optional.of(SET);
        case Iana.SEGMENT_AS_SEQUENCE -> Optional.of(SEQUENCE);
        case Iana.SEGMENT_AS_CONFED_SEQUENCE -> Optional.of(CONFED_SEQUENCE);
        case Iana.SEGMENT_AS_CONFED_SET -> Optional.of(CONFED_SET);
        default -> Optional.empty();
      };
    }
  }

  /** 1 to 255 numbers of one kind. */
  public record Segment(SegmentType type, List<Asn> numbers) {
    public Segment {
      requireNonNull(type, "type is null");
      numbers = List.copyOf(numbers);
      if (numbers.isEmpty() || numbers.size() > MAX_SEGMENT_SIZE) {
        throw new IllegalArgumentException(
            "a path segment of " + numbers.size() + " numbers; allowed: 1 to " + MAX_SEGMENT_SIZE);
      }
    }

    /** A set counts as one, confederation segments as none (RFC 4271 9.1.2.2, RFC 5065 5.3). */
    int length() {
      return switch (type) {
        case SEQUENCE -> numbers.size();
        case SET -> 1;
        case CONFED_SEQUENCE, CONFED_SET -> 0;
      };
    }

    @Override
    public String toString() {
      String joined = numbers.stream().map(Asn::toString).collect(joining(" "));
      return switch (type) {
        case SEQUENCE -> joined;
        case SET -> "{" + joined + "}";
        case CONFED_SEQUENCE -> "(" + joined + ")";
        case CONFED_SET -> "[" + joined + "]";
      };
    }
  }

  /** The length that the choice of the best path compares (RFC 4271 section 9.1.2.2). */
  public int length() {
    int length = 0;
    for (Segment segment : segments) {
      length += segment.length();
    }
    return length;
  }

  /**
   * The neighbour that the route was learned from: the leftmost number, when the path starts with
   * an AS_SEQUENCE.
   */
  public Optional<Asn> neighbour() {
    return segments.isEmpty() || segments.getFirst().type() != SegmentType.SEQUENCE
        ? Optional.empty()
        : Optional.of(segments.getFirst().numbers().getFirst());
  }

  /** The rightmost number, when the path ends with an AS_SEQUENCE. */
  public Optional<Asn> originAs() {
    return segments.isEmpty() || segments.getLast().type() != SegmentType.SEQUENCE
        ? Optional.empty()
        : Optional.of(segments.getLast().numbers().getLast());
  }

  public boolean contains(Asn number) {
    return count(number) > 0;
  }

  /** How often the number occurs, in segments of any kind: for loop detection. */
  public int count(Asn number) {
    int count = 0;
    for (Segment segment : segments) {
      for (Asn other : segment.numbers()) {
        if (other.equals(number)) {
          count++;
        }
      }
    }
    return count;
  }

  /** With the number put in front, RFC 4271 section 5.1.2 b). */
  public AsPath prepend(Asn number) {
    List<Segment> result = new ArrayList<>(segments.size() + 1);
    List<Asn> numbers = new ArrayList<>();
    numbers.add(number);
    int kept = 0;
    if (!segments.isEmpty()
        && segments.getFirst().type() == SegmentType.SEQUENCE
        && segments.getFirst().numbers().size() < MAX_SEGMENT_SIZE) {
      numbers.addAll(segments.getFirst().numbers());
      kept = 1;
    }
    result.add(new Segment(SegmentType.SEQUENCE, numbers));
    result.addAll(segments.subList(kept, segments.size()));
    return new AsPath(result);
  }

  /** Without confederation segments, as AS4_PATH and other ASes want it. */
  public AsPath withoutConfederations() {
    return new AsPath(
        segments.stream().filter(segment -> !segment.type().isConfederation()).toList());
  }

  /** As people write it: {@code 65001 65002 {65003 65004}}; empty for the empty path. */
  @Override
  public String toString() {
    return segments.stream().map(Segment::toString).collect(joining(" "));
  }
}
