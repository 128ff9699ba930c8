package io.wayleave.test.bench;

import java.nio.ByteBuffer;

/** What a peer does with the UPDATEs that it gets. Used by the thread of its {@link LoadTool}. */
sealed interface Ear permits Ear.Deaf, Ear.Counter, Verifier {
  /**
   * One whole UPDATE, without its header.
   *
   * @param bytes holds it among others
   */
  void update(byte[] bytes, int from, int to);

  /** Whether every route has been announced. */
  boolean hasAll();

  /** Whether every route has been withdrawn. */
  boolean hasNone();

  /** Begins anew, before another load. */
  void reset();

  /** Drops what it gets: the peer is a sender, whose part it is not to be a slow reader. */
  final class Deaf implements Ear {
    @Override
    public void update(byte[] bytes, int from, int to) {}

    @Override
    public boolean hasAll() {
      return true;
    }

    @Override
    public boolean hasNone() {
      return true;
    }

    @Override
    public void reset() {}
  }

  /** Walks the lists of prefixes and counts: no object is made, nothing is kept. */
  final class Counter implements Ear {
    private final int expected;
    private long announced;
    private long withdrawn;

    Counter(int expected) {
      this.expected = expected;
    }

    @Override
    public void update(byte[] bytes, int from, int to) {
      int withdrawals = from + 2;
      int attributes = withdrawals + unsignedShort(bytes, from) + 2;
      withdrawn += count(bytes, withdrawals, attributes - 2);
      announced += count(bytes, attributes + unsignedShort(bytes, attributes - 2), to);
    }

    private static int count(byte[] bytes, int from, int to) {
      int count = 0;
      for (int at = from; at < to; at += 1 + ((bytes[at] & 0xff) + 7) / 8) {
        count++;
      }
      return count;
    }

    long announced() {
      return announced;
    }

    long withdrawn() {
      return withdrawn;
    }

    @Override
    public boolean hasAll() {
      return announced >= expected;
    }

    @Override
    public boolean hasNone() {
      return withdrawn >= expected;
    }

    @Override
    public void reset() {
      announced = 0;
      withdrawn = 0;
    }

    @Override
    public String toString() {
      return announced + " announced, " + withdrawn + " withdrawn of " + expected;
    }
  }

  static int unsignedShort(byte[] bytes, int at) {
    return (bytes[at] & 0xff) << 8 | (bytes[at + 1] & 0xff);
  }

  /** A view for reading, of a part. */
  static ByteBuffer view(byte[] bytes, int from, int to) {
    return ByteBuffer.wrap(bytes, from, to - from);
  }
}
