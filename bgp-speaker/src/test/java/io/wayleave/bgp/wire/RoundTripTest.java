package io.wayleave.bgp.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is encoded decodes to the same, whatever the message and the session. */
class RoundTripTest {
  private static final int MESSAGES_PER_SEED = 1_000;

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void fourOctetExternal(long seed) {
    roundTrips(seed, Wire.EXTERNAL);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void fourOctetInternal(long seed) {
    roundTrips(seed, Wire.INTERNAL);
  }

  /** RFC 6793: four-octet numbers survive a two-octet session in the AS4 attributes. */
  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void twoOctetExternal(long seed) {
    roundTrips(seed, Wire.EXTERNAL_TWO_OCTET);
  }

  private static void roundTrips(long seed, CodecContext context) {
    RandomMessages messages = new RandomMessages(seed);
    for (int i = 0; i < MESSAGES_PER_SEED; i++) {
      BgpMessage message = messages.message(context);
      byte[] bytes = Wire.encode(message, context);
      BgpMessage decoded = Wire.decodeGood(bytes, context);
      assertThat(decoded).as("message %s of seed %s", i, seed).isEqualTo(message);
      assertThat(Wire.encode(decoded, context)).isEqualTo(bytes);
    }
  }

  static LongStream seeds() {
    return LongStream.rangeClosed(1, 5);
  }
}
