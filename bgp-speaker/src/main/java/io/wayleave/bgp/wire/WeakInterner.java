package io.wayleave.bgp.wire;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;

/**
 * Gives equal values one object, as long as somebody holds it: what nobody uses any more goes away
 * by itself. NOT thread safe.
 */
public final class WeakInterner<T> {
  private static final int INITIAL_CAPACITY = 64;

  private static final class Entry<T> extends WeakReference<T> {
    private final int hash;
    private Entry<T> next;

    Entry(T value, int hash, ReferenceQueue<T> queue) {
      super(value, queue);
      this.hash = hash;
    }
  }

  private final ReferenceQueue<T> gone = new ReferenceQueue<>();
  private Entry<T>[] buckets = newBuckets(INITIAL_CAPACITY);
  private int size;

  /** The object that stands for all equal ones: this one, if it is the first. */
  public T intern(T value) {
    int hash = spread(value.hashCode());
    for (Entry<T> entry = buckets[hash & buckets.length - 1]; entry != null; entry = entry.next) {
      T known = entry.hash == hash ? entry.get() : null;
      if (value.equals(known)) {
        return known;
      }
    }
    expunge();
    if (size >= buckets.length) {
      grow();
    }
    link(new Entry<>(value, hash, gone));
    size++;
    return value;
  }

  /** How many values are known, those that went away not long ago included. */
  public int size() {
    expunge();
    return size;
  }

  private void link(Entry<T> entry) {
    int bucket = entry.hash & buckets.length - 1;
    entry.next = buckets[bucket];
    buckets[bucket] = entry;
  }

  @SuppressWarnings("ReferenceEquality") // Entries have no other identity.
  private void expunge() {
    for (Reference<? extends T> dead = gone.poll(); dead != null; dead = gone.poll()) {
      Entry<?> entry = (Entry<?>) dead;
      int bucket = entry.hash & buckets.length - 1;
      Entry<T> before = null;
      for (Entry<T> at = buckets[bucket]; at != null; at = at.next) {
        if (at == entry) {
          if (before == null) {
            buckets[bucket] = at.next;
          } else {
            before.next = at.next;
          }
          size--;
          break;
        }
        before = at;
      }
    }
  }

  private void grow() {
    Entry<T>[] old = buckets;
    buckets = newBuckets(old.length * 2);
    for (Entry<T> first : old) {
      for (Entry<T> entry = first; entry != null; ) {
        Entry<T> next = entry.next;
        link(entry);
        entry = next;
      }
    }
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static <T> Entry<T>[] newBuckets(int capacity) {
    return (Entry<T>[]) new Entry[capacity];
  }

  private static int spread(int hash) {
    return hash ^ hash >>> 16;
  }
}
