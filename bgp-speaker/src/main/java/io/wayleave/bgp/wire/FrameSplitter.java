package io.wayleave.bgp.wire;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import java.util.Optional;

/**
 * Cuts the byte stream of a connection into messages (RFC 4271 section 4.1).
 *
 * <pre>
 * marker, all ones (16) | length, header included (2) | type (1)
 * </pre>
 *
 * <p>A header is checked as soon as its 19 octets are there, so that a bad length is refused before
 * anything waits for that many octets. Holds no state; the caller keeps what is not a whole message
 * yet, and must not go on after {@link Frame.Bad} or a message that decodes to {@link
 * DecodeOutcome.Reset}. The limit and the context are asked for anew with each message, because an
 * OPEN changes them for the next one in the same buffer.
 */
public final class FrameSplitter {
  private static final int LENGTH_OFFSET = Iana.MARKER_LENGTH;
  private static final int TYPE_OFFSET = Iana.MARKER_LENGTH + 2;

  private FrameSplitter() {}

  /** The next message of a stream. */
  public sealed interface Frame {
    /** More octets must arrive; nothing was consumed. */
    record Incomplete() implements Frame {
      static final Incomplete INSTANCE = new Incomplete();
    }

    /**
     * A whole message with its header.
     *
     * @param bytes a slice of the input, not retained: it lives as long as the input does
     */
    record Complete(ByteBuf bytes) implements Frame {
      public Complete {
        requireNonNull(bytes, "bytes is null");
      }
    }

    /** The header is wrong, and with it all that follows; nothing was consumed. */
    record Bad(DecodeOutcome.Reset reset) implements Frame {
      public Bad {
        requireNonNull(reset, "reset is null");
      }
    }
  }

  /**
   * Takes one message off the front of the input.
   *
   * @param maxLength largest message accepted, {@link CodecContext#maxReceive}
   */
  public static Frame next(ByteBuf in, int maxLength) {
    if (in.readableBytes() < Iana.HEADER_LENGTH) {
      return Frame.Incomplete.INSTANCE;
    }
    Optional<DecodeOutcome.Reset> bad = checkHeader(in, maxLength);
    if (bad.isPresent()) {
      return new Frame.Bad(bad.get());
    }
    int length = length(in);
    return in.readableBytes() < length
        ? Frame.Incomplete.INSTANCE
        : new Frame.Complete(in.readSlice(length));
  }

  /** The length field of the header at the reader index. */
  static int length(ByteBuf in) {
    return in.getUnsignedShort(in.readerIndex() + LENGTH_OFFSET);
  }

  /** The type field of the header at the reader index. */
  static int type(ByteBuf in) {
    return in.getUnsignedByte(in.readerIndex() + TYPE_OFFSET);
  }

  /** RFC 4271 section 6.1, in its order; the 19 octets at the reader index must be there. */
  static Optional<DecodeOutcome.Reset> checkHeader(ByteBuf in, int maxLength) {
    int start = in.readerIndex();
    if (in.getLong(start) != -1 || in.getLong(start + 8) != -1) {
      return Optional.of(
          DecodeOutcome.Reset.with(
              Notifications.notSynchronized(),
              "message marker 0x"
                  + Octets.copy(in, start, Iana.MARKER_LENGTH)
                  + " is not all ones"));
    }
    int length = length(in);
    int type = type(in);
    boolean outOfRange = length < Iana.HEADER_LENGTH || length > maxLength;
    if (type == Iana.MSG_NOTIFICATION) {
      return outOfRange || length < MessageLength.MIN_NOTIFICATION
          ? badNotification(length, maxLength)
          : Optional.empty();
    }
    if (outOfRange) {
      return badLength(length, "message", Iana.HEADER_LENGTH, maxLength);
    }
    return switch (type) {
      // RFC 8654 section 3: OPEN and KEEPALIVE never grow.
      case Iana.MSG_OPEN ->
          checkLength(length, "OPEN", MessageLength.MIN_OPEN, Iana.MAX_MESSAGE_LENGTH);
      case Iana.MSG_UPDATE -> checkLength(length, "UPDATE", MessageLength.MIN_UPDATE, maxLength);
      case Iana.MSG_KEEPALIVE ->
          checkLength(length, "KEEPALIVE", Iana.HEADER_LENGTH, Iana.HEADER_LENGTH);
      case Iana.MSG_ROUTE_REFRESH ->
          checkLength(length, "ROUTE-REFRESH", MessageLength.ROUTE_REFRESH, maxLength);
      default ->
          Optional.of(
              DecodeOutcome.Reset.with(
                  Notifications.badMessageType(type),
                  "message type " + type + "; expected: 1 to 5"));
    };
  }

  private static Optional<DecodeOutcome.Reset> checkLength(
      int length, String name, int min, int max) {
    return length < min || length > max ? badLength(length, name, min, max) : Optional.empty();
  }

  private static Optional<DecodeOutcome.Reset> badLength(
      int length, String name, int min, int max) {
    return Optional.of(
        DecodeOutcome.Reset.with(
            Notifications.badMessageLength(length), lengthReason(length, name, min, max)));
  }

  /** RFC 4271 section 6.4: an error in a NOTIFICATION is not answered. */
  private static Optional<DecodeOutcome.Reset> badNotification(int length, int max) {
    return Optional.of(
        new DecodeOutcome.Reset(
            Optional.empty(),
            lengthReason(length, "NOTIFICATION", MessageLength.MIN_NOTIFICATION, max)));
  }

  private static String lengthReason(int length, String name, int min, int max) {
    return name + " of " + length + " octets; expected: " + min + " to " + max;
  }
}
