package io.wayleave.bgp.bfd;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BfdPacketTest {
  private static final String UP_POLLING =
      "20e00318" + "01020304" + "a0b0c0d0" + "000493e0" + "000186a0" + "00000000";

  private static BfdPacket.Decoding decode(String hex) {
    return BfdPacket.decode(HexFormat.of().parseHex(hex));
  }

  @Test
  void readsAndWritesTheSameBytes() {
    BfdPacket packet =
        new BfdPacket(
            Diagnostic.NONE,
            BfdPhase.UP,
            true,
            false,
            false,
            false,
            3,
            0x01020304,
            0xa0b0c0d0,
            300_000,
            100_000,
            0);
    assertThat(decode(UP_POLLING)).isEqualTo(new BfdPacket.Decoding.Good(packet));
    assertThat(HexFormat.of().formatHex(packet.encode())).isEqualTo(UP_POLLING);
  }

  @Test
  void knowsEachBit() {
    BfdPacket packet =
        new BfdPacket(
            Diagnostic.REVERSE_CONCATENATED_PATH_DOWN,
            BfdPhase.DOWN,
            false,
            true,
            true,
            true,
            255,
            -1,
            0,
            0xffff_ffffL,
            0,
            7);
    assertThat(HexFormat.of().formatHex(packet.encode()))
        .isEqualTo("285aff18ffffffff00000000ffffffff0000000000000007");
    assertThat(BfdPacket.decode(packet.encode())).isEqualTo(new BfdPacket.Decoding.Good(packet));
  }

  @ParameterizedTest
  @CsvSource({
    "'', only 0 bytes",
    "20c003180102030400000000000493e0000186a0000000, only 23 bytes",
    "00c0031801020304a0b0c0d0000493e0000186a000000000, version 0",
    "40c0031801020304a0b0c0d0000493e0000186a000000000, version 2",
    "20c0031701020304a0b0c0d0000493e0000186a000000000, length 23 in 24 bytes",
    "20c0031901020304a0b0c0d0000493e0000186a000000000, length 25 in 24 bytes",
    "20c0001801020304a0b0c0d0000493e0000186a000000000, detection multiplier 0",
    "20c1031801020304a0b0c0d0000493e0000186a000000000, multipoint bit set",
    "20c0031800000000a0b0c0d0000493e0000186a000000000, my discriminator 0",
    "20c003180102030400000000000493e0000186a000000000, your discriminator 0 in state UP",
    "2080031801020304" + "00000000000493e0000186a000000000, your discriminator 0 in state INIT",
    "20c4031a01020304a0b0c0d0000493e0000186a0000000000102, 'authentication, which is not"
        + " supported'",
  })
  void discardsWhatTheRfcDiscards(String hex, String reason) {
    assertThat(decode(hex)).isEqualTo(new BfdPacket.Decoding.Discarded(reason));
  }

  @Test
  void aLongerDatagramThanThePacketIsFine() {
    assertThat(decode(UP_POLLING + "ffff")).isEqualTo(decode(UP_POLLING));
  }

  @Test
  void anyBytesAreReadOrRefused() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    byte[] good = HexFormat.of().parseHex(UP_POLLING);
    for (int i = 0; i < 100_000; i++) {
      byte[] bytes = new byte[random.nextInt(48)];
      random.nextBytes(bytes);
      if (random.nextBoolean()) {
        System.arraycopy(good, 0, bytes, 0, Math.min(random.nextInt(25), bytes.length));
      }
      switch (BfdPacket.decode(bytes)) {
        case BfdPacket.Decoding.Discarded(String reason) ->
            assertThat(reason).as("seed %d", seed).isNotEmpty();
        case BfdPacket.Decoding.Good(BfdPacket packet) -> {
          assertThat(packet.multiplier()).as("seed %d", seed).isPositive();
          assertThat(packet.myDiscriminator()).as("seed %d", seed).isNotZero();
        }
      }
    }
  }
}
