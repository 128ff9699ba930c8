package io.wayleave.policy.calc;

import java.util.function.Consumer;

/**
 * How often something was added. The members of all sets of a large fleet are kept in these: a
 * table with open addressing (linear probing), half as large as a map of boxed numbers and without
 * an object for each entry.
 *
 * <p>NOT thread safe.
 */
final class Counts<T> {
  private static final int SMALLEST = 4;

  /** A power of two of them, at most two thirds in use; null where nothing is. */
  private Object[] values = new Object[SMALLEST];

  private int[] counts = new int[SMALLEST];
  private int size;

  /**
   * Once more.
   *
   * @return how often now
   */
  int add(T value) {
    int at = find(value);
    if (values[at] == null) {
      if (3 * (size + 1) > 2 * values.length) {
        resize(2 * values.length);
        at = find(value);
      }
      values[at] = value;
      size++;
    }
    return ++counts[at];
  }

  /**
   * Once less.
   *
   * @return how often still
   * @throws IllegalStateException when it is not there
   */
  int remove(T value) {
    int at = find(value);
    if (values[at] == null) {
      throw new IllegalStateException(value + " is not counted");
    }
    int left = --counts[at];
    if (left == 0) {
      free(at);
      size--;
      if (values.length > SMALLEST && 8 * size < values.length) {
        resize(values.length / 2);
      }
    }
    return left;
  }

  boolean contains(T value) {
    return values[find(value)] != null;
  }

  /** Each value once, in no order. */
  @SuppressWarnings("unchecked") // nothing else is put into it
  void forEach(Consumer<T> action) {
    for (Object value : values) {
      if (value != null) {
        action.accept((T) value);
      }
    }
  }

  /** Where it is, or where it would be. */
  private int find(Object value) {
    int at = home(value);
    while (values[at] != null && !values[at].equals(value)) {
      at = (at + 1) & (values.length - 1);
    }
    return at;
  }

  private int home(Object value) {
    // Neighbouring addresses have neighbouring hashes; the multiplication spreads them.
    int spread = value.hashCode() * 0x9E37_79B9;
    return (spread ^ spread >>> 16) & (values.length - 1);
  }

  /** Moves what was pushed on by what is gone, so that each can be reached from its home. */
  private void free(int gone) {
    int mask = values.length - 1;
    int hole = gone;
    for (int at = (hole + 1) & mask; values[at] != null; at = (at + 1) & mask) {
      int distance = (at - home(values[at])) & mask;
      if (distance >= ((at - hole) & mask)) {
        values[hole] = values[at];
        counts[hole] = counts[at];
        hole = at;
      }
    }
    values[hole] = null;
    counts[hole] = 0;
  }

  private void resize(int length) {
    Object[] oldValues = values;
    int[] oldCounts = counts;
    values = new Object[length];
    counts = new int[length];
    for (int i = 0; i < oldValues.length; i++) {
      if (oldValues[i] != null) {
        int at = find(oldValues[i]);
        values[at] = oldValues[i];
        counts[at] = oldCounts[i];
      }
    }
  }
}
