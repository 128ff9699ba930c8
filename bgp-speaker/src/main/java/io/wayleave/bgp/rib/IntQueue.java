package io.wayleave.bgp.rib;

import java.util.Arrays;

/** A queue of numbers without an object for each. Gives its memory back when it runs empty. */
final class IntQueue {
  private static final int[] NOTHING = {};

  private int[] items = NOTHING;
  private int head;
  private int tail;

  void add(int item) {
    if (tail == items.length) {
      makeRoom();
    }
    items[tail++] = item;
  }

  private void makeRoom() {
    int size = tail - head;
    int[] to =
        size * 2 > items.length || items.length == 0 ? new int[Math.max(8, size * 2)] : items;
    System.arraycopy(items, head, to, 0, size);
    items = to;
    head = 0;
    tail = size;
  }

  /** Takes the first one out; the queue must not be empty. */
  int remove() {
    int item = items[head++];
    if (head == tail) {
      head = 0;
      tail = 0;
      items = NOTHING;
    }
    return item;
  }

  boolean isEmpty() {
    return head == tail;
  }

  int size() {
    return tail - head;
  }

  @Override
  public String toString() {
    return Arrays.toString(Arrays.copyOfRange(items, head, tail));
  }
}
