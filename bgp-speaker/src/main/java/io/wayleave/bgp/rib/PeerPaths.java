package io.wayleave.bgp.rib;

import java.util.Arrays;
import java.util.function.IntPredicate;

/**
 * What one peer has told of one family, kept paths of earlier sessions included: how many paths,
 * and at which prefixes of the {@link LocRib} they are, so that what concerns one peer costs what
 * that peer told and not the whole table. Only the table changes it. NOT thread safe.
 */
public final class PeerPaths {
  private static final int INITIAL_CAPACITY = 16;

  private int known;
  private int usable;
  // Numbers of prefixes, each path's among them. One whose path was removed since stays until room
  // is needed, so a look there may find nothing, and one may be there twice.
  private int[] ids = {};
  private int size;

  /** How many paths there are. */
  public int known() {
    return known;
  }

  /** How many of them may be used, as far as import goes. */
  public int usable() {
    return usable;
  }

  /** Whether {@link #added} needs room; then {@link #makeRoom} must be called first. */
  boolean isFull() {
    return size == ids.length;
  }

  /**
   * Makes room for one more.
   *
   * @param present whether a path is there; asked once for each number
   */
  void makeRoom(IntPredicate present) {
    if (size > 2 * known) {
      int kept = 0;
      for (int i = 0; i < size; i++) {
        if (present.test(ids[i])) {
          ids[kept++] = ids[i];
        }
      }
      size = kept;
    }
    if (isFull()) {
      ids = Arrays.copyOf(ids, Math.max(INITIAL_CAPACITY, 2 * size));
    }
  }

  void added(int id, boolean isUsable) {
    ids[size++] = id;
    known++;
    usable += isUsable ? 1 : 0;
  }

  void replaced(boolean wasUsable, boolean isUsable) {
    usable += (isUsable ? 1 : 0) - (wasUsable ? 1 : 0);
  }

  void removed(boolean wasUsable) {
    known--;
    usable -= wasUsable ? 1 : 0;
    if (known == 0) {
      size = 0;
      if (ids.length > INITIAL_CAPACITY) {
        ids = new int[INITIAL_CAPACITY];
      }
    }
  }

  /** A copy: the numbers of the prefixes to look at, some perhaps twice or in vain. */
  int[] ids() {
    return Arrays.copyOf(ids, size);
  }
}
