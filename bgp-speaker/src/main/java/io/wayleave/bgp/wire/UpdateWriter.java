package io.wayleave.bgp.wire;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Packs prefixes into as few UPDATE messages as the limit allows, into a byte array that grows. A
 * run ({@link #announce} or {@link #withdraw}) says what the prefixes after it have in common; each
 * prefix then goes into the open message, or into the next one when that is full. So a table of a
 * million prefixes is written without an object for each.
 *
 * <p>Each message has prefixes in one place only, and a multiprotocol attribute comes first, as RFC
 * 7606 section 5.1 wants it, so that the receiver finds the prefixes whatever else it cannot read.
 *
 * <p>It remembers where next hops lie that are the speaker's own, so that one run serves sessions
 * of different local addresses. NOT thread safe.
 */
public final class UpdateWriter {
  private static final Logger log = LoggerFactory.getLogger(UpdateWriter.class);

  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  /** Type, flags and a length of two octets. */
  private static final int MAX_ATTRIBUTE_HEADER = 4;

  /** Type, flags and a length of one octet. */
  private static final int SHORT_ATTRIBUTE_HEADER = 3;

  private static final int NEXT_HOP_SIZE = SHORT_ATTRIBUTE_HEADER + 4;

  /** A prefix is written in whole words, whatever of them counts. */
  private static final int SLACK = 24;

  private static final byte[] NOTHING = {};

  private final CodecContext context;
  private byte[] bytes = new byte[8 * 1024];
  private int end;
  private int messages;
  private int[] ownNextHops = new int[16];
  private int ownNextHopCount;

  // The run: what each of its messages has before the prefixes and after them.
  private Family family = Family.IPV4;
  private boolean withdrawal = true;
  private boolean multiProtocol;
  private boolean addPath;
  private byte[] head = NOTHING;
  private byte[] tail = NOTHING;
  private int headLength;
  private int tailLength;
  // Offset in the head, or -1 when the next hop is not the speaker's own.
  private int ownNextHopAt = -1;
  // The open message, and -1 when none is.
  private int start = -1;
  private int prefixesAt;
  private int limit;

  public UpdateWriter(CodecContext context) {
    this.context = requireNonNull(context, "context is null");
  }

  /** Forgets what was written. */
  public void clear() {
    end = 0;
    messages = 0;
    ownNextHopCount = 0;
    start = -1;
  }

  /** How many octets were written so far. */
  public int size() {
    return end;
  }

  /** How many messages were begun so far. */
  public int messages() {
    return messages;
  }

  /** A copy of what was written; the run must have ended. */
  public byte[] toBytes() {
    return Arrays.copyOf(bytes, end);
  }

  /** Where next hops lie that are the speaker's own, ascending. */
  public int[] ownNextHops() {
    return Arrays.copyOf(ownNextHops, ownNextHopCount);
  }

  void writeTo(ByteBuf out) {
    out.writeBytes(bytes, 0, end);
  }

  /** The prefixes from now on are withdrawn. */
  public void withdraw(Family of) {
    endRun();
    family = of;
    withdrawal = true;
    addPath = context.sendsPathIds(of);
    multiProtocol = of == Family.IPV6;
    ownNextHopAt = -1;
    beginHead();
    if (multiProtocol) {
      // Attributes' length, then the attribute up to the prefixes.
      AddressFamily unicast = AddressFamily.unicast(of);
      put(0, 0, PathAttribute.MP_UNREACH_NLRI.flags(), Iana.ATTR_MP_UNREACH_NLRI, 0);
      put(unicast.afi() >>> 8, unicast.afi(), unicast.safi());
      tailLength = 0;
    } else {
      // Behind the prefixes: no attributes.
      tailLength = 2;
      ensureTail(2);
      tail[0] = 0;
      tail[1] = 0;
    }
  }

  /**
   * The prefixes from now on are announced with these attributes. When they fit into no message,
   * the prefixes are withdrawn instead (RFC 8654 section 4).
   *
   * @param own whether the next hop is the speaker's own, to be found by {@link #ownNextHops}
   * @throws IllegalArgumentException for a next hop of a family that was not negotiated
   */
  public void announce(Family of, PathAttributes attributes, NextHop nextHop, boolean own) {
    endRun();
    boolean classic = nextHop.address().family() == Family.IPV4;
    if (!classic && of == Family.IPV4 && !context.ipv4OverIpv6()) {
      throw new IllegalArgumentException(
          "next hop " + nextHop + " of IPv4 prefixes was not negotiated (RFC 8950)");
    }
    if (classic && of == Family.IPV6) {
      throw new IllegalArgumentException(
          "next hop " + nextHop + " of IPv6 prefixes is not an IPv6 address");
    }
    PathAttributes.Encoded encoded = attributes.encoded(context.fourOctetAs());
    byte[] set = encoded.bytes();
    int overhead =
        MessageLength.MIN_UPDATE
            + set.length
            + (classic ? NEXT_HOP_SIZE : MAX_ATTRIBUTE_HEADER + 5 + nextHopSize(nextHop));
    boolean pathIds = context.sendsPathIds(of);
    if (context.maxSend() - overhead < (pathIds ? 4 : 0) + 1 + of.bytes()) {
      log.warn(
          "routes withdrawn, their attributes fit into no message octets={} limit={}"
              + " path=\"{}\"",
          overhead,
          context.maxSend(),
          attributes.asPath());
      withdraw(of);
      return;
    }
    family = of;
    withdrawal = false;
    addPath = pathIds;
    multiProtocol = !classic;
    ownNextHopAt = -1;
    beginHead();
    put(0, 0);
    if (classic) {
      int nextHopOffset = encoded.nextHopOffset();
      int attributesAt = headLength;
      put(0, 0);
      putAll(set, 0, nextHopOffset);
      put(PathAttribute.NEXT_HOP.flags(), Iana.ATTR_NEXT_HOP, 4);
      ownNextHopAt = own ? headLength : -1;
      putAddress(nextHop.address());
      putAll(set, nextHopOffset, set.length - nextHopOffset);
      setShort(head, attributesAt, headLength - attributesAt - 2);
      tailLength = 0;
      return;
    }
    AddressFamily unicast = AddressFamily.unicast(of);
    put(0, 0, PathAttribute.MP_REACH_NLRI.flags(), Iana.ATTR_MP_REACH_NLRI, 0);
    put(unicast.afi() >>> 8, unicast.afi(), unicast.safi(), nextHopSize(nextHop));
    ownNextHopAt = own ? headLength : -1;
    putAddress(nextHop.address());
    nextHop.linkLocal().ifPresent(this::putAddress);
    put(0);
    tailLength = set.length;
    ensureTail(tailLength);
    System.arraycopy(set, 0, tail, 0, tailLength);
  }

  /** Adds a prefix to the run, as {@link PrefixList} has it. */
  public void prefix(long high, long low, int length) {
    prefix(0, high, low, length);
  }

  /**
   * Adds a prefix to the run.
   *
   * @param pathId written only in a family whose path identifiers are sent (RFC 7911 section 3)
   */
  public void prefix(int pathId, long high, long low, int length) {
    int octets = (length + 7) >>> 3;
    int size = (addPath ? 5 : 1) + octets;
    if (start >= 0 && end + size > limit) {
      endMessage();
    }
    if (start < 0) {
      beginMessage();
    }
    int at = end;
    if (addPath) {
      INT.set(bytes, at, pathId);
      at += 4;
    }
    bytes[at] = (byte) length;
    if (family == Family.IPV4) {
      INT.set(bytes, at + 1, (int) low);
    } else {
      LONG.set(bytes, at + 1, high);
      LONG.set(bytes, at + 9, low);
    }
    end += size;
  }

  /** Closes the open message. More prefixes may follow, in a new message of the same run. */
  public void endRun() {
    if (start >= 0) {
      endMessage();
    }
  }

  /** RFC 4724 section 2: the smallest UPDATE, or an MP_UNREACH_NLRI alone and without prefixes. */
  void endOfRib(Family of) {
    withdraw(of);
    beginMessage();
    endMessage();
  }

  private void beginMessage() {
    int most = context.maxSend() + SLACK;
    if (bytes.length - end < most) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, end + most));
    }
    start = end;
    System.arraycopy(head, 0, bytes, end, headLength);
    end += headLength;
    prefixesAt = end;
    // A multiprotocol attribute may yet grow by the second octet of its length.
    limit = start + context.maxSend() - tailLength - (multiProtocol ? 1 : 0);
    if (ownNextHopAt >= 0) {
      if (ownNextHopCount == ownNextHops.length) {
        ownNextHops = Arrays.copyOf(ownNextHops, 2 * ownNextHopCount);
      }
      ownNextHops[ownNextHopCount++] = start + ownNextHopAt;
    }
    messages++;
  }

  private void endMessage() {
    if (multiProtocol) {
      endMultiProtocol();
    }
    System.arraycopy(tail, 0, bytes, end, tailLength);
    end += tailLength;
    if (multiProtocol) {
      int attributesAt = start + Iana.HEADER_LENGTH + 2;
      setShort(bytes, attributesAt, end - attributesAt - 2);
    } else if (withdrawal) {
      setShort(bytes, prefixesAt - 2, end - tailLength - prefixesAt);
    }
    setShort(bytes, start + Iana.MARKER_LENGTH, end - start);
    start = -1;
  }

  /** Fills the attribute's length in, made two octets when it needs them. */
  private void endMultiProtocol() {
    int header = start + Iana.HEADER_LENGTH + 4;
    int value = header + SHORT_ATTRIBUTE_HEADER;
    int length = end - value;
    if (length <= 0xff) {
      bytes[header + 2] = (byte) length;
      return;
    }
    System.arraycopy(bytes, value, bytes, value + 1, length);
    bytes[header] |= (byte) Iana.FLAG_EXTENDED_LENGTH;
    setShort(bytes, header + 2, length);
    end++;
    if (ownNextHopAt >= 0) {
      ownNextHops[ownNextHopCount - 1]++;
    }
  }

  private void beginHead() {
    headLength = 0;
    ensureHead(Iana.MARKER_LENGTH);
    Arrays.fill(head, 0, Iana.MARKER_LENGTH, (byte) 0xff);
    headLength = Iana.MARKER_LENGTH;
    put(0, 0, Iana.MSG_UPDATE);
    if (withdrawal) {
      put(0, 0);
    }
  }

  private void put(int... octets) {
    ensureHead(octets.length);
    for (int octet : octets) {
      head[headLength++] = (byte) octet;
    }
  }

  private void putAll(byte[] from, int offset, int length) {
    ensureHead(length);
    System.arraycopy(from, offset, head, headLength, length);
    headLength += length;
  }

  private void putAddress(IpAddress address) {
    byte[] octets = address.toBytes();
    putAll(octets, 0, octets.length);
  }

  private void ensureHead(int more) {
    if (head.length - headLength < more) {
      head = Arrays.copyOf(head, Math.max(2 * head.length, headLength + more + 128));
    }
  }

  private void ensureTail(int length) {
    if (tail.length < length) {
      tail = new byte[2 * length];
    }
  }

  private static void setShort(byte[] in, int at, int value) {
    in[at] = (byte) (value >>> 8);
    in[at + 1] = (byte) value;
  }

  private static int nextHopSize(NextHop nextHop) {
    return nextHop.linkLocal().isPresent() ? 32 : 16; // RFC 2545 section 3
  }
}
