package io.wayleave.bgp.rib;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import java.util.Map;

/**
 * A run of UPDATE messages, encoded once for all members of an update group. What one member gets
 * of it differs in two ways: the messages with its own routes are left out, and its own address is
 * put where the speaker's own next hop belongs. Immutable, and kept as long as a member has not
 * sent it.
 */
final class Chunk {
  /** Messages that one member does not get. */
  record Span(int from, int to, int messages) {}

  private static final Span[] NOTHING = {};

  private final byte[] bytes;
  private final int messages;
  private final int[] ownNextHops;
  // In the order of the bytes.
  private final Map<Member, Span[]> leftOut;

  Chunk(byte[] bytes, int messages, int[] ownNextHops, Map<Member, Span[]> leftOut) {
    this.bytes = bytes;
    this.messages = messages;
    this.ownNextHops = ownNextHops;
    this.leftOut = Map.copyOf(leftOut);
  }

  /** Octets of the whole. */
  int size() {
    return bytes.length;
  }

  /** How many octets the member gets. */
  int size(Member member) {
    int size = bytes.length;
    for (Span span : spans(member)) {
      size -= span.to - span.from;
    }
    return size;
  }

  /** How many messages the member gets. */
  int messages(Member member) {
    int count = messages;
    for (Span span : spans(member)) {
      count -= span.messages;
    }
    return count;
  }

  /**
   * Writes what the member gets.
   *
   * @param ownNextHop octets of the member's own next hop, of the size of those in the messages
   */
  void writeTo(ByteBuf out, Member member, byte[] ownNextHop) {
    int from = 0;
    for (Span span : spans(member)) {
      write(out, from, span.from, ownNextHop);
      from = span.to;
    }
    write(out, from, bytes.length, ownNextHop);
  }

  private void write(ByteBuf out, int from, int to, byte[] ownNextHop) {
    if (from == to) {
      return;
    }
    int start = out.writerIndex();
    out.writeBytes(bytes, from, to - from);
    int found = Arrays.binarySearch(ownNextHops, from);
    for (int i = found >= 0 ? found : -found - 1;
        i < ownNextHops.length && ownNextHops[i] < to;
        i++) {
      out.setBytes(start + ownNextHops[i] - from, ownNextHop);
    }
  }

  private Span[] spans(Member member) {
    Span[] spans = leftOut.get(member);
    return spans == null ? NOTHING : spans;
  }
}
