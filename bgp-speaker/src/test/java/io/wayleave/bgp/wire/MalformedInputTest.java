package io.wayleave.bgp.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.wayleave.bgp.wire.BgpMessage.Update;
import io.wayleave.bgp.wire.DecodeOutcome.Decoded;
import io.wayleave.bgp.wire.DecodeOutcome.Ignored;
import io.wayleave.bgp.wire.DecodeOutcome.Reset;
import io.wayleave.bgp.wire.DecodeOutcome.TreatAsWithdraw;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Bytes that no speaker should send: whatever they are, the decoder has a typed outcome and keeps
 * no buffer. A failure prints the bytes, which then become a vector.
 */
class MalformedInputTest {
  private static final int MUTATIONS = 200_000;
  private static final List<CodecContext> CONTEXTS =
      List.of(
          Wire.EXTERNAL,
          Wire.INTERNAL,
          Wire.EXTERNAL_TWO_OCTET,
          Wire.EXTENDED,
          Wire.ipv4OverIpv6(),
          Wire.addPath());

  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);

  /** The connection breaks off there: with the length as it was sent. */
  @ParameterizedTest
  @MethodSource("vectors")
  void truncatedMessageIsIncompleteAndRefusedWhenTakenForWhole(MessageVectorsTest.Vector vector) {
    byte[] whole = vector.bytes().toArray();
    for (int length = 0; length < whole.length; length++) {
      byte[] part = Arrays.copyOf(whole, length);
      ByteBuf in = allocator.buffer(whole.length).writeBytes(part);
      assertThat(FrameSplitter.next(in, vector.context().maxReceive()))
          .isEqualTo(FrameSplitter.Frame.Incomplete.INSTANCE);
      in.release();
      DecodeOutcome outcome = decode(part, vector.context());
      assertThat(outcome).isInstanceOf(Reset.class);
      assertThat(Wire.answerOf(outcome)).startsWith("0102");
    }
  }

  /** The sender itself cut it: the length says what is there. */
  @ParameterizedTest
  @MethodSource("vectors")
  void truncatedMessageWithMatchingLengthHasTypedOutcome(MessageVectorsTest.Vector vector) {
    byte[] whole = vector.bytes().toArray();
    for (int length = Iana.HEADER_LENGTH; length < whole.length; length++) {
      byte[] part = withLength(Arrays.copyOf(whole, length));
      DecodeOutcome outcome = decode(part, vector.context());
      checkOutcome(outcome);
      boolean mayBeGood =
          vector.message() instanceof BgpMessage.Notification || vector.message() instanceof Update;
      assertThat(mayBeGood || outcome instanceof Reset).as(Wire.hex(part)).isTrue();
    }
  }

  static Stream<MessageVectorsTest.Vector> vectors() {
    return MessageVectorsTest.vectors();
  }

  @Test
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void mutatedMessagesHaveTypedOutcomes() {
    fuzz(20261124, MUTATIONS);
  }

  @Test
  @Tag("full")
  @Timeout(value = 900, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void manyMutatedMessagesHaveTypedOutcomes() {
    fuzz(System.nanoTime(), 100 * MUTATIONS);
  }

  private void fuzz(long seed, int mutations) {
    SplittableRandom random = new SplittableRandom(seed);
    List<byte[]> corpus = corpus(seed);
    int[] outcomes = new int[4];
    for (int i = 0; i < mutations; i++) {
      byte[] mutated = mutate(corpus.get(random.nextInt(corpus.size())), corpus, random);
      CodecContext context = CONTEXTS.get(random.nextInt(CONTEXTS.size()));
      DecodeOutcome outcome;
      try {
        outcome = decode(mutated, context);
        checkOutcome(outcome);
        checkExportable(outcome, context);
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError(
            "seed " + seed + " mutation " + i + " context " + context + ": " + Wire.hex(mutated),
            e);
      }
      outcomes[
          switch (outcome) {
            case Decoded decoded -> 0;
            case TreatAsWithdraw withdraw -> 1;
            case Ignored ignored -> 2;
            case Reset reset -> 3;
          }]++;
    }
    assertThat(allocator.metric().usedHeapMemory()).as("seed " + seed).isZero();
    // The mutations are worth something only when they reach every way out.
    assertThat(outcomes).as("seed " + seed).doesNotContain(0);
  }

  private static List<byte[]> corpus(long seed) {
    List<byte[]> corpus = new ArrayList<>();
    vectors().forEach(vector -> corpus.add(vector.bytes().toArray()));
    RandomMessages messages = new RandomMessages(seed);
    for (CodecContext context : CONTEXTS) {
      for (int i = 0; i < 40; i++) {
        corpus.add(Wire.encode(messages.message(context), context));
      }
    }
    return corpus;
  }

  /** One to four changes to the body, the header's length mended most of the time. */
  private static byte[] mutate(byte[] original, List<byte[]> corpus, SplittableRandom random) {
    byte[] message = original.clone();
    for (int changes = random.nextInt(1, 5); changes > 0; changes--) {
      int from = random.nextInt(20) == 0 ? 0 : Math.min(Iana.HEADER_LENGTH, message.length - 1);
      int at = random.nextInt(from, message.length);
      switch (random.nextInt(6)) {
        case 0 -> message[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> message[at] = (byte) random.nextInt(256);
        case 2 -> message[at] += (byte) (random.nextBoolean() ? 1 : -1);
        case 3 -> message = Arrays.copyOf(message, Math.max(at, 1));
        case 4 -> message = spliced(message, at, corpus.get(random.nextInt(corpus.size())), random);
        default -> message[at] = (byte) (random.nextBoolean() ? 0xff : 0);
      }
    }
    return random.nextInt(20) == 0 ? message : withLength(message);
  }

  /** The front of one message and the back of another. */
  private static byte[] spliced(byte[] front, int at, byte[] other, SplittableRandom random) {
    int from = random.nextInt(other.length);
    byte[] result = Arrays.copyOf(front, at + other.length - from);
    System.arraycopy(other, from, result, at, other.length - from);
    return result;
  }

  private static byte[] withLength(byte[] message) {
    if (message.length >= Iana.HEADER_LENGTH) {
      message[16] = (byte) (message.length >> 8);
      message[17] = (byte) message.length;
    }
    return message;
  }

  private DecodeOutcome decode(byte[] message, CodecContext context) {
    ByteBuf in = allocator.buffer(Math.max(message.length, 1)).writeBytes(message);
    DecodeOutcome outcome = BgpDecoder.decode(in, context);
    check(in.refCnt() == 1, "the buffer is neither kept nor released");
    in.release();
    return outcome;
  }

  /** Each outcome keeps what its type promises. */
  private static void checkOutcome(DecodeOutcome outcome) {
    switch (outcome) {
      case Decoded(BgpMessage message, List<UpdateError> discarded) -> {
        for (UpdateError error : discarded) {
          check(error.approach() == UpdateError.Approach.ATTRIBUTE_DISCARD, "discards only");
        }
        check(message instanceof Update || discarded.isEmpty(), "only an UPDATE discards");
      }
      case TreatAsWithdraw(Update withdrawals, List<UpdateError> errors) -> {
        check(withdrawals.reach().isEmpty(), "nothing is announced");
        check(withdrawals.endOfRib().isEmpty(), "no End-of-RIB");
        check(!errors.isEmpty(), "there are errors");
      }
      case Ignored(String reason) -> check(!reason.isEmpty(), "there is a reason");
      case Reset(var answer, String reason) -> {
        check(!reason.isEmpty(), "there is a reason");
        answer.ifPresent(MalformedInputTest::checkAnswer);
      }
    }
  }

  private static void checkAnswer(BgpMessage.Notification answer) {
    check(!NotificationText.of(answer).contains("Unknown"), "the answer has a known code");
    int length = MessageLength.MIN_NOTIFICATION + answer.data().length();
    check(length < Iana.MAX_EXTENDED_MESSAGE_LENGTH, "the answer has bounded data");
  }

  /** What was taken can be passed on and is read as the same again. */
  private static void checkExportable(DecodeOutcome outcome, CodecContext context) {
    if (outcome instanceof Decoded(Update update, var discarded)
        && update.reach().size() == 1
        && update.reach().getFirst().prefixes().size() == 1) {
      Update announced = new Update(List.of(), update.reach());
      byte[] bytes = Wire.encode(announced, context);
      DecodeOutcome again = BgpDecoder.decode(Unpooled.wrappedBuffer(bytes), context);
      check(again.equals(new Decoded(announced)), "it is the same again");
    }
  }

  /** Plain, because millions of these would take AssertJ minutes. */
  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError("does not hold: " + what);
    }
  }
}
