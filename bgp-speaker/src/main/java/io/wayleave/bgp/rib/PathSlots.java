package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;

/**
 * Numbers for the paths of a table that tells several to a prefix (RFC 7911): one for each pair of
 * a prefix and the path identifier that it is told with. A freed number is given away again. NOT
 * thread safe.
 */
final class PathSlots {
  private static final int[] NOTHING = {};
  private static final int INITIAL_CAPACITY = 64;

  // By slot.
  private int[] prefixes = new int[INITIAL_CAPACITY];
  private int[] pathIds = new int[INITIAL_CAPACITY];
  // By prefix: its slots; null stands for none here and nowhere else.
  private int[][] slots = {};
  private final IntQueue free = new IntQueue();
  private int next;
  private final PathIds ids;

  PathSlots(PathIds ids) {
    this.ids = requireNonNull(ids, "ids is null");
  }

  /** The slot of the pair, a new one if it has none. */
  int add(int prefix, int pathId) {
    for (int slot : of(prefix)) {
      if (pathIds[slot] == pathId) {
        return slot;
      }
    }
    int slot = free.isEmpty() ? next++ : free.remove();
    if (slot == prefixes.length) {
      prefixes = Arrays.copyOf(prefixes, 2 * slot);
      pathIds = Arrays.copyOf(pathIds, 2 * slot);
    }
    prefixes[slot] = prefix;
    pathIds[slot] = pathId;
    ids.use(pathId);
    if (prefix >= slots.length) {
      slots = Arrays.copyOf(slots, Math.max(prefix + 1, 2 * slots.length));
    }
    int[] former = of(prefix);
    int[] more = Arrays.copyOf(former, former.length + 1);
    more[former.length] = slot;
    slots[prefix] = more;
    return slot;
  }

  void free(int slot) {
    int prefix = prefixes[slot];
    slots[prefix] = Arrays.stream(slots[prefix]).filter(other -> other != slot).toArray();
    ids.unuse(pathIds[slot]);
    free.add(slot);
  }

  /** None of them is used any more, nor will be. */
  void release() {
    for (int prefix = 0; prefix < slots.length; prefix++) {
      for (int slot : of(prefix)) {
        ids.unuse(pathIds[slot]);
      }
    }
  }

  /** The slots of the prefix; not to be changed. */
  int[] of(int prefix) {
    return prefix < slots.length && slots[prefix] != null ? slots[prefix] : NOTHING;
  }

  int prefix(int slot) {
    return prefixes[slot];
  }

  int pathId(int slot) {
    return pathIds[slot];
  }

  int capacity() {
    return prefixes.length;
  }
}
