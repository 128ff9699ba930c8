package io.wayleave.test.bench;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;

/**
 * Distinct IPv4 prefixes, the same for the same seed. A prefix is one number here, its address in
 * the upper bits and its length in the lower eight: {@link #key}.
 */
final class PrefixSet {
  /** How many in a hundred have a length, from /16 on, about as in a full Internet table. */
  private static final int[] PERCENT = {2, 1, 1, 3, 5, 5, 11, 11, 61};

  private static final int FIRST_LENGTH = 16;

  private PrefixSet() {}

  static long key(int address, int length) {
    return Integer.toUnsignedLong(address) << 8 | length;
  }

  static int address(long key) {
    return (int) (key >>> 8);
  }

  static int length(long key) {
    return (int) (key & 0xff);
  }

  static String text(long key) {
    int address = address(key);
    return (address >>> 24)
        + "."
        + (address >>> 16 & 0xff)
        + "."
        + (address >>> 8 & 0xff)
        + "."
        + (address & 0xff)
        + "/"
        + length(key);
  }

  static long[] distinct(int count, Random random) {
    long[] keys = new long[count];
    Set<Long> taken = HashSet.newHashSet(count);
    for (int i = 0; i < count; ) {
      int length = length(random.nextInt(100));
      int address = random.nextInt() & -1 << (32 - length);
      long key = key(address, length);
      if (isUnicast(address >>> 24) && taken.add(key)) {
        keys[i++] = key;
      }
    }
    return keys;
  }

  private static int length(int percentile) {
    int sum = 0;
    for (int i = 0; i < PERCENT.length; i++) {
      sum += PERCENT[i];
      if (percentile < sum) {
        return FIRST_LENGTH + i;
      }
    }
    throw new IllegalStateException(
        "the shares add up to " + Arrays.stream(PERCENT).sum() + " and not to 100");
  }

  /** Without 10/8, where the peers are, and without what speakers refuse or leave out. */
  private static boolean isUnicast(int firstOctet) {
    return firstOctet >= 1 && firstOctet < 224 && firstOctet != 10 && firstOctet != 127;
  }
}
