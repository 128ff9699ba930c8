package io.wayleave.bgp.bfd;

import static java.util.Objects.requireNonNull;

import java.nio.ByteBuffer;

/**
 * A BFD control packet without authentication (RFC 5880 section 4.1):
 *
 * <pre>
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |Vers |  Diag   |Sta|P|F|C|A|D|M|  Detect Mult  |    Length     |
 * |                       My Discriminator                        |
 * |                      Your Discriminator                       |
 * |                    Desired Min TX Interval                    |
 * |                   Required Min RX Interval                    |
 * |                 Required Min Echo RX Interval                 |
 * </pre>
 *
 * <p>Intervals are in microseconds, 0 to 2^32-1. Discriminators are unsigned.
 *
 * @param independent the C bit: the sender's BFD does not share the fate of its control plane
 * @param demand the D bit
 */
record BfdPacket(
    Diagnostic diagnostic,
    BfdPhase phase,
    boolean poll,
    boolean isFinal,
    boolean independent,
    boolean demand,
    int multiplier,
    int myDiscriminator,
    int yourDiscriminator,
    long desiredMinTx,
    long requiredMinRx,
    long requiredMinEchoRx) {
  static final int BYTES = 24;

  private static final int VERSION = 1;
  private static final int POLL = 0x20;
  private static final int FINAL = 0x10;
  private static final int INDEPENDENT = 0x08;
  private static final int AUTHENTICATED = 0x04;
  private static final int DEMAND = 0x02;
  private static final int MULTIPOINT = 0x01;

  /** What became of received bytes. */
  sealed interface Decoding {
    record Good(BfdPacket packet) implements Decoding {}

    /** To be left unanswered, as RFC 5880 section 6.8.6 says. */
    record Discarded(String reason) implements Decoding {}
  }

  BfdPacket {
    requireNonNull(diagnostic, "diagnostic is null");
    requireNonNull(phase, "phase is null");
  }

  byte[] encode() {
    int bits =
        (poll ? POLL : 0)
            | (isFinal ? FINAL : 0)
            | (independent ? INDEPENDENT : 0)
            | (demand ? DEMAND : 0);
    return ByteBuffer.allocate(BYTES)
        .put((byte) (VERSION << 5 | diagnostic.code()))
        .put((byte) (phase.code() << 6 | bits))
        .put((byte) multiplier)
        .put((byte) BYTES)
        .putInt(myDiscriminator)
        .putInt(yourDiscriminator)
        .putInt((int) desiredMinTx)
        .putInt((int) requiredMinRx)
        .putInt((int) requiredMinEchoRx)
        .array();
  }

  /** The checks of RFC 5880 section 6.8.6 that need no session, in its order. */
  static Decoding decode(byte[] payload) {
    if (payload.length < BYTES) {
      return new Decoding.Discarded("only " + payload.length + " bytes");
    }
    ByteBuffer bytes = ByteBuffer.wrap(payload);
    int first = bytes.get() & 0xff;
    int second = bytes.get() & 0xff;
    int multiplier = bytes.get() & 0xff;
    int length = bytes.get() & 0xff;
    int mine = bytes.getInt();
    int yours = bytes.getInt();
    BfdPhase phase = BfdPhase.of(second >>> 6);
    if (first >>> 5 != VERSION) {
      return new Decoding.Discarded("version " + (first >>> 5));
    }
    if (length < BYTES || length > payload.length) {
      return new Decoding.Discarded("length " + length + " in " + payload.length + " bytes");
    }
    if (multiplier == 0) {
      return new Decoding.Discarded("detection multiplier 0");
    }
    if ((second & MULTIPOINT) != 0) {
      return new Decoding.Discarded("multipoint bit set");
    }
    if (mine == 0) {
      return new Decoding.Discarded("my discriminator 0");
    }
    if (yours == 0 && phase != BfdPhase.DOWN && phase != BfdPhase.ADMIN_DOWN) {
      return new Decoding.Discarded("your discriminator 0 in state " + phase);
    }
    if ((second & AUTHENTICATED) != 0) {
      return new Decoding.Discarded("authentication, which is not supported");
    }
    return new Decoding.Good(
        new BfdPacket(
            Diagnostic.of(first & 0x1f),
            phase,
            (second & POLL) != 0,
            (second & FINAL) != 0,
            (second & INDEPENDENT) != 0,
            (second & DEMAND) != 0,
            multiplier,
            mine,
            yours,
            Integer.toUnsignedLong(bytes.getInt()),
            Integer.toUnsignedLong(bytes.getInt()),
            Integer.toUnsignedLong(bytes.getInt())));
  }
}
