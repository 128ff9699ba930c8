package io.wayleave.test.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/**
 * The load says what it claims to: read back by its own receivers, which a changed octet upsets.
 */
class LoadTest {
  private static final Load.Plan PLAN = Load.Plan.DEFAULT;
  private static final Load LOAD = Load.of(new Shape.Size(2, 1, 1_500, 3), PLAN, 7);

  @Test
  void theSameSeedMakesTheSameLoad() {
    Load again = Load.of(LOAD.size(), PLAN, 7);
    assertThat(again.senders()).isEqualTo(LOAD.senders());
    assertThat(Load.of(LOAD.size(), PLAN, 8).senders()).isNotEqualTo(LOAD.senders());
  }

  @Test
  void prefixesAreDistinctAndHaveNoHostBits() {
    Load.Expected expected = LOAD.expected();
    assertThat(expected.routes()).isEqualTo(3_000);
    for (int i = 0; i < expected.routes(); i++) {
      long key = expected.key(i);
      assertThat(expected.find(key)).isEqualTo(i);
      assertThat(PrefixSet.length(key)).isBetween(16, 24);
      assertThat(PrefixSet.address(key) << PrefixSet.length(key)).isZero();
    }
  }

  @Test
  void theCounterCountsEachRouteOnceEachWay() {
    Ear.Counter counter = new Ear.Counter(3_000);
    LOAD.senders().forEach(sender -> hear(counter, bytes(sender.announce())));
    assertThat(counter.announced()).isEqualTo(3_000);
    assertThat(counter.hasAll()).isTrue();
    assertThat(counter.hasNone()).isFalse();
    LOAD.senders().forEach(sender -> hear(counter, bytes(sender.withdraw())));
    assertThat(counter.withdrawn()).isEqualTo(3_000);
    assertThat(counter.hasNone()).isTrue();
  }

  @Test
  void theVerifierWantsWhatASpeakerExports() {
    Verifier verifier = new Verifier(LOAD.expected());
    for (int i = 0; i < 2; i++) {
      hear(verifier, exported(i));
    }
    assertThat(verifier.mistakes()).isEmpty();
    assertThat(verifier.hasAll()).isTrue();
    hear(verifier, bytes(LOAD.senders().getFirst().withdraw()));
    assertThat(verifier.hasNone()).isFalse();
    hear(verifier, bytes(LOAD.senders().getLast().withdraw()));
    assertThat(verifier.hasNone()).isTrue();
    assertThat(verifier.mistakes()).isEmpty();
  }

  @Test
  void theVerifierFindsWhatIsMissing() {
    Verifier verifier = new Verifier(LOAD.expected());
    hear(verifier, exported(0));
    byte[] second = exported(1);
    hear(verifier, Arrays.copyOf(second, Ear.unsignedShort(second, 16)));
    assertThat(verifier.mistakes()).isEmpty();
    assertThat(verifier.hasAll()).isFalse();
  }

  @Test
  void theVerifierFindsARouteThatWasTakenBack() {
    Verifier verifier = new Verifier(LOAD.expected());
    hear(verifier, exported(0));
    hear(verifier, exported(1));
    hear(verifier, bytes(LOAD.senders().getFirst().withdraw()));
    assertThat(verifier.hasAll()).isFalse();
    hear(verifier, exported(0));
    assertThat(verifier.hasAll()).as("announced twice is there once").isTrue();
  }

  @Test
  void theVerifierFindsAttributesAsTheyWereSent() {
    Verifier verifier = new Verifier(LOAD.expected());
    hear(verifier, bytes(LOAD.senders().getFirst().announce()));
    assertThat(verifier.hasAll()).isFalse();
    assertThat(verifier.mistakes()).last().asString().isEqualTo("and 1495 more");
    assertThat(verifier.mistakes())
        .first()
        .asString()
        .contains("path [4200000000 ")
        .contains("and not origin ")
        .contains("path [65000 4200000000 ");
  }

  @Test
  void theVerifierFindsARouteOfNobody() {
    Verifier verifier = new Verifier(LOAD.expected());
    byte[] update = exported(0);
    int length = Ear.unsignedShort(update, 16);
    // The last octet of the first UPDATE is the end of an address.
    update[length - 1] ^= 1;
    hear(verifier, update);
    assertThat(verifier.mistakes()).singleElement().asString().contains("was sent by nobody");
  }

  @Test
  void theOpenHasTheAsInFourOctets() {
    ByteBuffer open = ByteBuffer.wrap(Messages.open(PLAN.as(0), PLAN.address(0)));
    assertThat(open.remaining()).isEqualTo(19 + 10 + 2 + 14);
    assertThat(open.getInt(19 + 10 + 2 + 10)).isEqualTo((int) 4_200_000_000L);
  }

  /** The UPDATEs of a sender as the speaker under test must pass them on. */
  private static byte[] exported(int sender) {
    ByteBuffer out = ByteBuffer.allocate(1 << 16);
    byte[] sent = bytes(LOAD.senders().get(sender).announce());
    for (int at = 0; at < sent.length; ) {
      int length = Ear.unsignedShort(sent, at + 16);
      int attributes = at + 19 + 4;
      int attributesLength = Ear.unsignedShort(sent, attributes - 2);
      int begin = out.position();
      out.put(sent, at, 19 + 4);
      rewrite(out, ByteBuffer.wrap(sent, attributes, attributesLength));
      out.putShort(begin + 21, (short) (out.position() - begin - 23));
      out.put(sent, attributes + attributesLength, at + length - attributes - attributesLength);
      out.putShort(begin + 16, (short) (out.position() - begin));
      at += length;
    }
    byte[] bytes = new byte[out.position()];
    out.get(0, bytes);
    return bytes;
  }

  /** AS 65000 before the path, 10.99.0.1 for the next hop, and no MED. */
  private static void rewrite(ByteBuffer out, ByteBuffer in) {
    while (in.hasRemaining()) {
      byte flags = in.get();
      int type = in.get();
      int length = in.get() & 0xff;
      byte[] value = new byte[length];
      in.get(value);
      switch (type) {
        case 2 -> {
          out.put(flags).put((byte) 2).put((byte) (length + 4));
          out.put((byte) 2).put((byte) (value[1] + 1)).putInt(65_000).put(value, 2, length - 2);
        }
        case 3 -> out.put(flags).put((byte) 3).put((byte) 4).put(new byte[] {10, 99, 0, 1});
        case 4 -> {}
        default -> out.put(flags).put((byte) type).put((byte) length).put(value);
      }
    }
  }

  private static void hear(Ear ear, byte[] messages) {
    for (int at = 0; at < messages.length; ) {
      int length = Ear.unsignedShort(messages, at + 16);
      assertThat(length).isBetween(23, Messages.LARGEST);
      ear.update(messages, at + Messages.HEADER, at + length);
      at += length;
    }
  }

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }
}
