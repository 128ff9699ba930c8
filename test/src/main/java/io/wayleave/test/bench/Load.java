package io.wayleave.test.bench;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * What every sender says, encoded, and what every receiver must have heard in the end.
 *
 * @param size how much it is
 * @param senders in the order of their peers
 * @param expected the routes of all senders
 */
record Load(Shape.Size size, List<Sender> senders, Expected expected) {
  Load {
    senders = List.copyOf(senders);
  }

  /** The UPDATEs of one sender. Read by duplicates; never changed. */
  record Sender(ByteBuffer announce, ByteBuffer withdraw) {}

  /** The peers and the speaker: who has which address and AS. */
  record Plan(int speakerAddress, int speakerAs) {
    /** 10.99.0.1/16 and AS 65000. */
    static final Plan DEFAULT = new Plan(0x0a63_0001, 65_000);

    private static final int PER_SUBNET = 200;
    private static final int FIRST_AS = (int) 4_200_000_000L;

    int address(int peer) {
      return (speakerAddress & 0xffff_0000)
          | (1 + peer / PER_SUBNET) << 8
          | (1 + peer % PER_SUBNET);
    }

    int as(int peer) {
      return FIRST_AS + peer;
    }
  }

  static Load of(Shape.Size size, Plan plan, long seed) {
    Random random = new Random(seed);
    long[] keys = PrefixSet.distinct(size.routes(), random);
    int[] sets = new int[keys.length];
    List<String> texts = new ArrayList<>();
    List<Sender> senders = new ArrayList<>();
    for (int sender = 0; sender < size.senders(); sender++) {
      int first = sender * size.prefixes();
      long[] own = Arrays.copyOfRange(keys, first, first + size.prefixes());
      ByteBuffer announce =
          ByteBuffer.allocate(Messages.LARGEST + own.length * 5 + 300 * size.attributeSets());
      for (int set = 0; set < size.attributeSets(); set++) {
        RouteAttributes attributes = RouteAttributes.random(texts.size(), random);
        int from = (int) ((long) own.length * set / size.attributeSets());
        int to = (int) ((long) own.length * (set + 1) / size.attributeSets());
        Messages.announce(
            announce, attributes.encode(plan.as(sender), plan.address(sender)), own, from, to);
        Arrays.fill(sets, first + from, first + to, texts.size());
        texts.add(attributes.expected(plan.speakerAs(), plan.as(sender), plan.speakerAddress()));
      }
      ByteBuffer withdraw = ByteBuffer.allocate(Messages.LARGEST + own.length * 6);
      Messages.withdraw(withdraw, own);
      senders.add(new Sender(direct(announce), direct(withdraw)));
    }
    return new Load(size, senders, Expected.of(keys, sets, texts));
  }

  /** Sockets write from direct buffers without copying. */
  private static ByteBuffer direct(ByteBuffer from) {
    from.flip();
    return ByteBuffer.allocateDirect(from.remaining()).put(from).flip().asReadOnlyBuffer();
  }

  /** Every route and its attributes as a receiver must be told them. */
  static final class Expected {
    private final long[] keys;
    private final int[] sets;
    private final List<String> texts;

    private Expected(long[] keys, int[] sets, List<String> texts) {
      this.keys = keys;
      this.sets = sets;
      this.texts = List.copyOf(texts);
    }

    private static Expected of(long[] keys, int[] sets, List<String> texts) {
      // The index goes along in the lower bits, which 40 bits of prefix leave free.
      long[] order =
          IntStream.range(0, keys.length).mapToLong(i -> keys[i] << 23 | i).sorted().toArray();
      int[] indexes = Arrays.stream(order).mapToInt(key -> (int) (key & (1 << 23) - 1)).toArray();
      return new Expected(
          Arrays.stream(indexes).mapToLong(i -> keys[i]).toArray(),
          Arrays.stream(indexes).map(i -> sets[i]).toArray(),
          texts);
    }

    int routes() {
      return keys.length;
    }

    long key(int route) {
      return keys[route];
    }

    /** The number of the attribute set of a route. */
    int set(int route) {
      return sets[route];
    }

    List<String> texts() {
      return texts;
    }

    /** The number of a route, or a negative number when it is not expected. */
    int find(long key) {
      return Arrays.binarySearch(keys, key);
    }
  }
}
