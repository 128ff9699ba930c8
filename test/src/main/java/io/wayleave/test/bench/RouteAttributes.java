package io.wayleave.test.bench;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;

/**
 * The path attributes of a route as a sender gives them.
 *
 * @param path the AS path behind the sender's own AS, two-octet numbers
 * @param communities ascending
 * @param large three numbers each, at most one community
 */
record RouteAttributes(
    int origin,
    List<Integer> path,
    OptionalInt med,
    List<Integer> communities,
    List<Integer> large) {
  private static final int TRANSITIVE = 0x40;
  private static final int OPTIONAL = 0x80;
  private static final int AS_SEQUENCE = 2;
  private static final int CAPACITY = 256;

  RouteAttributes {
    path = List.copyOf(path);
    communities = List.copyOf(communities);
    large = List.copyOf(large);
  }

  /**
   * @param number is in the AS path, so that no two numbers have equal attributes
   */
  static RouteAttributes random(int number, Random random) {
    List<Integer> path = new ArrayList<>();
    path.add(1_000 + number % 20_000);
    path.add(1_000 + number / 20_000);
    for (int more = random.nextInt(4); more > 0; more--) {
      path.add(1_000 + random.nextInt(20_000));
    }
    int[] communities =
        random
            .ints(random.nextInt(5), 0, 1 << 16)
            .map(low -> ((1_000 + low % 300) << 16) | low)
            .sorted()
            .distinct()
            .toArray();
    return new RouteAttributes(
        random.nextInt(10) == 0 ? 2 : 0,
        path,
        random.nextInt(4) == 0 ? OptionalInt.of(random.nextInt(1_000)) : OptionalInt.empty(),
        Arrays.stream(communities).boxed().toList(),
        random.nextInt(8) == 0
            ? List.of(1_000 + random.nextInt(20_000), 1, random.nextInt(1_000))
            : List.of());
  }

  /** As the sender puts them in an UPDATE, with four-octet AS numbers (RFC 6793 §4.1). */
  byte[] encode(int senderAs, int nextHop) {
    ByteBuffer out = ByteBuffer.allocate(CAPACITY);
    header(out, TRANSITIVE, 1, 1).put((byte) origin);
    header(out, TRANSITIVE, 2, 2 + 4 * (path.size() + 1));
    out.put((byte) AS_SEQUENCE).put((byte) (path.size() + 1)).putInt(senderAs);
    path.forEach(out::putInt);
    header(out, TRANSITIVE, 3, 4).putInt(nextHop);
    if (med.isPresent()) {
      header(out, OPTIONAL, 4, 4).putInt(med.getAsInt());
    }
    if (!communities.isEmpty()) {
      header(out, OPTIONAL | TRANSITIVE, 8, 4 * communities.size());
      communities.forEach(out::putInt);
    }
    if (!large.isEmpty()) {
      header(out, OPTIONAL | TRANSITIVE, 32, 4 * large.size());
      large.forEach(out::putInt);
    }
    return Arrays.copyOf(out.array(), out.position());
  }

  private static ByteBuffer header(ByteBuffer out, int flags, int type, int length) {
    return out.put((byte) flags).put((byte) type).put((byte) length);
  }

  /**
   * What an external peer must be told, in the form of {@link AttributeText}: the speaker's AS goes
   * before the path, the next hop is the speaker (RFC 4271 §5.1.2 and §5.1.3), the MED does not go
   * on to another AS (§5.1.4), and communities do (RFC 1997, RFC 8092).
   */
  String expected(int speakerAs, int senderAs, int nextHop) {
    List<Integer> exported = new ArrayList<>(List.of(speakerAs, senderAs));
    exported.addAll(path);
    return AttributeText.of(origin, List.of(exported), nextHop, communities, large);
  }
}
