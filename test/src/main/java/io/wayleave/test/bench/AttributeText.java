package io.wayleave.test.bench;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Received path attributes in one line of text that is the same for the same attributes, whatever
 * their order and flags. Only for checked runs: it makes many objects.
 */
final class AttributeText {
  private static final int EXTENDED_LENGTH = 0x10;
  private static final int AS_SEQUENCE = 2;

  private AttributeText() {}

  static String of(
      int origin,
      List<List<Integer>> path,
      int nextHop,
      List<Integer> communities,
      List<Integer> large) {
    return "origin %d path %s next-hop %s communities %s large %s"
        .formatted(
            origin,
            path.stream().map(AttributeText::numbers).toList(),
            PrefixSet.text(PrefixSet.key(nextHop, 32)),
            communities.stream()
                .sorted(Integer::compareUnsigned)
                .map(c -> (c >>> 16) + ":" + (c & 0xffff))
                .toList(),
            numbers(large));
  }

  private static String numbers(List<Integer> list) {
    return list.stream().map(Integer::toUnsignedString).collect(Collectors.joining(" "));
  }

  /** Reads the attributes of an UPDATE. One that the load does not expect at all is in the text. */
  static String read(ByteBuffer in) {
    int origin = -1;
    List<List<Integer>> path = new ArrayList<>();
    int nextHop = 0;
    List<Integer> communities = List.of();
    List<Integer> large = List.of();
    StringBuilder others = new StringBuilder();
    while (in.hasRemaining()) {
      int flags = in.get();
      int type = in.get() & 0xff;
      int length = (flags & EXTENDED_LENGTH) == 0 ? in.get() & 0xff : in.getShort() & 0xffff;
      ByteBuffer value = in.slice(in.position(), length);
      in.position(in.position() + length);
      switch (type) {
        case 1 -> origin = value.get();
        case 2 -> path = path(value);
        case 3 -> nextHop = value.getInt();
        case 8 -> communities = numbers(value);
        case 32 -> large = numbers(value);
        default -> others.append(" attribute ").append(type);
      }
    }
    return of(origin, path, nextHop, communities, large) + others;
  }

  private static List<List<Integer>> path(ByteBuffer in) {
    List<List<Integer>> segments = new ArrayList<>();
    while (in.hasRemaining()) {
      int type = in.get();
      int count = in.get() & 0xff;
      List<Integer> segment = new ArrayList<>();
      if (type != AS_SEQUENCE) {
        // No sender gives one: it must not be mistaken for a sequence.
        segment.add(-type);
      }
      for (int i = 0; i < count; i++) {
        segment.add(in.getInt());
      }
      segments.add(segment);
    }
    return segments;
  }

  private static List<Integer> numbers(ByteBuffer in) {
    List<Integer> numbers = new ArrayList<>();
    while (in.hasRemaining()) {
      numbers.add(in.getInt());
    }
    return numbers;
  }
}
